//! ONNX model files written by hand, a few hundred bytes each: no Python, no training, and every kind of bad behaviour
//! on demand.
//!
//! The ready-made ones at the end are what most tests want: [`judge`] for a whole judging model whose answers are known
//! in advance, [`identity`] for a tensor model, and the hostile ones. [`Graph`] builds others. The format is protobuf,
//! written here field by field, with the field numbers of `onnx.proto3` in the code.

/// The element types of `TensorProto.DataType` that tests use.
#[derive(Debug, Clone, Copy)]
pub enum Element {
    F32 = 1,
    I64 = 7,
    Text = 8,
    Bool = 9,
    F16 = 10,
    F64 = 11,
}

/// A node's attribute.
pub enum Attribute<'a> {
    Int(i64),
    Ints(&'a [i64]),
    Float(f32),
}

/// A model in the making. Dimensions of inputs and outputs are -1 where any size will do.
#[derive(Default)]
pub struct Graph {
    graph: Vec<u8>,
    operator_sets: Vec<u8>,
}

/// One message of protobuf in the making.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value as u8 & 0x7f) | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn int(mut self, field: u64, value: i64) -> Self {
        self.varint(field << 3);
        self.varint(value as u64);
        self
    }

    fn bytes(mut self, field: u64, bytes: &[u8]) -> Self {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self
    }

    fn float(mut self, field: u64, value: f32) -> Self {
        self.varint(field << 3 | 5);
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    fn text(self, field: u64, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }
}

impl Graph {
    /// An empty graph of the standard operators, set 17.
    pub fn new() -> Self {
        let graph = Self {
            graph: Message::default().text(2, "test").0,
            operator_sets: Vec::new(),
        };
        graph.operators("", 17)
    }

    /// Imports a set of operators.
    pub fn operators(mut self, domain: &str, version: i64) -> Self {
        let set = Message::default().text(1, domain).int(2, version).0;
        self.operator_sets = Message(self.operator_sets).bytes(8, &set).0;
        self
    }

    pub fn input(self, name: &str, element: Element, shape: &[i64]) -> Self {
        let value = value_info(name, element, shape);
        self.field(11, &value)
    }

    pub fn output(self, name: &str, element: Element, shape: &[i64]) -> Self {
        let value = value_info(name, element, shape);
        self.field(12, &value)
    }

    /// A node of the standard operators.
    pub fn node(self, operator: &str, inputs: &[&str], outputs: &[&str], attributes: &[(&str, Attribute)]) -> Self {
        self.node_of("", operator, (inputs, outputs), attributes)
    }

    /// A node of any domain.
    pub fn node_of(
        self,
        domain: &str,
        operator: &str,
        (inputs, outputs): (&[&str], &[&str]),
        attributes: &[(&str, Attribute)],
    ) -> Self {
        let mut node = Message::default();
        node = inputs.iter().fold(node, |node, input| node.text(1, input));
        node = outputs.iter().fold(node, |node, output| node.text(2, output));
        node = node.text(4, operator);
        for (name, attribute) in attributes {
            let named = Message::default().text(1, name);
            let attribute = match attribute {
                Attribute::Int(value) => named.int(3, *value).int(20, 2),
                Attribute::Ints(values) => values
                    .iter()
                    .fold(named, |named, value| named.int(8, *value))
                    .int(20, 7),
                Attribute::Float(value) => named.float(2, *value).int(20, 1),
            };
            node = node.bytes(5, &attribute.0);
        }
        self.field(1, &node.text(7, domain).0)
    }

    /// A constant of numbers.
    pub fn constant(self, name: &str, shape: &[i64], numbers: &[f32]) -> Self {
        let raw: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        let tensor = tensor(name, Element::F32, shape).bytes(9, &raw).0;
        self.field(5, &tensor)
    }

    /// A constant of integers.
    pub fn integers(self, name: &str, numbers: &[i64]) -> Self {
        let raw: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        let tensor = tensor(name, Element::I64, &[numbers.len() as i64]).bytes(9, &raw).0;
        self.field(5, &tensor)
    }

    /// A constant whose numbers lie in another file.
    pub fn external_constant(self, name: &str, shape: &[i64], location: &str) -> Self {
        let entry = Message::default().text(1, "location").text(2, location).0;
        let tensor = tensor(name, Element::F32, shape).bytes(13, &entry).int(14, 1).0;
        self.field(5, &tensor)
    }

    /// The bytes of the model file.
    pub fn model(self) -> Vec<u8> {
        let mut model = Message::default().int(1, 8).text(2, "hand").bytes(7, &self.graph).0;
        model.extend(self.operator_sets);
        model
    }

    fn field(mut self, field: u64, bytes: &[u8]) -> Self {
        self.graph = Message(self.graph).bytes(field, bytes).0;
        self
    }
}

fn tensor(name: &str, element: Element, shape: &[i64]) -> Message {
    let tensor = shape
        .iter()
        .fold(Message::default(), |tensor, size| tensor.int(1, *size));
    tensor.int(2, element as i64).text(8, name)
}

fn value_info(name: &str, element: Element, shape: &[i64]) -> Vec<u8> {
    let mut dimensions = Message::default();
    for (at, size) in shape.iter().enumerate() {
        let dimension = match size {
            -1 => Message::default().text(2, &format!("{name}_{at}")),
            size => Message::default().int(1, *size),
        };
        dimensions = dimensions.bytes(1, &dimension.0);
    }
    let tensor = Message::default().int(1, element as i64).bytes(2, &dimensions.0).0;
    let kind = Message::default().bytes(1, &tensor).0;
    Message::default().text(1, name).bytes(2, &kind).0
}

