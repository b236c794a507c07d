//! Rules that begin and end, and how long a verdict holds.

use super::*;

const HEAD: &str = "format = 1\n[default]\nreview = 0.5\nblock = 0.9\n";

fn policy(dates: &str) -> Policy {
    Policy::parse(&format!(
        "{HEAD}[label.alcohol]\nverdict = \"BLOCK\"\nfrom = 0.1\n{dates}"
    ))
    .unwrap()
}

fn at(policy: &Policy, country: &str, moment: &str) -> CountryVerdict {
    let scores = [score("alcohol", 0.3)];
    policy
        .judge(&Case {
            at: day(moment),
            countries: &countries(&[country]),
            ..scored(&scores)
        })
        .remove(0)
}

#[test]
fn a_rule_is_in_force_from_its_first_day_to_its_last_in_the_country_s_own_time() {
    let policy = policy("starts = 2026-01-05\nends = 2026-01-31\n");
    for (country, before, first, last, after) in [
        (
            "",
            "2026-01-04T23:59:59Z",
            "2026-01-05T00:00Z",
            "2026-01-31T23:59:59Z",
            "2026-02-01T00:00Z",
        ),
        (
            "FR",
            "2026-01-04T22:59:59Z",
            "2026-01-04T23:00Z",
            "2026-01-31T22:59:59Z",
            "2026-01-31T23:00Z",
        ),
        (
            "US",
            "2026-01-05T04:59:59Z",
            "2026-01-05T05:00Z",
            "2026-02-01T04:59:59Z",
            "2026-02-01T05:00Z",
        ),
        (
            "NZ",
            "2026-01-04T10:59:59Z",
            "2026-01-04T11:00Z",
            "2026-01-31T10:59:59Z",
            "2026-01-31T11:00Z",
        ),
    ] {
        for (moment, verdict, until) in [
            (before, ALLOW, Some(first)),
            (first, BLOCK, Some(after)),
            (last, BLOCK, Some(after)),
            (after, ALLOW, None),
        ] {
            let came = at(&policy, country, moment);
            assert_eq!(
                (came.verdict, came.valid_until),
                (verdict, until.map(day)),
                "{country} {moment}"
            );
        }
    }
}

#[test]
fn a_rule_of_one_day_holds_as_long_as_the_day_is_there() {
    let policy = policy("starts = 2026-03-29\nends = 2026-03-29\n");
    let french = at(&policy, "FR", "2026-03-28T23:00Z");
    // Clocks go forward that day, so it has 23 hours.
    assert_eq!(
        (french.verdict, french.valid_until),
        (BLOCK, Some(day("2026-03-29T22:00Z")))
    );
    assert_eq!(at(&policy, "FR", "2026-03-29T22:00Z").verdict, ALLOW);
}

#[test]
fn a_rule_that_cannot_bear_on_a_case_does_not_shorten_its_verdict() {
    let rules = "[[rule]]\nid = \"mail\"\ntext = \"M.\"\nlabel = \"alcohol\"\nad_type = \"mail\"\nverdict = \"ALLOW\"\nstarts = 2026-01-05\n\
                 [[rule]]\nid = \"word\"\ntext = \"W.\"\nkeywords = { any = [\"copy\"] }\nverdict = \"BLOCK\"\nstarts = 2026-01-06\n\
                 [[rule]]\nid = \"tobacco\"\ntext = \"T.\"\nlabel = \"tobacco\"\nverdict = \"ALLOW\"\nstarts = 2026-01-07\n\
                 [[rule]]\nid = \"france\"\ntext = \"F.\"\nlabel = \"alcohol\"\ncountries = [\"FR\"]\nverdict = \"ALLOW\"\nstarts = 2026-01-08\n";
    let policy = Policy::parse(&format!("{HEAD}{rules}")).unwrap();
    let (scores, matched) = (
        [score("alcohol", 0.3)],
        policy.matches(&Texts {
            title: "a copy",
            ..Texts::default()
        }),
    );
    let case = Case {
        at: day("2026-01-01T00:00Z"),
        ..scored(&scores)
    };
    let until = |case: &Case<'_>| policy.judge(case)[0].valid_until;
    assert_eq!(until(&case), None);
    assert_eq!(
        until(&Case {
            ad_type: "mail",
            ..case
        }),
        Some(day("2026-01-05T00:00Z"))
    );
    assert_eq!(
        until(&Case {
            subject: Subject {
                matched: &matched,
                ..case.subject
            },
            ..case
        }),
        Some(day("2026-01-06T00:00Z"))
    );
    assert_eq!(
        until(&Case {
            countries: &countries(&["FR"]),
            ..case
        }),
        Some(day("2026-01-07T23:00Z"))
    );
}

#[test]
fn an_example_takes_place_in_each_country_s_own_time() {
    let examples = "[[example]]\nname = \"day\"\nscores = { alcohol = 0.3 }\ncountries = [\"\", \"NZ\", \"US\"]\non = 2026-01-05\nexpect = \"BLOCK\"\nrule = \"label.alcohol\"\n\
                    [[example]]\nname = \"clock\"\nscores = { alcohol = 0.3 }\ncountries = [\"NZ\", \"US\"]\non = 2026-01-04T23:59:59\nexpect = \"ALLOW\"\n\
                    [[example]]\nname = \"moment\"\nscores = { alcohol = 0.3 }\ncountry = \"US\"\non = 2026-01-05T00:00:00+01:00\nexpect = \"BLOCK\"\n\
                    [[example]]\nname = \"wrong rule\"\nscores = { alcohol = 0.3 }\non = 2026-01-05\nexpect = \"BLOCK\"\nrule = \"default\"\n";
    let outcomes = policy(&format!("starts = 2026-01-05\n{examples}")).run_examples();
    let told: Vec<(&str, bool)> = outcomes
        .iter()
        .map(|outcome| (outcome.name.as_str(), outcome.passed))
        .collect();
    assert_eq!(
        told,
        [("day", true), ("clock", true), ("moment", false), ("wrong rule", false)]
    );
    assert_eq!(outcomes[2].line, 22);
    assert!(
        outcomes[2]
            .sentence
            .starts_with("expected BLOCK, but came: ALLOW because no label reaches its threshold in US"),
        "{}",
        outcomes[2].sentence
    );
    assert!(
        outcomes[3]
            .sentence
            .contains("expected BLOCK by default, but came: BLOCK because"),
        "{}",
        outcomes[3].sentence
    );
}
