//! HTTP live streaming (RFC 8216) of renditions that are there already: their packets in segments of fragmented MP4.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use ffmpeg_next as ffmpeg;

use ffmpeg::format::context::Input;
use ffmpeg::{Dictionary, Packet, Rational, media};

use super::av;
use super::error::{Doing, Error};
use super::mux::url;
use crate::asset::{Asset, Kind};
use crate::facts::Size;
use crate::plan::{FilePlan, HlsPlan, Plan};

/// What the playlist of playlists says of one rendition.
#[derive(Debug, PartialEq)]
struct Variant {
    name: String,
    size: Option<Size>,
    codecs: Vec<String>,
    /// Bits a second of the largest segment.
    peak: u64,
    /// Bits a second over all.
    average: u64,
    rate: Option<f64>,
}

/// Cuts the renditions into segments, and writes the playlists.
pub(super) fn make(stream: &HlsPlan, plan: &Plan, folder: &Path) -> Result<Asset, Error> {
    let own = folder.join(&stream.name);
    let mut variants = Vec::new();
    let mut asset = Asset {
        name: stream.name.clone(),
        kind: Kind::Hls,
        files: vec![format!("{}/master.m3u8", stream.name)],
        bytes: 0,
        size: None,
        duration: None,
        copied: false,
    };
    for file in stream.of.iter().filter_map(|index| plan.files.get(*index)) {
        let place = own.join(&file.name);
        fs::create_dir_all(&place).doing(|| format!("make `{}`", place.display()))?;
        let (codecs, rate) = cut(&folder.join(&file.path), &place, stream.segment)?;
        let (variant, files, bytes, duration) = measure(file, &place, codecs, rate)?;
        asset.files.extend(files.into_iter().map(|name| format!("{}/{}/{name}", stream.name, file.name)));
        asset.bytes += bytes;
        asset.duration = asset.duration.or(Some(duration));
        asset.size = asset.size.or(file.size);
        variants.push(variant);
    }
    let text = master(&variants);
    asset.bytes += text.len() as u64;
    let path = own.join("master.m3u8");
    fs::write(&path, text).doing(|| format!("write `{}`", path.display()))?;
    Ok(asset)
}

/// A finished rendition, opened to be copied from.
fn open(from: &Path) -> Result<Input, Error> {
    let mut options = Dictionary::new();
    options.set("format_whitelist", "mov,mp4,m4a,3gp,3g2,mj2");
    options.set("protocol_whitelist", "file");
    let input = ffmpeg::format::input_with_dictionary(&url(from)?, options);
    input.doing(|| format!("cut `{}` into segments", from.display()))
}

/// Copies the packets; returns what codecs they are of, and the rate of the frames.
fn cut(from: &Path, place: &Path, segment: f64) -> Result<(Vec<String>, Option<f64>), Error> {
    let doing = || format!("cut `{}` into segments", from.display());
    let mut input = open(from)?;
    let mut output = ffmpeg::format::output_as(&url(&place.join("playlist.m3u8"))?, "hls").doing(doing)?;
    let (mut bases, mut codecs, mut rate, mut video, mut whole) = (Vec::new(), Vec::new(), None, None, 0.0);
    for stream in input.streams() {
        let mut copy = output.add_stream(None::<ffmpeg::Codec>).doing(doing)?;
        let parameters = stream.parameters();
        codecs.extend(codec(parameters.medium(), &av::extradata(&parameters)));
        if parameters.medium() == media::Type::Video {
            rate = Some(f64::from(stream.avg_frame_rate())).filter(|rate| rate.is_finite() && *rate > 0.0);
            video = Some(stream.index());
        }
        // segments are measured by the first stream, which is the picture if there is one
        if stream.index() == 0 {
            whole = stream.duration() as f64 * f64::from(stream.time_base());
        }
        copy.set_parameters(parameters);
        av::forget_tag(&mut copy);
        bases.push(stream.time_base());
    }
    output.write_header_with(options(place, segment)?).doing(doing)?;
    let mut write = |mut packet: Packet| {
        let index = packet.stream();
        let from = bases.get(index).copied().unwrap_or(Rational(1, 1));
        let to = output.stream(index).map_or(from, |stream| stream.time_base());
        packet.rescale_ts(from, to);
        packet.set_position(-1);
        packet.write_interleaved(&mut output).doing(doing)
    };
    let mut held: Option<Packet> = None;
    loop {
        let mut packet = Packet::empty();
        if packet.read(&mut input).is_err() {
            break;
        }
        if video != Some(packet.stream()) {
            write(packet)?;
            continue;
        }
        // a segment begins where the last packet of the one before ends, so that this must be true
        if let Some(mut before) = held.take() {
            if let (Some(time), Some(next)) = (before.dts(), packet.dts()) {
                before.set_duration(next.saturating_sub(time).max(1));
            }
            write(before)?;
        }
        held = Some(packet);
    }
    held.map_or(Ok(()), write)?;
    output.write_trailer().doing(doing)?;
    let path = place.join("playlist.m3u8");
    let text = fs::read_to_string(&path).doing(doing)?;
    fs::write(&path, stretched(&text, whole)).doing(doing)?;
    Ok((codecs, rate))
}

