//! What the machine is and how loaded it is.

use std::ffi::OsString;

/// The five answers of `uname(2)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Arch {
    /// Operating system: `Linux`.
    pub system: OsString,
    /// Name of the machine.
    pub node: OsString,
    /// Kernel release: `6.1.0-18-amd64`.
    pub release: OsString,
    /// Build of the kernel.
    pub version: OsString,
    /// Hardware: `x86_64`.
    pub machine: OsString,
}

impl Arch {
    /// The numbers of the release up to the first `-`: `[6, 1, 0]`. None where they are not numbers, or more than 5.
    pub fn release_info(&self) -> Option<Vec<u32>> {
        let release = self.release.to_str()?;
        let numbers =
            release.split('-').next()?.split('.').map(|part| part.parse().ok()).collect::<Option<Vec<_>>>()?;
        (numbers.len() <= 5).then_some(numbers)
    }
}

/// How many processes want to run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// Averages over 1, 5 and 15 minutes.
    pub averages: [f64; 3],
    /// Threads that want to run now.
    pub runnable: u32,
    /// Threads that there are.
    pub entities: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(release: &str, expected: Option<&[u32]>) {
        let empty = OsString::new;
        let arch = Arch { system: empty(), node: empty(), release: release.into(), version: empty(), machine: empty() };
        assert_eq!(arch.release_info().as_deref(), expected, "{release}");
    }

    #[test]
    fn a_release_is_numbers_up_to_the_dash() {
        check("6.1.0-18-amd64", Some(&[6, 1, 0]));
        check("6.18.44-fc-v669", Some(&[6, 18, 44]));
        check("5.10", Some(&[5, 10]));
        check("6.1.0+", None);
        check("1.2.3.4.5.6", None);
        check("", None);
    }
}
