//! What thresholds would do is what counting each product and each picture finds, and the one that is named does what was asked.

use proptest::prelude::*;

use super::*;
use crate::stats::{CONFIDENCE, clopper_pearson};

const POLICY: &str = "format = 1\n[costs]\nshow_unsafe = { default = 1.0, alcohol = 5.0 }\nhide_safe = 0.25\nreviews_per_day = 3\n\
                      [default]\nreview = 0.5\nblock = 0.9\n";

#[derive(Debug, Clone)]
struct Product {
    score: f32,
    displays: u32,
    probability: f64,
}

fn alcohol() -> Label {
    "alcohol".parse().unwrap()
}

fn probability(score: f32) -> Probability {
    Probability::new(score).unwrap()
}

fn evidence(products: &[Product], pairs: &[(f32, bool)]) -> Evidence {
    let mut evidence = Evidence {
        chance: 1.0,
        days: 2.0,
        ..Evidence::default()
    };
    for product in products {
        evidence
            .products
            .add(product.score, f64::from(product.displays), product.probability);
    }
    evidence.pairs = pairs
        .iter()
        .map(|(score, present)| Pair {
            score: probability(*score),
            present: *present,
            chance: 1.0,
        })
        .collect();
    evidence
}

fn in_force(review: f32, block: Option<f32>) -> Option<Thresholds> {
    Some(Thresholds {
        review: probability(review),
        block: block.map(probability),
    })
}

prop_compose! {
    fn product()(score in 0.0..=1.0_f32, displays in 0..100_u32, probability in 0.0..=1.0) -> Product {
        Product { score, displays, probability }
    }
}

