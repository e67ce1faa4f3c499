//! How many threads this process has.

use std::fs;
use std::io;

/// Fails if the process has more than one thread.
///
/// Where `/proc` cannot be read (a bare chroot) there is nothing to count, and the caller's order has to do.
pub(super) fn alone() -> io::Result<()> {
    let Ok(tasks) = fs::read_dir("/proc/self/task") else { return Ok(()) };
    match tasks.count() {
        0 | 1 => Ok(()),
        count => Err(io::Error::other(format!("the process already has {count} threads, but must have one"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_thread_is_seen() {
        let (hold, held) = std::sync::mpsc::channel::<()>();
        let other = std::thread::spawn(move || held.recv());
        let error = alone().unwrap_err().to_string();
        drop(hold);
        assert!(error.contains("threads"), "{error}");
        other.join().unwrap().unwrap_err();
    }
}
