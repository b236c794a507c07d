//! Keywords: which rules' words stand in a product's texts.
//!
//! Looked for once for a product and a policy; the result is kept and the texts are not. Texts and words are folded first, and a word
//! is found only as a word: not within another, except in scripts that are written without spaces.

use std::collections::BTreeMap;

use aho_corasick::AhoCorasick;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::base::{Digest, Product};

use super::fold::fold;

/// The texts of a product that keywords are looked for in, and the language that they are in.
#[derive(Debug, Clone, Copy, Default)]
pub struct Texts<'a> {
    pub title: &'a str,
    pub description: &'a str,
    pub brand: &'a str,
    /// A language tag such as `fr` or `fr-CA`. Where it is none, the texts are taken to be in every language.
    pub language: &'a str,
}

impl<'a> Texts<'a> {
    /// Those of a product.
    pub fn of(product: &'a Product) -> Self {
        Self {
            title: &product.title,
            description: &product.description,
            brand: &product.brand,
            language: &product.language,
        }
    }
}

/// Which keyword rules found a word in a product's texts. It means nothing but to a policy of the same `keywords_version`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Matched(Option<Box<[Hit]>>);

static NO_MATCH: Matched = Matched(None);

impl Matched {
    /// Nothing was found, for whoever needs it to last.
    pub fn none() -> &'static Self {
        &NO_MATCH
    }

    /// True where no rule found a word.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The same as numbers, for whoever keeps it among other things: four for each rule.
    pub fn to_numbers(&self) -> Vec<u16> {
        let hits = self.0.iter().flatten();
        hits.flat_map(|hit| {
            [
                hit.rule,
                hit.field as u16,
                hit.keyword as u16,
                (hit.keyword >> 16) as u16,
            ]
        })
        .collect()
    }

    /// Back from numbers. What no `to_numbers` gave finds nothing, or other words.
    pub fn from_numbers(mut numbers: impl Iterator<Item = u16>) -> Self {
        let mut hits = Vec::new();
        while let (Some(rule), Some(field), Some(low), Some(high)) =
            (numbers.next(), numbers.next(), numbers.next(), numbers.next())
        {
            let Some(field) = FIELDS.get(usize::from(field)).copied() else {
                break;
            };
            let keyword = u32::from(high) << 16 | u32::from(low);
            hits.push(Hit { rule, field, keyword });
        }
        Self((!hits.is_empty()).then(|| hits.into()))
    }

    pub(super) fn of_rule(&self, number: u16) -> Option<Hit> {
        self.0.iter().flatten().find(|hit| hit.rule == number).copied()
    }
}

/// A rule's first word in a product's texts: in the title rather than the description rather than the brand, and of those the first of
/// its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "(u16, u32, u8)", try_from = "(u16, u32, u8)")]
pub(super) struct Hit {
    /// By its place among the keyword rules.
    pub rule: u16,
    pub field: Field,
    /// By its place among the rule's keywords.
    pub keyword: u32,
}

/// Where a word was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Field {
    Title,
    Description,
    Brand,
}

const FIELDS: [Field; 3] = [Field::Title, Field::Description, Field::Brand];

impl Field {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Description => "description",
            Self::Brand => "brand",
        }
    }
}

impl From<Hit> for (u16, u32, u8) {
    fn from(hit: Hit) -> Self {
        (hit.rule, hit.keyword, hit.field as u8)
    }
}

impl TryFrom<(u16, u32, u8)> for Hit {
    type Error = String;

    fn try_from((rule, keyword, field): (u16, u32, u8)) -> Result<Self, String> {
        let field = FIELDS.get(usize::from(field)).copied();
        let field = field.ok_or_else(|| "a field of a product is 0, 1 or 2; look for the keywords again".to_owned())?;
        Ok(Self { rule, field, keyword })
    }
}

/// One word of a rule's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Keyword {
    pub written: String,
    /// Never empty.
    pub folded: String,
    /// None: it is looked for in texts of every language.
    pub language: Option<Language>,
}

/// A language by its two letters of ISO 639-1, in small letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Language([u8; 2]);

impl Language {
    /// The language of a tag such as `fr`, `fr-CA` or `FR_fr`. None where it is none that has two letters.
    pub(super) fn of_tag(tag: &str) -> Option<Self> {
        let first = tag
            .trim()
            .split(['-', '_'])
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let is_known = LANGUAGES.split(' ').any(|language| language == first);
        match *first.as_bytes() {
            [a, b] if is_known => Some(Self([a, b])),
            _ => None,
        }
    }
}

/// ISO 639-1.
const LANGUAGES: &str = "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en \
eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn \
ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps \
pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo \
wa wo xh yi yo za zh zu";

/// The keywords of all rules, ready to be looked for at once.
#[derive(Debug, Clone)]
pub(super) struct Keywords {
    /// By the number of the rule.
    lists: Vec<Vec<Keyword>>,
    patterns: Vec<Pattern>,
    finder: Option<AhoCorasick>,
    version: Digest,
}

/// One folded word, whoever asks for it.
#[derive(Debug, Clone)]
struct Pattern {
    /// Whether another letter may stand before and after it.
    open: (bool, bool),
    /// Rule and place in its list.
    asked_by: Vec<(u16, u32)>,
}

impl PartialEq for Keywords {
    /// The rest follows from the lists.
    fn eq(&self, other: &Self) -> bool {
        self.lists == other.lists
    }
}

