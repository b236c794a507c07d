//! Whatever the bytes: no panic, no number that is not finite, no picture over the limits.

use proptest::prelude::*;
use vigie::preprocess::{
    ColorOrder, Decoded, Filter, Fit, Format, OrientationRule, PictureLimits, Preprocessing, ScaledDecode, Workspace,
    decode, to_tensor,
};

use super::making::{fields, one_of_each, spec};

const LIMITS: PictureLimits = PictureLimits {
    max_bytes: 1 << 20,
    max_pixels: 1 << 20,
    max_side: 4096,
};

/// Decodes and checks everything that must hold of what comes out.
fn check(bytes: &[u8], spec: &Preprocessing) {
    match decode(bytes, &spec.decode_options(), &LIMITS, &mut Workspace::default()) {
        Ok(picture) => {
            let pixels = u64::from(picture.width) * u64::from(picture.height);
            assert!(pixels <= LIMITS.max_pixels && picture.width.max(picture.height) <= LIMITS.max_side);
            assert_eq!(picture.rgb.len() as u64, 3 * pixels);
            let tensor = to_tensor(&picture, spec, &mut Workspace::default());
            assert_eq!(tensor.len(), spec.tensor_len());
            assert!(tensor.iter().all(|number| number.is_finite()));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn any_spec() -> impl Strategy<Value = Preprocessing> {
    let filters = prop::sample::select(vec![
        Filter::Nearest,
        Filter::Bilinear,
        Filter::Bicubic,
        Filter::Lanczos,
    ]);
    let fits = prop::sample::select(vec![Fit::Stretch, Fit::Cover, Fit::Contain]);
    let switches = any::<(bool, bool, bool)>();
    (1..70u32, 1..70u32, filters, fits, switches).prop_map(|(width, height, resize, fit, (bgr, apply, scaled))| {
        let mut fields = fields(width, height);
        fields.resize = resize;
        fields.fit = fit;
        fields.color = if bgr { ColorOrder::Bgr } else { ColorOrder::Rgb };
        fields.orientation = if apply {
            OrientationRule::Apply
        } else {
            OrientationRule::Ignore
        };
        fields.jpeg_scaled_decode = ScaledDecode::Switch(scaled);
        Preprocessing::new(fields).unwrap()
    })
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// The first bytes of each format, so that what follows is looked into.
fn beginnings() -> Vec<&'static [u8]> {
    vec![
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR",
        b"RIFF\x40\0\0\0WEBPVP8X",
        b"RIFF\x40\0\0\0WEBPVP8L",
        b"GIF89a",
        b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0",
    ]
}

proptest! {
    #![proptest_config(config(1000))]

    #[test]
    fn any_bytes_end_in_a_picture_or_a_reason(
        beginning in prop::sample::select(beginnings()),
        rest in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        check(&rest, &spec());
        check(&[beginning, &rest].concat(), &spec());
    }

    #[test]
    fn any_picture_becomes_a_whole_and_finite_tensor(
        (width, height) in (1..90u32, 1..90u32),
        seed in any::<u8>(),
        spec in any_spec(),
    ) {
        let rgb = (0..3 * width * height).map(|at| (at as u8).wrapping_mul(seed)).collect();
        let picture = Decoded { width, height, rgb, format: Format::Png, divisor: 1 };
        let tensor = to_tensor(&picture, &spec, &mut Workspace::default());
        prop_assert_eq!(tensor.len(), spec.tensor_len());
        prop_assert!(tensor.iter().all(|number| number.is_finite()));
    }
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn a_mutated_picture_ends_in_a_picture_or_a_reason(
        chosen in 0..6usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
        spec in any_spec(),
    ) {
        let (_, mut bytes) = one_of_each(33, 21).swap_remove(chosen);
        for (place, value) in &changes {
            let place = place.index(bytes.len());
            bytes[place] = *value;
        }
        if let Some(cut) = cut {
            let length = cut.index(bytes.len());
            bytes.truncate(length);
        }
        check(&bytes, &spec);
    }
}

#[test]
fn the_thinnest_pictures_fit_every_way() {
    let sides = [(1, 1), (1, 4096), (4096, 1), (2, 4096)];
    let fits = [Fit::Stretch, Fit::Cover, Fit::Contain];
    let filters = [Filter::Nearest, Filter::Bilinear, Filter::Lanczos];
    for (((width, height), fit), resize) in sides
        .into_iter()
        .flat_map(|side| fits.map(|fit| (side, fit)))
        .flat_map(|chosen| filters.map(|filter| (chosen, filter)))
    {
        let mut fields = fields(224, 224);
        (fields.fit, fields.resize) = (fit, resize);
        let spec = Preprocessing::new(fields).unwrap();
        let rgb = vec![200; (3 * width * height) as usize];
        let picture = Decoded {
            width,
            height,
            rgb,
            format: Format::Bmp,
            divisor: 1,
        };
        let tensor = to_tensor(&picture, &spec, &mut Workspace::default());
        assert_eq!(tensor.len(), spec.tensor_len());
        assert!(tensor.iter().all(|number| number.is_finite()));
    }
}
