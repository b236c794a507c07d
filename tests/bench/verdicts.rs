//! Verdicts on known products: how soon a server with a whole catalogue on record is ready, how many it answers, and how long they take while everything
//! around them changes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use tonic::transport::Channel;
use vigie::base::{
    Arm, CountryCode, CountryVerdict, Decision, Digest, LabelScore, Moment, Origin, PolicyVersion, Probability,
    Product, Reason, Recorded, RevisionId, Source, Verdict, Version,
};
use vigie::grpc::generated::vigie::ad_safety_client::AdSafetyClient;
use vigie::grpc::generated::vigie::decisions_client::DecisionsClient;
use vigie::store::{DataDirectory, Records, SqliteSettings};
use vigie::wire::vigie::correct_request::{Kind, Scope};
use vigie::wire::vigie::{CorrectRequest, GetVerdictsRequest, ProductKey, WatchVerdictsRequest};

use super::Effort;
use super::floor::{FloorProcess, Work};
use super::house;
use super::load::{Outcome, closed, median, open, quantile};
use super::report::{Asked, Report};
use crate::support::{Place, Server, files};

const LABELS: [&str; 7] = [
    "alcohol",
    "combat_knife",
    "firearm",
    "gambling",
    "placeholder",
    "promotional_text_overlay",
    "tobacco",
];
/// A policy by which nothing that has any score is shown.
const BLOCKS_EVERYTHING: &str = "format = 1\n[default]\nreview = 1e-30\nblock = 1e-30\n";
const IN_FLIGHT: usize = 32;
/// Of a batch: products, and countries of each.
const BATCH: (usize, [&str; 10]) = (500, ["FR", "DE", "GB", "US", "SA", "NO", "BE", "IT", "NL", ""]);
/// Of the load under which everything changes, of capacity.
const SHARE: f64 = 0.7;

/// Measures them with so many products on record.
pub async fn measure(effort: Effort, report: &mut Report) {
    let products = effort.products;
    report.heading(&format!(
        "GetVerdicts, {products} known products, policy of the repository"
    ));
    let place = Place::with_versions(&[1]);
    fill(&place, products).await;
    let began = Instant::now();
    let server = house::served(&place).start_ready();
    report.note(
        "ready, with what is known in memory",
        began.elapsed().as_secs_f64(),
        "s",
        Asked::AtMost(60.0),
        format!("{:.0} MB", server.memory() as f64 / 1e6),
    );
    let floor = FloorProcess::start(&Work::Nothing);
    let (served, empty) = (house::clients(server.grpc).await, house::clients(floor.address).await);
    let single = |question: usize| request(products, question, 1, &["FR"]);
    let batch = |question: usize| request(products, question, BATCH.0, &BATCH.1);
    let capacity = singles(&served, &empty, (effort, &single), report).await;
    batches(&served, (effort, &batch), report).await;
    everywhere(&served, (effort, products), report).await;
    storm(&place, &server, &served, (effort, capacity, products), report).await;
    turned(&place, &server, products, report).await;
}

/// A policy edit that blocks every known product, until a watcher has heard of the last one. Nothing is measured after it.
async fn turned(place: &Place, server: &Server, products: usize, report: &mut Report) {
    let request = WatchVerdictsRequest {
        countries: vec!["FR".to_owned()],
        cursor: String::new(),
    };
    let mut told = server
        .ad_safety()
        .await
        .watch_verdicts(request)
        .await
        .unwrap()
        .into_inner();
    let mut settled = async || {
        let mut results = 0_usize;
        loop {
            let message = told.message().await.unwrap().expect("a watch does not end");
            results += usize::from(message.result.is_some());
            if message.result.is_none() && !message.cursor.is_empty() {
                return results;
            }
        }
    };
    settled().await;
    let policy = place.model().join("policy.toml");
    let before = server.memory();
    let began = Instant::now();
    files::write(&policy, BLOCKS_EVERYTHING.as_bytes());
    let results = settled().await;
    let grown = server.memory().saturating_sub(before) as f64 / 1e6;
    report.note(
        "a policy change of all of them, told to a watcher",
        began.elapsed().as_secs_f64(),
        "s",
        Asked::Nothing,
        format!("{results} of {products} told, memory grew by {grown:.0} MB"),
    );
}

