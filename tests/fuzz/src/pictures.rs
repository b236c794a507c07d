//! Picture bytes: whatever they are, they decode within the limits to a tensor of the promised size, or are refused with a reason.
//!
//! The first two bytes of an input choose how it is decoded and resized; the rest is the picture. The limits are low, so that an input is done in a
//! moment and memory that follows a header's claim shows at once.

#![no_main]

use std::sync::{LazyLock, Mutex};

use libfuzzer_sys::{Corpus, fuzz_target};
use vigie::preprocess::{
    ColorOrder, Filter, Fit, OrientationRule, PictureLimits, Preprocessing, PreprocessingFields, ScaledDecode,
    Workspace, decode, to_tensor,
};

const LIMITS: PictureLimits = PictureLimits {
    max_bytes: 65_536,
    max_pixels: 2_000_000,
    max_side: 4_000,
};

static WORKSPACE: LazyLock<Mutex<Workspace>> = LazyLock::new(Mutex::default);

// Decoders' panics are caught and become refusals; what is not caught still ends the process.
fuzz_target!(init: std::panic::set_hook(Box::new(|_| {})), |input: &[u8]| -> Corpus {
    let [first, second, picture @ ..] = input else { return Corpus::Reject };
    let spec = preprocessing(*first, *second);
    // Kept from input to input, as a computing thread keeps it.
    let workspace = &mut *WORKSPACE.lock().expect("no input has panicked");
    match decode(picture, &spec.decode_options(), &LIMITS, workspace) {
        Ok(decoded) => {
            let pixels = u64::from(decoded.width) * u64::from(decoded.height);
            assert!(pixels > 0 && pixels <= LIMITS.max_pixels, "{} x {} pixels", decoded.width, decoded.height);
            assert_eq!(decoded.rgb.len() as u64, 3 * pixels, "three bytes a pixel");
            let tensor = to_tensor(&decoded, &spec, workspace);
            assert_eq!(tensor.len(), spec.tensor_len(), "the tensor's length");
            assert!(tensor.iter().all(|number| number.is_finite()), "a number of the tensor is not finite");
            workspace.give_back(decoded, tensor);
        }
        Err(error) => assert!(!error.to_string().trim().is_empty(), "refused without a reason"),
    }
    Corpus::Keep
});

fn preprocessing(first: u8, second: u8) -> Preprocessing {
    let filters = [Filter::Nearest, Filter::Bilinear, Filter::Bicubic, Filter::Lanczos];
    let fits = [Fit::Stretch, Fit::Cover, Fit::Contain];
    Preprocessing::new(PreprocessingFields {
        width: 1 + u32::from(second % 48),
        height: 1 + u32::from(second / 6),
        resize: filters[usize::from(first) % filters.len()],
        fit: fits[usize::from(first / 4) % fits.len()],
        color: if first & 16 == 0 {
            ColorOrder::Rgb
        } else {
            ColorOrder::Bgr
        },
        mean: [0.485, 0.456, 0.406],
        std: [0.229, 0.224, 0.225],
        orientation: if first & 32 == 0 {
            OrientationRule::Apply
        } else {
            OrientationRule::Ignore
        },
        background: [255, first, second],
        jpeg_scaled_decode: ScaledDecode::Switch(first & 64 != 0),
    })
    .expect("every value is within its bounds")
}
