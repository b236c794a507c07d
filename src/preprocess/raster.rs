//! Decodes PNG, WebP, GIF and BMP, and flattens what comes out to 8-bit RGB.
//!
//! Samples of 16 bits give their high byte, grey is repeated, and alpha is composed over the background before anything is resized.

use std::io::Cursor;

use image::codecs::{bmp::BmpDecoder, gif::GifDecoder, png::PngDecoder, webp::WebPDecoder};
use image::{ColorType, ImageDecoder, ImageError, Limits};

use super::error::PictureError;
use super::header::{Format, Header};

/// What a PNG's text and colour profile may take when unpacked, beyond the bytes of the file.
const PNG_SPARE_BYTES: u64 = 8 << 20;

/// Decodes to 8-bit RGB, alpha composed over `background`.
pub(super) fn decode(bytes: &[u8], header: &Header, background: [u8; 3]) -> Result<Vec<u8>, PictureError> {
    let format = header.format;
    let fail = |error| explain(format, &error);
    let input = Cursor::new(bytes);
    let (color, pixels) = match format {
        Format::Png => {
            let mut limits = Limits::no_limits();
            limits.max_alloc = Some(bytes.len() as u64 + PNG_SPARE_BYTES);
            read(PngDecoder::with_limits(input, limits).map_err(fail)?, header)
        }
        Format::WebP => {
            let mut decoder = WebPDecoder::new(input).map_err(fail)?;
            if decoder.has_animation() {
                decoder.set_background_color(image::Rgba([0, 0, 0, 0])).map_err(fail)?;
            }
            read(decoder, header)
        }
        Format::Gif => {
            let screen = whole_screen(bytes, header);
            read(GifDecoder::new(Cursor::new(&screen[..])).map_err(fail)?, header)
        }
        Format::Bmp => read(BmpDecoder::new(input).map_err(fail)?, header),
        Format::Jpeg => return Err(PictureError::DecoderFault { format }),
    }?;
    flatten(pixels, color, background)
        .ok_or_else(|| PictureError::unsupported(format, format!("pixels of the kind {color:?}")))
}

/// The GIF with its logical screen enlarged to what the header found; the same bytes in almost every file.
fn whole_screen<'a>(bytes: &'a [u8], header: &Header) -> std::borrow::Cow<'a, [u8]> {
    let side = |value: u32| u16::try_from(value).unwrap_or(u16::MAX).to_le_bytes();
    let sides = [side(header.width), side(header.height)].concat();
    if bytes.get(6..10) == Some(sides.as_slice()) {
        return bytes.into();
    }
    let mut patched = bytes.to_vec();
    patched[6..10].copy_from_slice(&sides);
    patched.into()
}

/// Runs a decoder whose sizes must be those that were checked.
fn read(decoder: impl ImageDecoder, header: &Header) -> Result<(ColorType, Vec<u8>), PictureError> {
    let (width, height) = decoder.dimensions();
    if (width, height) != (header.width, header.height) {
        return Err(PictureError::damaged(
            header.format,
            format!(
                "its sizes contradict each other: {} x {} and {width} x {height}",
                header.width, header.height
            ),
        ));
    }
    let color = decoder.color_type();
    let bytes =
        usize::try_from(decoder.total_bytes()).map_err(|_| PictureError::DecoderFault { format: header.format })?;
    let mut pixels = vec![0; bytes];
    decoder
        .read_image(&mut pixels)
        .map_err(|error| explain(header.format, &error))?;
    Ok((color, pixels))
}

/// Says in words what a decoder complained about.
fn explain(format: Format, error: &ImageError) -> PictureError {
    let detail = error.to_string();
    match error {
        ImageError::Unsupported(_) => PictureError::unsupported(format, detail),
        ImageError::IoError(_) => PictureError::truncated(format, detail),
        _ => {
            let lower = detail.to_ascii_lowercase();
            let ended = ["unexpected end", "end of file", "eof", "failed to fill", "no more data"];
            if ended.iter().any(|word| lower.contains(word)) {
                PictureError::truncated(format, detail)
            } else {
                PictureError::damaged(format, detail)
            }
        }
    }
}

/// Brings any kind of pixels to 8-bit RGB, in place where the result is no larger.
fn flatten(mut pixels: Vec<u8>, color: ColorType, background: [u8; 3]) -> Option<Vec<u8>> {
    let count = pixels.len() / usize::from(color.bytes_per_pixel());
    match color {
        ColorType::Rgb8 => return Some(pixels),
        ColorType::L8 => return Some(pixels.iter().flat_map(|&grey| [grey; 3]).collect()),
        ColorType::La8 => {
            let (pairs, _) = pixels.as_chunks::<2>();
            let over = |&[grey, alpha]: &[u8; 2]| compose([grey; 3], alpha, background);
            return Some(pairs.iter().flat_map(over).collect());
        }
        ColorType::L16 => {
            let (samples, _) = pixels.as_chunks::<2>();
            return Some(samples.iter().flat_map(|sample| [high(sample); 3]).collect());
        }
        ColorType::La16 => shrink::<4>(&mut pixels, |pixel| {
            let (sample, _) = pixel.as_chunks::<2>();
            compose([high(&sample[0]); 3], high(&sample[1]), background)
        }),
        ColorType::Rgb16 => shrink::<6>(&mut pixels, |pixel| {
            let (sample, _) = pixel.as_chunks::<2>();
            [high(&sample[0]), high(&sample[1]), high(&sample[2])]
        }),
        ColorType::Rgba8 => shrink::<4>(&mut pixels, |pixel| {
            compose([pixel[0], pixel[1], pixel[2]], pixel[3], background)
        }),
        ColorType::Rgba16 => shrink::<8>(&mut pixels, |pixel| {
            let (sample, _) = pixel.as_chunks::<2>();
            let rgb = [high(&sample[0]), high(&sample[1]), high(&sample[2])];
            compose(rgb, high(&sample[3]), background)
        }),
        _ => return None,
    }
    pixels.truncate(3 * count);
    pixels.shrink_to_fit();
    Some(pixels)
}

/// Writes three bytes for each `SIZE` read, over the part already read.
fn shrink<const SIZE: usize>(pixels: &mut [u8], rgb: impl Fn(&[u8; SIZE]) -> [u8; 3]) {
    for index in 0..pixels.len() / SIZE {
        let from = index * SIZE;
        let mut pixel = [0; SIZE];
        pixel.copy_from_slice(&pixels[from..from + SIZE]);
        pixels[3 * index..3 * index + 3].copy_from_slice(&rgb(&pixel));
    }
}

/// The high byte of a 16-bit sample in the machine's byte order.
fn high(sample: &[u8; 2]) -> u8 {
    (u16::from_ne_bytes(*sample) >> 8) as u8
}

/// One pixel over the background: (c*a + b*(255-a)) / 255, rounded half up.
fn compose(rgb: [u8; 3], alpha: u8, background: [u8; 3]) -> [u8; 3] {
    let alpha = u32::from(alpha);
    std::array::from_fn(|channel| {
        let sum = u32::from(rgb[channel]) * alpha + u32::from(background[channel]) * (255 - alpha);
        // 255 is odd, so no quotient lies exactly between two numbers.
        ((sum + 127) / 255) as u8
    })
}
