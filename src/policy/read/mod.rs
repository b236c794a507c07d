//! The text of a policy file to a `Policy`, or to everything that is wrong with it.
//!
//! The file is walked by hand rather than derived, for two reasons: all mistakes are told at once, and each says where it is and what to
//! write instead. Keys that are not known are mistakes, so a misspelt threshold cannot silently fall back to another.

mod conditions;
mod costs;
mod draft;
mod effects;
mod examples;
mod groups;
mod mistakes;
mod rules;
mod section;
mod short_forms;
mod values;

use std::collections::{BTreeSet, HashMap};

use sha2::{Digest as _, Sha256};
use toml::de::DeValue;

use crate::base::{Digest, Label, PolicyVersion};

use super::conditions::Applies;
use super::keywords::{Keyword, Keywords};
use super::place::Places;
use super::rule::{About, Rule, Says, Scope, Strict};
use super::{Policy, Severe};
use draft::{Draft, DraftSays};
use examples::Known;
use mistakes::{Mistakes, Spot};
use section::Section;

pub use mistakes::{Mistake, PolicyError};

/// As much of a text as is read at all.
const MOST_BYTES: usize = 4 << 20;
/// Rules of all kinds. Far above any policy that people wrote, far below what could trouble the server.
const MOST_RULES: usize = 10_000;
/// Keywords of all rules.
const MOST_KEYWORDS: usize = 100_000;
/// The only file format there is so far.
const FORMAT: &str = "1";
/// Ids that reasons carry where no rule spoke.
const RESERVED: [&str; 3] = ["default", "on_unreadable_picture", "imported"];

pub(super) fn parse(text: &str) -> Result<Policy, PolicyError> {
    let mut mistakes = Mistakes::new(text);
    let policy = read(text, &mut mistakes);
    match (policy, mistakes.into_error()) {
        (Some(policy), None) => Ok(policy),
        (_, Some(error)) => Err(error),
        (None, None) => Err(PolicyError {
            mistakes: vec![Mistake {
                key: String::new(),
                line: 1,
                column: 1,
                problem: "cannot be read, and nobody knows why; report this file".to_owned(),
            }],
        }),
    }
}

/// None only where a mistake was noted.
fn read<'t>(text: &'t str, mistakes: &mut Mistakes<'t>) -> Option<Policy> {
    let whole = Spot {
        path: String::new(),
        at: 0,
    };
    if text.len() > MOST_BYTES {
        return mistakes.note(&whole, format!("{} bytes; at most {MOST_BYTES} are read", text.len()));
    }
    let mut top = Section::of_file(text, mistakes)?;
    format(&mut top, mistakes);
    let on_unreadable_picture = on_unreadable(&mut top, mistakes);
    let severe = severe(&mut top, mistakes);
    let common = conditions::about(&mut top, mistakes);
    let costs = costs::costs(&mut top, mistakes);
    let mut drafts: Vec<Draft> = short_forms::default(&mut top, mistakes).into_iter().collect();
    drafts.extend(short_forms::labels(&mut top, &Scope::default(), mistakes));
    drafts.extend(short_forms::countries(&mut top, mistakes));
    let (groups, of_groups) = groups::groups(&mut top, mistakes);
    drafts.extend(of_groups);
    drafts.extend(rules::rules(&mut top, &groups, mistakes));
    drafts.sort_by_key(|draft| draft.at);
    check_all(&drafts, &whole, mistakes);
    let known = Known {
        rules: &drafts.iter().map(|draft| draft.id.as_str()).chain(RESERVED).collect(),
        any_dates: drafts.iter().any(|draft| draft.dates.are_stated()),
    };
    let examples = examples::examples(&mut top, &known, mistakes);
    let all = "format, on_unreadable_picture, severe, owner, source, review_by, costs, default, label, country, group, [[rule]], [[example]]";
    top.refuse_the_rest(all, mistakes);
    if mistakes.count() > 0 {
        return None;
    }
    let (labels, rules, keywords) = numbered(drafts, &severe.labels, &common, mistakes);
    let keywords = Keywords::new(keywords)
        .or_else(|error| mistakes.note(&whole, format!("too many keywords: {error}")).ok_or(()))
        .ok()?;
    Some(Policy {
        text: text.into(),
        version: PolicyVersion(Digest(Sha256::digest(text.as_bytes()).into())),
        on_unreadable_picture: on_unreadable_picture?,
        severe,
        costs,
        places: Places::new(&rules, &groups, labels.len()),
        default: rules
            .iter()
            .position(|rule| matches!(rule.says, Says::ByDefault { .. }))?,
        asks_for_categories: rules.iter().any(|rule| rule.categories().is_some()),
        without_asking: rules
            .iter()
            .map(|rule| rule.when.are_none().then_some(Applies::Yes))
            .collect(),
        labels,
        rules,
        groups,
        keywords,
        examples,
    })
}

