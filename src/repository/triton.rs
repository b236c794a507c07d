//! `config.pbtxt`: the configuration that a model of a Triton repository has.
//!
//! Only what decides which files are read and which versions serve is interpreted here; the whole configuration is kept for those who ask for it.

use crate::base::Version;
use crate::wire::inference::{ModelConfig, model_version_policy::PolicyChoice};
use crate::wire::model_config_from_text;

use super::names::FileName;
use super::settings::VersionPolicy;

/// The configuration of one model, read and found sound.
#[derive(Debug, Clone, PartialEq)]
pub struct TritonConfig {
    pub config: ModelConfig,
    /// The model file in each version's directory: `default_model_filename`, else `model.onnx`.
    pub model_file: FileName,
    /// Triton serves the latest version alone unless told otherwise.
    pub serve: VersionPolicy,
}

impl TritonConfig {
    /// Reads the text of a `config.pbtxt` that lies in the directory of `model`.
    ///
    /// # Errors
    /// What is wrong or not offered, in words.
    pub fn parse(text: &str, model: &str) -> Result<Self, String> {
        let config = model_config_from_text(text)?;
        if !config.name.is_empty() && config.name != model {
            return Err(format!(
                "name: \"{}\" is not the model's directory; write \"{model}\" or leave it out",
                config.name
            ));
        }
        let is_onnx = matches!(config.platform.as_str(), "" | "onnxruntime_onnx")
            && matches!(config.backend.as_str(), "" | "onnxruntime");
        if !is_onnx {
            return Err(format!(
                "platform \"{}\", backend \"{}\": only ONNX models are served; write backend: \"onnxruntime\"",
                config.platform, config.backend
            ));
        }
        if config.max_batch_size < 0 {
            return Err(format!("max_batch_size: {} is negative", config.max_batch_size));
        }
        let model_file = match config.default_model_filename.as_str() {
            "" => FileName::model(),
            name => name
                .parse()
                .map_err(|error| format!("default_model_filename: {error}"))?,
        };
        let serve = version_policy(&config)?;
        Ok(Self {
            config,
            model_file,
            serve,
        })
    }
}

fn version_policy(config: &ModelConfig) -> Result<VersionPolicy, String> {
    match config
        .version_policy
        .as_ref()
        .and_then(|policy| policy.policy_choice.as_ref())
    {
        None => Ok(VersionPolicy::Latest(1)),
        Some(PolicyChoice::All(_)) => Ok(VersionPolicy::All),
        Some(PolicyChoice::Latest(latest)) => Ok(VersionPolicy::Latest(latest.num_versions.max(1))),
        Some(PolicyChoice::Specific(specific)) => {
            let versions = specific.versions.iter().map(|number| Version::try_from(*number));
            let versions = versions.collect::<Result<_, _>>();
            Ok(VersionPolicy::Specific(
                versions.map_err(|error| format!("version_policy.specific: {error}"))?,
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_says_which_versions_serve() {
        let config = TritonConfig::parse("backend: \"onnxruntime\" max_batch_size: 8", "m").unwrap();
        assert_eq!(
            (config.serve, config.model_file),
            (VersionPolicy::Latest(1), FileName::model())
        );
        let all = TritonConfig::parse("version_policy: { all { } }", "m").unwrap();
        assert_eq!(all.serve, VersionPolicy::All);
        let specific = TritonConfig::parse("version_policy: { specific { versions: [1, 3] } }", "m").unwrap();
        let wanted = [1, 3].map(|number| Version::try_from(number).unwrap());
        assert_eq!(specific.serve, VersionPolicy::Specific(wanted.into()));
    }

    #[test]
    fn what_cannot_be_served_is_refused_in_words() {
        for bad in [
            "name: \"other\"",
            "backend: \"python\"",
            "platform: \"tensorflow_savedmodel\"",
            "max_batch_size: -1",
            "default_model_filename: \"../secret.onnx\"",
            "version_policy: { specific { versions: [0] } }",
            "no such field: 1",
        ] {
            assert!(TritonConfig::parse(bad, "m").is_err(), "{bad}");
        }
    }
}
