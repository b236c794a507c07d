//! Questions about catalogue products, and what people say of them.

use std::sync::atomic::{AtomicU64, Ordering};

use tonic::Status;
use tonic::transport::Channel;
use vigie::grpc::generated::vigie::ad_safety_client::AdSafetyClient;
use vigie::grpc::generated::vigie::decisions_client::DecisionsClient;
use vigie::wire::vigie::correct_request::{Kind, Scope};
use vigie::wire::vigie::{
    ClassifyRequest, CorrectRequest, Correction, CountryVerdict, Decision, GetDecisionRequest, GetVerdictsRequest,
    ListCorrectionsRequest, ListDecisionsRequest, ProductKey, ProductVerdicts, RecordedDecision,
    RevokeCorrectionRequest, Verdict, View, WrongLabel,
};

use crate::support::Server;
use crate::support::client::{Entry, catalogue, for_countries};
use crate::support::server::PATIENCE;

/// Whose catalogue all products here are from.
const PARTNER: &str = "acme";

/// The first product of the sample catalogue that truly shows a label and nothing else; version 1 finds it.
pub fn shows(label: &str) -> &'static Entry {
    let found = catalogue().iter().filter(|entry| entry.truth == [label]);
    found
        .min_by_key(|entry| entry.product_id.as_str())
        .expect("the catalogue shows it")
}

/// The first that shows nothing at all.
pub fn plain() -> &'static Entry {
    catalogue()
        .iter()
        .find(|entry| entry.truth.is_empty())
        .expect("some products show nothing")
}

pub fn key(entry: &Entry) -> ProductKey {
    ProductKey {
        partner_id: PARTNER.into(),
        product_id: entry.product_id.clone(),
    }
}

fn request(scope: Scope, kind: Kind) -> CorrectRequest {
    static REQUESTS: AtomicU64 = AtomicU64::new(0);
    CorrectRequest {
        request_id: format!("request {}", REQUESTS.fetch_add(1, Ordering::Relaxed)),
        reason: "A person has looked".into(),
        scope: Some(scope),
        kind: Some(kind),
        ..Default::default()
    }
}

pub fn wrong_label(entry: &Entry, label: &str, present: bool) -> CorrectRequest {
    let label = label.to_owned();
    request(
        Scope::Product(key(entry)),
        Kind::WrongLabel(WrongLabel { label, present }),
    )
}

pub fn allow(entry: &Entry) -> CorrectRequest {
    request(Scope::Product(key(entry)), Kind::Exception(Verdict::Allow.into()))
}

pub fn block(entry: &Entry) -> CorrectRequest {
    request(Scope::Product(key(entry)), Kind::Exception(Verdict::Block.into()))
}

pub fn of_partner(verdict: Verdict) -> CorrectRequest {
    request(Scope::PartnerId(PARTNER.into()), Kind::Exception(verdict.into()))
}

pub fn of_picture(sha256: &str, verdict: Verdict) -> CorrectRequest {
    request(Scope::ImageSha256(sha256.into()), Kind::Exception(verdict.into()))
}

/// A caller of one server.
pub struct Asking {
    ad_safety: AdSafetyClient<Channel>,
    decisions: DecisionsClient<Channel>,
}

impl Asking {
    pub async fn begin(server: &Server) -> Self {
        Self {
            ad_safety: server.ad_safety().await,
            decisions: DecisionsClient::new(server.channel().await),
        }
    }

    /// The question about a product of the partner's, for France.
    pub fn question(&self, entry: &Entry) -> ClassifyRequest {
        let mut request = for_countries(entry.question(), &["FR"]);
        request.product.as_mut().expect("a product").partner_id = PARTNER.into();
        request
    }

    pub async fn decide_on(&self, request: ClassifyRequest) -> Decision {
        self.ad_safety
            .clone()
            .classify(request)
            .await
            .expect("a decision")
            .into_inner()
    }

