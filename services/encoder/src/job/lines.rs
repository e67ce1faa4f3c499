//! Lines from a pipe, as far as they are worth keeping.

/// Bytes of a line, at most: an adaptive stream of twelve hours names some ten thousand segments.
const LONGEST: usize = 4 << 20;
/// Bytes of a log that are kept.
const KEPT: usize = 4096;

/// Puts lines together.
#[derive(Debug, Default)]
pub(super) struct Lines {
    open: Vec<u8>,
}

impl Lines {
    /// Takes bytes and hands on the lines that are complete; `false` if one is too long.
    pub(super) fn push(&mut self, mut bytes: &[u8], each: &mut dyn FnMut(&[u8])) -> bool {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = bytes.split_at(end);
            if self.open.is_empty() {
                each(line);
            } else {
                self.open.extend_from_slice(line);
                each(&std::mem::take(&mut self.open));
            }
            bytes = &rest[1..];
        }
        self.open.extend_from_slice(bytes);
        self.open.len() <= LONGEST
    }
}

/// The end of a log.
#[derive(Debug, Default)]
pub(super) struct Tail {
    bytes: Vec<u8>,
}

impl Tail {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(&bytes[bytes.len().saturating_sub(KEPT)..]);
        let over = self.bytes.len().saturating_sub(KEPT);
        self.bytes.drain(..over);
    }

    /// As text, without what a terminal would obey.
    pub(super) fn text(&self) -> String {
        let text = String::from_utf8_lossy(&self.bytes);
        text.chars().filter(|c| !c.is_control() || *c == '\n').collect::<String>().trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_put_together() {
        let (mut lines, mut seen) = (Lines::default(), Vec::new());
        for piece in ["a\nb", "c", "d\n\ne"] {
            assert!(lines.push(piece.as_bytes(), &mut |line| seen.push(String::from_utf8_lossy(line).into_owned())));
        }
        assert_eq!(seen, ["a", "bcd", ""]);
        assert!(!lines.push(&vec![b'x'; LONGEST], &mut |_| {}));
    }

    #[test]
    fn the_end_of_a_log_is_kept() {
        let mut tail = Tail::default();
        tail.push(b"begin");
        tail.push(&[b'x'; 2 * KEPT]);
        tail.push("\x1b[31mred\u{0} end\n".as_bytes());
        let text = tail.text();
        assert!(text.len() <= KEPT && text.ends_with("[31mred end") && !text.contains("begin"), "{text}");
    }
}