/// `x` to `y`, unchanged, of any type and shape.
pub fn identity(element: Element, shape: &[i64]) -> Vec<u8> {
    Graph::new()
        .input("x", element, shape)
        .output("y", element, shape)
        .node("Identity", &["x"], &["y"], &[])
        .model()
}

/// A judging model: `image` FP32 `[-1, 3, side, side]` to `logits` FP32 `[-1, labels]`. A label's logit is the mean of
/// the whole tensor times its weight plus its bias, so that what it gives a picture of one colour is known in advance,
/// and another bias is another revision.
pub fn judge(side: i64, weights: &[f32], biases: &[f32]) -> Vec<u8> {
    judging(side, weights.len())
        .constant("weights", &[1, weights.len() as i64], weights)
        .scored(biases)
}

/// As [`judge`] with one label a bias, but from each logit the largest of all pictures run together is taken off.
pub fn judge_minding_its_neighbours(side: i64, labels: usize) -> Vec<u8> {
    judging(side, labels)
        .node(
            "ReduceMax",
            &["mean"],
            &["largest"],
            &[("axes", Attribute::Ints(&[0])), ("keepdims", Attribute::Int(1))],
        )
        .node("Sub", &["mean", "largest"], &["below"], &[])
        .node("Add", &["mean", "below"], &["mean_of_all"], &[])
        .constant("weights", &[1, labels as i64], &vec![1.0; labels])
        .constant("biases", &[labels as i64], &vec![0.0; labels])
        .node("MatMul", &["mean_of_all", "weights"], &["weighed"], &[])
        .node("Add", &["weighed", "biases"], &["logits"], &[])
        .model()
}

/// As [`judge`] with one label a bias, but every logit is NaN.
pub fn judge_giving_nan(side: i64, labels: usize) -> Vec<u8> {
    judging(side, labels)
        .constant("weights", &[1, labels as i64], &vec![f32::NAN; labels])
        .scored(&vec![0.0; labels])
}

/// As [`judge`], but what a first run takes only then shows: `bytes` of memory, out of a few hundred of file.
pub fn judge_taking_memory(side: i64, labels: usize, bytes: i64) -> Vec<u8> {
    // Shape(image)[0] is 1 and known only at the run: the memory cannot be taken, nor folded away, at loading.
    judging(side, labels)
        .integers("batch_at", &[0])
        .integers("floats", &[bytes / 4])
        .node("Shape", &["image"], &["sizes"], &[])
        .node("Gather", &["sizes", "batch_at"], &["batch"], &[])
        .node("Mul", &["batch", "floats"], &["many"], &[])
        .node("ConstantOfShape", &["many"], &["zeros"], &[])
        .node(
            "ReduceSum",
            &["zeros"],
            &["nothing"],
            &[("keepdims", Attribute::Int(0))],
        )
        .constant("ones", &[1, labels as i64], &vec![1.0; labels])
        .node("Add", &["ones", "nothing"], &["weights"], &[])
        .scored(&vec![0.0; labels])
}

/// As [`judge`], but loading it multiplies two constant square matrices of `order` first.
pub fn judge_taking_time(side: i64, labels: usize, order: i64) -> Vec<u8> {
    judging(side, labels)
        .integers("square", &[order, order])
        .node("ConstantOfShape", &["square"], &["zeros"], &[])
        .node("MatMul", &["zeros", "zeros"], &["product"], &[])
        .node(
            "ReduceSum",
            &["product"],
            &["nothing"],
            &[("keepdims", Attribute::Int(0))],
        )
        .constant("ones", &[1, labels as i64], &vec![1.0; labels])
        .node("Add", &["ones", "nothing"], &["weights"], &[])
        .scored(&vec![0.0; labels])
}

/// A model of an operator that is in no set of the runtime's.
pub fn custom_operator() -> Vec<u8> {
    Graph::new()
        .operators("com.example", 1)
        .input("x", Element::F32, &[-1])
        .output("y", Element::F32, &[-1])
        .node_of("com.example", "Conjure", (&["x"], &["y"]), &[])
        .model()
}

/// A model whose numbers lie in the file at `location`, beside it or not.
pub fn external_data(location: &str) -> Vec<u8> {
    Graph::new()
        .input("x", Element::F32, &[4])
        .output("y", Element::F32, &[4])
        .external_constant("w", &[4], location)
        .node("Add", &["x", "w"], &["y"], &[])
        .model()
}

/// The inputs, outputs and the mean of a judging model; `weights` are to come.
fn judging(side: i64, labels: usize) -> Graph {
    Graph::new()
        .input("image", Element::F32, &[-1, 3, side, side])
        .output("logits", Element::F32, &[-1, labels as i64])
        .node(
            "ReduceMean",
            &["image"],
            &["mean_4d"],
            &[("axes", Attribute::Ints(&[1, 2, 3])), ("keepdims", Attribute::Int(1))],
        )
        .node("Flatten", &["mean_4d"], &["mean"], &[("axis", Attribute::Int(1))])
}

impl Graph {
    fn scored(self, biases: &[f32]) -> Vec<u8> {
        self.constant("biases", &[biases.len() as i64], biases)
            .node("MatMul", &["mean", "weights"], &["weighed"], &[])
            .node("Add", &["weighed", "biases"], &["logits"], &[])
            .model()
    }
}
