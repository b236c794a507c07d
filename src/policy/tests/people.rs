//! What people said: which correction holds, over what, and how it is told.

use std::time::Duration;

use super::*;

const TEXT: &str = r#"
format = 1
on_unreadable_picture = "BLOCK"
severe = ["firearm"]
[default]
review = 0.5
block = 0.9
[label.firearm]
review = 0.3
block = 0.7
text = "No firearms."
"#;

fn now() -> Moment {
    day("2026-11-27T12:00Z")
}

fn correction(seq: u64, scope: CorrectionScope, kind: CorrectionKind) -> Correction {
    Correction {
        seq,
        correction_id: format!("c{seq}"),
        scope,
        countries: Vec::new(),
        kind,
        reason: "it is a toy".to_owned(),
        expires_at: None,
        author: "alice".parse().unwrap(),
        created_at: day("2026-11-02T08:00Z"),
        seen: None,
        revoked: None,
        replica_only: false,
    }
}

fn of_product() -> CorrectionScope {
    CorrectionScope::Product(ProductKey {
        partner_id: "p".into(),
        product_id: "1".into(),
    })
}

fn of_picture() -> CorrectionScope {
    CorrectionScope::Picture(Digest([7; 32]))
}

fn of_partner() -> CorrectionScope {
    CorrectionScope::Partner("p".into())
}

fn wrong(label: &str, present: bool) -> CorrectionKind {
    CorrectionKind::WrongLabel {
        label: label.parse().unwrap(),
        present,
    }
}

fn exception(verdict: Verdict) -> CorrectionKind {
    CorrectionKind::Exception(verdict)
}

/// Judged in France, with a picture and texts.
fn judged(look: Seen<'_>, corrections: &[Correction]) -> CountryVerdict {
    let corrections: Vec<&Correction> = corrections.iter().collect();
    let product = Product {
        partner_id: "p".into(),
        product_id: "1".into(),
        title: "Gun".into(),
        ..Product::default()
    };
    let subject = Subject::of(&product, Some(Digest([7; 32])), Matched::none());
    let case = Case {
        at: now(),
        countries: &countries(&["FR"]),
        subject,
        look,
        corrections: &corrections,
        ..scored(&[])
    };
    let policy = Policy::parse(TEXT).unwrap();
    let full = policy.judge(&case).remove(0);
    let brief = policy.brief(&case).remove(0);
    assert_eq!(
        (brief.verdict, brief.rule, brief.source),
        (full.verdict, full.reasons[0].rule.as_str(), full.reasons[0].source)
    );
    full
}

fn scores(firearm: f32, tobacco: f32) -> [LabelScore; 2] {
    [score("firearm", firearm), score("tobacco", tobacco)]
}

fn seen_now() -> Option<SeenThen> {
    let product = Product {
        title: "Gun".into(),
        ..Product::default()
    };
    Some(SeenThen {
        image_sha256: Some(Digest([7; 32])),
        texts: product.texts_mark(),
    })
}

#[test]
fn a_label_that_is_not_there_scores_nothing_and_the_policy_follows() {
    let verdict = judged(
        Seen::Scored(&scores(0.93, 0.1)),
        &[correction(1, of_product(), wrong("firearm", false))],
    );
    assert_eq!(verdict.verdict, ALLOW);
    let first = &verdict.reasons[0];
    assert_eq!(
        (first.source, first.rule.as_str(), first.score),
        (Source::Correction, "label.firearm", Probability::new(0.0))
    );
    assert_eq!(
        first.text,
        "alice said on 2026-11-02 that it is not firearm, to which the model gives 0.93: \"it is a toy\"; firearm scores 0.00, below 0.30: allowed in FR. No firearms."
    );
    assert_eq!(verdict.reasons[1].rule, "default");
}

#[test]
fn a_label_that_is_there_counts_although_the_model_missed_it_or_nobody_looked() {
    let said = [correction(1, of_picture(), wrong("firearm", true))];
    for look in [
        Seen::Scored(&scores(0.01, 0.1)),
        Seen::Scored(&[score("tobacco", 0.1)]),
        Seen::Unreadable("cut off"),
        Seen::Unknown,
    ] {
        let verdict = judged(look, &said);
        assert_eq!(verdict.verdict, BLOCK, "{look:?}");
        assert!(
            verdict
                .reasons
                .iter()
                .any(|reason| !reason.losing && reason.source == Source::Correction),
            "{verdict:#?}"
        );
    }
}