impl Keywords {
    /// Whether there is any rule to find words for.
    pub(super) fn are_asked_for(&self) -> bool {
        !self.lists.is_empty()
    }

    /// Of at most 65 536 lists.
    ///
    /// # Errors
    /// What is too much for the matcher, in words.
    pub(super) fn new(lists: Vec<Vec<Keyword>>) -> Result<Self, String> {
        let mut asked_by: BTreeMap<&str, Vec<(u16, u32)>> = BTreeMap::new();
        for (rule, list) in (0_u16..).zip(&lists) {
            for (place, keyword) in (0_u32..).zip(list) {
                asked_by.entry(&keyword.folded).or_default().push((rule, place));
            }
        }
        let finder = (!asked_by.is_empty()).then(|| AhoCorasick::new(asked_by.keys()));
        let finder = finder.transpose().map_err(|error| error.to_string())?;
        let patterns = asked_by.into_iter().map(|(word, asked_by)| {
            // Symbols at the edge of a word end it by themselves.
            let runs_on = |edge: Option<char>| edge.is_some_and(ends_word);
            let open = (runs_on(word.chars().next()), runs_on(word.chars().next_back()));
            Pattern { open, asked_by }
        });
        Ok(Self {
            patterns: patterns.collect(),
            finder,
            version: version(&lists),
            lists,
        })
    }

    pub(super) fn version(&self) -> Digest {
        self.version
    }

    pub(super) fn list(&self, rule: u16) -> &[Keyword] {
        self.lists.get(usize::from(rule)).map_or(&[], Vec::as_slice)
    }

    /// The word of a hit, as its author wrote it.
    pub(super) fn word(&self, hit: Hit) -> Option<&str> {
        let keyword = self.list(hit.rule).get(usize::try_from(hit.keyword).ok()?)?;
        Some(&keyword.written)
    }

    pub(super) fn find(&self, texts: &Texts<'_>) -> Matched {
        let Some(finder) = &self.finder else {
            return Matched::default();
        };
        let language = Language::of_tag(texts.language);
        let mut found: BTreeMap<u16, (Field, u32)> = BTreeMap::new();
        for (field, text) in FIELDS.into_iter().zip([texts.title, texts.description, texts.brand]) {
            let text = fold(text);
            for hit in finder.find_overlapping_iter(&text) {
                let pattern = &self.patterns[hit.pattern().as_usize()];
                if !stands_alone(&text, hit.range(), pattern.open) {
                    continue;
                }
                for &(rule, keyword) in &pattern.asked_by {
                    if self.is_asked_in(language, rule, keyword) {
                        let first = found.entry(rule).or_insert((field, keyword));
                        *first = (*first).min((field, keyword));
                    }
                }
            }
        }
        let hits = found
            .into_iter()
            .map(|(rule, (field, keyword))| Hit { rule, field, keyword });
        let hits: Box<[Hit]> = hits.collect();
        Matched((!hits.is_empty()).then_some(hits))
    }

    fn is_asked_in(&self, language: Option<Language>, rule: u16, keyword: u32) -> bool {
        let asked = self.lists[usize::from(rule)][keyword as usize].language;
        language.is_none() || asked.is_none() || asked == language
    }
}

/// A digest over everything that matching depends on: the words in their order, and the tables of Unicode that fold them.
fn version(lists: &[Vec<Keyword>]) -> Digest {
    let mut hasher = Sha256::new();
    let tables = (char::UNICODE_VERSION, unicode_normalization::UNICODE_VERSION);
    hasher.update(format!("keywords 1 {tables:?}"));
    for list in lists {
        hasher.update((list.len() as u64).to_le_bytes());
        for keyword in list {
            hasher.update(keyword.language.map_or([0, 0], |language| language.0));
            hasher.update((keyword.folded.len() as u64).to_le_bytes());
            hasher.update(&keyword.folded);
        }
    }
    Digest(hasher.finalize().into())
}

/// Whether what stands at a range of a folded text is a word of its own; `open` says on which sides that is not asked.
fn stands_alone(text: &str, range: std::ops::Range<usize>, open: (bool, bool)) -> bool {
    let before = text.get(..range.start).and_then(|before| before.chars().next_back());
    let after = text.get(range.end..).and_then(|after| after.chars().next());
    (open.0 || before.is_none_or(ends_word)) && (open.1 || after.is_none_or(ends_word))
}

/// Whether a word may end beside this character: it is none that words are made of, or of a script in which words follow each other
/// without a space.
fn ends_word(beside: char) -> bool {
    let is_of_word = beside.is_alphanumeric() || unicode_normalization::char::is_combining_mark(beside);
    !is_of_word || is_written_without_spaces(beside)
}

/// Han, kana, Thai, Lao, Khmer and Myanmar; and Hangul, which has spaces, but writes particles onto the word.
fn is_written_without_spaces(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1100}'..='\u{11ff}' | '\u{1780}'..='\u{17ff}' | '\u{19e0}'..='\u{19ff}'
        | '\u{2e80}'..='\u{2fdf}' | '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{3029}' | '\u{3031}'..='\u{318f}' | '\u{31a0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{a960}'..='\u{a97f}' | '\u{a9e0}'..='\u{a9ff}' | '\u{aa60}'..='\u{aa7f}'
        | '\u{ac00}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' | '\u{1aff0}'..='\u{1b16f}' | '\u{20000}'..='\u{3ffff}')
}
