//! Pictures that lie, stop short or would cost too much: refused with a reason, before they cost anything.

use image::ImageFormat;
use vigie::preprocess::{Decoded, PictureError, PictureLimits, Preprocessing, ScaledDecode, Workspace, decode};

use super::making::{encoded, fields, jpeg, one_of_each, png_chunk, spec};

fn attempt(bytes: &[u8]) -> Result<Decoded, PictureError> {
    decode(
        bytes,
        &spec().decode_options(),
        &PictureLimits::default(),
        &mut Workspace::default(),
    )
}

fn refusal(bytes: &[u8]) -> PictureError {
    match attempt(bytes) {
        Ok(picture) => panic!("decoded to {picture:?}"),
        Err(error) => error,
    }
}

fn png_header(width: u32, height: u32) -> Vec<u8> {
    let fields = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    [b"\x89PNG\r\n\x1a\n".to_vec(), png_chunk(b"IHDR", &fields)].concat()
}

fn jpeg_header(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xc0, 0, 17, 8];
    bytes.extend(height.to_be_bytes());
    bytes.extend(width.to_be_bytes());
    bytes.extend([3, 1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0]);
    bytes
}

fn gif_header(screen: (u16, u16), frame: (u16, u16)) -> Vec<u8> {
    let mut bytes = b"GIF89a".to_vec();
    bytes.extend([screen.0.to_le_bytes(), screen.1.to_le_bytes()].concat());
    bytes.extend([0, 0, 0, 0x2c, 0, 0, 0, 0]);
    bytes.extend([frame.0.to_le_bytes(), frame.1.to_le_bytes()].concat());
    bytes.extend([0, 2, 2, 0x4c, 1, 0, 0x3b]);
    bytes
}

fn bmp_header(width: i32, height: i32) -> Vec<u8> {
    let mut bytes = b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
    bytes.extend([width.to_le_bytes(), height.to_le_bytes()].concat());
    bytes.extend([1, 0, 24, 0]);
    bytes.resize(54, 0);
    bytes
}

fn riff(chunks: &[u8]) -> Vec<u8> {
    let size = (chunks.len() as u32 + 4).to_le_bytes();
    [b"RIFF", &size[..], b"WEBP", chunks].concat()
}

fn u24(value: u32) -> [u8; 3] {
    let [low, middle, high, _] = value.to_le_bytes();
    [low, middle, high]
}

/// A WebP's canvas.
fn vp8x(width: u32, height: u32, flags: u8) -> Vec<u8> {
    [
        b"VP8X\x0a\0\0\0",
        &[flags, 0, 0, 0][..],
        &u24(width - 1),
        &u24(height - 1),
    ]
    .concat()
}

fn virtual_peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmPeak:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok())
        .unwrap_or(0)
        * 1024
}

#[test]
fn a_header_of_60_000_by_60_000_pixels_is_refused_and_costs_no_memory() {
    let before = virtual_peak_bytes();
    for (format, bytes) in [
        ("JPEG", jpeg_header(60_000, 60_000)),
        ("PNG", png_header(60_000, 60_000)),
        ("WebP", riff(&vp8x(60_000, 60_000, 0))),
        ("GIF", gif_header((60_000, 60_000), (1, 1))),
        ("BMP", bmp_header(60_000, 60_000)),
        ("upside-down BMP", bmp_header(60_000, -60_000)),
    ] {
        let error = refusal(&bytes);
        assert!(error.is_over_limit(), "{format}: {error}");
        let text = error.to_string();
        assert!(
            text.contains("60000 x 60000") && text.contains("16384"),
            "{format}: {text}"
        );
    }
    // The six claims are of 11 GB each. Other tests run beside this one, hence the room.
    let grown = virtual_peak_bytes() - before;
    assert!(grown < 8 << 30, "the process grew by {grown} bytes");
}

#[test]
fn sizes_hidden_in_a_frame_are_found() {
    let frame = [&[0; 6][..], &u24(59_999), &u24(59_999), &[0; 4]].concat();
    let animation = [
        vp8x(8, 8, 2),
        b"ANMF".to_vec(),
        (frame.len() as u32).to_le_bytes().to_vec(),
        frame,
    ]
    .concat();
    for (format, bytes) in [
        ("WebP animation", riff(&animation)),
        ("GIF", gif_header((8, 8), (60_000, 60_000))),
    ] {
        let error = refusal(&bytes);
        assert!(error.is_over_limit(), "{format}: {error}");
    }
}

#[test]
fn too_many_pixels_or_bytes_name_their_limit() {
    let limits = PictureLimits {
        max_bytes: 1000,
        max_pixels: 2000,
        max_side: 100,
    };
    let options = spec().decode_options();
    let refused = |bytes: &[u8]| decode(bytes, &options, &limits, &mut Workspace::default()).unwrap_err();
    let pixels = refused(&png_header(50, 50));
    assert!(
        pixels.is_over_limit() && pixels.to_string().contains("2500, and at most 2000"),
        "{pixels}"
    );
    let side = refused(&png_header(101, 1));
    assert!(
        side.is_over_limit() && side.to_string().contains("at most 100"),
        "{side}"
    );
    let bytes = refused(&[0; 1001]);
    assert!(
        bytes.is_over_limit() && bytes.to_string().contains("1001 bytes, and at most 1000"),
        "{bytes}"
    );
}

