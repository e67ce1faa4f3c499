//! What test runners say about themselves: their closing lines, found in their output and kept for the end of ours.
use anyhow::{Result, bail};
use std::fmt;

/// The closing words of a test run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Closing {
    lines: Vec<String>,
    pub passed: u64,
    pub failed: u64,
}

/// A failure after a test run: whoever prints it prints the closing words last.
#[derive(Debug)]
pub(crate) struct Failed {
    pub what: String,
    pub closing: Closing,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Failed {}

impl Closing {
    /// From what `cargo nextest` printed: its `Summary` line, as it is.
    pub(crate) fn nextest(output: &[String]) -> Result<Self> {
        let mut plain = output.iter().map(|line| plain(line));
        let Some(line) = plain.rfind(|line| line.trim_start().starts_with("Summary [")) else {
            bail!("the test runner printed no summary");
        };
        let number = |word: &str| before(&line, word);
        let failed = number("failed") + number("timed out") + number("exec failed");
        Ok(Self { passed: number("passed"), failed, lines: vec![line] })
    }

    /// From what `cargo test` printed: the sum of its `test result` lines.
    pub(crate) fn libtest(output: &[String]) -> Self {
        let mut sum = Self::default();
        for line in output.iter().map(|line| plain(line)).filter(|line| line.starts_with("test result: ")) {
            sum.passed += before(&line, "passed");
            sum.failed += before(&line, "failed");
        }
        sum.lines = vec![format!("{} passed, {} failed", sum.passed, sum.failed)];
        sum
    }

    /// From what a runner printed whose last line is `N passed, N failed`.
    pub(crate) fn last_line(output: &[String]) -> Result<Self> {
        let Some(line) = output.iter().rev().map(|line| plain(line)).find(|line| line.ends_with(" failed")) else {
            bail!("the test runner printed no summary");
        };
        Ok(Self { passed: before(&line, "passed"), failed: before(&line, "failed"), lines: vec![line] })
    }

    /// Both: the words of `last` stay the last line. A run of nothing is not mentioned.
    pub(crate) fn then(mut self, what: &str, last: Self) -> Self {
        if self.passed + self.failed == 0 {
            return last;
        }
        for line in &mut self.lines {
            *line = format!("{what}: {}", line.trim_start());
        }
        self.lines.extend(last.lines);
        Self { lines: self.lines, passed: self.passed + last.passed, failed: self.failed + last.failed }
    }

    pub(crate) fn print(&self) {
        for line in &self.lines {
            println!("{line}");
        }
    }
}

/// The number right before `word` in `12 tests run: 11 passed (1 slow), 1 failed`.
fn before(line: &str, word: &str) -> u64 {
    let numbers =
        line.match_indices(word).filter_map(|(at, _)| line[..at].trim_end().rsplit([' ', '(']).next()?.parse().ok());
    numbers.max().unwrap_or(0)
}

/// `line` without the colours of a terminal.
fn plain(line: &str) -> String {
    let mut text = String::new();
    let mut parts = line.split('\u{1b}');
    text.push_str(parts.next().unwrap_or_default());
    for part in parts {
        text.push_str(part.split_once('m').map_or("", |(_, rest)| rest));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    fn check(summary: &str, passed: u64, failed: u64) {
        let closing = Closing::nextest(&lines(&format!("PASS x\n{summary}\nerror: test run failed"))).unwrap();
        assert_eq!((closing.passed, closing.failed), (passed, failed), "{summary}");
        assert_eq!(closing.lines, [plain(summary)]);
    }

    #[test]
    fn a_last_line_is_a_summary() {
        let closing = Closing::last_line(&lines("3.11: 40 passed, 1 failed\n81 passed, 1 failed")).unwrap();
        assert_eq!((closing.passed, closing.failed), (81, 1));
        assert!(Closing::last_line(&lines("Traceback")).is_err());
    }

    #[test]
    fn the_summary_of_nextest_is_found_and_kept() {
        check("     Summary [   0.005s] 4 tests run: 4 passed, 0 skipped", 4, 0);
        check("     Summary [   9.5s] 40/44 tests run: 38 passed (2 slow), 2 failed, 4 skipped", 38, 2);
        check("     Summary [   9.5s] 44 tests run: 41 passed, 1 failed, 2 timed out, 0 skipped", 41, 3);
        check(
            "\u{1b}[32;1m     Summary\u{1b}[0m [   0.1s] \u{1b}[1m3\u{1b}[0m tests run: \u{1b}[1m3\u{1b}[0m passed",
            3,
            0,
        );
        assert!(Closing::nextest(&lines("nothing")).is_err());
    }

    #[test]
    fn the_lines_of_libtest_are_summed_up() {
        let output =
            "test result: ok. 3 passed; 0 failed; 0 ignored\nx\ntest result: FAILED. 4 passed; 2 failed; 0 ignored";
        let closing = Closing::libtest(&lines(output));
        assert_eq!(closing.lines, ["7 passed, 2 failed"]);
    }

    #[test]
    fn the_runners_own_words_come_last() {
        let docs = Closing::libtest(&lines("test result: ok. 3 passed; 0 failed;"));
        let tests = Closing::nextest(&lines(" Summary [ 1s] 4 tests run: 4 passed")).unwrap();
        let both = docs.then("doc tests", tests);
        assert_eq!(both.lines, ["doc tests: 3 passed, 0 failed", " Summary [ 1s] 4 tests run: 4 passed"]);
        assert_eq!(both.passed, 7);
        assert_eq!(Closing::libtest(&[]).then("doc tests", both.clone()), both);
    }
}
