//! Folding: what different spellings of the same word have in common, so that they can be compared.
//!
//! Case, diacritics, compatibility forms (`ﬁ`, full-width letters), invisible characters and the kind and number of spaces between words
//! are of no consequence. Marks that make another letter of a letter stay: the voicing marks of kana, vowel signs and viramas.
//! Folding what is folded changes nothing.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

/// The text as it is compared: lower case, without diacritics, words one space apart, nothing at its ends.
pub(super) fn fold(text: &str) -> String {
    if text.is_ascii() {
        let mut folded = spaced(text.split_ascii_whitespace(), text.len());
        folded.make_ascii_lowercase();
        return folded;
    }
    // Lower, upper and lower case is case folding: `ß`, `ẞ` and `SS` are `ss`, `ς` and `Σ` are `σ`. It may bring marks to light, so they are
    // taken away again; what stays is composed, so that no letter of Hangul or kana matches the first part of another.
    let bare = text.nfkd().filter(|&c| !is_left_out(c));
    let lower = bare
        .flat_map(char::to_lowercase)
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase);
    let folded: String = lower.nfkd().filter(|&c| !is_left_out(c)).nfc().collect();
    spaced(folded.split_whitespace(), folded.len())
}

fn spaced<'a>(words: impl Iterator<Item = &'a str>, length: usize) -> String {
    words.fold(String::with_capacity(length), |mut line, word| {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        line
    })
}

/// Diacritics, vowel points of Hebrew and Arabic, and what cannot be seen.
fn is_left_out(c: char) -> bool {
    let is_diacritic = matches!(canonical_combining_class(c), 1 | 10..=36 | 200..=255);
    let is_invisible = matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}'
    );
    is_diacritic || is_invisible
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spellings_of_one_word_fold_to_the_same() {
        for (one, other) in [
            ("PISTOLET", "pistolet"),
            ("Réplique", "REPLIQUE"),
            ("re\u{301}plique", "réplique"),
            ("Straße", "STRASSE"),
            ("ﬁrearm", "Firearm"),
            ("ＡＫ４７", "ak47"),
            ("ΟΔΟΣ", "οδος"),
            ("wea\u{ad}pon", "weapon"),
            ("wea\u{200b}pon", "weapon"),
            ("İstanbul", "istanbul"),
            ("a\u{a0}  b\tc", " A B C "),
            ("ｶﾞ", "ガ"),
        ] {
            assert_eq!(fold(one), fold(other), "{one} and {other}");
        }
    }

    #[test]
    fn letters_that_differ_in_their_script_stay_different() {
        for (one, other) in [("ガ", "カ"), ("कि", "क"), ("강", "가"), ("ที่", "ท")] {
            assert_ne!(fold(one), fold(other), "{one} and {other}");
        }
    }

    #[test]
    fn every_character_folded_twice_is_folded_once() {
        for c in '\0'..=char::MAX {
            let once = fold(&c.to_string());
            assert_eq!(fold(&once), once, "{c:?}");
        }
    }

    proptest! {
        #[test]
        fn folding_what_is_folded_changes_nothing(text in "\\PC{0,40}|[a-zA-Zéßﬁ \u{300}-\u{36f}\u{1100}-\u{11ff}ガｶﾞ]{0,20}") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }

        #[test]
        fn case_and_diacritics_are_of_no_consequence(word in "[a-z]{1,12}", marks in prop::collection::vec(prop::char::range('\u{300}', '\u{304}'), 12)) {
            let marked: String = word.chars().zip(marks).flat_map(|(c, mark)| [c.to_ascii_uppercase(), mark]).collect();
            prop_assert_eq!(fold(&marked), word);
        }
    }
}
