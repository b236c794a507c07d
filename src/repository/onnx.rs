//! A shallow look into an ONNX file: is it whole, and which other files does it read?
//!
//! The file is walked as the protocol-buffer messages it is made of, by seeking over weights, so that a model of two gigabytes costs no memory and
//! hardly any reading. A file that was cut off ends inside a message and is recognised by that. Whether the graph makes sense is the
//! runtime's to say, in a process of its own.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Seek};

/// What a model file says about itself, as far as files are concerned.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Outline {
    /// The weight files that it reads, as it names them, each with the bytes that it must at least have.
    pub(super) external: BTreeMap<String, u64>,
}

/// Why a file is not taken for an ONNX model.
#[derive(Debug, thiserror::Error)]
pub(super) enum OutlineError {
    #[error("{0}")]
    NotOnnx(String),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Nested deeper than any exporter nests subgraphs.
const MOST_DEPTH: u32 = 100;
/// More than the largest real models have; a bound on the time that a hostile file takes.
const MOST_FIELDS: u64 = 20_000_000;
const MOST_TEXT_BYTES: u64 = 4096;
const MOST_EXTERNAL_FILES: usize = 1000;

/// The messages of ONNX that lead to tensors.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Message {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    SparseTensor,
    Function,
    Training,
}

impl Message {
    /// The message that a field holds; none where it need not be entered. Numbers from `onnx.proto`.
    fn inside(self, field: u64) -> Option<Self> {
        match (self, field) {
            (Self::Model, 7) | (Self::Attribute, 6 | 11) | (Self::Training, 1 | 2) => Some(Self::Graph),
            (Self::Model, 20) => Some(Self::Training),
            (Self::Model, 25) => Some(Self::Function),
            (Self::Graph, 1) | (Self::Function, 7) => Some(Self::Node),
            (Self::Node, 5) | (Self::Function, 11) => Some(Self::Attribute),
            (Self::Graph, 5) | (Self::Attribute, 5 | 10) | (Self::SparseTensor, 1 | 2) => Some(Self::Tensor),
            (Self::Graph, 15) | (Self::Attribute, 22 | 23) => Some(Self::SparseTensor),
            (
                Self::Model
                | Self::Graph
                | Self::Node
                | Self::Attribute
                | Self::Tensor
                | Self::SparseTensor
                | Self::Function
                | Self::Training,
                _,
            ) => None,
        }
    }
}

const MODEL_GRAPH: u64 = 7;
const MODEL_OPSETS: u64 = 8;
const TENSOR_EXTERNAL_DATA: u64 = 13;

/// Walks an ONNX file of a known length.
pub(super) fn outline(file: impl Read + Seek, bytes: u64) -> Result<Outline, OutlineError> {
    if bytes == 0 {
        return Err(not_onnx("the file is empty"));
    }
    let mut walker = Walker {
        reader: BufReader::with_capacity(64 << 10, file),
        at: 0,
        fields: 0,
        has_graph: false,
        has_opsets: false,
        outline: Outline::default(),
    };
    walker.message(Span {
        kind: Message::Model,
        end: bytes,
        depth: 0,
    })?;
    if !walker.has_graph || !walker.has_opsets {
        let missing = if walker.has_graph { "operator sets" } else { "graph" };
        return Err(not_onnx(format!(
            "it is no ONNX model, or not a whole one: it has no {missing}"
        )));
    }
    Ok(walker.outline)
}

fn not_onnx(reason: impl Into<String>) -> OutlineError {
    OutlineError::NotOnnx(reason.into())
}

struct Walker<R> {
    reader: BufReader<R>,
    at: u64,
    fields: u64,
    has_graph: bool,
    has_opsets: bool,
    outline: Outline,
}

/// A message being walked.
#[derive(Clone, Copy)]
struct Span {
    kind: Message,
    /// Where it ends in the file.
    end: u64,
    depth: u32,
}

/// What a tensor says of weights elsewhere. It counts even where the tensor does not say that it is external: a message may be given in parts, which
/// its reader merges.
#[derive(Default)]
struct External {
    locations: Vec<String>,
    offset: u64,
    length: u64,
}

