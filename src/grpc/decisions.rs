//! The service of decisions on record and of corrections.

use std::time::SystemTime;

use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use super::authority::principal_of;
use super::calls::Counter;
use super::decisions_data::Pieces;
use super::generated::vigie::decisions_server::Decisions;
use super::status::status;
use super::streams::Streams;
use crate::base::{Moment, Refusal};
use crate::control::{About, Corrections, Replays, WhyAsk};
use crate::observe::{Erasing, Importer, OnRecord};
use crate::store::{CorrectionQuery, DecisionQuery, PAGE};
use crate::wire::{self, vigie};

/// Entries of a page where none is asked for.
const USUAL_PAGE: usize = 100;

/// See the module.
#[derive(Clone)]
pub struct DecisionsService {
    pub on_record: OnRecord,
    pub corrections: Corrections,
    pub importer: Importer,
    pub erasing: Erasing,
    pub replays: Replays,
    pub counter: Counter,
    pub streams: Streams,
    pub stop: CancellationToken,
}

#[tonic::async_trait]
impl Decisions for DecisionsService {
    async fn list_decisions(
        &self,
        request: Request<vigie::ListDecisionsRequest>,
    ) -> Result<Response<vigie::ListDecisionsResponse>, Status> {
        let listed = match decision_query(request.into_inner()) {
            Ok(query) => self.on_record.list(query).await,
            Err(refusal) => Err(refusal),
        };
        let page = self.told(listed)?;
        Ok(Response::new(vigie::ListDecisionsResponse {
            decisions: page.items.into_iter().map(Into::into).collect(),
            next_cursor: page.next.unwrap_or_default(),
        }))
    }

    async fn get_decision(
        &self,
        request: Request<vigie::GetDecisionRequest>,
    ) -> Result<Response<vigie::RecordedDecision>, Status> {
        let found = self.on_record.get(&request.into_inner().decision_id).await;
        Ok(Response::new(self.told(found)?.into()))
    }

    async fn correct(&self, request: Request<vigie::CorrectRequest>) -> Result<Response<vigie::Correction>, Status> {
        let author = principal_of(&request);
        let corrected = match request.into_inner().into_correction() {
            Ok((request_id, new)) => self.corrections.correct(request_id, new, author).await,
            Err(refusal) => Err(refusal),
        };
        Ok(Response::new(self.told(corrected)?.into()))
    }

    async fn revoke_correction(
        &self,
        request: Request<vigie::RevokeCorrectionRequest>,
    ) -> Result<Response<vigie::Correction>, Status> {
        let author = principal_of(&request);
        let request = request.into_inner();
        let revoked = match revocation(request) {
            Ok((request_id, correction_id, reason)) => {
                self.corrections.revoke(request_id, correction_id, reason, author).await
            }
            Err(refusal) => Err(refusal),
        };
        Ok(Response::new(self.told(revoked)?.into()))
    }

    async fn list_corrections(
        &self,
        request: Request<vigie::ListCorrectionsRequest>,
    ) -> Result<Response<vigie::ListCorrectionsResponse>, Status> {
        let listed = match correction_query(request.into_inner()) {
            Ok(query) => self.corrections.list(query).await,
            Err(refusal) => Err(refusal),
        };
        let page = self.told(listed)?;
        Ok(Response::new(vigie::ListCorrectionsResponse {
            corrections: page.items.into_iter().map(Into::into).collect(),
            next_cursor: page.next.unwrap_or_default(),
        }))
    }

    async fn import(
        &self,
        request: Request<Streaming<vigie::ImportRequest>>,
    ) -> Result<Response<vigie::ImportResponse>, Status> {
        self.import_all(request).await
    }

    async fn erase_partner(
        &self,
        request: Request<vigie::ErasePartnerRequest>,
    ) -> Result<Response<vigie::ErasePartnerResponse>, Status> {
        self.erase(request).await
    }

    type GetPictureStream = Pieces;

    async fn get_picture(
        &self,
        request: Request<vigie::GetPictureRequest>,
    ) -> Result<Response<Self::GetPictureStream>, Status> {
        self.picture(request).await
    }

