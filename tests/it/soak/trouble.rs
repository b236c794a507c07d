//! Callers who make trouble: they ask far more than the server can do, leave in the middle, or send garbage.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BufMut};
use futures_util::future::join_all;
use futures_util::stream;
use http::uri::PathAndQuery;
use prost::DecodeError;
use prost::encoding::{DecodeContext, WireType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::client::Grpc;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;
use vigie::wire::vigie::{Decision, Verdict};

use super::callers::{check_item, items, pace};
use super::happened::Event;
use super::world::{LARGE, Life, World};
use crate::support::client::{catalogue, question, within};
use crate::support::server::PATIENCE;

/// How often so many calls come at once, over so many connections.
const EACH_BURST: Duration = Duration::from_millis(1500);
const BURST: u64 = 150;
const CONNECTIONS: u64 = 4;
/// How often a caller leaves, and how often garbage comes.
const EACH_LEAVING: Duration = Duration::from_millis(60);
const EACH_GARBAGE: Duration = Duration::from_millis(60);

const fn at(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(127, 0, 0, last))
}

/// Bursts of large pictures, most with less time than what is before them takes.
pub async fn overload(world: Arc<World>) {
    let (mut number, mut pace) = (0, pace(EACH_BURST));
    while let Some(life) = world.life().await {
        let connections = join_all((0..CONNECTIONS).map(|_| world.connected(life, at(2)))).await;
        let Some(clients) = connections.into_iter().collect::<Option<Vec<_>>>() else {
            continue;
        };
        while world.lives(life) {
            pace.tick().await;
            let calls = (0..BURST).map(|call| {
                let mut request = Request::new(world.large_question(number + call));
                request.set_timeout(Duration::from_millis(20 + 2 * call));
                let (mut client, world) = (clients[(call % CONNECTIONS) as usize].clone(), &world);
                async move {
                    match client.classify(request).await {
                        Ok(answer) => world.check(LARGE, answer.get_ref()),
                        Err(status) => world.excuse(&status, life, true),
                    }
                }
            });
            join_all(calls).await;
            number += BURST;
        }
    }
}

/// Calls that are dropped while they are sent, wait, or are computed; and streams after their first answer.
pub async fn leaving(world: Arc<World>) {
    let (mut number, mut pace) = (1 << 40, pace(EACH_LEAVING));
    while let Some(life) = world.life().await {
        let Some(mut client) = world.connected(life, at(3)).await else {
            continue;
        };
        while world.lives(life) {
            pace.tick().await;
            number += 1;
            if number % 8 == 0 {
                let sent = stream::iter(items(&world, number as usize));
                match client.classify_stream(sent).await {
                    Ok(answers) => match answers.into_inner().message().await {
                        Ok(answer) => {
                            check_item(&world, &answer.unwrap(), life);
                            world.happened.note(Event::Left);
                        }
                        Err(status) => world.excuse(&status, life, false),
                    },
                    Err(status) => world.excuse(&status, life, false),
                }
                continue;
            }
            let asked = client.classify(world.large_question(number));
            match tokio::time::timeout(Duration::from_millis(number % 40), asked).await {
                Err(_) => world.happened.note(Event::Left),
                Ok(Ok(answer)) => world.check(LARGE, answer.get_ref()),
                Ok(Err(status)) => world.excuse(&status, life, false),
            }
        }
    }
}

/// Pictures, messages and bytes that are none.
pub async fn garbage(world: Arc<World>) {
    let (mut number, mut pace) = (0, pace(EACH_GARBAGE));
    while let Some(life) = world.life().await {
        while world.lives(life) {
            pace.tick().await;
            number += 1;
            match number % 3 {
                0 => broken_picture(&world, life, number).await,
                1 => broken_message(&world, life, number).await,
                _ => noise_on_the_port(&world, life, number).await,
            }
        }
    }
}

/// The beginning of a picture: refused, or left to a person where the product has a name.
async fn broken_picture(world: &World, life: Life, number: u64) {
    let whole = catalogue()[number as usize % catalogue().len()].bytes();
    let mut asked = question(whole[..number as usize % (whole.len() / 2)].to_vec());
    let is_named = number.is_multiple_of(2);
    if is_named {
        asked.product.get_or_insert_default().product_id = "p-1".into();
    }
    let Some(mut client) = world.connected(life, at(4)).await else {
        return;
    };
    match client.classify(asked).await {
        Ok(answer) => {
            let decision = answer.get_ref();
            assert!(is_named && decision.scores.is_empty(), "{decision:?}");
            assert_eq!(decision.verdicts[0].verdict(), Verdict::Review, "{decision:?}");
        }
        Err(status) if status.code() == Code::InvalidArgument => assert!(!is_named, "{status:?}"),
        Err(status) => return world.excuse(&status, life, false),
    }
    world.happened.note(Event::BrokenPicture);
}

/// Bytes that no message is encoded to.
async fn broken_message(world: &World, life: Life, number: u64) {
    let message: &[u8] = match number % 4 {
        // A product that claims more than there is, a field number of zero, a number without an end, a group that is never closed.
        0 => &[0x0a, 0xff, 0xff, 0x03, 0x01],
        1 => &[0x02, 0x01, 0x00],
        2 => &[0x30, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
        _ => &[0x0b, 0x0b, 0x0b],
    };
    let Some(channel) = world.channel(life, at(4)).await else {
        return;
    };
    match sent(channel, message.to_vec()).await {
        Err(status) if status.code() == Code::InvalidArgument => world.happened.note(Event::BrokenMessage),
        Err(status) => world.excuse(&status, life, false),
        Ok(()) => panic!("{message:x?} was answered"),
    }
}

async fn sent(channel: tonic::transport::Channel, message: Vec<u8>) -> Result<(), Status> {
    let mut client = Grpc::new(channel);
    client.ready().await.map_err(|error| Status::from_error(error.into()))?;
    let codec: ProstCodec<Garbage, Decision> = ProstCodec::default();
    let method = PathAndQuery::from_static("/vigie.v1.AdSafety/Classify");
    client
        .unary(Request::new(Garbage(message)), method, codec)
        .await
        .map(drop)
}

/// What is no HTTP/2, or stops to be.
async fn noise_on_the_port(world: &World, life: Life, number: u64) {
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let noise: Vec<u8> = (0..1000_u64)
        .map(|at| ((at + 1000 * number).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8)
        .collect();
    let bytes = match number % 4 {
        0 => noise,
        1 => [PREFACE, &noise].concat(),
        2 => b"GET / HTTP/1.1\r\nHost: server\r\n\r\n".to_vec(),
        // Settings, and a frame of sixteen megabytes that never comes.
        _ => [
            PREFACE,
            &[0, 0, 0, 4, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1],
        ]
        .concat(),
    };
    let exchange = async {
        let mut stream = TcpStream::connect(life.address).await?;
        stream.write_all(&bytes).await?;
        stream.shutdown().await?;
        stream.read_to_end(&mut Vec::new()).await
    };
    // That the connection is reset is an answer, too; that it is kept for ever is none.
    within(PATIENCE, exchange).await.ok();
    world.happened.note(Event::Noise);
}

/// Any bytes in the place of a message.
#[derive(Debug, Default)]
struct Garbage(Vec<u8>);

impl prost::Message for Garbage {
    fn encode_raw(&self, buf: &mut impl BufMut) {
        buf.put_slice(&self.0);
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buf: &mut impl Buf,
        ctx: DecodeContext,
    ) -> Result<(), DecodeError> {
        prost::encoding::skip_field(wire_type, tag, buf, ctx)
    }

    fn encoded_len(&self) -> usize {
        self.0.len()
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}
