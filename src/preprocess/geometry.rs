//! Where a picture lands in the model's input. Whole numbers are chosen exactly as the training pipeline chooses them.

use super::spec::Fit;

/// How a picture is placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placement {
    /// Sides to which the whole picture would be resized.
    pub resized: (u32, u32),
    /// Left and top of what is kept of it (only `cover` cuts).
    pub crop: (u32, u32),
    /// Sides of what is kept.
    pub kept: (u32, u32),
    /// Left and top of it in the model's input (only `contain` pads).
    pub paste: (u32, u32),
}

/// Places a picture of `source` sides into `target` sides.
pub(super) fn place(source: (u32, u32), target: (u32, u32), fit: Fit) -> Placement {
    let ratio = |source: u32, target: u32| f64::from(target) / f64::from(source);
    let (across, down) = (ratio(source.0, target.0), ratio(source.1, target.1));
    let whole = Placement {
        resized: target,
        crop: (0, 0),
        kept: target,
        paste: (0, 0),
    };
    match fit {
        Fit::Stretch => whole,
        Fit::Contain => {
            let scale = across.min(down);
            let resized = (
                round_half_up(f64::from(source.0) * scale).clamp(1, target.0),
                round_half_up(f64::from(source.1) * scale).clamp(1, target.1),
            );
            let paste = ((target.0 - resized.0) / 2, (target.1 - resized.1) / 2);
            Placement {
                resized,
                kept: resized,
                paste,
                ..whole
            }
        }
        Fit::Cover => {
            let scale = across.max(down);
            let resized = (
                round_half_up(f64::from(source.0) * scale).max(target.0),
                round_half_up(f64::from(source.1) * scale).max(target.1),
            );
            let crop = ((resized.0 - target.0) / 2, (resized.1 - target.1) / 2);
            Placement { resized, crop, ..whole }
        }
    }
}

/// The nearest whole number, halves upwards. Values are sides of pictures, far below the type's end.
fn round_half_up(value: f64) -> u32 {
    (value + 0.5).floor() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contain_pads_and_never_vanishes() {
        let placed = place((640, 480), (128, 128), Fit::Contain);
        assert_eq!((placed.resized, placed.paste), ((128, 96), (0, 16)));
        let thin = place((16_384, 1), (128, 128), Fit::Contain);
        assert_eq!((thin.resized, thin.paste), ((128, 1), (0, 63)));
    }

    #[test]
    fn cover_cuts_the_middle() {
        let placed = place((640, 480), (128, 128), Fit::Cover);
        assert_eq!(
            (placed.resized, placed.crop, placed.kept),
            ((171, 128), (21, 0), (128, 128))
        );
    }

    #[test]
    fn stretch_ignores_the_shape() {
        let placed = place((640, 480), (128, 64), Fit::Stretch);
        assert_eq!(
            (placed.resized, placed.kept, placed.paste),
            ((128, 64), (128, 64), (0, 0))
        );
    }
}