async fn singles(
    served: &[AdSafetyClient<Channel>],
    empty: &[AdSafetyClient<Channel>],
    (effort, question): (Effort, &impl Fn(usize) -> GetVerdictsRequest),
    report: &mut Report,
) -> f64 {
    let mut rates = Vec::new();
    for _ in 0..effort.rounds {
        let floor = asked(empty, effort.span / 2, question).await.rate();
        rates.push((floor, asked(served, effort.span, question).await.rate()));
    }
    let over = |figure: fn(&(f64, f64)) -> f64| median(&rates.iter().map(figure).collect::<Vec<_>>());
    report.note("transport floor", over(|(floor, _)| *floor), "/s", Asked::Nothing, "");
    let rate = over(|(_, rate)| *rate);
    let note = format!("{:.0} % of the floor", 100.0 * over(|(floor, rate)| rate / floor));
    report.note("one product, one country", rate, "/s", Asked::AtLeast(20_000.0), note);
    rate
}

async fn batches(
    served: &[AdSafetyClient<Channel>],
    (effort, question): (Effort, &impl Fn(usize) -> GetVerdictsRequest),
    report: &mut Report,
) {
    let mut rates = Vec::new();
    for _ in 0..effort.rounds {
        rates.push(asked(served, effort.span, question).await.rate());
    }
    let verdicts = (BATCH.0 * BATCH.1.len()) as f64;
    report.note(
        "500 products, 10 countries: verdicts",
        median(&rates) * verdicts,
        "/s",
        Asked::AtLeast(500_000.0),
        "",
    );
}

/// One product in 250 countries.
async fn everywhere(served: &[AdSafetyClient<Channel>], (effort, products): (Effort, usize), report: &mut Report) {
    let codes: Vec<CountryCode> = CountryCode::all().collect();
    let countries: Vec<&str> = codes.iter().map(CountryCode::as_str).collect();
    let question = |question: usize| request(products, question, 1, &countries);
    let took = closed(1, effort.span, |_, n| ask(served[0].clone(), question(n))).await;
    let name = format!("one product, {} countries, median", countries.len());
    report.note(&name, 1e3 * median(&took.answered), "µs", Asked::Nothing, "");
}

/// At a share of capacity, while a model is swapped each second, the policy is edited, and corrections arrive.
async fn storm(
    place: &Place,
    server: &Server,
    served: &[AdSafetyClient<Channel>],
    (effort, capacity, products): (Effort, f64, usize),
    report: &mut Report,
) {
    let span = effort.span * 5;
    let decisions = DecisionsClient::new(server.channel().await);
    let corrected = AtomicU64::new(0);
    let changing = async {
        let mut pace = tokio::time::interval(Duration::from_secs(1));
        for round in 0.. {
            pace.tick().await;
            files::change_in_place(
                &crate::support::place::shipped_version(1 + round % 2),
                &place.version(1),
            );
            let policy = place.model().join("policy.toml");
            let text = std::fs::read_to_string(&policy).unwrap();
            files::write(&policy, format!("{text}\n").as_bytes());
        }
    };
    let correcting = async {
        loop {
            let seq = corrected.fetch_add(1, Ordering::Relaxed);
            decisions.clone().correct(correction(seq, products)).await.unwrap();
        }
    };
    let loaded = open(SHARE * capacity, span, |question| {
        ask(
            served[question % served.len()].clone(),
            request(products, question, 1, &["FR"]),
        )
    });
    let outcome = tokio::select! {
        outcome = loaded => outcome,
        () = changing => unreachable!("it changes for ever"),
        () = correcting => unreachable!("it corrects for ever"),
    };
    let at = |share| quantile(&outcome.answered, share);
    let corrections = corrected.load(Ordering::Relaxed);
    let note = format!(
        "{corrections} corrections, {} swaps, {} failed",
        span.as_secs(),
        outcome.failed.len()
    );
    report.note(
        "70 % of capacity, all changing: 99 %",
        at(0.99),
        "ms",
        Asked::AtMost(2.0),
        note,
    );
    report.note("… 99.9 %", at(0.999), "ms", Asked::AtMost(5.0), "");
}

