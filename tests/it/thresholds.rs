//! What thresholds would do is told from what is on record: counted as anybody can count it from the decisions that are listed.

use std::collections::BTreeMap;

use tonic::transport::Channel;
use tonic::{Code, Status};
use vigie::grpc::generated::vigie::policies_client::PoliciesClient;
use vigie::stats::{CONFIDENCE, clopper_pearson};
use vigie::wire::vigie::thresholds_request::Goal;
use vigie::wire::vigie::thresholds_response::Found;
use vigie::wire::vigie::{
    CorrectRequest, RecordedDecision, ThresholdBasis, ThresholdCurve, ThresholdsRequest, Verdict, correct_request,
};

use crate::cli::{Ended, end, vigie};
use crate::corrections::asking::{Asking, allow, key, wrong_label};
use crate::support::client::{Entry, catalogue, of_version};
use crate::support::{Launch, Place, Server};

fn launch(place: &Place) -> Launch<'_> {
    Launch::new(place).set("WATCH__RESCAN", "1h")
}

/// The displays of products that a version was asked about by its number.
const NAMED: Option<u64> = Some(9999);

/// A server that has judged a part of the catalogue, some of it twice; with what is then on record of each product.
struct Judged {
    server: Server,
    asking: Asking,
    entries: Vec<&'static Entry>,
}

impl Judged {
    async fn on(place: &Place) -> Self {
        let server = launch(place).start_ready();
        let asking = Asking::begin(&server).await;
        let entries: Vec<&Entry> = catalogue().iter().step_by(4).collect();
        for (number, entry) in entries.iter().enumerate() {
            let question = |displays| {
                let mut question = asking.question(entry);
                question.product.as_mut().unwrap().displays = displays;
                question
            };
            if number % 5 == 0 {
                asking.decide_on(question(Some(7777))).await;
            }
            asking
                .decide_on(question((number % 3 != 0).then_some(number as u64 * 10)))
                .await;
            if number % 7 == 0 {
                // Asked of a version by its number: not what is known of the product.
                asking.decide_on(of_version(question(NAMED), 1)).await;
            }
        }
        let judged = Self {
            server,
            asking,
            entries,
        };
        let all = judged.entries.len() + judged.entries.len().div_ceil(5) + judged.entries.len().div_ceil(7);
        while judged.recorded().await.len() < all {
            tokio::task::yield_now().await;
        }
        judged
    }

    async fn recorded(&self) -> Vec<RecordedDecision> {
        self.asking.decisions(|query| query.limit = 1000).await
    }

    /// The scores of a label and the displays by product.
    async fn scores(&self, label: &str) -> BTreeMap<String, (f32, Option<u64>)> {
        let mut scores = BTreeMap::new();
        for recorded in self.recorded().await {
            let (decision, product) = (recorded.decision.unwrap(), recorded.product.unwrap());
            if product.displays == NAMED {
                continue;
            }
            let score = decision.scores.iter().find(|score| score.label == label).unwrap();
            // The newest comes first.
            scores
                .entry(product.product_id)
                .or_insert((score.probability, product.displays));
        }
        scores
    }

    async fn ask(&self, request: ThresholdsRequest) -> Result<(ThresholdBasis, Vec<ThresholdCurve>), Status> {
        asked(PoliciesClient::new(self.server.channel().await), request).await
    }

    fn vigie(&self, words: &[&str]) -> Ended {
        let mut command = vigie(&[&["policy", "thresholds"], words].concat());
        command.env("VIGIE_SERVER", self.server.grpc.to_string());
        end(command)
    }
}

async fn asked(
    mut client: PoliciesClient<Channel>,
    request: ThresholdsRequest,
) -> Result<(ThresholdBasis, Vec<ThresholdCurve>), Status> {
    let mut told = client.thresholds(request).await?.into_inner();
    let (mut basis, mut curves) = (None, Vec::new());
    while let Some(message) = told.message().await? {
        match message.found {
            Some(Found::Basis(found)) => assert!(basis.replace(found).is_none() && curves.is_empty()),
            Some(Found::Curve(curve)) => curves.push(curve),
            None => assert!(basis.is_none(), "progress comes first"),
        }
    }
    Ok((basis.expect("what it goes by"), curves))
}

fn of(label: &str) -> ThresholdsRequest {
    ThresholdsRequest {
        labels: vec![label.into()],
        ..Default::default()
    }
}

