//! What everybody at work on the server shares: where it is at the moment, what is asked, and which answers are right.

use std::collections::BTreeMap;
use std::error::Error;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use vigie::grpc::generated::vigie::ad_safety_client::AdSafetyClient;
use vigie::wire::vigie::{ClassifyRequest, Decision, product};

use super::happened::{Event, Happened};
use crate::support::client::{catalogue, for_countries, of_version, question, score_bits};
use crate::support::{Place, Server};
use crate::under_load::large_jpeg;

/// Pictures of the catalogue that are asked about; after them comes a large one.
pub const PICTURES: usize = 50;
/// The number of the large picture.
pub const LARGE: usize = PICTURES;

/// A server from its start to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    number: u64,
    pub address: SocketAddr,
}

/// Scores and verdicts as they must come.
#[derive(Debug, PartialEq)]
struct Judged {
    scores: Vec<(String, u32)>,
    verdicts: Vec<(String, i32)>,
}

impl Judged {
    fn of(decision: &Decision) -> Self {
        let verdicts = decision.verdicts.iter();
        Self {
            scores: score_bits(decision),
            verdicts: verdicts.map(|each| (each.country.clone(), each.verdict)).collect(),
        }
    }
}

/// See the module.
pub struct World {
    pub place: Place,
    pub happened: Happened,
    pub stop: CancellationToken,
    /// The two revisions that are served in turn.
    pub revisions: [String; 2],
    questions: Vec<ClassifyRequest>,
    /// By revision and picture.
    references: BTreeMap<(String, usize), Judged>,
    /// None while there is no server, or it is being ended.
    now: watch::Sender<Option<Life>>,
}

impl World {
    /// Asks a server of versions 1 and 2 everything of both, before anything is changed.
    pub async fn begin(place: Place, server: &Server) -> Self {
        let of_catalogue =
            (0..PICTURES).map(|picture| catalogue()[picture * (catalogue().len() / PICTURES)].question());
        let questions: Vec<ClassifyRequest> = of_catalogue
            .chain([question(large_jpeg())])
            .map(|asked| for_countries(asked, &["FR", "SA"]))
            .collect();
        let mut references = BTreeMap::new();
        let mut revisions = [String::new(), String::new()];
        for (revision, version) in revisions.iter_mut().zip([1, 2]) {
            for (picture, asked) in questions.iter().enumerate() {
                let decision = server.classify(of_version(asked.clone(), version)).await.unwrap();
                revision.clone_from(&decision.revision);
                references.insert((decision.revision.clone(), picture), Judged::of(&decision));
            }
        }
        Self {
            place,
            happened: Happened::default(),
            stop: CancellationToken::new(),
            revisions,
            questions,
            references,
            now: watch::Sender::new(Some(Life {
                number: 0,
                address: server.grpc,
            })),
        }
    }

    /// The question about a picture.
    pub fn question(&self, picture: usize) -> ClassifyRequest {
        self.questions[picture].clone()
    }

    /// The question about the large picture, in bytes that nobody has asked about: what follows a JPEG's end is not part of it.
    pub fn large_question(&self, number: u64) -> ClassifyRequest {
        let mut asked = self.question(LARGE);
        let picture = asked.product.as_mut().and_then(|product| product.picture.as_mut());
        if let Some(product::Picture::Image(image)) = picture {
            *image = Bytes::from([&image[..], &number.to_be_bytes()].concat());
        }
        asked
    }

    /// Fails where an answer is not, bit for bit, that of the revision which it names.
    pub fn check(&self, picture: usize, decision: &Decision) {
        let expected = self.references.get(&(decision.revision.clone(), picture));
        assert_eq!(
            expected,
            Some(&Judged::of(decision)),
            "picture {picture} by revision {}",
            decision.revision
        );
    }

    /// The server of the moment; waits where there is none, and ends with none when all is to end.
    pub async fn life(&self) -> Option<Life> {
        let mut now = self.now.subscribe();
        tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            life = now.wait_for(Option::is_some) => life.ok().and_then(|life| *life),
        }
    }

    /// Whether that server is still to be asked.
    pub fn lives(&self, life: Life) -> bool {
        !self.stop.is_cancelled() && *self.now.borrow() == Some(life)
    }

    /// From now on calls may fail.
    pub fn ends(&self) {
        self.now.send_replace(None);
    }

    /// A server has come in the place of the last.
    pub fn begins(&self, number: u64, address: SocketAddr) {
        self.now.send_replace(Some(Life { number, address }));
    }

    /// A connection from this address; none where the server is gone.
    pub async fn connected(&self, life: Life, from: IpAddr) -> Option<AdSafetyClient<Channel>> {
        Some(AdSafetyClient::new(self.channel(life, from).await?))
    }

    /// The same for other services.
    pub async fn channel(&self, life: Life, from: IpAddr) -> Option<Channel> {
        let endpoint = Endpoint::from_shared(format!("http://{}", life.address)).unwrap();
        match endpoint.local_address(Some(from)).connect().await {
            Ok(channel) => Some(channel),
            Err(error) => {
                assert!(self.is_over(life), "the server takes no connection: {error:?}");
                None
            }
        }
    }

    /// Notes why a call is not answered; fails where it should have been. One with a deadline may have been given up by its own clock.
    pub fn excuse(&self, status: &Status, life: Life, deadline: bool) {
        // What the server says has no cause on this side.
        let is_ours = status.source().is_some();
        let event = match status.code() {
            Code::ResourceExhausted => Event::Refused,
            Code::DeadlineExceeded if deadline => Event::Refused,
            Code::Cancelled if deadline && status.message().contains("Timeout expired") => Event::Late,
            code if self.is_over(life) && (is_ours || code == Code::Unavailable) => Event::Lost,
            _ => panic!("not answered, and for no good reason: {status:?}"),
        };
        self.happened.note(event);
    }

    fn is_over(&self, life: Life) -> bool {
        *self.now.borrow() != Some(life)
    }
}
