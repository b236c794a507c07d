//! Turns a picture upright by its EXIF orientation.

/// Eight ways to lie: where the first pixel of the upright picture is stored, and how far the next one to the right and below are.
struct Walk {
    first: isize,
    right: isize,
    down: isize,
}

/// Whether the orientation exchanges width and height.
pub(super) fn swaps_sides(orientation: u8) -> bool {
    (5..=8).contains(&orientation)
}

/// The upright picture and its sides. `rgb` holds `width` x `height` pixels of three bytes.
pub(super) fn upright(rgb: Vec<u8>, (width, height): (u32, u32), orientation: u8) -> (Vec<u8>, (u32, u32)) {
    let (stored_width, stored_height) = (width as isize, height as isize);
    let last_column = stored_width - 1;
    let last_row = (stored_height - 1) * stored_width;
    let (first, right, down) = match orientation {
        2 => (last_column, -1, stored_width),
        3 => (last_row + last_column, -1, -stored_width),
        4 => (last_row, 1, -stored_width),
        5 => (0, stored_width, 1),
        6 => (last_row, -stored_width, 1),
        7 => (last_row + last_column, -stored_width, -1),
        8 => (last_column, stored_width, -1),
        _ => return (rgb, (width, height)),
    };
    let sides = if swaps_sides(orientation) {
        (height, width)
    } else {
        (width, height)
    };
    let turned = collect(&rgb, sides, &Walk { first, right, down });
    (turned, sides)
}

fn collect(rgb: &[u8], (width, height): (u32, u32), walk: &Walk) -> Vec<u8> {
    let (stored, _) = rgb.as_chunks::<3>();
    let mut turned = Vec::with_capacity(rgb.len());
    for y in 0..height as isize {
        let row = walk.first + y * walk.down;
        for x in 0..width as isize {
            let at = row + x * walk.right;
            turned.extend_from_slice(&stored[at as usize]);
        }
    }
    turned
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pixels by one number each, for reading.
    fn turn(orientation: u8) -> (Vec<u8>, (u32, u32)) {
        let stored = [1u8, 2, 3, 4, 5, 6].iter().flat_map(|&v| [v; 3]).collect();
        let (rgb, sides) = upright(stored, (3, 2), orientation);
        (rgb.chunks(3).map(|pixel| pixel[0]).collect(), sides)
    }

    #[test]
    fn each_of_the_eight_orientations_is_undone() {
        for (orientation, expected, sides) in [
            (1, [1, 2, 3, 4, 5, 6], (3, 2)),
            (2, [3, 2, 1, 6, 5, 4], (3, 2)),
            (3, [6, 5, 4, 3, 2, 1], (3, 2)),
            (4, [4, 5, 6, 1, 2, 3], (3, 2)),
            (5, [1, 4, 2, 5, 3, 6], (2, 3)),
            (6, [4, 1, 5, 2, 6, 3], (2, 3)),
            (7, [6, 3, 5, 2, 4, 1], (2, 3)),
            (8, [3, 6, 2, 5, 1, 4], (2, 3)),
        ] {
            assert_eq!(
                turn(orientation),
                (expected.to_vec(), sides),
                "orientation {orientation}"
            );
        }
    }
}
