//! Rules whose key says what they are about: `[default]`, `[label.NAME]`, `[country.CC.label.NAME]`, `[group.NAME.label.NAME]`.

use crate::base::{CountryCode, Label};

use super::super::conditions::Conditions;
use super::super::rule::{Effect, Scope};
use super::conditions::{about, dates};
use super::draft::{Draft, DraftSays};
use super::effects::effect;
use super::mistakes::Mistakes;
use super::section::Section;

const KNOWN: &str = "review, block, or verdict, from; and text, owner, source, review_by, starts, ends";

/// The rule for labels that no other names.
pub(super) fn default(top: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<Draft> {
    if !top.has("default") {
        return mistakes.note(
            &top.missing("default"),
            "missing; write [default] with review and block, for the labels that no rule names",
        );
    }
    let mut section = top.subsection("default", mistakes)?;
    for name in ["starts", "ends"] {
        if let Some(entry) = section.take(name) {
            mistakes.add(&entry.spot, "the default is always in force; remove the date");
        }
    }
    let verdict = section.missing("verdict");
    let draft = rule(section, Scope::default(), mistakes, DraftSays::ByDefault)?;
    match draft.says {
        DraftSays::ByDefault(Effect::Allow) => mistakes.note(
            &verdict,
            "every label without a rule would be allowed; write review and block thresholds instead",
        ),
        DraftSays::ByDefault(_)
        | DraftSays::OfLabel(..)
        | DraftSays::OfKeywords(..)
        | DraftSays::OfCategory(_)
        | DraftSays::OfProduct(_)
        | DraftSays::OfPrice(_) => Some(draft),
    }
}

/// The rules of the tables under `label` of a table.
pub(super) fn labels(parent: &mut Section<'_>, scope: &Scope, mistakes: &mut Mistakes<'_>) -> Vec<Draft> {
    let Some(section) = parent.subsection("label", mistakes) else {
        return Vec::new();
    };
    let named = section.into_named::<Label>(mistakes);
    let rules = named.into_iter().filter_map(|(label, section)| {
        rule(section, scope.clone(), mistakes, |effect| {
            DraftSays::OfLabel(label, effect)
        })
    });
    rules.collect()
}

/// The rules of `[country.CC.label.NAME]`.
pub(super) fn countries(top: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Vec<Draft> {
    let Some(section) = top.subsection("country", mistakes) else {
        return Vec::new();
    };
    let mut drafts = Vec::new();
    for (country, mut section) in section.into_named::<CountryCode>(mistakes) {
        if country == CountryCode::REST_OF_WORLD {
            mistakes.add(
                &section.spot,
                "the rest of the world has no country table; write its rules as [label.NAME]",
            );
            continue;
        }
        if section.is_empty() {
            let code = country.as_str();
            mistakes.add(
                &section.spot,
                format!("empty; remove it or write [country.{code}.label.NAME]"),
            );
        }
        let scope = Scope {
            countries: vec![country],
            groups: Vec::new(),
        };
        drafts.extend(labels(&mut section, &scope, mistakes));
        section.refuse_the_rest("label", mistakes);
    }
    drafts
}

fn rule(
    mut section: Section<'_>,
    scope: Scope,
    mistakes: &mut Mistakes<'_>,
    says: impl FnOnce(Effect) -> DraftSays,
) -> Option<Draft> {
    let noted = mistakes.count();
    let (about, dates) = (about(&mut section, mistakes), dates(&mut section, mistakes));
    let effect = effect(&mut section, mistakes);
    let spot = section.spot.clone();
    section.refuse_the_rest(KNOWN, mistakes);
    let draft = Draft {
        id: spot.path.clone(),
        at: spot.at,
        spot,
        about,
        scope,
        when: Conditions::default(),
        dates,
        says: says(effect?),
    };
    (mistakes.count() == noted).then_some(draft)
}
