//! What libav has and the safe binding does not show. All unsafe code of the crate is here, a few lines each.
#![expect(unsafe_code, reason = "fields and two functions of libav that the binding does not wrap")]

use std::ffi::CStr;

use ffmpeg_next as ffmpeg;

use ffmpeg::codec::packet::side_data::Type;
use ffmpeg::codec::{Id, Parameters};
use ffmpeg::ffi::AVFieldOrder::{AV_FIELD_BB, AV_FIELD_BT, AV_FIELD_TB, AV_FIELD_TT};
use ffmpeg::format::context::Input;
use ffmpeg::{Frame, Packet, Stream, StreamMut, ffi, frame};

/// Fields of a stream's parameters, as they are there: any number may be out of bounds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Raw {
    pub tag: [u8; 4],
    pub width: i32,
    pub height: i32,
    /// -1 if it is not known.
    pub format: i32,
    pub profile: i32,
    pub aspect: (i32, i32),
    pub rate: i32,
    pub channels: i32,
    pub bit_rate: i64,
    pub interlaced: bool,
}

pub(super) fn raw(parameters: &Parameters) -> Raw {
    // SAFETY: the pointer is valid as long as `parameters` is, and only numbers are copied
    let p = unsafe { &*parameters.as_ptr() };
    Raw {
        tag: p.codec_tag.to_le_bytes(),
        width: p.width,
        height: p.height,
        format: p.format,
        profile: p.profile,
        aspect: (p.sample_aspect_ratio.num, p.sample_aspect_ratio.den),
        rate: p.sample_rate,
        channels: p.channels,
        bit_rate: p.bit_rate,
        interlaced: [AV_FIELD_TT, AV_FIELD_BB, AV_FIELD_TB, AV_FIELD_BT].contains(&p.field_order),
    }
}

/// libav's names of matrix, primaries and transfer; `None` for what is not said.
pub(super) fn colours(parameters: &Parameters) -> [Option<String>; 3] {
    // SAFETY: as in `raw`; the functions return null or a constant of libav's
    let names = unsafe {
        let p = &*parameters.as_ptr();
        [
            ffi::av_color_space_name(p.color_space),
            ffi::av_color_primaries_name(p.color_primaries),
            ffi::av_color_transfer_name(p.color_trc),
        ]
    };
    names.map(|name| constant(name).filter(|name| !["unknown", "reserved"].contains(&name.as_str())))
}

/// libav's name of a codec's profile.
pub(super) fn profile_name(id: Id, profile: i32) -> Option<String> {
    // SAFETY: any numbers may be asked for; the result is null or a constant of libav's
    constant(unsafe { ffi::avcodec_profile_name(id.into(), profile) })
}

/// libav's name of a pixel format.
pub(super) fn pixel_name(format: i32) -> Option<String> {
    let mut descriptor = std::ptr::null();
    // a number that is no format must not become a value of the enum: the table is searched for it
    loop {
        // SAFETY: null asks for the first, a pointer that was returned for the one after; null ends the table
        descriptor = unsafe { ffi::av_pix_fmt_desc_next(descriptor) };
        if descriptor.is_null() {
            return None;
        }
        // SAFETY: `descriptor` points into the table
        if unsafe { ffi::av_pix_fmt_desc_get_id(descriptor) } as i32 == format {
            // SAFETY: as above; names are constants
            return constant(unsafe { (*descriptor).name });
        }
    }
}

/// A text of libav's that is there for ever.
fn constant(text: *const std::ffi::c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: not null, and all callers hand in constants that end in a zero
    Some(unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
}

/// The header that a codec needs before its first packet.
pub(super) fn extradata(parameters: &Parameters) -> Vec<u8> {
    // SAFETY: libav keeps `extradata_size` bytes at `extradata` while the parameters live; they are copied
    unsafe {
        let p = &*parameters.as_ptr();
        match usize::try_from(p.extradata_size) {
            Ok(size) if size > 0 && !p.extradata.is_null() => std::slice::from_raw_parts(p.extradata, size).to_vec(),
            _ => Vec::new(),
        }
    }
}

/// Whether the length was reckoned from the bit rate, which may be wrong by any factor.
pub(super) fn duration_is_guess(input: &Input) -> bool {
    // SAFETY: the context is open
    unsafe {
        (*input.as_ptr()).duration_estimation_method == ffi::AVDurationEstimationMethod::AVFMT_DURATION_FROM_BITRATE
    }
}

/// Whether a stream says that it is encrypted, for a player that has the key.
pub(super) fn is_encrypted(stream: &Stream<'_>) -> bool {
    let tag = raw(&stream.parameters()).tag;
    let by_data = stream.side_data().any(|data| matches!(data.kind(), Type::EncryptionInitInfo | Type::EncryptionInfo));
    by_data || &tag == b"encv" || &tag == b"enca"
}

/// Whether a packet is encrypted, which its stream does not always say.
pub(super) fn is_encrypted_packet(packet: &Packet) -> bool {
    packet.side_data().any(|data| data.kind() == Type::EncryptionInfo)
}

/// The tag of another container means nothing in this one.
pub(super) fn forget_tag(stream: &mut StreamMut<'_>) {
    // SAFETY: the stream belongs to a context that is being set up, and has parameters from its beginning
    unsafe { (*(*stream.as_mut_ptr()).codecpar).codec_tag = 0 }
}

/// A second handle to the same pixels. The binding's `clone` copies them.
pub(super) fn share(frame: &frame::Video) -> Result<frame::Video, ffmpeg::Error> {
    let mut other = frame::Video::empty();
    share_into(frame, &mut other).map(|()| other)
}

/// A second handle to the same samples.
pub(super) fn share_sound(frame: &frame::Audio) -> Result<frame::Audio, ffmpeg::Error> {
    let mut other = frame::Audio::empty();
    share_into(frame, &mut other).map(|()| other)
}

fn share_into(frame: &Frame, other: &mut Frame) -> Result<(), ffmpeg::Error> {
    // SAFETY: both are valid frames, and the other one is new and empty
    match unsafe { ffi::av_frame_ref(other.as_mut_ptr(), frame.as_ptr()) } {
        0 => Ok(()),
        error => Err(error.into()),
    }
}

/// Sets how finely the JPEG encoder is to quantise this frame.
pub(super) fn set_quality(frame: &mut frame::Video, quality: i32) {
    // SAFETY: the frame is valid and ours alone
    unsafe { (*frame.as_mut_ptr()).quality = quality }
}