#[test]
fn a_product_goes_before_a_picture_before_a_partner_and_a_country_before_all_and_the_later_before_the_earlier() {
    let here = |correction: Correction| Correction {
        countries: countries(&["FR"]),
        ..correction
    };
    let ladder = [
        here(correction(1, of_product(), exception(ALLOW))),
        correction(3, of_product(), exception(ALLOW)),
        correction(2, of_product(), exception(ALLOW)),
        here(correction(5, of_picture(), exception(ALLOW))),
        correction(6, of_picture(), exception(ALLOW)),
        here(correction(7, of_partner(), exception(ALLOW))),
        correction(9, of_partner(), exception(ALLOW)),
        correction(8, of_partner(), exception(ALLOW)),
    ];
    for (stronger, first) in ladder.iter().enumerate() {
        for second in &ladder[stronger + 1..] {
            for (set, other) in [(ALLOW, BLOCK), (BLOCK, ALLOW), (REVIEW, BLOCK)] {
                let said = [
                    Correction {
                        kind: exception(other),
                        ..second.clone()
                    },
                    Correction {
                        kind: exception(set),
                        ..first.clone()
                    },
                ];
                let verdict = judged(Seen::Scored(&scores(0.0, 0.95)), &said);
                assert_eq!(
                    (verdict.verdict, verdict.reasons[0].rule.as_str()),
                    (set, first.correction_id.as_str()),
                    "{second:?}"
                );
            }
        }
    }
}

#[test]
fn an_exception_sets_the_verdict_and_the_policy_s_own_reasons_lose() {
    let verdict = judged(
        Seen::Scored(&scores(0.8, 0.1)),
        &[correction(1, of_product(), exception(ALLOW))],
    );
    assert_eq!(verdict.verdict, ALLOW);
    let told: Vec<(&str, bool)> = verdict
        .reasons
        .iter()
        .map(|reason| (reason.text.as_str(), reason.losing))
        .collect();
    assert_eq!(
        told,
        [
            ("alice allowed it in FR on 2026-11-02: \"it is a toy\"", false),
            (
                "firearm scores 0.80: from 0.70 it is blocked in FR; outranked by the exception of alice. No firearms.",
                true
            ),
        ]
    );
}

#[test]
fn a_block_holds_whatever_was_seen() {
    let said = [correction(1, of_partner(), exception(BLOCK))];
    let scores = scores(0.0, 0.0);
    for look in [
        Seen::Scored(&scores),
        Seen::Scored(&[]),
        Seen::Unreadable("cut off"),
        Seen::Unknown,
        Seen::Imported(&[]),
    ] {
        let verdict = judged(look, &said);
        assert_eq!(
            (verdict.verdict, verdict.reasons[0].source),
            (BLOCK, Source::Correction),
            "{look:?}"
        );
    }
}

#[test]
fn a_partner_wide_allow_never_covers_severe_labels() {
    let allowed = [correction(1, of_partner(), exception(ALLOW))];
    assert_eq!(judged(Seen::Scored(&scores(0.0, 0.95)), &allowed).verdict, ALLOW);
    for (shown, expected) in [(0.4, REVIEW), (0.8, BLOCK)] {
        let verdict = judged(Seen::Scored(&scores(shown, 0.95)), &allowed);
        assert_eq!(
            (verdict.verdict, verdict.reasons[0].rule.as_str()),
            (expected, "label.firearm")
        );
        assert!(
            verdict.reasons[0].text.contains(
                "; firearm is severe, so what alice allowed for all products of the partner does not cover it"
            )
        );
        let by_label = judged(
            Seen::Scored(&scores(shown, 0.0)),
            &[correction(1, of_partner(), wrong("firearm", false))],
        );
        assert_eq!(by_label.verdict, expected);
        assert!(by_label.reasons[0].text.contains("firearm is severe"), "{by_label:#?}");
    }
    let unseen = judged(Seen::Unreadable("cut off"), &allowed);
    assert_eq!((unseen.verdict, unseen.reasons[0].source), (BLOCK, Source::Quality));
    assert!(
        unseen.reasons[0].text.contains("which nobody has looked for"),
        "{unseen:#?}"
    );
    assert_eq!(
        judged(
            Seen::Scored(&scores(0.0, 0.95)),
            &[correction(1, of_partner(), wrong("tobacco", false))]
        )
        .verdict,
        ALLOW
    );
}

