//! How far a long verb is: a bar on a terminal, and nothing anywhere else.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar for so many bytes.
pub(super) fn bytes(total: u64) -> ProgressBar {
    styled(total, "{bar:40} {bytes} of {total_bytes}, {eta} left")
}

/// A bar for so many things.
pub(super) fn count(total: usize) -> ProgressBar {
    styled(total as u64, "{bar:40} {pos} of {len}, {eta} left")
}

fn styled(total: u64, template: &str) -> ProgressBar {
    let bar = ProgressBar::new(total);
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
