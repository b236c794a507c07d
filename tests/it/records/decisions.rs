//! Decisions: kept whole, found by every filter, read by the page and all at once.

use std::collections::BTreeSet;

use vigie::base::{Moment, Origin, PolicyVersion, Reason, Recorded, Source, Verdict};
use vigie::store::{DecisionQuery, PAGE, RecordsError};

use super::place::Opened;
use super::samples::{at, country, country_verdict, digest, key, label, product, recorded};

const ALL_TIME: (Moment, Moment) = (Moment::from_micros(i64::MIN), Moment::from_micros(i64::MAX));

pub async fn a_decision_reads_back_as_it_was(mut opened: Opened) {
    let bare = Recorded {
        origin: Origin::Imported,
        countries: Vec::new(),
        ad_type: String::new(),
        facts: Default::default(),
        unreadable: Some("it is no picture".to_owned()),
        counts: false,
        product: Default::default(),
        ..recorded(1)
    };
    let mut bare = bare;
    bare.decision.image_sha256 = None;
    bare.decision.scores.clear();
    bare.decision.verdicts.clear();
    bare.decision.trace_id.clear();
    bare.decision.decided_at = Moment::from_micros(-5);
    let all = [recorded(0), bare, recorded(2)];
    assert_eq!(opened.records.append(all.to_vec()).await.unwrap(), 3);
    opened.reopen().await;
    for recorded in &all {
        let found = opened.records.decision(&recorded.decision.decision_id).await.unwrap();
        assert_eq!(found.as_ref(), Some(recorded));
    }
    assert_eq!(opened.records.decision("none").await.unwrap(), None);
}

pub async fn a_decision_is_kept_once(opened: Opened) {
    let records = &opened.records;
    let twice = vec![recorded(1), recorded(1), recorded(2)];
    assert_eq!(records.append(twice).await.unwrap(), 2);
    let mut changed = recorded(2);
    changed.ad_type = "another".to_owned();
    assert_eq!(records.append(vec![changed, recorded(3)]).await.unwrap(), 1);
    let kept = records.decision(&recorded(2).decision.decision_id).await.unwrap();
    assert_eq!(kept, Some(recorded(2)));
    assert_eq!(records.append(Vec::new()).await.unwrap(), 0);
    let query = DecisionQuery {
        limit: PAGE,
        ..Default::default()
    };
    assert_eq!(records.decisions(&query).await.unwrap().items.len(), 3);
}

pub async fn any_text_can_be_recorded(opened: Opened) {
    let records = &opened.records;
    let long = "é".repeat(20_000);
    let texts = [
        "\0",
        "a\0b",
        "\u{1a}",
        "' OR 1 = 1; --",
        "$1 ?1 %s",
        "\u{10ffff}",
        long.as_str(),
        "ab",
    ];
    let made = |(number, text): (usize, &&str)| {
        let mut recorded = recorded(number as u64);
        recorded.decision.decision_id = format!("{text}-{number}");
        recorded.product = product(text, text);
        recorded.product.title = (*text).to_owned();
        recorded.ad_type = (*text).to_owned();
        recorded.facts = [((*text).to_owned(), (*text).to_owned())].into();
        recorded
    };
    let all: Vec<Recorded> = texts.iter().enumerate().map(made).collect();
    assert_eq!(records.append(all.clone()).await.unwrap(), all.len());
    for recorded in &all {
        let key = recorded.product.key().unwrap();
        assert_eq!(
            records.history(&key, None, 10).await.unwrap().items,
            std::slice::from_ref(recorded)
        );
        let found = records.decision(&recorded.decision.decision_id).await.unwrap();
        assert_eq!(found.as_ref(), Some(recorded));
        assert_eq!(records.known(&key).await.unwrap().unwrap().key, key);
    }
}

/// A filter: the fields that it states, how it states them, and what meets it.
struct Filter {
    states: &'static [&'static str],
    state: fn(&mut DecisionQuery),
    meets: fn(&Recorded) -> bool,
}

/// The reason that decides the strictest verdict.
fn deciding(recorded: &Recorded) -> Option<&Reason> {
    let verdicts = &recorded.decision.verdicts;
    let strictest = verdicts.iter().map(|verdict| verdict.verdict).max()?;
    let first = verdicts.iter().find(|verdict| verdict.verdict == strictest)?;
    first.reasons.iter().find(|reason| !reason.losing)
}

fn has(recorded: &Recorded, code: &str, wanted: &[Verdict]) -> bool {
    let mut verdicts = recorded.decision.verdicts.iter();
    verdicts.any(|verdict| verdict.country == country(code) && wanted.contains(&verdict.verdict))
}