#[test]
fn what_is_no_picture_is_said_in_words() {
    for (bytes, words) in [
        (&b""[..], "empty"),
        (b"hello", "not a picture"),
        (b"\xff", "not a picture"),
        (b" <!DOCTYPE html><p>not found", "web page"),
        (b"<svg xmlns='x'>", "SVG"),
        (b"%PDF-1.7", "PDF"),
        (b"\0\0\0\x20ftypavif", "AVIF"),
        (b"\0\0\0\x20ftypheic", "HEIF"),
        (b"II*\0....", "TIFF"),
    ] {
        let error = refusal(bytes);
        assert!(!error.is_over_limit());
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn a_picture_that_is_cut_short_is_never_judged() {
    for (format, bytes) in one_of_each(97, 61) {
        assert!(attempt(&bytes).is_ok(), "{format}");
        for share in [1, 5, 20, 40, 60, 80, 95] {
            let cut = &bytes[..(bytes.len() * share / 100).max(1)];
            let error = refusal(cut);
            assert!(!error.is_over_limit(), "{format} at {share} %: {error}");
            let told = matches!(error, PictureError::Truncated { .. } | PictureError::NotAPicture);
            assert!(told, "{format} at {share} %: {error}");
        }
    }
}

#[test]
fn a_jpeg_cut_in_its_scan_and_closed_again_is_never_judged() {
    let whole = jpeg(160, 120, false);
    let cut = [&whole[..whole.len() * 2 / 3], &[0xff, 0xd9]].concat();
    let error = refusal(&cut);
    assert!(matches!(error, PictureError::Truncated { .. }), "{error}");
}

#[test]
fn a_jpeg_that_claims_more_than_its_bytes_can_hold_is_refused_before_decoding() {
    let mut bytes = jpeg(64, 64, false);
    let at = bytes.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    bytes[at + 5..at + 9].copy_from_slice(&[0x1b, 0x58, 0x1b, 0x58]);
    let error = refusal(&bytes);
    assert!(
        error.to_string().contains("7000 x 7000 pixels take at least"),
        "{error}"
    );
}

#[test]
fn a_jpeg_drawn_over_and_over_is_refused_by_its_scans() {
    let bytes = jpeg(64, 64, true);
    let starts: Vec<usize> = (0..bytes.len() - 1)
        .filter(|&at| bytes[at..at + 2] == [0xff, 0xda])
        .collect();
    let last = *starts.last().unwrap();
    let scan = &bytes[last..bytes.len() - 2];
    let bomb = [&bytes[..last], &scan.repeat(1000), &[0xff, 0xd9]].concat();
    let error = refusal(&bomb);
    assert!(error.is_over_limit(), "{error}");
    assert!(error.to_string().contains("scans, and at most 64"), "{error}");
}

#[test]
fn arithmetic_lossless_and_twelve_bit_jpegs_are_refused_by_name() {
    for (marker, bits, words) in [
        (0xc9, 8, "arithmetic coding"),
        (0xc3, 8, "lossless coding"),
        (0xc1, 12, "12 bits a sample"),
    ] {
        let mut bytes = jpeg_header(16, 16);
        bytes[3] = marker;
        bytes[6] = bits;
        let error = refusal(&bytes);
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn text_that_unpacks_to_megabytes_does_not_keep_a_png_from_being_judged() {
    let zeros = image::GrayImage::new(4096, 4096);
    let mut packed = std::io::Cursor::new(Vec::new());
    image::DynamicImage::from(zeros)
        .write_to(&mut packed, ImageFormat::Png)
        .unwrap();
    let packed = packed.into_inner();
    let at = packed.windows(4).position(|name| name == b"IDAT").unwrap();
    let length = u32::from_be_bytes(packed[at - 4..at].try_into().unwrap()) as usize;
    let bomb = &packed[at + 4..at + 4 + length];
    let text = png_chunk(b"zTXt", &[b"Comment\0\0", bomb].concat());
    let png = encoded(20, 20, ImageFormat::Png);
    let loaded = [&png[..33], &text.repeat(40), &png[33..]].concat();
    assert_eq!(attempt(&loaded).unwrap().rgb, attempt(&png).unwrap().rgb);
}

#[test]
fn a_jpeg_is_decoded_at_a_fraction_only_where_the_manifest_allows_it() {
    let bytes = jpeg(800, 600, false);
    let with = |allowed| {
        let mut fields = fields(128, 128);
        fields.jpeg_scaled_decode = allowed;
        let spec = Preprocessing::new(fields).unwrap();
        decode(
            &bytes,
            &spec.decode_options(),
            &PictureLimits::default(),
            &mut Workspace::default(),
        )
        .unwrap()
    };
    let (full, scaled) = (with(ScaledDecode::Switch(false)), with(ScaledDecode::Switch(true)));
    assert_eq!((full.width, full.height, full.divisor), (800, 600, 1));
    assert_eq!((scaled.width, scaled.height, scaled.divisor), (400, 300, 2));
    let (nearly, just) = (with(ScaledDecode::Ratio(1.2)), with(ScaledDecode::Ratio(1.1)));
    assert_eq!(
        (nearly.divisor, just.divisor),
        (2, 4),
        "150 pixels are at least 1.1 times 128, and not 1.2 times"
    );
    let mut absurd = fields(128, 128);
    absurd.jpeg_scaled_decode = ScaledDecode::Ratio(0.5);
    assert!(Preprocessing::new(absurd).is_err());
}
