//! Buffers that a thread keeps from picture to picture.
//!
//! A picture takes megabytes for a few milliseconds. Asked of the system each time, they would come as untouched pages, and touching those costs as
//! much as a tenth of the work. A picture that is handed on takes its buffers with it, and the next one gets new ones.

use turbojpeg::Decompressor;

use super::decode::Decoded;

/// Larger buffers are not kept: one huge picture is not paid for ever after.
const MOST_KEPT_BYTES: usize = 16 << 20;

/// One thread's buffers. Empty at first; [`Workspace::give_back`] fills it.
#[derive(Default)]
pub struct Workspace {
    pub(super) decompressor: Option<Decompressor>,
    pixels: Vec<u8>,
    tensor: Vec<f32>,
    /// Between the two passes of resampling, and after them.
    pub(super) between: Vec<u8>,
    pub(super) resized: Vec<u8>,
}

impl Workspace {
    /// Takes back what was made with it and is needed no more.
    pub fn give_back(&mut self, decoded: Decoded, tensor: Vec<f32>) {
        self.pixels = worth_keeping(decoded.rgb);
        self.tensor = worth_keeping(tensor);
        self.between = worth_keeping(std::mem::take(&mut self.between));
        self.resized = worth_keeping(std::mem::take(&mut self.resized));
    }

    /// A buffer for pixels; what it holds is of no meaning.
    pub(super) fn take_pixels(&mut self, bytes: usize) -> Vec<u8> {
        sized(std::mem::take(&mut self.pixels), bytes)
    }

    /// A buffer for a tensor; what it holds is of no meaning.
    pub(super) fn take_tensor(&mut self, numbers: usize) -> Vec<f32> {
        sized(std::mem::take(&mut self.tensor), numbers)
    }
}

/// The buffer at this length: as it is where it is large enough, else a new one.
pub(super) fn sized<T: Clone + Default>(mut buffer: Vec<T>, length: usize) -> Vec<T> {
    if buffer.capacity() < length {
        // Fresh zeroed memory costs nothing until it is touched; enlarging would copy first.
        return vec![T::default(); length];
    }
    buffer.resize(length, T::default());
    buffer
}

fn worth_keeping<T>(buffer: Vec<T>) -> Vec<T> {
    if buffer.capacity() * size_of::<T>() <= MOST_KEPT_BYTES {
        buffer
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preprocess::Format;

    fn decoded(bytes: usize) -> Decoded {
        Decoded {
            width: 1,
            height: 1,
            rgb: vec![7; bytes],
            format: Format::Jpeg,
            divisor: 1,
        }
    }

    #[test]
    fn buffers_come_again_unless_they_are_huge() {
        let mut workspace = Workspace::default();
        let first = decoded(3000);
        let place = first.rgb.as_ptr();
        workspace.give_back(first, Vec::new());
        let again = workspace.take_pixels(1000);
        assert_eq!((again.as_ptr(), again.len()), (place, 1000));
        workspace.give_back(decoded(MOST_KEPT_BYTES + 1), Vec::new());
        assert_eq!(workspace.take_pixels(0).capacity(), 0);
    }
}
