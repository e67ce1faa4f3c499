//! What happens to every picture once, before it is encoded several times: fields become frames, it is turned upright,
//! its pixels become square, it is made as large as the largest result, high dynamic range becomes ordinary, and it gets
//! its place in time.
//!
//! The filters are built from the frames themselves and again whenever these change: a stream may change its size.

use ffmpeg_next as ffmpeg;

use ffmpeg::util::color;
use ffmpeg::{Rational, Rescale, format, frame, picture};

use super::codecs::TICKS;
use super::error::Error;
use super::graph::Graph;
use crate::colours::Tags;
use crate::facts::{Orientation, Size, VideoFacts};

/// What the filters depend on.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Shape {
    size: Size,
    format: format::Pixel,
    full_range: bool,
    fields: bool,
}

/// The one way of all pictures.
pub(super) struct Front {
    base: Size,
    facts: VideoFacts,
    tags: Tags,
    thinned: Option<u32>,
    keyframes: i64,
    graph: Option<(Shape, Graph)>,
    /// Whether any frame had fields: the filter stays then.
    fields: bool,
    last: i64,
    next_key: i64,
    /// How often the picture changed its size.
    pub changes: u64,
}

impl Front {
    /// Pictures as `facts` describe them to the size `base`, with key frames every so many seconds.
    pub(super) fn new(facts: &VideoFacts, base: Size, tags: Tags, thinned: Option<u32>, keyframes: f64) -> Self {
        Self {
            base,
            facts: facts.clone(),
            tags,
            thinned,
            keyframes: (keyframes * f64::from(TICKS)) as i64,
            graph: None,
            fields: facts.interlaced,
            last: -1,
            next_key: 0,
            changes: 0,
        }
    }

    /// Takes a decoded picture that begins at `time`, in microseconds, and hands on what comes out.
    pub(super) fn push(
        &mut self,
        frame: &mut frame::Video,
        time: i64,
        out: &mut dyn FnMut(frame::Video) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if frame.width() == 0 || frame.height() == 0 || frame.format() == format::Pixel::None {
            return Ok(());
        }
        self.fields |= frame.is_interlaced();
        let shape = Shape {
            size: Size { width: frame.width(), height: frame.height() },
            format: frame.format(),
            full_range: frame.color_range() == color::Range::JPEG,
            fields: self.fields,
        };
        if let Some((before, mut old)) = self.graph.take_if(|(before, _)| *before != shape) {
            self.changes += u64::from(before.size != shape.size);
            old.close()?;
            self.drain(&mut old, out)?;
        }
        frame.set_pts(Some(time.rescale(Rational(1, 1_000_000), Rational(1, TICKS))));
        let (_, mut graph) = match self.graph.take() {
            Some(graph) => graph,
            None => (shape, self.build(shape)?),
        };
        graph.push(frame)?;
        self.drain(&mut graph, out)?;
        self.graph = Some((shape, graph));
        Ok(())
    }

    /// Hands on what is still inside.
    pub(super) fn finish(&mut self, out: &mut dyn FnMut(frame::Video) -> Result<(), Error>) -> Result<(), Error> {
        if let Some((_, mut graph)) = self.graph.take() {
            graph.close()?;
            self.drain(&mut graph, out)?;
        }
        Ok(())
    }

    fn drain(
        &mut self,
        graph: &mut Graph,
        out: &mut dyn FnMut(frame::Video) -> Result<(), Error>,
    ) -> Result<(), Error> {
        loop {
            let mut frame = frame::Video::empty();
            if !graph.pull(&mut frame)? {
                return Ok(());
            }
            let time = frame.pts().unwrap_or(self.last + 1).rescale(graph.time_base(), Rational(1, TICKS));
            // what comes too late, or twice, has been replaced on the screen already
            if time <= self.last {
                continue;
            }
            self.last = time;
            frame.set_pts(Some(time));
            frame.set_color_range(color::Range::MPEG);
            let is_key = time >= self.next_key;
            if is_key {
                self.next_key = (time / self.keyframes + 1) * self.keyframes;
            }
            frame.set_kind(if is_key { picture::Type::I } else { picture::Type::None });
            out(frame)?;
        }
    }

    fn build(&self, shape: Shape) -> Result<Graph, Error> {
        let Shape { size, format, .. } = shape;
        let name = format.descriptor().map_or("none", |descriptor| descriptor.name());
        let arguments =
            format!("video_size={size}:pix_fmt={name}:time_base=1/{TICKS}:pixel_aspect=1/1:frame_rate={}", self.rate());
        Graph::video(&arguments, &self.chain(shape, name))
    }

    fn rate(&self) -> String {
        let rate = self.facts.rate.clamp(1.0, 1000.0);
        format!("{:.0}/1000", rate * 1000.0)
    }

    /// The filters that bring frames of this shape into the form of the largest result.
    fn chain(&self, shape: Shape, format: &str) -> String {
        let Shape { size, full_range, fields, .. } = shape;
        let mut filters = Vec::new();
        if fields {
            filters.push("bwdif=mode=send_frame:deint=interlaced".to_owned());
        }
        if let Some(rate) = self.thinned {
            filters.push(format!("fps={rate}"));
        }
        filters.extend(turns(self.facts.orientation).iter().map(|turn| (*turn).to_owned()));
        let turned = if self.facts.orientation.swaps() { size.turned() } else { size };
        let Size { width, height } = self.base;
        if self.facts.hdr {
            // small first: a second of 1080p costs four of the processor
            filters.push(format!("scale={width}:{height}:flags=bicubic"));
            filters.push("zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=hable:desat=0".to_owned());
            filters.push("zscale=t=bt709:m=bt709:r=tv,format=yuv420p".to_owned());
        } else if turned != self.base || format != "yuv420p" || full_range || self.repaints() {
            let (from, to) = (self.facts.colours.read_as(self.facts.stored), self.tags.scale_name());
            let colours = format!("in_color_matrix={from}:out_color_matrix={to}:out_range=tv");
            filters.push(format!("scale={width}:{height}:flags=bicubic:{colours},format=yuv420p"));
        }
        filters.push("setsar=1".to_owned());
        filters.join(",")
    }

    /// Whether numbers mean other colours afterwards.
    fn repaints(&self) -> bool {
        self.facts.colours.read_as(self.facts.stored) != self.tags.scale_name()
    }
}

/// The filters that turn a picture upright.
fn turns(orientation: Orientation) -> &'static [&'static str] {
    match orientation {
        Orientation::Upright => &[],
        Orientation::Right => &["transpose=clock"],
        Orientation::Around => &["hflip", "vflip"],
        Orientation::Left => &["transpose=cclock"],
        Orientation::Mirrored => &["hflip"],
        Orientation::Flipped => &["vflip"],
        Orientation::RightFlipped => &["transpose=clock_flip"],
        Orientation::LeftFlipped => &["transpose=cclock_flip"],
    }
}
