//! The model that is measured: MobileNetV3-small (Howard et al. 2019, table 2) with drawn weights. What a run costs depends on the shapes alone, so
//! that nothing need be trained or fetched; batch normalisation is folded into the convolutions, as exporters do.

use crate::support::onnx::{Attribute, Element, Graph};

/// The side of its input, in pixels.
pub const SIDE: i64 = 224;

/// One bottleneck: kernel, expanded and output channels, squeeze-and-excite, hard swish (else ReLU), stride.
type Bottleneck = (i64, i64, i64, bool, bool, i64);

const BOTTLENECKS: [Bottleneck; 11] = [
    (3, 16, 16, true, false, 2),
    (3, 72, 24, false, false, 2),
    (3, 88, 24, false, false, 1),
    (5, 96, 40, true, true, 2),
    (5, 240, 40, true, true, 1),
    (5, 240, 40, true, true, 1),
    (5, 120, 48, true, true, 1),
    (5, 144, 48, true, true, 1),
    (5, 288, 96, true, true, 2),
    (5, 576, 96, true, true, 1),
    (5, 576, 96, true, true, 1),
];

/// The model file: `pixels` FP32 `[-1, 3, 224, 224]` to `logits` FP32 `[-1, outputs]`; 10 MB for 1,000 outputs. Another seed gives other weights.
pub fn mobilenet_v3_small(outputs: i64, seed: u64) -> Vec<u8> {
    let graph =
        Graph::new()
            .input("pixels", Element::F32, &[-1, 3, SIDE, SIDE])
            .output("logits", Element::F32, &[-1, outputs]);
    let mut network = Network { graph, seed, made: 0 };
    let mut at = network.convolution("pixels", (3, 16), 3, 2, 1);
    at = network.hard_swish(&at);
    let mut channels = 16;
    for bottleneck in BOTTLENECKS {
        at = network.bottleneck(&at, channels, bottleneck);
        channels = bottleneck.2;
    }
    at = network.convolution(&at, (channels, 576), 1, 1, 1);
    at = network.hard_swish(&at);
    at = network.operation("GlobalAveragePool", &[&at], &[]);
    at = network.operation("Flatten", &[&at], &[("axis", Attribute::Int(1))]);
    at = network.linear(&at, 576, 1024, None);
    at = network.hard_swish(&at);
    network.linear(&at, 1024, outputs, Some("logits"));
    network.graph.model()
}

struct Network {
    graph: Graph,
    seed: u64,
    made: usize,
}

impl Network {
    fn bottleneck(&mut self, from: &str, channels: i64, bottleneck: Bottleneck) -> String {
        let (kernel, expanded, out, squeezes, swishes, stride) = bottleneck;
        let activation = |network: &mut Self, at: &str| match swishes {
            true => network.hard_swish(at),
            false => network.operation("Relu", &[at], &[]),
        };
        let mut at = from.to_owned();
        if expanded != channels {
            at = self.convolution(&at, (channels, expanded), 1, 1, 1);
            at = activation(self, &at);
        }
        at = self.convolution(&at, (expanded, expanded), kernel, stride, expanded);
        at = activation(self, &at);
        if squeezes {
            at = self.squeeze_and_excite(&at, expanded);
        }
        at = self.convolution(&at, (expanded, out), 1, 1, 1);
        match stride == 1 && channels == out {
            true => self.operation("Add", &[&at, from], &[]),
            false => at,
        }
    }

    fn squeeze_and_excite(&mut self, from: &str, channels: i64) -> String {
        // A quarter of the channels, as a multiple of 8 that is not a tenth less.
        let quarter = channels / 4;
        let rounded = ((quarter + 4) / 8 * 8).max(8);
        let squeezed = if rounded * 10 < quarter * 9 {
            rounded + 8
        } else {
            rounded
        };
        let mut at = self.operation("GlobalAveragePool", &[from], &[]);
        at = self.convolution(&at, (channels, squeezed), 1, 1, 1);
        at = self.operation("Relu", &[&at], &[]);
        at = self.convolution(&at, (squeezed, channels), 1, 1, 1);
        at = self.operation("HardSigmoid", &[&at], &[("alpha", Attribute::Float(1.0 / 6.0))]);
        self.operation("Mul", &[&at, from], &[])
    }

    fn hard_swish(&mut self, from: &str) -> String {
        self.operation("HardSwish", &[from], &[])
    }

    fn convolution(
        &mut self,
        from: &str,
        (channels, out): (i64, i64),
        kernel: i64,
        stride: i64,
        groups: i64,
    ) -> String {
        let inner = channels / groups;
        let weights = self.drawn(&[out, inner, kernel, kernel], inner * kernel * kernel);
        let biases = self.drawn(&[out], 100);
        let pad = kernel / 2;
        let attributes = [
            ("kernel_shape", Attribute::Ints(&[kernel, kernel])),
            ("strides", Attribute::Ints(&[stride, stride])),
            ("pads", Attribute::Ints(&[pad, pad, pad, pad])),
            ("group", Attribute::Int(groups)),
        ];
        self.operation("Conv", &[from, &weights, &biases], &attributes)
    }

    fn linear(&mut self, from: &str, inputs: i64, outputs: i64, name: Option<&str>) -> String {
        let weights = self.drawn(&[outputs, inputs], inputs);
        let biases = self.drawn(&[outputs], 100);
        let to = name.map_or_else(|| self.name(), str::to_owned);
        self.node(
            "Gemm",
            &[from, &weights, &biases],
            &to,
            &[("transB", Attribute::Int(1))],
        );
        to
    }

    fn operation(&mut self, operator: &str, inputs: &[&str], attributes: &[(&str, Attribute)]) -> String {
        let to = self.name();
        self.node(operator, inputs, &to, attributes);
        to
    }

    fn node(&mut self, operator: &str, inputs: &[&str], to: &str, attributes: &[(&str, Attribute)]) {
        let graph = std::mem::take(&mut self.graph);
        self.graph = graph.node(operator, inputs, &[to], attributes);
    }

    /// A constant drawn evenly from a range that keeps activations at their scale over a ReLU (He et al. 2015).
    fn drawn(&mut self, shape: &[i64], fan_in: i64) -> String {
        let name = self.name();
        let range = (6.0 / fan_in as f32).sqrt();
        let count = shape.iter().product::<i64>();
        let numbers: Vec<f32> = (0..count).map(|_| (2.0 * self.random() - 1.0) * range).collect();
        let graph = std::mem::take(&mut self.graph);
        self.graph = graph.constant(&name, shape, &numbers);
        name
    }

    fn name(&mut self) -> String {
        self.made += 1;
        format!("t{}", self.made)
    }

    /// The next number from 0 to 1, by SplitMix64.
    fn random(&mut self) -> f32 {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / (1u32 << 24) as f32
    }
}
