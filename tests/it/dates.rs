//! Dates hold from the very moment on: what is known of a product is judged anew at each question.

use std::time::{Duration, SystemTime};

use vigie::wire::timestamp;
use vigie::wire::vigie::{CorrectRequest, CountryVerdict, Verdict};

use crate::corrections::asking::{Asking, block, plain};
use crate::support::clock::Clock;
use crate::support::{Launch, Place, Server, files};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A server with a calendar of its own and one plain product that it knows.
async fn begin(place: &Place, clock: &Clock) -> (Server, Asking) {
    let launch = Launch::new(place).set("WATCH__RESCAN", "1h");
    let server = clock.on(launch).start_ready();
    let asking = Asking::begin(&server).await;
    asking.classify(plain()).await;
    asking.known(plain()).await;
    (server, asking)
}

fn until(verdict: &CountryVerdict) -> SystemTime {
    let until = verdict.valid_until.expect("it changes by itself");
    SystemTime::try_from(until).unwrap()
}

/// The day so many days from now, in UTC.
fn day(days: u32) -> String {
    let moment = humantime::format_rfc3339_seconds(SystemTime::now() + DAY * days).to_string();
    moment.split('T').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_rule_holds_from_its_first_day_to_its_last_in_the_countrys_own_time() {
    let place = Place::with_versions(&[1]);
    let (first, last) = (day(3), day(4));
    files::edit(&place.model().join("policy.toml"), |text| {
        format!(
            "{text}\n[[rule]]\nid = \"closed\"\nlabel = \"firearm\"\ncountries = [\"NZ\", \"US\"]\nstarts = {first}\nends = {last}\n\
             verdict = \"BLOCK\"\nfrom = 1e-30\ntext = \"Closed for two days.\"\n"
        )
    });
    let clock = Clock::of(&place);
    let (_server, asking) = begin(&place, &clock).await;
    let countries = ["NZ", "US", "FR"];
    let verdicts = async || {
        let told = asking.in_countries(plain(), &countries).await;
        told.iter().map(CountryVerdict::verdict).collect::<Vec<_>>()
    };
    let told = asking.in_countries(plain(), &countries).await;
    assert_eq!(verdicts().await, [Verdict::Allow; 3]);
    let (new_zealand, states) = (until(&told[0]), until(&told[1]));
    assert!(new_zealand + DAY / 2 < states, "its day begins long before: {told:?}");
    clock.turn_to(new_zealand - Duration::from_secs(60));
    assert_eq!(verdicts().await, [Verdict::Allow; 3]);
    clock.turn_to(new_zealand);
    assert_eq!(verdicts().await, [Verdict::Block, Verdict::Allow, Verdict::Allow]);
    clock.turn_to(states);
    assert_eq!(verdicts().await, [Verdict::Block, Verdict::Block, Verdict::Allow]);
    let told = asking.in_countries(plain(), &countries).await;
    assert_eq!(until(&told[0]), new_zealand + DAY * 2, "two days");
    clock.turn_to(until(&told[0]));
    assert_eq!(verdicts().await, [Verdict::Allow, Verdict::Block, Verdict::Allow]);
    clock.turn_to(until(&told[1]));
    assert_eq!(verdicts().await, [Verdict::Allow; 3]);
}

#[tokio::test]
async fn a_correction_ends_at_its_very_moment() {
    let place = Place::with_versions(&[1]);
    let clock = Clock::of(&place);
    let (_server, asking) = begin(&place, &clock).await;
    let ends = SystemTime::now() + DAY * 30;
    let request = CorrectRequest {
        expires_at: Some(timestamp(ends)),
        ..block(plain())
    };
    asking.correct(request).await.unwrap();
    clock.turn_to(ends - DAY);
    assert_eq!(asking.verdict(plain()).await, Verdict::Block);
    clock.turn_to(ends);
    assert_eq!(asking.verdict(plain()).await, Verdict::Allow);
    assert_eq!(asking.classify(plain()).await, Verdict::Allow);
}