const FILTERS: [Filter; 14] = [
    Filter {
        states: &["product"],
        state: |query| query.product = Some(key("partner-3", "sku-77")),
        meets: |recorded| recorded.product.key() == Some(key("partner-3", "sku-77")),
    },
    Filter {
        states: &["partner"],
        state: |query| query.partner = Some("partner-3".to_owned()),
        meets: |recorded| recorded.product.partner_id == "partner-3",
    },
    Filter {
        states: &["image_sha256"],
        state: |query| query.image_sha256 = Some(digest(3, 42)),
        meets: |recorded| recorded.decision.image_sha256 == Some(digest(3, 42)),
    },
    Filter {
        states: &["model"],
        state: |query| query.model = Some("adsafety".parse().unwrap()),
        meets: |recorded| recorded.decision.model.as_str() == "adsafety",
    },
    Filter {
        states: &["model"],
        state: |query| query.model = Some("another".parse().unwrap()),
        meets: |recorded| recorded.decision.model.as_str() == "another",
    },
    Filter {
        states: &["version"],
        state: |query| query.version = Some(2.try_into().unwrap()),
        meets: |recorded| recorded.decision.version.get() == 2,
    },
    Filter {
        states: &["policy_version"],
        state: |query| query.policy_version = Some(PolicyVersion(digest(2, 1))),
        meets: |recorded| recorded.decision.policy_version.0 == digest(2, 1),
    },
    Filter {
        states: &["label"],
        state: |query| query.label = Some(label("tobacco")),
        meets: |recorded| deciding(recorded).is_some_and(|reason| reason.label == Some(label("tobacco"))),
    },
    Filter {
        states: &["source"],
        state: |query| query.source = Some(Source::Keyword),
        meets: |recorded| deciding(recorded).is_some_and(|reason| reason.source == Source::Keyword),
    },
    Filter {
        states: &["verdict"],
        state: |query| query.verdict = Some(Verdict::Review),
        meets: |recorded| {
            let verdicts = recorded.decision.verdicts.iter();
            verdicts.map(|verdict| verdict.verdict).max() == Some(Verdict::Review)
        },
    },
    // With a country, a verdict is that country's: so these state both.
    Filter {
        states: &["verdict", "country"],
        state: |query| query.country = Some(country("SA")),
        meets: |recorded| has(recorded, "SA", &Verdict::ALL),
    },
    Filter {
        states: &["verdict", "country"],
        state: |query| {
            query.country = Some(country(""));
            query.verdict = Some(Verdict::Block);
        },
        meets: |recorded| has(recorded, "", &[Verdict::Block]),
    },
    Filter {
        states: &["since"],
        state: |query| query.since = Some(at(30)),
        meets: |recorded| recorded.decision.decided_at >= at(30),
    },
    Filter {
        states: &["until"],
        state: |query| query.until = Some(at(150)),
        meets: |recorded| recorded.decision.decided_at < at(150),
    },
];

fn ids<'a>(decisions: impl IntoIterator<Item = &'a Recorded>) -> Vec<&'a str> {
    let ids = decisions
        .into_iter()
        .map(|recorded| recorded.decision.decision_id.as_str());
    ids.collect()
}

pub async fn each_filter_finds_what_meets_it(opened: Opened) {
    let records = &opened.records;
    let mut all: Vec<Recorded> = (0..300).map(recorded).collect();
    // So that each value is there, and some in few.
    all[77].product = product("partner-3", "sku-77");
    all[78].product = product("partner-3", "sku-77");
    all[42].decision.model = "another".parse().unwrap();
    all[42].product.partner_id = "partner-3".to_owned();
    all[35].decision.verdicts = vec![country_verdict(country("SA"), Verdict::Review, &label("tobacco"))];
    all[35].decision.verdicts[0].reasons[0].source = Source::Keyword;
    records.append(all.clone()).await.unwrap();
    // Each alone, each with each other, and some of three.
    let sets = (0..FILTERS.len())
        .flat_map(|one| (one..FILTERS.len()).map(move |two| [one, two, (one + two * 5) % FILTERS.len()]));
    for [one, two, three] in sets {
        for places in [&[one, two][..], &[one, two, three]] {
            let filters: Vec<&Filter> = places.iter().map(|place| &FILTERS[*place]).collect();
            let mut stated: Vec<&str> = filters.iter().flat_map(|filter| filter.states).copied().collect();
            stated.sort_unstable();
            if one != two && stated.windows(2).any(|pair| pair[0] == pair[1]) {
                continue;
            }
            let mut query = DecisionQuery {
                limit: PAGE,
                ..Default::default()
            };
            filters.iter().for_each(|filter| (filter.state)(&mut query));
            if one == two && places.len() == 3 {
                continue;
            }
            let expected = all
                .iter()
                .rev()
                .filter(|recorded| filters.iter().all(|filter| (filter.meets)(recorded)));
            let found = records.decisions(&query).await.unwrap();
            assert_eq!(ids(&found.items), ids(expected), "{query:?}");
            assert_eq!(found.next, None);
        }
    }
    let query = DecisionQuery {
        limit: PAGE,
        ..Default::default()
    };
    assert_eq!(
        ids(&records.decisions(&query).await.unwrap().items),
        ids(all.iter().rev())
    );
}

