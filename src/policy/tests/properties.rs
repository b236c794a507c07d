//! What holds of every policy and every case, whoever made them up.

use std::time::Duration;

use proptest::prelude::*;

use super::generate::{COUNTRIES, LABELS, OwnedCase, OwnedLook, case, corrected_case, moments, scores, written};
use super::*;

/// The reasons that made a verdict.
fn made_by(verdict: &CountryVerdict) -> Vec<&Reason> {
    verdict.reasons.iter().filter(|reason| !reason.losing).collect()
}

/// So many worlds are made up that what seldom meets meets too.
fn twice_as_many() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig {
        cases: 2 * usual.cases,
        ..usual
    }
}

fn asked() -> Vec<CountryCode> {
    countries(&COUNTRIES)
}

proptest! {
    #![proptest_config(twice_as_many())]

    #[test]
    fn every_verdict_is_that_of_the_slow_reference(written in written(), case in corrected_case()) {
        let policy = written.policy();
        let expected: Vec<Verdict> = case.with(&policy, |case| asked().iter().map(|&country| reference::verdict(&policy, case, country)).collect());
        prop_assert_eq!(case.verdicts(&policy), expected, "{}", written.text());
    }

    #[test]
    fn every_verdict_has_reasons_of_which_the_first_made_it(written in written(), case in corrected_case()) {
        let verdicts = case.judge(&written.policy());
        prop_assert_eq!(verdicts.iter().map(|verdict| verdict.country).collect::<Vec<_>>(), asked());
        for verdict in verdicts {
            prop_assert!(!verdict.reasons[0].losing);
            prop_assert!(verdict.reasons.iter().all(|reason| !reason.text.is_empty() && !reason.rule.is_empty()));
            let losing: Vec<bool> = verdict.reasons.iter().map(|reason| reason.losing).collect();
            prop_assert!(losing.is_sorted());
        }
    }

    #[test]
    fn the_brief_answer_is_the_same_with_the_first_reason_alone(written in written(), case in corrected_case()) {
        let policy = written.policy();
        let full = case.judge(&policy);
        case.with(&policy, |case| {
            let brief = policy.brief(case);
            prop_assert_eq!(brief.len(), full.len());
            for (brief, full) in brief.iter().zip(&full) {
                let first = &full.reasons[0];
                prop_assert_eq!((brief.country, brief.verdict, brief.valid_until), (full.country, full.verdict, full.valid_until));
                prop_assert_eq!((brief.source, brief.rule, brief.label), (first.source, first.rule.as_str(), first.label.as_ref()));
                prop_assert_eq!((brief.score, brief.threshold), (first.score, first.threshold));
                prop_assert!(!brief.text.is_empty());
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_higher_score_is_never_less_strict(written in written(), case in case(), scores in scores(), which in 0..LABELS.len(), raised in 0.0..=1.0_f32) {
        let policy = written.policy();
        let mut higher = scores.clone();
        higher[which] = score(LABELS[which], raised.max(scores[which].probability.get()));
        let of = |scores| OwnedCase { look: OwnedLook::Scored(scores), ..case.clone() }.verdicts(&policy);
        for (before, after) in of(scores).into_iter().zip(of(higher)) {
            prop_assert!(after >= before);
        }
    }

    #[test]
    fn a_country_is_as_strict_as_its_strictest_label(written in written(), case in case(), scores in scores()) {
        let policy = written.policy();
        let of = |scores: &[LabelScore]| OwnedCase { look: OwnedLook::Scored(scores.to_vec()), ..case.clone() }.verdicts(&policy);
        let each: Vec<Vec<Verdict>> = scores.chunks(1).map(of).collect();
        let all = of(&scores);
        for (index, verdict) in all.iter().enumerate() {
            prop_assert_eq!(Some(*verdict), each.iter().map(|verdicts| verdicts[index]).max());
        }
    }

    #[test]
    fn no_order_is_of_consequence(
        (written, shuffled) in written().prop_flat_map(|written| { let rules = Just(written.rules.clone()).prop_shuffle(); (Just(written), rules) }),
        (case, other) in corrected_case().prop_flat_map(|case| {
            let corrections = Just(case.corrections.clone()).prop_shuffle();
            (Just(case), corrections)
        }),
    ) {
        let (policy, reordered) = (written.policy(), generate::Written { rules: shuffled, ..written.clone() }.policy());
        let mut turned = OwnedCase { corrections: other, ..case.clone() };
        if let OwnedLook::Scored(scores) = &mut turned.look {
            scores.reverse();
        }
        prop_assert_eq!(case.judge(&policy), turned.judge(&reordered));
    }

    #[test]
    fn a_rule_of_a_country_changes_that_country_alone(written in written(), more in written(), case in corrected_case()) {
        let mut added = written.clone();
        for (number, rule) in more.rules.iter().enumerate() {
            let kept: Vec<&str> = rule.lines().filter(|line| !["countries", "groups", "id", "[["].iter().any(|key| line.starts_with(key))).collect();
            added.rules.push(format!("[[rule]]\nid = \"added-{number}\"\ncountries = [\"JP\"]\n{}\n", kept.join("\n")));
        }
        prop_assert_eq!(case.judge(&written.policy()), case.judge(&added.policy()));
    }

    #[test]
    fn until_it_says_so_no_verdict_changes_by_itself(written in written(), case in corrected_case(), later in moments(), share in 0.0..1.0_f64) {
        let policy = written.policy();
        for (index, verdict) in case.judge(&policy).iter().enumerate() {
            let begin = case.at;
            let samples = match verdict.valid_until {
                Some(until) => {
                    prop_assert!(until > begin);
                    let span = until.micros() - begin.micros();
                    let within = Moment::from_micros(begin.micros() + (span as f64 * share) as i64);
                    vec![begin.after(Duration::from_micros(1)), within, until.before(Duration::from_micros(1))]
                }
                None => vec![later.max(begin), begin.after(Duration::from_secs(40_000_000))],
            };
            for at in samples.into_iter().filter(|&at| verdict.valid_until.is_none_or(|until| at < until)) {
                let again = OwnedCase { at, ..case.clone() }.judge(&policy);
                prop_assert_eq!(again[index].verdict, verdict.verdict, "{:?} at {:?}\n{}", verdict, at, written.text());
                prop_assert_eq!(made_by(&again[index]), made_by(verdict));
                prop_assert_eq!(again[index].valid_until, verdict.valid_until);
            }
        }
    }

    #[test]
    fn a_policy_can_be_checked_and_shown_whatever_it_says(written in written(), at in moments()) {
        let policy = written.policy();
        let labels = [LABELS[0].parse().unwrap()];
        prop_assert!(policy.check(Some(&labels), at).iter().all(|finding| finding.line > 0 && !finding.sentence.is_empty()));
        prop_assert_eq!(policy.rules().count(), written.rules.len() + 1);
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_with_places_in_it(text in "\\PC{0,200}|([a-z\\[\\]=.\"0-9\\n {},-]{0,300})") {
        read_or_refused(&text)?;
    }

    #[test]
    fn a_spoilt_policy_is_read_or_refused_with_places_in_it(
        at in 0..12_000_usize,
        gone in 0..40_usize,
        instead in "[a-z0-9=\\[\\]{}\"', .\\n-]{0,12}",
    ) {
        let text: Vec<char> = include_str!("../../../models/adsafety/policy.toml").chars().collect();
        let (before, after) = text.split_at(at.min(text.len()));
        let spoilt: String = before.iter().copied().chain(instead.chars()).chain(after.iter().skip(gone).copied()).collect();
        read_or_refused(&spoilt)?;
    }
}

fn read_or_refused(text: &str) -> Result<(), TestCaseError> {
    match Policy::parse(text) {
        Ok(policy) => {
            let again = Policy::parse(text);
            prop_assert_eq!(again.as_ref(), Ok(&policy));
            let scores = [score("firearm", 0.5)];
            prop_assert_eq!(policy.judge(&scored(&scores)).len(), 1);
            policy.run_examples();
        }
        Err(error) => {
            prop_assert!(!error.mistakes.is_empty());
            for mistake in error.mistakes {
                let line = text.split('\n').nth(mistake.line - 1);
                prop_assert!(
                    line.is_some_and(|line| mistake.column <= line.chars().count() + 1),
                    "{mistake}"
                );
            }
        }
    }
    Ok(())
}