async fn asked(
    clients: &[AdSafetyClient<Channel>],
    span: Duration,
    question: &impl Fn(usize) -> GetVerdictsRequest,
) -> Outcome {
    let outcome = closed(IN_FLIGHT, span, |caller, n| {
        ask(
            clients[caller % clients.len()].clone(),
            question(n * IN_FLIGHT + caller),
        )
    })
    .await;
    assert_eq!(outcome.failed, Vec::<String>::new());
    outcome
}

async fn ask(mut client: AdSafetyClient<Channel>, request: GetVerdictsRequest) -> Result<(), tonic::Status> {
    client.get_verdicts(request).await.map(drop)
}

/// Products far from each other, as callers ask.
fn request(products: usize, question: usize, count: usize, countries: &[&str]) -> GetVerdictsRequest {
    let key = |n: usize| key(question.wrapping_mul(count).wrapping_add(n).wrapping_mul(2_654_435_761) % products);
    GetVerdictsRequest {
        products: (0..count).map(key).collect(),
        countries: countries.iter().map(ToString::to_string).collect(),
        ..GetVerdictsRequest::default()
    }
}

fn key(number: usize) -> ProductKey {
    ProductKey {
        partner_id: format!("partner-{}", number % 100),
        product_id: format!("product-{number:012}"),
    }
}

fn correction(seq: u64, products: usize) -> CorrectRequest {
    CorrectRequest {
        request_id: format!("bench {seq}"),
        reason: "A person has looked".to_owned(),
        scope: Some(Scope::Product(key(seq as usize * 7919 % products))),
        kind: Some(Kind::Exception(vigie::wire::vigie::Verdict::Block.into())),
        ..CorrectRequest::default()
    }
}

/// Puts decisions on so many products on record.
async fn fill(place: &Place, products: usize) {
    const GROUP: usize = 4096;
    std::fs::create_dir_all(place.data()).unwrap();
    let data = DataDirectory::open(&place.data()).unwrap();
    let records = Records::open_sqlite(&data, SqliteSettings::default()).unwrap();
    let at = Moment::from(SystemTime::now());
    for group in (0..products).step_by(GROUP) {
        let decisions = (group..products.min(group + GROUP)).map(|number| recorded(number, at));
        records.append(decisions.collect()).await.unwrap();
    }
}

fn recorded(number: usize, at: Moment) -> Recorded {
    let ProductKey { partner_id, product_id } = key(number);
    let score = |(place, label): (usize, &&str)| LabelScore {
        label: label.parse().unwrap(),
        probability: Probability::new(((number * 31 + place * 17) % 100) as f32 / 400.0).unwrap(),
    };
    let mut picture = [0; 32];
    picture[..8].copy_from_slice(&(number as u64).to_le_bytes());
    Recorded {
        decision: Decision {
            decision_id: format!("bench-{number}"),
            verdicts: vec![CountryVerdict {
                country: "FR".parse().unwrap(),
                verdict: Verdict::Allow,
                reasons: vec![Reason {
                    source: Source::Model,
                    label: None,
                    score: None,
                    threshold: None,
                    rule: "default".to_owned(),
                    text: "nothing reaches its threshold".to_owned(),
                    losing: false,
                }],
                valid_until: None,
            }],
            scores: LABELS.iter().enumerate().map(score).collect(),
            model: "adsafety".parse().unwrap(),
            version: Version::try_from(1).unwrap(),
            revision: RevisionId(Digest([7; 32])),
            policy_version: PolicyVersion(Digest([9; 32])),
            correction_seq: 0,
            arm: Arm::Stable,
            image_sha256: Some(Digest(picture)),
            known_picture: false,
            trace_id: String::new(),
            decided_at: at,
        },
        origin: Origin::Judged,
        product: Product {
            partner_id,
            product_id,
            title: format!("A thing of everyday use, number {number}"),
            category: format!("Home > Things > {}", number % 500),
            language: "en".to_owned(),
            ..Product::default()
        },
        countries: vec!["FR".parse().unwrap()],
        ad_type: String::new(),
        facts: Default::default(),
        unreadable: None,
        counts: true,
    }
}
