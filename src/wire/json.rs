//! Messages as JSON, for programs that read what the command line prints: field names as in `proto/`, every field present.

use std::sync::LazyLock;

use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};

use super::DESCRIPTOR_SET;

static MESSAGES: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(DESCRIPTOR_SET).expect("the descriptor set was written by this package's build")
});

/// A message of `proto/` under its full name, such as `vigie.v1.Decision`, as ProtoJSON with numbers as numbers.
///
/// # Errors
/// A name that no message has, or bytes that are not this message's.
pub fn to_json(message: &impl Message, name: &str) -> Result<serde_json::Value, String> {
    let descriptor = MESSAGES
        .get_message_by_name(name)
        .ok_or_else(|| format!("{name} is no message of this program"))?;
    let message = DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice())
        .map_err(|error| format!("read {name}: {error}"))?;
    let options = SerializeOptions::new()
        .use_proto_field_name(true)
        .stringify_64_bit_integers(false)
        .skip_default_fields(false);
    message
        .serialize_with_options(serde_json::value::Serializer, &options)
        .map_err(|error| format!("write {name}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::vigie::{CountryVerdict, Decision, Verdict};

    #[test]
    fn a_decision_reads_as_its_protocol_file_does() {
        let verdict = CountryVerdict {
            country: "FR".into(),
            verdict: Verdict::Block.into(),
            ..CountryVerdict::default()
        };
        let decision = Decision {
            version: 2,
            verdicts: vec![verdict],
            ..Decision::default()
        };
        let json = to_json(&decision, "vigie.v1.Decision").unwrap();
        assert_eq!(json["version"], 2);
        assert_eq!(json["verdicts"][0]["verdict"], "BLOCK");
        assert_eq!(json["known_picture"], false);
        assert!(to_json(&decision, "vigie.v1.Nothing").is_err());
    }
}
