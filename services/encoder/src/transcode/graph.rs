//! A chain of libav's filters with one way in and one way out.

use ffmpeg_next as ffmpeg;

use ffmpeg::{Frame, Rational, filter};

use super::error::{Doing, Error};

/// The names of the two ends.
const ENDS: [&str; 2] = ["in", "out"];

/// A configured chain.
pub(super) struct Graph {
    graph: filter::Graph,
    base: Rational,
}

impl Graph {
    /// A chain of filters for pictures, `arguments` being those of libav's filter `buffer`.
    pub(super) fn video(arguments: &str, chain: &str) -> Result<Self, Error> {
        Self::new(["buffer", "buffersink"], arguments, chain, 0)
    }

    /// A chain for sound, `arguments` being those of `abuffer`, that gives `frame` samples at a time; 0 for any number.
    pub(super) fn audio(arguments: &str, chain: &str, frame: u32) -> Result<Self, Error> {
        Self::new(["abuffer", "abuffersink"], arguments, chain, frame)
    }

    fn new(filters: [&str; 2], arguments: &str, chain: &str, frame: u32) -> Result<Self, Error> {
        let doing = || format!("set up the filters `{chain}` for `{arguments}`");
        let mut graph = filter::Graph::new();
        for ((name, filter), arguments) in ENDS.iter().zip(filters).zip([arguments, ""]) {
            let filter = filter::find(filter).ok_or(ffmpeg::Error::FilterNotFound).doing(doing)?;
            graph.add(&filter, name, arguments).doing(doing)?;
        }
        let [into, out] = ENDS;
        graph.output(into, 0).and_then(|ends| ends.input(out, 0)).and_then(|ends| ends.parse(chain)).doing(doing)?;
        graph.validate().doing(doing)?;
        let mut sink = graph.get(out).ok_or(ffmpeg::Error::FilterNotFound).doing(doing)?;
        if frame > 0 {
            sink.sink().set_frame_size(frame);
        }
        let base = sink.sink().time_base();
        Ok(Self { graph, base })
    }

    /// The unit of time of what comes out.
    pub(super) fn time_base(&self) -> Rational {
        self.base
    }

    /// Takes the frame, which is empty afterwards.
    pub(super) fn push(&mut self, frame: &mut Frame) -> Result<(), Error> {
        self.end(0)?.source().add(frame).doing(|| "filter a frame".to_owned())
    }

    /// Nothing will be pushed any more.
    pub(super) fn close(&mut self) -> Result<(), Error> {
        self.end(0)?.source().flush().doing(|| "filter the last frames".to_owned())
    }

    /// Whether there was a frame to put into `frame`.
    pub(super) fn pull(&mut self, frame: &mut Frame) -> Result<bool, Error> {
        match self.end(1)?.sink().frame(frame) {
            Ok(()) => Ok(true),
            Err(ffmpeg::Error::Eof | ffmpeg::Error::Other { errno: libc::EAGAIN }) => Ok(false),
            Err(source) => Err(Error::Libav { doing: "filter a frame".to_owned(), source }),
        }
    }

    fn end(&mut self, which: usize) -> Result<filter::Context, Error> {
        self.graph.get(ENDS[which]).ok_or(ffmpeg::Error::Bug).doing(|| "find an end of the filters".to_owned())
    }
}