    async fn replay(&self, request: Request<vigie::ReplayRequest>) -> Result<Response<vigie::ReplayResponse>, Status> {
        let replayed = match decision_id(request.into_inner().decision_id) {
            Ok(decision_id) => self.replays.replay(decision_id).await,
            Err(refusal) => Err(refusal),
        };
        Ok(Response::new(self.told(replayed)?.into()))
    }

    async fn why(&self, request: Request<vigie::WhyRequest>) -> Result<Response<vigie::WhyResponse>, Status> {
        let told = match why_ask(request.into_inner()) {
            Ok(ask) => self.replays.why(ask).await,
            Err(refusal) => Err(refusal),
        };
        Ok(Response::new(self.told(told)?.into()))
    }
}

impl DecisionsService {
    pub(super) fn told<T>(&self, outcome: Result<T, Refusal>) -> Result<T, Status> {
        outcome.map_err(|refusal| {
            self.counter.refused(&refusal);
            status(refusal)
        })
    }
}

fn page_length(asked: u32) -> usize {
    match usize::try_from(asked) {
        Ok(0) => USUAL_PAGE,
        Ok(asked) => asked.min(PAGE),
        Err(_) => PAGE,
    }
}

/// A text that asks for something, where it is not empty.
fn filled(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn decision_query(request: vigie::ListDecisionsRequest) -> Result<DecisionQuery, Refusal> {
    let verdict = wire::verdict("verdict", request.verdict)?;
    if request.country.is_some() && verdict.is_none() {
        return Err(Refusal::invalid(
            "country",
            "is given without a verdict: name the verdict that is looked for there",
        ));
    }
    Ok(DecisionQuery {
        product: request
            .product
            .map(|key| wire::product_key("product", key))
            .transpose()?,
        partner: filled(request.partner_id),
        image_sha256: wire::optional("image_sha256", &request.image_sha256)?,
        model: wire::optional("model", &request.model)?,
        version: request
            .version
            .map(|number| wire::version("version", number))
            .transpose()?,
        policy_version: wire::optional("policy_version", &request.policy_version)?,
        label: wire::optional("label", &request.label)?,
        verdict,
        country: request.country.map(|code| wire::parsed("country", &code)).transpose()?,
        source: None,
        since: moment("since", request.since)?,
        until: moment("until", request.until)?,
        cursor: filled(request.cursor),
        limit: page_length(request.limit),
    })
}

fn moment(field: &str, at: Option<wire::Timestamp>) -> Result<Option<Moment>, Refusal> {
    at.map(|at| wire::moment(field, at)).transpose()
}

fn correction_query(request: vigie::ListCorrectionsRequest) -> Result<CorrectionQuery, Refusal> {
    let now = SystemTime::now().into();
    Ok(CorrectionQuery {
        product: request
            .product
            .map(|key| wire::product_key("product", key))
            .transpose()?,
        picture: wire::optional("image_sha256", &request.image_sha256)?,
        partner: filled(request.partner_id),
        whole_partner: None,
        author: wire::optional("author", &request.author)?,
        active_at: (!request.include_ended).then_some(now),
        cursor: filled(request.cursor),
        limit: page_length(request.limit),
    })
}

fn revocation(request: vigie::RevokeCorrectionRequest) -> Result<(String, String, String), Refusal> {
    if request.correction_id.is_empty() {
        return Err(Refusal::invalid(
            "correction_id",
            "is missing: ListCorrections tells the identities",
        ));
    }
    Ok((
        wire::request_id(request.request_id)?,
        request.correction_id,
        wire::reason(request.reason)?,
    ))
}

fn decision_id(text: String) -> Result<String, Refusal> {
    if text.is_empty() {
        let message = "is missing: ListDecisions tells the identities";
        return Err(Refusal::invalid("decision_id", message));
    }
    Ok(text)
}

fn why_ask(request: vigie::WhyRequest) -> Result<WhyAsk, Refusal> {
    use vigie::why_request::About as Asked;
    let about = match request.about {
        Some(Asked::Product(key)) => About::Product(wire::product_key("product", key)?),
        Some(Asked::DecisionId(id)) => About::Decision(decision_id(id)?),
        None => {
            let message = "nothing is named: give a product or a decision_id";
            return Err(Refusal::invalid("about", message));
        }
    };
    Ok(WhyAsk {
        about,
        at: moment("at", request.at)?,
        countries: wire::countries(&request.countries)?,
    })
}