impl<R: Read + Seek> Walker<R> {
    fn message(&mut self, span: Span) -> Result<(), OutlineError> {
        let Span { end, depth, .. } = span;
        if depth > MOST_DEPTH {
            return Err(not_onnx(format!("its graphs are nested deeper than {MOST_DEPTH}")));
        }
        let mut external = External::default();
        while self.at < end {
            self.fields += 1;
            if self.fields > MOST_FIELDS {
                return Err(not_onnx(format!("it has more than {MOST_FIELDS} fields")));
            }
            let tag = self.varint(end)?;
            let field = tag >> 3;
            match tag & 7 {
                _ if field == 0 => return Err(self.broken()),
                0 => {
                    self.varint(end)?;
                }
                1 => self.skip(8, end)?,
                2 => self.nested(span, field, &mut external)?,
                5 => self.skip(4, end)?,
                _ => return Err(self.broken()),
            }
        }
        self.record(external)
    }

    fn nested(&mut self, span: Span, field: u64, external: &mut External) -> Result<(), OutlineError> {
        let Span { kind, end, depth } = span;
        let length = self.varint(end)?;
        let inner_end = self
            .at
            .checked_add(length)
            .filter(|inner_end| *inner_end <= end)
            .ok_or_else(|| self.cut())?;
        if kind == Message::Model {
            self.has_graph |= field == MODEL_GRAPH && length > 0;
            self.has_opsets |= field == MODEL_OPSETS;
        }
        if let Some(inside) = kind.inside(field) {
            return self.message(Span {
                kind: inside,
                end: inner_end,
                depth: depth + 1,
            });
        }
        if kind == Message::Tensor && field == TENSOR_EXTERNAL_DATA {
            return self.entry(inner_end, external);
        }
        self.skip(length, end)
    }

    /// One key and value of a tensor's `external_data`.
    fn entry(&mut self, end: u64, external: &mut External) -> Result<(), OutlineError> {
        let (mut key, mut value) = (String::new(), String::new());
        while self.at < end {
            let tag = self.varint(end)?;
            match (tag >> 3, tag & 7) {
                (1, 2) => key = self.text(end)?,
                (2, 2) => value = self.text(end)?,
                _ => return Err(self.broken()),
            }
        }
        let number = || {
            value
                .parse::<u64>()
                .map_err(|_| not_onnx(format!("its external data has the {key} {value:?}")))
        };
        match key.as_str() {
            "location" => external.locations.push(value),
            "offset" => external.offset = number()?,
            "length" => external.length = number()?,
            _ => {}
        }
        Ok(())
    }

    fn record(&mut self, external: External) -> Result<(), OutlineError> {
        let needed = external.offset.saturating_add(external.length);
        for location in external.locations {
            let known = self.outline.external.entry(location).or_default();
            *known = needed.max(*known);
        }
        if self.outline.external.len() > MOST_EXTERNAL_FILES {
            return Err(not_onnx(format!(
                "it reads more than {MOST_EXTERNAL_FILES} other files"
            )));
        }
        Ok(())
    }

    fn text(&mut self, end: u64) -> Result<String, OutlineError> {
        let length = self.varint(end)?;
        if length > MOST_TEXT_BYTES || self.at + length > end {
            return Err(self.broken());
        }
        let mut bytes = vec![0; length as usize];
        self.reader.read_exact(&mut bytes)?;
        self.at += length;
        String::from_utf8(bytes).map_err(|_| not_onnx("the name of an external file is not UTF-8"))
    }

    fn varint(&mut self, end: u64) -> Result<u64, OutlineError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            if self.at >= end {
                return Err(self.cut());
            }
            let Some(byte) = self.reader.fill_buf()?.first().copied() else {
                return Err(self.cut());
            };
            self.reader.consume(1);
            self.at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.broken())
    }

    fn skip(&mut self, length: u64, end: u64) -> Result<(), OutlineError> {
        self.at = self
            .at
            .checked_add(length)
            .filter(|at| *at <= end)
            .ok_or_else(|| self.cut())?;
        let distance = i64::try_from(length).map_err(|_| self.cut())?;
        Ok(self.reader.seek_relative(distance)?)
    }

    fn cut(&self) -> OutlineError {
        not_onnx(format!(
            "it is no ONNX model, or not a whole one: it ends inside a message (at byte {})",
            self.at
        ))
    }

    fn broken(&self) -> OutlineError {
        not_onnx(format!("it is no ONNX model: byte {} begins no field", self.at))
    }
}