fn options(place: &Path, segment: f64) -> Result<Dictionary<'static>, Error> {
    let mut options = Dictionary::new();
    options.set("hls_time", &segment.to_string());
    options.set("hls_playlist_type", "vod");
    options.set("hls_segment_type", "fmp4");
    options.set("hls_flags", "+independent_segments");
    // with an index of its own in each segment libav moves first frames to where the index says that they are
    options.set("hls_segment_options", "movflags=+skip_sidx");
    options.set("hls_fmp4_init_filename", "init.mp4");
    options.set("hls_segment_filename", &url(&place.join("%05d.m4s"))?);
    Ok(options)
}

/// The playlist with a last segment that ends where the last frame does: libav takes it to end with the packet that was
/// written last, which is often seen before others.
fn stretched(playlist: &str, whole: f64) -> String {
    let durations: Vec<_> = segments(playlist).map(|(duration, _)| duration).collect();
    let Some((last, others)) = durations.split_last() else { return playlist.to_owned() };
    let rest = whole - others.iter().sum::<f64>();
    if !rest.is_finite() || rest <= *last {
        return playlist.to_owned();
    }
    let Some(at) = playlist.rfind("#EXTINF:") else { return playlist.to_owned() };
    let (before, after) = playlist.split_at(at);
    let tail = after.split_once(',').map_or("", |(_, tail)| tail);
    let longest = durations.iter().copied().fold(rest, f64::max).round();
    let before = before.lines().map(|line| match line.strip_prefix("#EXT-X-TARGETDURATION:") {
        // no segment may be longer, rounded: RFC 8216 section 4.3.3.1
        Some(said) => format!("#EXT-X-TARGETDURATION:{:.0}\n", said.parse().unwrap_or(0.0_f64).max(longest)),
        None => format!("{line}\n"),
    });
    format!("{}#EXTINF:{rest:.6},{tail}", before.collect::<String>())
}

/// RFC 6381's name of a codec: for H.264 three bytes of its header, ISO/IEC 14496-15 section 5.3.3.1.
fn codec(medium: media::Type, header: &[u8]) -> Option<String> {
    match (medium, header) {
        (media::Type::Video, [1, profile, compatible, level, ..]) => {
            Some(format!("avc1.{profile:02X}{compatible:02X}{level:02X}"))
        }
        (media::Type::Audio, _) => Some("mp4a.40.2".to_owned()),
        _ => None,
    }
}

/// Reads the playlist that was written, and the sizes of its segments: the files, the playlist first, their bytes, and
/// seconds.
fn measure(
    file: &FilePlan,
    place: &Path,
    codecs: Vec<String>,
    rate: Option<f64>,
) -> Result<(Variant, Vec<String>, u64, f64), Error> {
    let path = place.join("playlist.m3u8");
    let text = fs::read_to_string(&path).doing(|| format!("read `{}`", path.display()))?;
    let size = |name: &str| {
        let path = place.join(name);
        fs::metadata(&path).map(|meta| meta.len()).doing(|| format!("look at `{}`", path.display()))
    };
    let mut files = vec!["playlist.m3u8".to_owned(), "init.mp4".to_owned()];
    let (mut bytes, mut seconds, mut peak) = (text.len() as u64 + size("init.mp4")?, 0.0, 0.0_f64);
    let mut in_segments = 0;
    for (duration, name) in segments(&text) {
        let segment = size(name)?;
        in_segments += segment;
        seconds += duration;
        peak = peak.max(segment as f64 * 8.0 / duration.max(0.1));
        files.push(name.to_owned());
    }
    bytes += in_segments;
    let average = (in_segments as f64 * 8.0 / f64::max(seconds, 0.1)) as u64;
    let variant = Variant { name: file.name.clone(), size: file.size, codecs, peak: peak as u64, average, rate };
    Ok((variant, files, bytes, seconds))
}