fn worlds() -> impl Strategy<Value = (Vec<Product>, Vec<(f32, bool)>)> {
    let pairs = prop::collection::vec((0.0..=1.0_f32, any::<bool>()), 0..20);
    (prop::collection::vec(product(), 0..40), pairs)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn each_point_is_what_counting_finds(
        (products, pairs) in worlds(), step in 1..=1000_usize, is_block in any::<bool>(), steps in (1..1000_u32, 1..1000_u32),
    ) {
        let policy = Policy::parse(POLICY).unwrap();
        let (review, block) = (steps.0.min(steps.1) as f32 / 1000.0, steps.0.max(steps.1) as f32 / 1000.0);
        let moved = if is_block { Moved::Block } else { Moved::Review };
        let tradeoff = policy.tradeoff(&alcohol(), moved, in_force(review, Some(block)), &evidence(&products, &pairs));
        let point = tradeoff.points[step - 1];
        let threshold = point.threshold;
        let (lower, upper) = match moved {
            Moved::Block if review < block => (review.min(threshold), threshold),
            Moved::Block => (threshold, threshold),
            Moved::Review => (threshold, block.max(threshold)),
        };
        let count = |holds: &dyn Fn(&Product) -> bool| products.iter().filter(|product| holds(product)).count() as u64;
        prop_assert_eq!(point.held, count(&|product| product.score >= threshold));
        let reviewed = count(&|product| product.score >= lower && product.score < upper);
        prop_assert_eq!(point.reviewed, reviewed);
        prop_assert!((point.reviews_per_day - reviewed as f64 / 2.0).abs() < 1e-9);
        let cost: f64 = products.iter().map(|product| {
            let displays = f64::from(product.displays);
            if product.score < lower {
                displays * product.probability * 5.0
            } else if product.score >= upper {
                displays * (1.0 - product.probability) * 0.25
            } else {
                0.0
            }
        }).sum();
        prop_assert!((point.cost.unwrap() - cost).abs() < 1e-6 * cost.max(1.0));
        let draws = |present| pairs.iter().filter(move |pair| pair.1 == present);
        let missed = draws(true).filter(|pair| pair.0 < threshold).count() as u64;
        let looked_at = draws(true).filter(|pair| pair.0 < threshold && pair.0 >= lower).count() as u64;
        prop_assert_eq!(point.missed_reviewed, looked_at);
        let wrongly = draws(false).filter(|pair| pair.0 >= threshold).count() as u64;
        for (told, hits, all) in [(point.missed, missed, draws(true).count()), (point.wrongly_held, wrongly, draws(false).count())] {
            prop_assert_eq!((told.hits, told.draws), (hits, all as u64));
            if all > 0 {
                let (low, high) = clopper_pearson(hits as f64, all as f64, CONFIDENCE);
                prop_assert!((told.low - low).abs() < 1e-9 && (told.high - high).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn the_named_threshold_does_what_was_asked_and_no_better_one_does(
        (products, pairs) in worlds(), share in 0.01..0.9, reviews in 0.0..10.0, is_block in any::<bool>(),
    ) {
        let policy = Policy::parse(POLICY).unwrap();
        let moved = if is_block { Moved::Block } else { Moved::Review };
        let tradeoff = policy.tradeoff(&alcohol(), moved, in_force(0.3, Some(0.8)), &evidence(&products, &pairs));
        let named = |goal| {
            let named = tradeoff.named(goal);
            (named.meets, named.threshold)
        };
        let first = |holds: &dyn Fn(&Point) -> bool| tradeoff.points.iter().find(|point| holds(point)).map(|point| point.threshold);
        let last = |holds: &dyn Fn(&Point) -> bool| tradeoff.points.iter().rfind(|point| holds(point)).map(|point| point.threshold);

        let blocked = first(&|point| tradeoff.share(point) <= share);
        prop_assert_eq!(named(Goal::AtMostBlocked(share)).0, blocked.is_some());
        prop_assert!(blocked.is_none() || named(Goal::AtMostBlocked(share)).1 == blocked);

        let missed = last(&|point| point.missed.high <= share);
        prop_assert_eq!(named(Goal::AtMostMissed(share)).0, missed.is_some());
        prop_assert!(missed.is_none() || named(Goal::AtMostMissed(share)).1 == missed);

        let within = |point: &Point| point.reviews_per_day <= reviews;
        let reviewed = if is_block { last(&within) } else { first(&within) };
        prop_assert_eq!(named(Goal::AtMostReviews(reviews)).0, reviewed.is_some());
        prop_assert!(reviewed.is_none() || named(Goal::AtMostReviews(reviews)).1 == reviewed);

        let (meets, cheapest) = named(Goal::LeastCost);
        let payable = || tradeoff.points.iter().filter(|point| point.reviews_per_day <= 3.0);
        prop_assert_eq!(meets, payable().next().is_some());
        if meets {
            let cost = tradeoff.point(probability(cheapest.unwrap())).cost.unwrap();
            prop_assert!(payable().all(|point| cost <= point.cost.unwrap()));
        }
    }
}

#[test]
fn where_too_little_is_known_it_says_what_to_do() {
    let policy = Policy::parse(POLICY).unwrap();
    let product = Product {
        score: 0.4,
        displays: 1,
        probability: 0.4,
    };
    let tradeoff = |pairs: &[(f32, bool)], now| {
        let evidence = evidence(std::slice::from_ref(&product), pairs);
        policy.tradeoff(&alcohol(), Moved::Block, now, &evidence)
    };
    let nothing = tradeoff(&[(0.2, false)], None).named(Goal::AtMostMissed(0.05));
    assert_eq!((nothing.threshold, nothing.meets), (None, false));
    assert!(
        nothing.sentence.contains("`--is alcohol` of 72 more"),
        "{}",
        nothing.sentence
    );
    let little = tradeoff(&[(0.2, true), (0.9, true)], None).named(Goal::AtMostMissed(0.05));
    // The highest that misses neither of the two.
    assert_eq!((little.threshold, little.meets), (Some(0.2), false));
    assert!(little.sentence.contains("70 more"), "{}", little.sentence);
    let none = tradeoff(&[], in_force(0.3, Some(0.3))).named(Goal::AtMostReviews(5.0));
    assert_eq!((none.threshold, none.meets), (None, false));
    assert!(none.sentence.contains("no REVIEW threshold"), "{}", none.sentence);
    let free = Policy::parse("format = 1\n[default]\nreview = 0.5\nblock = 0.9\n").unwrap();
    let named = free
        .tradeoff(&alcohol(), Moved::Block, None, &evidence(&[], &[]))
        .named(Goal::LeastCost);
    assert!(!named.meets && named.sentence.contains("[costs]"), "{}", named.sentence);
}

#[test]
fn a_sentence_tells_what_the_threshold_does() {
    let policy = Policy::parse(POLICY).unwrap();
    let products: Vec<Product> = (0..100_u16)
        .map(|number| Product {
            score: f32::from(number) / 100.0,
            displays: 1,
            probability: 0.0,
        })
        .collect();
    let pairs = [(0.95, true), (0.5, true), (0.7, true), (0.1, false)];
    let tradeoff = policy.tradeoff(
        &alcohol(),
        Moved::Block,
        in_force(0.6, Some(0.9)),
        &evidence(&products, &pairs),
    );
    let named = tradeoff.named(Goal::AtMostBlocked(0.25));
    assert_eq!(named.threshold, Some(0.741));
    assert_eq!(
        named.sentence,
        "alcohol: block from 0.741: blocks 25 % of products, misses 2 of 3 (upper bound 99.2 %), 1 of these left to people, wrongly blocks 0 of 1 (upper bound 97.5 %), \
         7.5 reviews a day, cost 6.2"
    );
}