fn format(top: &mut Section<'_>, mistakes: &mut Mistakes<'_>) {
    match top.take("format") {
        Some(entry) if matches!(&entry.value, DeValue::Integer(number) if number.as_str() == FORMAT) => {}
        Some(entry) => mistakes.add(
            &entry.spot,
            format!("{} is not known; write format = {FORMAT}", entry.shown()),
        ),
        None => mistakes.add(&top.missing("format"), format!("missing; write format = {FORMAT}")),
    }
}

fn on_unreadable(top: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<Strict> {
    match top.take("on_unreadable_picture") {
        Some(entry) => values::strict(
            &entry,
            "a picture that cannot be looked at must not be allowed",
            mistakes,
        ),
        None => Some(Strict::Review),
    }
}

fn severe(top: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Severe {
    let Some(entry) = top.take("severe") else {
        return Severe::default();
    };
    let (line, _) = mistakes.place(entry.spot.at);
    let mut labels = values::list(entry, 1_000, mistakes, values::parsed::<Label>).unwrap_or_default();
    labels.sort();
    Severe { labels, line }
}

/// What can only be seen of all rules together.
fn check_all(drafts: &[Draft], whole: &Spot, mistakes: &mut Mistakes<'_>) {
    if drafts.len() > MOST_RULES {
        mistakes.add(whole, format!("{} rules; at most {MOST_RULES} are read", drafts.len()));
    }
    let keywords = drafts.iter().map(|draft| match &draft.says {
        DraftSays::OfKeywords(keywords, _) => keywords.len(),
        DraftSays::OfLabel(..)
        | DraftSays::ByDefault(_)
        | DraftSays::OfCategory(_)
        | DraftSays::OfProduct(_)
        | DraftSays::OfPrice(_) => 0,
    });
    let keywords: usize = keywords.sum();
    if keywords > MOST_KEYWORDS {
        mistakes.add(
            whole,
            format!("{keywords} keywords in all; at most {MOST_KEYWORDS} are read"),
        );
    }
    let mut lines: HashMap<&str, usize> = HashMap::new();
    for draft in drafts {
        let (line, _) = mistakes.place(draft.at);
        let is_reserved = RESERVED.contains(&draft.id.as_str()) && !matches!(draft.says, DraftSays::ByDefault(_));
        if is_reserved {
            mistakes.add(
                &draft.spot,
                format!("{:?} stands in reasons for something else; write another id", draft.id),
            );
        } else if let Some(before) = lines.insert(&draft.id, line) {
            mistakes.add(
                &draft.spot,
                format!("the rule in line {before} has the id {:?} too; write another", draft.id),
            );
        }
    }
}

/// The labels, sorted; the rules with their numbers in them; and the keywords of each rule that has some.
fn numbered(
    drafts: Vec<Draft>,
    severe: &[Label],
    common: &About,
    mistakes: &Mistakes<'_>,
) -> (Vec<Label>, Vec<Rule>, Vec<Vec<Keyword>>) {
    let named = drafts.iter().filter_map(|draft| match &draft.says {
        DraftSays::OfLabel(label, _) => Some(label),
        DraftSays::ByDefault(_)
        | DraftSays::OfKeywords(..)
        | DraftSays::OfCategory(_)
        | DraftSays::OfProduct(_)
        | DraftSays::OfPrice(_) => None,
    });
    let labels: BTreeSet<Label> = named.chain(severe).cloned().collect();
    let labels: Vec<Label> = labels.into_iter().collect();
    let mut lists = Vec::new();
    let mut rules = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let says = match draft.says {
            DraftSays::OfLabel(label, effect) => Says::OfLabel {
                label: labels.binary_search(&label).expect("every rule's label is among them"),
                effect,
            },
            DraftSays::ByDefault(effect) => Says::ByDefault { effect },
            DraftSays::OfKeywords(keywords, verdict) => {
                lists.push(keywords);
                let number = u16::try_from(lists.len() - 1).expect("there are at most 10 000 rules");
                Says::OfKeywords { number, verdict }
            }
            DraftSays::OfCategory(verdict) => Says::OfCategory { verdict },
            DraftSays::OfProduct(verdict) => Says::OfProduct { verdict },
            DraftSays::OfPrice(bounds) => Says::OfPrice(bounds),
        };
        let about = draft.about;
        rules.push(Rule {
            id: draft.id,
            line: mistakes.place(draft.at).0,
            about: About {
                text: about.text,
                owner: about.owner.or_else(|| common.owner.clone()),
                source: about.source.or_else(|| common.source.clone()),
                review_by: about.review_by.or(common.review_by),
            },
            scope: draft.scope,
            when: draft.when,
            dates: draft.dates,
            says,
        });
    }
    (labels, rules, lists)
}
