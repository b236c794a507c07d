//! The bare loop: the fastest that we can write with the same libraries on one core. Buffers are kept from picture to picture; there is no server, no
//! hash, no limit on what a picture may claim, no policy. What a server loses against it is the server's own.

use std::path::Path;
use std::time::{Duration, Instant};

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use ort::environment::Environment;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::TensorRef;
use turbojpeg::{Decompressor, PixelFormat, ScalingFactor};

use super::mobilenet::SIDE;

const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const STD: [f32; 3] = [0.229, 0.224, 0.225];

/// The library that the bare loop runs on: the one that the server runs on.
const LIBRARY: &str = ".runtime/onnxruntime/1.31.1/libonnxruntime.so.1.31.1";

/// Loads the runtime for this process, once.
pub fn runtime() -> Environment {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join(LIBRARY);
    let environment = ort::init_from(library).unwrap().with_telemetry(false).build().unwrap();
    environment.set_log_level(ort::logging::LogLevel::Error);
    environment
}

/// Time by stage, of one picture or in all.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stages {
    pub decode: Duration,
    pub resize: Duration,
    pub normalise: Duration,
    pub infer: Duration,
}

impl Stages {
    pub fn total(&self) -> Duration {
        self.decode + self.resize + self.normalise + self.infer
    }
}

/// One core's worth of everything that a picture needs.
pub struct Bare {
    decompressor: Decompressor,
    pixels: Vec<u8>,
    resizer: Resizer,
    small: Image<'static>,
    tensor: Vec<f32>,
    session: Session,
    output: String,
}

impl Bare {
    /// Loads the model for one thread.
    pub fn new(environment: &Environment, onnx: &Path) -> Self {
        let session = Session::builder(environment)
            .unwrap()
            .with_optimization_level(GraphOptimizationLevel::All)
            .unwrap()
            .with_intra_threads(1)
            .unwrap()
            .with_inter_threads(1)
            .unwrap()
            .with_intra_op_spinning(false)
            .unwrap()
            .commit_from_file(onnx)
            .unwrap();
        let side = SIDE as u32;
        Self {
            decompressor: Decompressor::new().unwrap(),
            pixels: Vec::new(),
            resizer: Resizer::new(),
            small: Image::new(side, side, PixelType::U8x3),
            tensor: vec![0.0; 3 * (SIDE * SIDE) as usize],
            output: session.outputs()[0].name().to_owned(),
            session,
        }
    }

    /// From JPEG to logits; `divisor` 2 decodes at half the size.
    pub fn picture(&mut self, jpeg: &[u8], divisor: usize) -> (Stages, Vec<f32>) {
        let began = Instant::now();
        let (width, height) = self.decode(jpeg, divisor);
        let decoded = Instant::now();
        self.resize(width, height);
        let resized = Instant::now();
        self.normalise();
        let normalised = Instant::now();
        let tensor = std::mem::take(&mut self.tensor);
        let logits = self.run(&tensor);
        self.tensor = tensor;
        let stages = Stages {
            decode: decoded - began,
            resize: resized - decoded,
            normalise: normalised - resized,
            infer: normalised.elapsed(),
        };
        (stages, logits)
    }

    /// `Session::run` on a tensor that is there.
    pub fn run(&mut self, tensor: &[f32]) -> Vec<f32> {
        let input = TensorRef::from_array_view(([1, 3, SIDE, SIDE], tensor)).unwrap();
        let outputs = self.session.run(ort::inputs!["pixels" => input]).unwrap();
        let (_, logits) = outputs[self.output.as_str()].try_extract_tensor::<f32>().unwrap();
        logits.to_vec()
    }

    fn decode(&mut self, jpeg: &[u8], divisor: usize) -> (usize, usize) {
        let scale = ScalingFactor::new(1, divisor);
        let header = self.decompressor.read_header(jpeg).unwrap();
        self.decompressor.set_scaling_factor(scale).unwrap();
        let (width, height) = (scale.scale(header.width), scale.scale(header.height));
        self.pixels.resize(3 * width * height, 0);
        let image = turbojpeg::Image {
            pixels: self.pixels.as_mut_slice(),
            width,
            pitch: 3 * width,
            height,
            format: PixelFormat::RGB,
        };
        self.decompressor.decompress(jpeg, image).unwrap();
        (width, height)
    }

    fn resize(&mut self, width: usize, height: usize) {
        let source = ImageRef::new(width as u32, height as u32, &self.pixels, PixelType::U8x3).unwrap();
        let options = ResizeOptions::new()
            .resize_alg(ResizeAlg::Convolution(FilterType::Bilinear))
            .use_alpha(false);
        self.resizer.resize(&source, &mut self.small, &options).unwrap();
    }

    fn normalise(&mut self) {
        let (pixels, _) = self.small.buffer().as_chunks::<3>();
        for (channel, plane) in self.tensor.chunks_exact_mut((SIDE * SIDE) as usize).enumerate() {
            let (scale, offset) = (1.0 / (255.0 * STD[channel]), -MEAN[channel] / STD[channel]);
            for (number, pixel) in plane.iter_mut().zip(pixels) {
                *number = f32::from(pixel[channel]) * scale + offset;
            }
        }
    }
}
