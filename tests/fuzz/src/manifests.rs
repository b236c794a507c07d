//! Files that people write and systems copy: whatever their text is, they are read whole or refused with a reason.
//!
//! The first line of an input chooses the reader, so one corpus holds them all and libFuzzer learns each.

#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::{Corpus, fuzz_target};
use vigie::base::Digest;
use vigie::policy::Policy;
use vigie::repository::{Manifest, ModelSettings, TritonConfig};

fuzz_target!(|input: &[u8]| -> Corpus {
    let Some((reader, text)) = std::str::from_utf8(input).ok().and_then(|input| input.split_once('\n')) else {
        return Corpus::Reject;
    };
    match reader {
        "version" => version(text),
        "policy" => policy(text),
        "model" => refused_with_a_reason(ModelSettings::parse(text)),
        "triton" => refused_with_a_reason(TritonConfig::parse(text, "model")),
        _ => return Corpus::Reject,
    }
    Corpus::Keep
});

/// What was read and is written again is the same version: same fields, same revision.
fn version(text: &str) {
    match Manifest::parse(text) {
        Ok(manifest) => {
            let again = Manifest::parse(&manifest.to_toml()).expect("what was written by us is read by us");
            let revision = |manifest: &Manifest| manifest.revision(Digest([0; 32]), &BTreeMap::new());
            assert_eq!(
                revision(&again),
                revision(&manifest),
                "another revision after writing and reading"
            );
        }
        Err(error) => refused_with_a_reason::<(), _>(Err(error)),
    }
}

/// The same text is the same policy.
fn policy(text: &str) {
    match Policy::parse(text) {
        Ok(policy) => assert_eq!(
            Policy::parse(text).as_ref(),
            Ok(&policy),
            "the same text is another policy"
        ),
        Err(error) => refused_with_a_reason::<(), _>(Err(error)),
    }
}

fn refused_with_a_reason<T, E: ToString>(result: Result<T, E>) {
    if let Err(error) = result {
        assert!(!error.to_string().trim().is_empty(), "refused without a reason");
    }
}
