//! Media types of files, by their endings.

/// Of the file at this path.
pub(crate) fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "mp4" => "video/mp4",
        "flv" => "video/x-flv",
        "m4a" => "audio/mp4",
        // RFC 8216, sections 4 and 10
        "m3u8" => "application/vnd.apple.mpegurl",
        "m4s" => "video/iso.segment",
        "jpg" => "image/jpeg",
        "vtt" => "text/vtt; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings() {
        assert_eq!(media_type(".mp4"), "video/mp4");
        assert_eq!(media_type("/h264/init.mp4"), "video/mp4");
        assert_eq!(media_type("/master.m3u8"), "application/vnd.apple.mpegurl");
        assert_eq!(media_type("/1"), "application/octet-stream");
    }
}
