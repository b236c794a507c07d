//! Decisions, corrections and pictures to put on record: each follows from its number, and no two numbers give the same.

use std::collections::BTreeMap;

use vigie::base::{
    Arm, Correction, CorrectionKind, CorrectionScope, CountryCode, CountryVerdict, Decision, Digest, Label, LabelScore,
    Moment, Money, NewCorrection, Origin, Picture, PolicyVersion, Principal, Probability, Product, ProductKey, Reason,
    Recorded, RevisionId, SeenThen, Source, TextsMark, Verdict, Version, now_v7_id,
};
use vigie::store::{AskedAct, AskedCorrection, AskedErasure, AskedRevocation};

pub const LABELS: [&str; 7] = [
    "firearm",
    "combat_knife",
    "alcohol",
    "tobacco",
    "gambling",
    "placeholder",
    "promotional_text_overlay",
];

const COUNTRIES: [&str; 4] = ["FR", "DE", "SA", ""];

/// The moment from which samples count, in microseconds.
pub const EPOCH: i64 = 1_764_000_000_000_000;

/// So many microseconds after the first sample.
pub fn at(micros: i64) -> Moment {
    Moment::from_micros(EPOCH.wrapping_add(micros))
}

pub fn digest(kind: u8, number: u64) -> Digest {
    let mut bytes = [kind; 32];
    bytes[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    bytes[8..16].copy_from_slice(&number.to_be_bytes());
    Digest(bytes)
}

pub fn label(name: &str) -> Label {
    name.parse().unwrap()
}

pub fn country(code: &str) -> CountryCode {
    code.parse().unwrap()
}

pub fn key(partner: &str, product: &str) -> ProductKey {
    ProductKey {
        partner_id: partner.to_owned(),
        product_id: product.to_owned(),
    }
}

pub fn principal(name: &str) -> Principal {
    name.parse().unwrap()
}

/// A realistic decision: 7 scores, up to 3 countries with reasons, a product with texts.
pub fn recorded(number: u64) -> Recorded {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let countries: Vec<CountryCode> = (0..1 + mixed % 3)
        .map(|place| country(COUNTRIES[((mixed / 3 + place) % 4) as usize]))
        .collect();
    let strict = (mixed % 10).min(2) as usize;
    let deciding = label(LABELS[(mixed / 16 % 7) as usize]);
    let verdicts = countries.iter().enumerate().map(|(place, country)| {
        let verdict = Verdict::ALL[if place == 0 {
            2 - strict
        } else {
            (mixed / 7 % 3) as usize
        }];
        country_verdict(*country, verdict, &deciding)
    });
    Recorded {
        decision: Decision {
            decision_id: format!("01{number:030}"),
            verdicts: verdicts.collect(),
            scores: scores(number),
            model: "adsafety".parse().unwrap(),
            version: Version::try_from(1 + (mixed % 2) as i64).unwrap(),
            revision: RevisionId(digest(1, mixed % 2)),
            policy_version: PolicyVersion(digest(2, mixed % 3)),
            correction_seq: mixed % 5,
            arm: [Arm::Stable, Arm::Candidate, Arm::Named][(mixed % 3) as usize],
            image_sha256: Some(digest(3, number)),
            known_picture: mixed.is_multiple_of(2),
            trace_id: format!("{number:032x}"),
            decided_at: at(number as i64),
        },
        origin: Origin::Judged,
        product: product(
            &format!("partner-{}", mixed % 20),
            &format!("sku-{}", number % 1_000_000),
        ),
        countries,
        ad_type: "banner".to_owned(),
        facts: BTreeMap::from([("season".to_owned(), "winter".to_owned())]),
        unreadable: None,
        counts: true,
    }
}

pub fn scores(number: u64) -> Vec<LabelScore> {
    let score = |(place, name): (usize, &&str)| LabelScore {
        label: label(name),
        probability: Probability::new(((number as usize * 31 + place * 17) % 1000) as f32 / 1000.0).unwrap(),
    };
    LABELS.iter().enumerate().map(score).collect()
}

pub fn country_verdict(country: CountryCode, verdict: Verdict, label: &Label) -> CountryVerdict {
    let probability = |value| Some(Probability::new(value).unwrap());
    CountryVerdict {
        country,
        verdict,
        reasons: vec![
            Reason {
                source: Source::Model,
                label: Some(label.clone()),
                score: probability(0.93),
                threshold: probability(0.8),
                rule: format!("label.{label}"),
                text: format!("{label} 0.93 reaches the threshold 0.80 that blocks it"),
                losing: false,
            },
            Reason {
                source: Source::Keyword,
                label: None,
                score: None,
                threshold: None,
                rule: "keyword.toy".to_owned(),
                text: "the title has the word \"toy\", which allows it".to_owned(),
                losing: true,
            },
        ],
        valid_until: Some(at(1 << 40)),
    }
}

pub fn product(partner: &str, product: &str) -> Product {
    Product {
        partner_id: partner.to_owned(),
        product_id: product.to_owned(),
        title: format!("Carafe à vin « {product} » 75 cl"),
        description: "Blown by hand, delivered in a box with four glasses. Dishwasher safe.".to_owned(),
        category: "Home > Kitchen > Glasses".to_owned(),
        brand: "Verrerie du Lac".to_owned(),
        language: "fr".to_owned(),
        price: Some(Money {
            units: 49,
            nanos: 900_000_000,
            currency: "EUR".to_owned(),
        }),
        displays: Some(120_000),
        picture: Picture::Missing,
    }
}

/// The correction of a number: product, picture and partner in turn.
pub fn new_correction(number: u64) -> NewCorrection {
    let scope = match number % 3 {
        0 => CorrectionScope::Product(key("partner-1", &format!("sku-{number}"))),
        1 => CorrectionScope::Picture(digest(3, number)),
        _ => CorrectionScope::Partner(format!("partner-{number}")),
    };
    NewCorrection {
        scope,
        countries: vec![country("FR")],
        kind: match number % 2 {
            0 => CorrectionKind::WrongLabel {
                label: label("firearm"),
                present: false,
            },
            _ => CorrectionKind::Exception(Verdict::Block),
        },
        reason: format!("it is a toy, number {number}"),
        expires_at: None,
        seen: Some(SeenThen {
            image_sha256: Some(digest(3, number)),
            texts: TextsMark([7; 16]),
        }),
    }
}

/// The request for it, with an identity made anew.
pub fn asked(number: u64) -> AskedCorrection {
    AskedCorrection {
        request_id: format!("request-{number}"),
        correction_id: now_v7_id(),
        correction: new_correction(number),
        author: principal("ana"),
        at: at(number as i64),
    }
}

pub fn correct(number: u64) -> AskedAct {
    AskedAct::Correct(asked(number))
}

pub fn revoke(correction: &Correction, number: u64) -> AskedAct {
    AskedAct::Revoke(AskedRevocation {
        request_id: format!("revocation-{number}"),
        correction_id: correction.correction_id.clone(),
        reason: "seen again".to_owned(),
        author: principal("bea"),
        at: at(number as i64),
    })
}

/// The erasure of a partner, asked for at a time under a request of its own.
pub fn erasure(partner: &str, number: i64) -> AskedErasure {
    AskedErasure {
        request_id: format!("erasure-{number}"),
        partner_id: partner.to_owned(),
        author: principal("dpo"),
        at: at(number),
    }
}
