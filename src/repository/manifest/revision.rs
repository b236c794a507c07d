//! The revision: one SHA-256 over all that an answer depends on, and over nothing else.
//!
//! It is computed over a canonical text: JSON with sorted keys and without spaces. Weights enter by their hash; comments, order of keys, provenance,
//! metrics and golden pictures do not enter, so that a remark corrected in a manifest loads nothing anew.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::base::{Digest, RevisionId};

use super::super::names::FileName;
use super::Manifest;

/// Changes when the meaning of the canonical text does.
const DOMAIN: &str = "vigie revision 1\n";

impl Manifest {
    /// The revision of a version with this manifest whose model reads the `external` weight files beside it.
    pub fn revision(&self, model: Digest, external: &BTreeMap<FileName, Digest>) -> RevisionId {
        hash(&json!({
            "model": model,
            "external": external,
            "input": self.input,
            "output": self.output,
            "head": self.head,
            "preprocessing": self.preprocessing,
            "runtime": self.runtime,
        }))
    }
}

/// The revision of a plain tensor model.
pub fn tensor_revision(model: Digest, external: &BTreeMap<FileName, Digest>) -> RevisionId {
    hash(&json!({ "model": model, "external": external }))
}

fn hash(content: &Value) -> RevisionId {
    let mut text = String::from(DOMAIN);
    write_canonical(content, &mut text);
    RevisionId(Digest(Sha256::digest(text.as_bytes()).into()))
}

fn write_canonical(value: &Value, text: &mut String) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => text.push_str(&value.to_string()),
        Value::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                write_canonical(item, text);
            }
            text.push(']');
        }
        Value::Object(fields) => {
            let sorted: BTreeMap<&String, &Value> = fields.iter().collect();
            text.push('{');
            for (at, (key, field)) in sorted.into_iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                text.push_str(&Value::String(key.clone()).to_string());
                text.push(':');
                write_canonical(field, text);
            }
            text.push('}');
        }
    }
}