/// Seconds and name of each segment.
fn segments(playlist: &str) -> impl Iterator<Item = (f64, &str)> {
    let durations = playlist.lines().filter_map(|line| line.strip_prefix("#EXTINF:")?.split(',').next()?.parse().ok());
    durations.zip(playlist.lines().filter(|line| !line.is_empty() && !line.starts_with('#')))
}

fn master(variants: &[Variant]) -> String {
    let mut text = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n".to_owned();
    for Variant { name, size, codecs, peak, average, rate } in variants {
        // a String takes whatever is written
        let _ = write!(text, "#EXT-X-STREAM-INF:BANDWIDTH={peak},AVERAGE-BANDWIDTH={average}");
        if let Some(size) = size {
            let _ = write!(text, ",RESOLUTION={size}");
        }
        if let Some(rate) = rate {
            let _ = write!(text, ",FRAME-RATE={rate:.3}");
        }
        let _ = write!(text, ",CODECS=\"{}\"\n{name}/playlist.m3u8\n", codecs.join(","));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codecs_are_named_by_their_header() {
        assert_eq!(codec(media::Type::Video, &[1, 0x64, 0, 0x1f, 0xff]), Some("avc1.64001F".to_owned()));
        assert_eq!(codec(media::Type::Video, &[0, 0, 0, 1]), None);
    }

    #[test]
    fn segments_are_read_from_the_playlist() {
        let text = "#EXTM3U\n#EXT-X-MAP:URI=\"init.mp4\"\n#EXTINF:4.000000,\n00000.m4s\n#EXTINF:1.5,\n00001.m4s\n";
        assert_eq!(segments(text).collect::<Vec<_>>(), [(4.0, "00000.m4s"), (1.5, "00001.m4s")]);
    }

    #[test]
    fn the_last_segment_ends_with_the_last_frame() {
        let text = "#EXTM3U\n#EXTINF:4.000000,\na.m4s\n#EXTINF:1.2,\nb.m4s\n#EXT-X-ENDLIST\n";
        let expected = "#EXTM3U\n#EXTINF:4.000000,\na.m4s\n#EXTINF:1.280000,\nb.m4s\n#EXT-X-ENDLIST\n";
        assert_eq!(stretched(text, 5.28), expected);
        assert_eq!(stretched(text, 5.0), text);
        let text = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4.400000,\na.m4s\n";
        assert_eq!(stretched(text, 4.6), "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:4.600000,\na.m4s\n");
        assert_eq!(stretched("#EXTM3U\n", 5.0), "#EXTM3U\n");
        assert_eq!(stretched(text, f64::NAN), text);
    }

    #[test]
    fn the_master_names_all_variants() {
        let variant = |name: &str, size| Variant {
            name: name.to_owned(),
            size,
            codecs: vec!["avc1.64001F".to_owned(), "mp4a.40.2".to_owned()],
            peak: 2_000_000,
            average: 1_000_000,
            rate: Some(29.97),
        };
        let text = master(&[variant("a", Some(Size { width: 1280, height: 720 })), variant("b", None)]);
        let line = "#EXT-X-STREAM-INF:BANDWIDTH=2000000,AVERAGE-BANDWIDTH=1000000,RESOLUTION=1280x720,\
                    FRAME-RATE=29.970,CODECS=\"avc1.64001F,mp4a.40.2\"\na/playlist.m3u8\n";
        assert!(text.contains(line) && text.ends_with("b/playlist.m3u8\n"), "{text}");
    }
}