pub async fn pages_follow_each_other_without_gap_or_double(opened: Opened) {
    let records = &opened.records;
    // Many at the same moment: only the order of arrival tells them apart.
    let mut all: Vec<Recorded> = (0..200).map(recorded).collect();
    for (number, recorded) in all.iter_mut().enumerate() {
        recorded.decision.decided_at = at(number as i64 / 50);
    }
    records.append(all.clone()).await.unwrap();
    let country_alone = DecisionQuery {
        country: Some(country("FR")),
        limit: 7,
        ..Default::default()
    };
    let everything = DecisionQuery {
        limit: 7,
        ..Default::default()
    };
    for mut query in [everything, country_alone] {
        let asked = query.country;
        let meets = |recorded: &&Recorded| {
            let mut verdicts = recorded.decision.verdicts.iter();
            asked.is_none_or(|country| verdicts.any(|verdict| verdict.country == country))
        };
        let mut found = Vec::new();
        loop {
            let page = records.decisions(&query).await.unwrap();
            assert!(page.items.len() == 7 || page.next.is_none());
            found.extend(page.items);
            // What arrives meanwhile is newer, and disturbs nothing.
            let late = recorded(1_000 + found.len() as u64);
            records.append(vec![late]).await.unwrap();
            query.cursor = page.next;
            if query.cursor.is_none() {
                break;
            }
        }
        found.retain(|recorded| all.contains(recorded));
        let expected: Vec<Recorded> = all.iter().rev().filter(meets).cloned().collect();
        assert_eq!(found, expected);
    }
}

pub async fn a_scan_gives_all_oldest_first(opened: Opened) {
    let records = &opened.records;
    let all: Vec<Recorded> = (0..1_500).map(recorded).collect();
    let later_first: Vec<Recorded> = all.iter().rev().cloned().collect();
    for group in later_first.chunks(400) {
        records.append(group.to_vec()).await.unwrap();
    }
    let mut found = Vec::new();
    let scan = records.scan_decisions(ALL_TIME.0, ALL_TIME.1);
    scan.each(|recorded| found.push(recorded)).await.unwrap();
    assert_eq!(found, all);
    found.clear();
    let scan = records.scan_decisions(at(10), at(20));
    scan.each(|recorded| found.push(recorded)).await.unwrap();
    assert_eq!(found, all[10..20]);
    let nothing = records.scan_decisions(at(20), at(20)).next().await.unwrap();
    assert_eq!(nothing, None);
}

pub async fn a_scan_that_nobody_takes_holds_nothing_up(opened: Opened) {
    let records = &opened.records;
    for number in 0..20 {
        let group = (number * 500..(number + 1) * 500).map(recorded).collect();
        records.append(group).await.unwrap();
    }
    let mut scan = records.scan_decisions(ALL_TIME.0, ALL_TIME.1);
    assert!(scan.next().await.unwrap().is_some());
    records.append(vec![recorded(100_000)]).await.unwrap();
    drop(scan);
    records.append(vec![recorded(100_001)]).await.unwrap();
    let ids: BTreeSet<_> = [100_000, 100_001]
        .map(|number| recorded(number).decision.decision_id)
        .into();
    let query = DecisionQuery {
        limit: 2,
        ..Default::default()
    };
    let newest = records.decisions(&query).await.unwrap().items;
    assert_eq!(
        newest
            .into_iter()
            .map(|recorded| recorded.decision.decision_id)
            .collect::<BTreeSet<_>>(),
        ids
    );
}

pub async fn a_wrong_cursor_or_limit_is_refused(opened: Opened) {
    for cursor in ["", "1", "a.b", "1.2.3", "99999999999999999999.1"] {
        let query = DecisionQuery {
            cursor: Some(cursor.to_owned()),
            limit: 1,
            ..Default::default()
        };
        let refused = opened.records.decisions(&query).await;
        assert!(
            matches!(&refused, Err(RecordsError::Input { field, .. }) if field == "cursor"),
            "{refused:?}"
        );
    }
    for limit in [0, PAGE + 1] {
        let query = DecisionQuery {
            limit,
            ..Default::default()
        };
        let refused = opened.records.decisions(&query).await;
        assert!(
            matches!(&refused, Err(RecordsError::Input { field, .. }) if field == "limit"),
            "{refused:?}"
        );
    }
}