#[tokio::test]
async fn each_point_of_a_curve_is_what_the_decisions_on_record_say() {
    let place = Place::with_versions(&[1]);
    let judged = Judged::on(&place).await;
    let scores = judged.scores("alcohol").await;
    let request = ThresholdsRequest {
        country: "NO".into(),
        ..of("alcohol")
    };
    let (basis, curves) = judged.ask(request).await.unwrap();
    assert_eq!(
        (basis.products, basis.unscored, basis.chance),
        (scores.len() as u64, 0, 1.0)
    );
    let without = scores.values().filter(|(_, displays)| displays.is_none()).count();
    assert!(without > 0 && basis.without_displays == without as u64, "{basis:?}");
    assert_eq!((basis.days, basis.revisions.len()), (1.0, 1));
    let curve = &curves[0];
    assert_eq!((curve.now_review, curve.now_block), (Some(0.3), Some(0.3)));
    assert_eq!(curve.points.len(), 1000);
    for point in &curve.points {
        let threshold = point.threshold as f32;
        let held: Vec<_> = scores.values().filter(|(score, _)| *score >= threshold).collect();
        let displays: u64 = held.iter().map(|(_, displays)| displays.unwrap_or(1)).sum();
        assert_eq!(
            (point.held, point.held_displays),
            (held.len() as u64, displays as f64),
            "{threshold}"
        );
        let cost: f64 = scores
            .values()
            .map(|(score, displays)| {
                let (score_64, displays) = (f64::from(*score), displays.unwrap_or(1) as f64);
                let (shown, hidden) = (5.0 * score_64, 0.05 * (1.0 - score_64));
                displays * if *score < threshold { shown } else { hidden }
            })
            .sum();
        assert!((point.cost.unwrap() - cost).abs() < 1e-6 * cost, "{threshold}");
        assert_eq!(point.reviewed, 0, "no REVIEW comes before the BLOCK there");
    }
    let (_, elsewhere) = judged.ask(of("alcohol")).await.unwrap();
    assert_eq!((elsewhere[0].now_review, elsewhere[0].now_block), (Some(0.5), None));
    for point in &elsewhere[0].points {
        let (block, review) = (point.threshold as f32, 0.5_f32.min(point.threshold as f32));
        let reviewed = scores
            .values()
            .filter(|(score, _)| *score >= review && *score < block)
            .count();
        assert_eq!(
            (point.reviewed, point.reviews_per_day),
            (reviewed as u64, reviewed as f64),
            "{block}"
        );
    }
}