#[test]
fn what_was_allowed_as_it_was_lapses_when_the_picture_or_the_texts_change() {
    let seen = seen_now().unwrap();
    let other_picture = SeenThen {
        image_sha256: Some(Digest([8; 32])),
        ..seen
    };
    let other_texts = SeenThen {
        texts: TextsMark([9; 16]),
        ..seen
    };
    let both = SeenThen {
        texts: TextsMark([9; 16]),
        ..other_picture
    };
    let look = Seen::Scored(&[]);
    for (then, changed) in [
        (other_picture, "the picture has changed"),
        (other_texts, "the texts have changed"),
        (both, "the picture and the texts have changed"),
    ] {
        for kind in [exception(ALLOW), wrong("firearm", false)] {
            let said = [Correction {
                seen: Some(then),
                ..correction(1, of_product(), kind)
            }];
            let verdict = judged(Seen::Scored(&scores(0.0, 0.1)), &said);
            assert_eq!(
                (
                    verdict.verdict,
                    verdict.reasons[0].source,
                    verdict.reasons[0].rule.as_str()
                ),
                (REVIEW, Source::Correction, "c1")
            );
            assert!(verdict.reasons[0].text.contains(changed), "{verdict:#?}");
            assert_eq!(judged(Seen::Scored(&scores(0.8, 0.1)), &said).verdict, BLOCK);
        }
    }
    let unchanged = [Correction {
        seen: Some(seen),
        ..correction(1, of_product(), exception(ALLOW))
    }];
    assert_eq!(judged(look, &unchanged).verdict, ALLOW);
    assert_eq!(judged(Seen::Unknown, &unchanged).verdict, REVIEW);
}

#[test]
fn a_later_correction_of_the_product_takes_the_place_of_one_that_lapsed() {
    let lapsed = |seq| Correction {
        seen: Some(SeenThen {
            image_sha256: None,
            texts: TextsMark::default(),
        }),
        ..correction(seq, of_product(), exception(ALLOW))
    };
    let fresh = |seq| Correction {
        seen: seen_now(),
        ..correction(seq, of_product(), exception(ALLOW))
    };
    let scores = scores(0.0, 0.1);
    let look = Seen::Scored(&scores);
    assert_eq!(judged(look, &[lapsed(1), fresh(2)]).verdict, ALLOW);
    assert_eq!(judged(look, &[lapsed(2), fresh(1)]).verdict, REVIEW);
    assert_eq!(
        judged(look, &[lapsed(1), correction(2, of_picture(), exception(ALLOW))]).verdict,
        REVIEW
    );
    assert_eq!(
        judged(look, &[lapsed(1), correction(2, of_product(), exception(BLOCK))]).verdict,
        BLOCK
    );
}

#[test]
fn what_is_revoked_expired_or_of_another_country_does_not_hold() {
    let scores = scores(0.8, 0.1);
    let look = Seen::Scored(&scores);
    let allowed = correction(1, of_product(), exception(ALLOW));
    let soon = now().after(Duration::from_secs(60));
    let revoked = Revocation {
        seq: 2,
        by: "bob".parse().unwrap(),
        at: now(),
        reason: String::new(),
    };
    assert_eq!(
        judged(
            look,
            &[Correction {
                revoked: Some(revoked),
                ..allowed.clone()
            }]
        )
        .verdict,
        BLOCK
    );
    assert_eq!(
        judged(
            look,
            &[Correction {
                expires_at: Some(now()),
                ..allowed.clone()
            }]
        )
        .verdict,
        BLOCK
    );
    assert_eq!(
        judged(
            look,
            &[Correction {
                countries: countries(&["DE"]),
                ..allowed.clone()
            }]
        )
        .verdict,
        BLOCK
    );
    let holding = judged(
        look,
        &[Correction {
            expires_at: Some(soon),
            ..allowed
        }],
    );
    assert_eq!((holding.verdict, holding.valid_until), (ALLOW, Some(soon)));
}
