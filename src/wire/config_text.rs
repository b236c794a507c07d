//! Triton's `config.pbtxt`: a `ModelConfig` in the text format of protocol buffers.
//!
//! Every field that Triton knows is known, so that an unknown one is a spelling mistake and is refused by name.

use std::sync::LazyLock;

use prost_reflect::{DynamicMessage, MessageDescriptor};

use super::inference::ModelConfig;
use super::methods::POOL;

static MODEL_CONFIG: LazyLock<MessageDescriptor> = LazyLock::new(|| {
    POOL.get_message_by_name("inference.ModelConfig")
        .expect("proto/inference/model_config.proto declares it")
});

/// Reads a model configuration; the error names what is wrong.
pub fn model_config_from_text(text: &str) -> Result<ModelConfig, String> {
    let message = DynamicMessage::parse_text_format(MODEL_CONFIG.clone(), &with_colons_before_lists(text))
        .map_err(|error| error.to_string())?;
    message
        .transcode_to()
        .map_err(|error| format!("read the model configuration: {error}"))
}

/// Writes the colon that the format lets one leave out before a list of messages (`input [ {…} ]`), and that the parser wants.
///
/// No other `[` may follow a name: extensions and `Any` values, which open with one, have no place in this message.
fn with_colons_before_lists(text: &str) -> String {
    let mut whole = String::with_capacity(text.len() + 64);
    let mut inside = Inside::Plain;
    let mut after_name = false;
    for c in text.chars() {
        match inside {
            Inside::Plain if c == '[' && after_name => whole.push(':'),
            Inside::Plain | Inside::Comment | Inside::Quoted { .. } => {}
        }
        whole.push(c);
        inside = match inside {
            Inside::Plain => match c {
                '#' => Inside::Comment,
                '"' | '\'' => Inside::Quoted { by: c, escaped: false },
                _ => Inside::Plain,
            },
            Inside::Comment if c == '\n' => Inside::Plain,
            Inside::Comment => Inside::Comment,
            Inside::Quoted { by, escaped: false } if c == by => Inside::Plain,
            Inside::Quoted { by, escaped } => Inside::Quoted {
                by,
                escaped: c == '\\' && !escaped,
            },
        };
        if inside == Inside::Plain && !c.is_whitespace() {
            after_name = c.is_ascii_alphanumeric() || c == '_';
        }
    }
    whole
}

/// What a character of the text belongs to.
#[derive(Clone, Copy, PartialEq)]
enum Inside {
    Plain,
    Comment,
    Quoted { by: char, escaped: bool },
}

#[cfg(test)]
mod tests {
    use super::super::inference::{DataType, model_config::SchedulingChoice, model_version_policy::PolicyChoice};
    use super::*;

    /// As the documentation of Triton shows them, with the spellings that its users mix.
    const TEXT: &str = r#"
        name: "resnet"
        platform: "onnxruntime_onnx"
        max_batch_size : 8
        input [
          { name: "data" data_type: TYPE_FP32 format: FORMAT_NCHW dims: [ 3, 224, 224 ] }
        ]
        output {
          name: "prob"
          data_type: TYPE_FP32
          dims: [ 1000, -1 ]
          label_filename: "labels.txt"
        }
        instance_group [ { count: 2 kind: KIND_CPU } ]
        dynamic_batching { preferred_batch_size: [ 4, 8 ] max_queue_delay_microseconds: 100 }
        version_policy: { specific: { versions: [1, 3] } }
        parameters: { key: "intra_op_thread_count" value: { string_value: "1" } }
        optimization { graph { level: 1 } }
    "#;

    #[test]
    fn a_configuration_of_triton_is_read_as_it_stands() {
        let config = model_config_from_text(TEXT).unwrap();
        assert_eq!((config.name.as_str(), config.max_batch_size), ("resnet", 8));
        assert_eq!(config.input[0].dims, [3, 224, 224]);
        assert_eq!(config.input[0].data_type(), DataType::TypeFp32);
        assert_eq!(config.output[0].dims, [1000, -1]);
        assert_eq!(config.instance_group[0].count, 2);
        assert_eq!(config.parameters["intra_op_thread_count"].string_value, "1");
        assert!(matches!(
            config.scheduling_choice,
            Some(SchedulingChoice::DynamicBatching(batching)) if batching.preferred_batch_size == [4, 8]
        ));
        let Some(PolicyChoice::Specific(specific)) = config.version_policy.and_then(|policy| policy.policy_choice)
        else {
            panic!("the version policy is lost");
        };
        assert_eq!(specific.versions, [1, 3]);
    }

    #[test]
    fn a_list_of_messages_needs_no_colon_and_texts_stay_as_they_are() {
        let text = "name: \"a [b\\\" [c\" # it's [so]\n input\n[ { name: 'x[' dims [1] } ]";
        let config = model_config_from_text(text).unwrap();
        assert_eq!(config.name, "a [b\" [c");
        assert_eq!((config.input[0].name.as_str(), config.input[0].dims[0]), ("x[", 1));
    }

    #[test]
    fn an_unknown_field_or_a_cut_text_is_refused() {
        let error = model_config_from_text("max_batchsize: 8").unwrap_err();
        assert!(error.contains("max_batchsize"), "{error}");
        for bad in ["input [ { name: ", "max_batch_size: \"eight\"", "name: resnet", "\u{0}"] {
            assert!(model_config_from_text(bad).is_err(), "{bad:?}");
        }
        assert_eq!(model_config_from_text("").unwrap(), ModelConfig::default());
    }
}
