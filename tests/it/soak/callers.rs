//! Callers who want answers: live ones, one call after another, and bulk ones over streams. Each answer is checked.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream;
use tokio::time::{Interval, MissedTickBehavior, interval};
use tonic::{Status, Streaming};
use vigie::wire::vigie::stream_result::Result as ItemResult;
use vigie::wire::vigie::{StreamRequest, StreamResult};

use super::happened::Event;
use super::world::{Life, PICTURES, World};

/// How often each live caller asks, and each bulk caller opens a stream: they leave the server time for the rest.
const EACH_CALL: Duration = Duration::from_millis(40);
const EACH_STREAM: Duration = Duration::from_millis(400);
/// Products of one stream.
const ITEMS: usize = 24;
/// Where these callers are: an address of their own, so that whoever floods the server shares the cores with them and does not starve them.
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 1));

/// Ticks at least so far apart, however long what is done between them takes.
pub fn pace(each: Duration) -> Interval {
    let mut pace = interval(each);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pace
}

/// One call after another.
pub async fn live(world: Arc<World>, caller: usize) {
    let (mut picture, mut pace) = (caller, pace(EACH_CALL));
    while let Some(life) = world.life().await {
        let Some(mut client) = world.connected(life, HERE).await else {
            continue;
        };
        while world.lives(life) {
            pace.tick().await;
            picture = (picture + 1) % PICTURES;
            match client.classify(world.question(picture)).await {
                Ok(answer) => {
                    world.check(picture, answer.get_ref());
                    world.happened.note(Event::Live);
                }
                Err(status) => world.excuse(&status, life, false),
            }
        }
    }
}

/// One stream after another.
pub async fn bulk(world: Arc<World>, caller: usize) {
    let (mut first, mut pace) = (caller, pace(EACH_STREAM));
    while let Some(life) = world.life().await {
        let Some(mut client) = world.connected(life, HERE).await else {
            continue;
        };
        while world.lives(life) {
            pace.tick().await;
            first += ITEMS;
            match client.classify_stream(stream::iter(items(&world, first))).await {
                Ok(answers) => read(&world, answers.into_inner(), life).await,
                Err(status) => world.excuse(&status, life, false),
            }
        }
    }
}

/// A stream's questions, each under the number of its picture.
pub fn items(world: &World, first: usize) -> Vec<StreamRequest> {
    let item = |at: usize| StreamRequest {
        correlation_id: (at % PICTURES).to_string(),
        timeout_ms: None,
        request: Some(world.question(at % PICTURES)),
    };
    (first..first + ITEMS).map(item).collect()
}

/// Checks one answer of a stream.
pub fn check_item(world: &World, answer: &StreamResult, life: Life) {
    match answer.result.as_ref().unwrap() {
        ItemResult::Decision(decision) => {
            world.check(answer.correlation_id.parse().unwrap(), decision);
            world.happened.note(Event::Bulk);
        }
        ItemResult::Error(error) => world.excuse(&Status::new(error.code.into(), error.message.as_str()), life, false),
    }
}

async fn read(world: &World, mut answers: Streaming<StreamResult>, life: Life) {
    let mut got = 0;
    loop {
        match answers.message().await {
            Ok(Some(answer)) => {
                check_item(world, &answer, life);
                got += 1;
            }
            Ok(None) => {
                assert_eq!(got, ITEMS, "a stream ended without an answer to each of its items");
                return;
            }
            Err(status) => return world.excuse(&status, life, false),
        }
    }
}