    pub async fn decide(&self, entry: &Entry) -> Decision {
        self.decide_on(self.question(entry)).await
    }

    pub async fn classify(&self, entry: &Entry) -> Verdict {
        self.decide(entry).await.verdicts[0].verdict()
    }

    async fn ask(&self, entry: &Entry, countries: &[&str], view: View) -> ProductVerdicts {
        let request = GetVerdictsRequest {
            products: vec![key(entry)],
            countries: countries.iter().map(ToString::to_string).collect(),
            view: view.into(),
            ..Default::default()
        };
        let answer = self.ad_safety.clone().get_verdicts(request).await.expect("verdicts");
        answer.into_inner().results.remove(0)
    }

    pub async fn verdicts(&self, entry: &Entry, view: View) -> ProductVerdicts {
        self.ask(entry, &["FR"], view).await
    }

    pub async fn in_countries(&self, entry: &Entry, countries: &[&str]) -> Vec<CountryVerdict> {
        self.ask(entry, countries, View::Basic).await.verdicts
    }

    /// Its verdict in France; both views agree on it.
    pub async fn verdict(&self, entry: &Entry) -> Verdict {
        let brief = self.verdicts(entry, View::Basic).await.verdicts[0].verdict();
        let full = self.verdicts(entry, View::Full).await.verdicts[0].verdict();
        assert_eq!(brief, full);
        brief
    }

    /// Waits until what was decided is known.
    pub async fn known(&self, entry: &Entry) {
        self.eventually(async || self.verdicts(entry, View::Basic).await.known)
            .await;
    }

    /// Waits until the verdict is this.
    pub async fn until(&self, entry: &Entry, verdict: Verdict) {
        // One question at a time: between two of them it may come to be so.
        self.eventually(async || self.verdicts(entry, View::Basic).await.verdicts[0].verdict() == verdict)
            .await;
        assert_eq!(self.verdict(entry).await, verdict);
    }

    /// Waits until a decision on it is on record.
    pub async fn on_record(&self, entry: &Entry) {
        self.eventually(async || {
            !self
                .decisions(|query| query.product = Some(key(entry)))
                .await
                .is_empty()
        })
        .await;
    }

    /// Waits until something is so.
    pub async fn eventually(&self, is_so: impl AsyncFn() -> bool) {
        let waited = tokio::time::timeout(PATIENCE, async {
            while !is_so().await {
                tokio::task::yield_now().await;
            }
        });
        waited.await.expect("it never came to be so");
    }

    pub async fn correct(&self, request: CorrectRequest) -> Result<Correction, Status> {
        self.decisions
            .clone()
            .correct(request)
            .await
            .map(tonic::Response::into_inner)
    }

    pub async fn revoke(&self, correction_id: &str) -> Result<Correction, Status> {
        let request = RevokeCorrectionRequest {
            request_id: vigie::base::now_v7_id(),
            correction_id: correction_id.into(),
            reason: "It was not so".into(),
        };
        self.decisions
            .clone()
            .revoke_correction(request)
            .await
            .map(tonic::Response::into_inner)
    }

    pub async fn corrections(&self) -> Vec<Correction> {
        let listed = self
            .decisions
            .clone()
            .list_corrections(ListCorrectionsRequest::default())
            .await;
        listed.expect("corrections").into_inner().corrections
    }

    pub async fn decisions(&self, ask: impl FnOnce(&mut ListDecisionsRequest)) -> Vec<RecordedDecision> {
        let mut request = ListDecisionsRequest::default();
        ask(&mut request);
        let listed = self.decisions.clone().list_decisions(request).await;
        listed.expect("decisions").into_inner().decisions
    }

    pub async fn decision(&self, decision_id: &str) -> Result<RecordedDecision, Status> {
        let decision_id = decision_id.into();
        let found = self
            .decisions
            .clone()
            .get_decision(GetDecisionRequest { decision_id })
            .await;
        found.map(tonic::Response::into_inner)
    }
}
