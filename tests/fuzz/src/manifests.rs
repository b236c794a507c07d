//! Files that people write and systems copy: whatever their bytes are, they are read whole or refused with a reason.
//!
//! The first line of an input chooses the reader, so one corpus holds them all and libFuzzer learns each.

#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use vigie::policy::Policy;

fuzz_target!(|input: &[u8]| -> Corpus {
    let Some((reader, text)) = std::str::from_utf8(input).ok().and_then(|input| input.split_once('\n')) else {
        return Corpus::Reject;
    };
    match reader {
        "policy" => policy(text),
        _ => return Corpus::Reject,
    }
    Corpus::Keep
});

/// What is read is read the same again, and what is refused says why.
fn policy(text: &str) {
    match Policy::parse(text) {
        Ok(policy) => assert_eq!(Policy::parse(text).as_ref(), Ok(&policy), "the same text is another policy"),
        Err(error) => assert!(!error.to_string().trim().is_empty(), "refused without a reason"),
    }
}