#[tokio::test]
async fn what_people_say_of_pictures_tells_how_often_a_threshold_is_wrong() {
    let place = Place::with_versions(&[1]);
    let judged = Judged::on(&place).await;
    let mut truth = BTreeMap::new();
    for entry in judged.entries.iter().step_by(2) {
        let present = entry.truth.iter().any(|label| label == "firearm");
        judged
            .asking
            .correct(wrong_label(entry, "firearm", present))
            .await
            .unwrap();
        truth.insert(entry.product_id.clone(), present);
    }
    // One was said otherwise later, one was taken back, one was said of the picture alone; what an exception says is no truth.
    let (other, back, alone) = (judged.entries[0], judged.entries[2], judged.entries[1]);
    judged
        .asking
        .correct(wrong_label(other, "firearm", true))
        .await
        .unwrap();
    truth.insert(other.product_id.clone(), true);
    let listed = judged.asking.corrections().await;
    let said_of = |entry: &Entry| {
        let scope = correct_request::Scope::Product(key(entry));
        listed
            .iter()
            .find(|said| format!("{:?}", said.scope) == format!("{:?}", Some(&scope)))
    };
    judged
        .asking
        .revoke(&said_of(back).unwrap().correction_id)
        .await
        .unwrap();
    truth.remove(&back.product_id);
    let picture = judged.asking.decide(alone).await.image_sha256;
    let of_picture = CorrectRequest {
        scope: Some(correct_request::Scope::ImageSha256(picture)),
        ..wrong_label(alone, "firearm", false)
    };
    judged.asking.correct(of_picture).await.unwrap();
    truth.insert(alone.product_id.clone(), false);
    judged.asking.correct(allow(judged.entries[3])).await.unwrap();

    let scores = judged.scores("firearm").await;
    let (_, curves) = judged.ask(of("firearm")).await.unwrap();
    let curve = &curves[0];
    let count = |present: bool, holds: &dyn Fn(f32) -> bool| {
        let said = truth.iter().filter(|(_, truth)| **truth == present);
        said.filter(|(product, _)| holds(scores[*product].0)).count() as u64
    };
    let (present, absent) = (count(true, &|_| true), count(false, &|_| true));
    assert_eq!((curve.present, curve.absent), (present, absent));
    assert!(present > 2 && absent > 10, "{present} {absent}");
    for point in &curve.points {
        let threshold = point.threshold as f32;
        let (missed, wrongly) = (point.missed.as_ref().unwrap(), point.wrongly_held.as_ref().unwrap());
        assert_eq!(missed.hits, count(true, &|score| score < threshold), "{threshold}");
        assert_eq!(wrongly.hits, count(false, &|score| score >= threshold), "{threshold}");
        let (low, high) = clopper_pearson(missed.hits as f64, present as f64, CONFIDENCE);
        assert!((missed.low - low).abs() < 1e-9 && (missed.high - high).abs() < 1e-9);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_names_a_threshold_draws_it_and_writes_a_page() {
    let place = Place::with_versions(&[1]);
    let judged = Judged::on(&place).await;
    let page = place.root().join("thresholds.html");
    let told = judged.vigie(&["tobacco", "--at-most-blocked", "10%", "--html", page.to_str().unwrap()]);
    assert_eq!(told.code, 0, "{}", told.err);
    let (_, curves) = judged
        .ask(ThresholdsRequest {
            goal: Some(Goal::AtMostBlocked(0.1)),
            ..of("tobacco")
        })
        .await
        .unwrap();
    let named = curves[0].named.as_ref().unwrap();
    let threshold = named.threshold.unwrap();
    let scores = judged.scores("tobacco").await;
    let blocked = |from: f64| scores.values().filter(|(score, _)| *score >= from as f32).count();
    assert!(
        blocked(threshold) * 10 <= scores.len() && blocked(threshold - 0.001) * 10 > scores.len(),
        "{named:?}"
    );
    let sentence = named.sentence.strip_prefix("tobacco: ").unwrap();
    for part in [
        sentence,
        "◆ named",
        "REVIEW now 0.30",
        "BLOCK now 0.70",
        "⣿",
        "nobody has said",
    ] {
        assert!(told.out.contains(part), "{part}:\n{}", told.out);
    }
    let page = std::fs::read_to_string(page).unwrap();
    assert!(
        page.contains("<svg") && page.contains(&sentence.replace(" %", "\u{a0}%")) && !page.contains("<script"),
        "{page}"
    );

    let json = judged.vigie(&["tobacco", "--at-most-missed", "5%", "--json"]);
    assert_eq!(json.code, 1, "nobody has said what pictures show: {}", json.err);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["curves"][0]["points"].as_array().unwrap().len(), 1000);
    assert_eq!(json["curves"][0]["named"]["meets"], false);
    let sentence = json["curves"][0]["named"]["sentence"].as_str().unwrap();
    assert!(
        sentence.contains("--is tobacco") && sentence.contains("72"),
        "{sentence}"
    );
}

/// What is wrong with a question, and what the refusal says.
type Wrong = (fn(&mut ThresholdsRequest), &'static str);

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_question_is_refused_with_what_to_ask_instead() {
    let place = Place::with_versions(&[1]);
    let server = launch(&place).start_ready();
    let client = PoliciesClient::new(server.channel().await);
    let empty = asked(client.clone(), ThresholdsRequest::default()).await.unwrap_err();
    assert_eq!(empty.code(), Code::NotFound);
    assert!(empty.message().contains("vigie classify"), "{empty}");
    let wrong: [Wrong; 9] = [
        (
            |r| r.labels = vec!["firearm".into(), "beer".into()],
            "labels[1]: beer is a label that no version of adsafety gives: one of alcohol, combat_knife, ",
        ),
        (
            |r| r.labels = vec!["firearm".into(), "firearm".into()],
            "labels[1]: firearm is named twice",
        ),
        (|r| r.country = "XX".into(), "country: "),
        (|r| r.moved = Verdict::Allow.into(), "moved: "),
        (|r| r.version = Some(0), "version: "),
        (|r| r.goal = Some(Goal::AtMostBlocked(1.0)), "at_most_blocked: "),
        (|r| r.goal = Some(Goal::AtMostMissed(f64::NAN)), "at_most_missed: "),
        (|r| r.goal = Some(Goal::AtMostReviews(-1.0)), "at_most_reviews: "),
        (|r| r.goal = Some(Goal::LeastCost(false)), "least_cost: "),
    ];
    for (spoil, begins) in wrong {
        let mut request = ThresholdsRequest::default();
        spoil(&mut request);
        let refused = asked(client.clone(), request).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
        assert!(refused.message().starts_with(begins), "{refused}");
    }
    let words: [(&[&str], &str); 4] = [
        (&["--at-most-blocked", "1%", "--least-cost"], "cannot be used with"),
        (&["--at-most-missed", "5"], "as in 1% or 0.01"),
        (&["--move", "allow"], "review"),
        (&["beer"], "one of alcohol"),
    ];
    for (words, says) in words {
        let mut command = vigie(&[&["policy", "thresholds"], words].concat());
        command.env("VIGIE_SERVER", server.grpc.to_string());
        let told = end(command);
        assert!(told.code == 2 && told.err.contains(says), "{words:?}: {}", told.err);
    }
}
