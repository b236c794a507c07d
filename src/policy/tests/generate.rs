//! Policies and cases by chance: small worlds in which everything meets everything.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::Policy;
use super::*;

pub(super) const LABELS: [&str; 4] = ["alcohol", "firearm", "gambling", "tobacco"];
pub(super) const COUNTRIES: [&str; 6] = ["", "DE", "FR", "KI", "SA", "US"];
const GROUPS: &str = "
[group.near]
countries = [\"DE\", \"FR\"]
[group.wide]
countries = [\"US\"]
groups = [\"near\"]
[group.far]
countries = [\"FR\", \"KI\", \"SA\", \"US\"]
";
/// Days around which everything happens; the second is that on which French clocks jump.
const DAYS: [&str; 3] = ["2026-03-28", "2026-03-29", "2026-03-30"];

/// The text of a policy: its head, and its rules in any order.
#[derive(Debug, Clone)]
pub(super) struct Written {
    pub head: String,
    pub rules: Vec<String>,
}

impl Written {
    pub(super) fn text(&self) -> String {
        format!("{}{GROUPS}{}", self.head, self.rules.concat())
    }

    pub(super) fn policy(&self) -> Policy {
        Policy::parse(&self.text()).unwrap_or_else(|error| panic!("{error}\n{}", self.text()))
    }
}

/// Policies of up to a dozen rules.
pub(super) fn written() -> impl Strategy<Value = Written> {
    let head = (prop::sample::subsequence(LABELS.to_vec(), 0..=2), any::<bool>()).prop_map(|(severe, block)| {
        let severe = if severe.is_empty() {
            String::new()
        } else {
            format!("severe = {severe:?}\n")
        };
        let unreadable = if block { "BLOCK" } else { "REVIEW" };
        format!("format = 1\non_unreadable_picture = \"{unreadable}\"\n{severe}[default]\nreview = 0.4\nblock = 0.8\n")
    });
    let rules = prop::collection::vec(prop_oneof![4 => label_rule(), 2 => other_rule()], 0..12);
    (head, rules).prop_map(|(head, rules)| {
        let numbered = rules.into_iter().enumerate();
        let rules =
            numbered.map(|(number, rule)| format!("[[rule]]\nid = \"r{number}\"\ntext = \"Rule {number}.\"\n{rule}"));
        Written {
            head,
            rules: rules.collect(),
        }
    })
}

fn label_rule() -> impl Strategy<Value = String> {
    let product = prop_oneof![4 => Just(""), 1 => Just("product = \"p/1\"\n")];
    let label = prop::sample::select(&LABELS[..2]);
    (label, product, conditions(), effect())
        .prop_map(|(label, product, conditions, effect)| format!("label = \"{label}\"\n{product}{conditions}{effect}"))
}

fn effect() -> impl Strategy<Value = String> {
    let threshold = || 1..=99_u32;
    prop_oneof![
        Just("verdict = \"ALLOW\"\n".to_owned()),
        threshold().prop_map(|from| format!("verdict = \"BLOCK\"\nfrom = 0.{from:02}\n")),
        threshold().prop_map(|from| format!("verdict = \"REVIEW\"\nfrom = 0.{from:02}\n")),
        (threshold(), threshold()).prop_map(|(a, b)| format!(
            "review = 0.{:02}\nblock = 0.{:02}\n",
            a.min(b),
            a.max(b)
        )),
    ]
}

fn other_rule() -> impl Strategy<Value = String> {
    let verdict = || prop::sample::select(vec!["verdict = \"REVIEW\"\n", "verdict = \"BLOCK\"\n"]);
    let subject = prop_oneof![
        Just("keywords = { any = [\"copy\"], fr = [\"arme\"] }\n"),
        Just("keywords = { en = [\"arm\"], de = [\"Öl\"] }\n"),
        Just("product = [\"p/1\", \"q/2\"]\n"),
        Just("price = { currency = \"EUR\", min = 1, max = 100, median = 50 }\n"),
        Just("price = { currency = \"USD\", max = 10.5 }\n"),
        Just("category = \"Food\"\n"),
        Just("category = [\"Food > Snacks\", \"Toys\"]\n"),
    ];
    (subject, conditions(), verdict()).prop_map(|(subject, conditions, verdict)| {
        let conditions: Vec<&str> = conditions
            .lines()
            .filter(|line| !subject.contains("category =") || !line.starts_with("category"))
            .collect();
        format!("{subject}{}\n{verdict}", conditions.join("\n"))
    })
}

fn conditions() -> impl Strategy<Value = String> {
    let places = prop_oneof![
        3 => Just(""),
        1 => Just("countries = [\"FR\"]\n"),
        1 => Just("countries = [\"DE\", \"SA\"]\n"),
        1 => Just("groups = [\"near\"]\n"),
        1 => Just("groups = [\"wide\", \"far\"]\n"),
        1 => Just("groups = [\"far\"]\n"),
        1 => Just("countries = [\"US\"]\ngroups = [\"near\"]\n"),
    ];
    let ad_type = prop_oneof![3 => Just(""), 1 => Just("ad_type = \"Retargeting\"\n"), 1 => Just("ad_type = [\"mail\", \"retargeting\"]\n")];
    let partner = prop_oneof![4 => Just(""), 1 => Just("partner = \"p\"\n")];
    let category = prop_oneof![4 => Just(""), 1 => Just("category = \"Food\"\n")];
    let facts = prop_oneof![
        4 => Just(""),
        2 => Just("facts = { size = \"large\" }\n"),
        1 => Just("facts = { size = [\"large\", \"small\"] }\n"),
        1 => Just("facts = { size = { not = \"small\" }, rank = { at_least = 4 } }\n"),
        2 => Just("facts = { rank = { below = 4 } }\n"),
    ];
    (places, ad_type, partner, category, facts, dates()).prop_map(
        |(places, ad_type, partner, category, facts, dates)| {
            format!("{places}{ad_type}{partner}{category}{facts}{dates}")
        },
    )
}

fn dates() -> impl Strategy<Value = String> {
    let day = || prop::option::of(prop::sample::select(&DAYS[..]));
    prop_oneof![2 => Just((None, None)), 1 => (day(), day())].prop_map(|(a, b)| {
        let (starts, ends) = if a.is_some() && b.is_some() {
            (a.min(b), a.max(b))
        } else {
            (a, b)
        };
        let line = |key: &str, day: Option<&str>| day.map(|day| format!("{key} = {day}\n")).unwrap_or_default();
        line("starts", starts) + &line("ends", ends)
    })
}

/// What was seen, owned.
#[derive(Debug, Clone)]
pub(super) enum OwnedLook {
    Scored(Vec<LabelScore>),
    Unreadable,
    Unknown,
    Imported(Vec<ImportedVerdict>),
}

/// A case, owned.
#[derive(Debug, Clone)]
pub(super) struct OwnedCase {
    pub at: Moment,
    pub ad_type: String,
    pub given: BTreeMap<String, String>,
    pub known: BTreeMap<String, String>,
    pub product: Product,
    pub image: Option<Digest>,
    pub look: OwnedLook,
    pub corrections: Vec<Correction>,
}

impl OwnedCase {
    /// Hands the case over as the policy wants it.
    pub(super) fn with<R>(&self, policy: &Policy, use_it: impl FnOnce(&Case<'_>) -> R) -> R {
        let matched = policy.matches(&Texts::of(&self.product));
        let corrections: Vec<&Correction> = self.corrections.iter().collect();
        let subject = if matches!(self.look, OwnedLook::Unknown) {
            Subject::unknown(&self.product.partner_id, &self.product.product_id)
        } else {
            Subject::of(&self.product, self.image, &matched)
        };
        use_it(&Case {
            at: self.at,
            countries: &countries(&COUNTRIES),
            ad_type: &self.ad_type,
            facts: Facts {
                given: &self.given,
                known: &self.known,
            },
            subject,
            look: match &self.look {
                OwnedLook::Scored(scores) => Seen::Scored(scores),
                OwnedLook::Unreadable => Seen::Unreadable("it ends in the middle"),
                OwnedLook::Unknown => Seen::Unknown,
                OwnedLook::Imported(verdicts) => Seen::Imported(verdicts),
            },
            corrections: &corrections,
        })
    }

    pub(super) fn judge(&self, policy: &Policy) -> Vec<CountryVerdict> {
        self.with(policy, |case| policy.judge(case))
    }

    pub(super) fn verdicts(&self, policy: &Policy) -> Vec<Verdict> {
        self.judge(policy).iter().map(|verdict| verdict.verdict).collect()
    }
}

pub(super) fn scores() -> impl Strategy<Value = Vec<LabelScore>> {
    prop::collection::vec(0.0..=1.0_f32, LABELS.len()).prop_map(|values| {
        LABELS
            .iter()
            .zip(values)
            .map(|(label, value)| score(label, value))
            .collect()
    })
}

/// Moments within some days of those at which rules begin and end, often at an hour's beginning.
pub(super) fn moments() -> impl Strategy<Value = Moment> {
    let begin = day("2026-03-26T00:00Z").micros();
    prop_oneof![
        (0..(24 * 7_i64)).prop_map(move |hours| Moment::from_micros(begin + hours * 3_600_000_000)),
        (0..(7 * 86_400_000_000_i64)).prop_map(move |micros| Moment::from_micros(begin + micros)),
    ]
}

/// Cases of all kinds, without corrections.
pub(super) fn case() -> impl Strategy<Value = OwnedCase> {
    let look = prop_oneof![
        6 => scores().prop_map(OwnedLook::Scored),
        1 => Just(OwnedLook::Scored(Vec::new())),
        1 => Just(OwnedLook::Unreadable),
        1 => Just(OwnedLook::Unknown),
        1 => imported().prop_map(OwnedLook::Imported),
    ];
    let fact = |name: &'static str, values: Vec<&'static str>| {
        let values = prop::option::of(prop::sample::select(values));
        values.prop_map(move |value| value.map(|value| (name.to_owned(), value.to_owned())))
    };
    let facts = move || {
        (
            fact("size", vec!["large", "small", "huge", ""]),
            fact("rank", vec!["3", "4", "x"]),
        )
            .prop_map(|(size, rank)| size.into_iter().chain(rank).collect::<BTreeMap<_, _>>())
    };
    let ad_type = prop::sample::select(vec!["", "retargeting", "mail", "RETARGETING"]);
    (moments(), ad_type, facts(), facts(), product(), look).prop_map(|(at, ad_type, given, known, product, look)| {
        OwnedCase {
            at,
            ad_type: ad_type.to_owned(),
            given,
            known,
            product,
            image: Some(Digest([1; 32])),
            look,
            corrections: Vec::new(),
        }
    })
}

fn imported() -> impl Strategy<Value = Vec<ImportedVerdict>> {
    let one = (
        prop::sample::select(&COUNTRIES[..]),
        prop::sample::select(&Verdict::ALL[..]),
    );
    prop::collection::vec(one, 0..4).prop_map(|all| {
        let verdicts = all.into_iter().map(|(country, verdict)| ImportedVerdict {
            country: country.parse().unwrap(),
            verdict,
            reason: "so it was".to_owned(),
        });
        verdicts.collect()
    })
}

fn product() -> impl Strategy<Value = Product> {
    let texts = prop::sample::select(vec!["", "a COPY of an arm", "ôl", "l'Arme", "copycat armee"]);
    let language = prop::sample::select(vec!["", "fr-FR", "de", "en", "zz"]);
    let category = prop::sample::select(vec!["", "food", "Food > snacks > Chips", "Toys", "Foods"]);
    let price = prop::option::of((
        prop::sample::select(vec!["EUR", "USD", "CHF"]),
        -1..120_i64,
        0..1_000_000_000_i32,
    ));
    let ids = prop::sample::select(vec![("p", "1"), ("p", "2"), ("q", "1"), ("q", "2"), ("", "")]);
    (texts, language, category, price, ids).prop_map(|(title, language, category, price, (partner, product))| Product {
        partner_id: partner.to_owned(),
        product_id: product.to_owned(),
        title: title.to_owned(),
        category: category.to_owned(),
        language: language.to_owned(),
        price: price.map(|(currency, units, nanos)| Money {
            units,
            nanos,
            currency: currency.to_owned(),
        }),
        ..Product::default()
    })
}

/// A case with corrections of all kinds.
pub(super) fn corrected_case() -> impl Strategy<Value = OwnedCase> {
    (case(), prop::collection::vec(correction(), 0..6)).prop_map(|(case, corrections)| {
        let numbered = (1..).zip(corrections).map(|(seq, (correction, seen))| Correction {
            seq,
            correction_id: format!("c{seq}"),
            seen: seen
                .then(|| SeenThen {
                    image_sha256: case.image,
                    texts: case.product.texts_mark(),
                })
                .or(correction.seen),
            ..correction
        });
        OwnedCase {
            corrections: numbered.collect(),
            ..case.clone()
        }
    })
}

/// A correction, and whether it is bound to the case as it is.
fn correction() -> impl Strategy<Value = (Correction, bool)> {
    let scope = prop_oneof![
        Just(CorrectionScope::Product(ProductKey::default())),
        Just(CorrectionScope::Picture(Digest([1; 32]))),
        Just(CorrectionScope::Partner("p".into())),
    ];
    let places = prop::sample::select(vec![vec![], vec!["FR"], vec!["DE", "SA"], vec![""]]);
    let kind = prop_oneof![
        (prop::sample::select(&LABELS[..]), any::<bool>()).prop_map(|(label, present)| CorrectionKind::WrongLabel {
            label: label.parse().unwrap(),
            present
        }),
        (Just("violence"), any::<bool>()).prop_map(|(label, present)| CorrectionKind::WrongLabel {
            label: label.parse().unwrap(),
            present
        }),
        prop::sample::select(&Verdict::ALL[..]).prop_map(CorrectionKind::Exception),
        prop::sample::select(&Verdict::ALL[..]).prop_map(CorrectionKind::Exception),
    ];
    let bound = prop_oneof![3 => Just((false, None)), 1 => Just((true, None)), 1 => prop::sample::select(vec![
        SeenThen { image_sha256: None, texts: TextsMark::default() },
        SeenThen { image_sha256: Some(Digest([1; 32])), texts: TextsMark::default() },
    ]).prop_map(|seen| (false, Some(seen)))];
    let expires = prop::option::of(moments());
    (scope, places, kind, bound, expires, prop::bool::weighted(0.15)).prop_map(
        |(scope, places, kind, (seen_now, seen), expires_at, revoked)| {
            let author = Principal::local();
            let revocation = || Revocation {
                seq: 99,
                by: author.clone(),
                at: day("2026-03-27T00:00Z"),
                reason: String::new(),
            };
            let correction = Correction {
                seq: 0,
                correction_id: String::new(),
                scope,
                countries: countries(&places),
                kind,
                reason: "a toy".to_owned(),
                expires_at,
                author: author.clone(),
                created_at: day("2026-03-01T00:00Z"),
                seen,
                revoked: revoked.then(revocation),
                replica_only: false,
            };
            (correction, seen_now)
        },
    )
}
