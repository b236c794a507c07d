//! A caller of our own services, for the command line: connects once, says in plain words why it could not.
//!
//! It hides the transport: requests and answers are `wire` messages, errors are [`ClientError`].

use std::time::Duration;

use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

use super::generated::vigie::ad_safety_client::AdSafetyClient;
use super::generated::vigie::decisions_client::DecisionsClient;
use super::generated::vigie::models_client::ModelsClient;
use super::generated::vigie::policies_client::PoliciesClient;
use crate::wire::vigie::{
    ApplyPolicyRequest, ApplyPolicyResponse, ClassifyRequest, CorrectRequest, Correction, Decision,
    ErasePartnerRequest, ErasePartnerResponse, GetDecisionRequest, GetModelRequest, GetPictureRequest,
    GetPolicyRequest, GetPolicyResponse, GetVerdictsRequest, GetVerdictsResponse, ImportRequest, ImportResponse,
    ListCorrectionsRequest, ListCorrectionsResponse, ListDecisionsRequest, ListDecisionsResponse, ListFlipsRequest,
    ListFlipsResponse, ListModelsRequest, ListModelsResponse, Model, RecordedDecision, ReplayRequest, ReplayResponse,
    RevokeCorrectionRequest, SimulatePolicyRequest, SimulatePolicyResponse, StreamRequest, StreamResult,
    ThresholdsRequest, ThresholdsResponse, WatchModelsRequest, WatchModelsResponse, WatchVerdictsRequest,
    WatchVerdictsResponse, WhyRequest, WhyResponse,
};

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection with a call on it may be silent before it is asked whether it lives, and how long the answer may take.
const KEEPALIVE: Duration = Duration::from_secs(20);
/// The largest answer taken: a list of models or flips may be long.
const MAX_ANSWER_BYTES: usize = 64 << 20;

/// Why a call has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    #[error("{server:?} is not an address: HOST:PORT such as 127.0.0.1:8001 is expected")]
    Address { server: String },
    #[error(
        "cannot reach {server}: {cause}; is the server running? start it with `vigie serve`, or name it with --server"
    )]
    Unreachable { server: String, cause: String },
    #[error("the token is not one: letters, digits and punctuation are expected; is VIGIE_TOKEN whole?")]
    Token,
    /// The server said no; `code` is the name that gRPC gives it, such as `NOT_FOUND`.
    #[error("{code}: {message}")]
    Refused { code: &'static str, message: String },
}

impl From<tonic::Status> for ClientError {
    fn from(status: tonic::Status) -> Self {
        // The transport's own clock says CANCELLED where it means that the caller's deadline has passed.
        let expired = status.code() == Code::Cancelled && status.message() == "Timeout expired";
        let code = if expired { Code::DeadlineExceeded } else { status.code() };
        Self::Refused {
            code: super::status::code_name(code),
            message: status.message().to_owned(),
        }
    }
}

/// The answers of a stream, as they come.
pub type Answers<T> = BoxStream<'static, Result<T, ClientError>>;

/// A connection to a server. Cheap to clone; clones share it.
#[derive(Clone)]
pub struct Client {
    channel: Channel,
    authority: Authority,
}

/// Sends the caller's token with every call, where there is one.
#[derive(Clone)]
struct Authority(Option<MetadataValue<Ascii>>);

impl Interceptor for Authority {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.0 {
            request.metadata_mut().insert("authorization", token.clone());
        }
        Ok(request)
    }
}

/// A channel that says who asks.
type Authorised = InterceptedService<Channel, Authority>;

impl Client {
    /// Connects to `HOST:PORT`, without encryption; a token says who asks.
    pub async fn connect(server: &str, token: Option<&str>) -> Result<Self, ClientError> {
        let bearer = token.map(|token| format!("Bearer {token}").parse());
        let mut bearer: Option<MetadataValue<Ascii>> = bearer.transpose().map_err(|_| ClientError::Token)?;
        if let Some(bearer) = &mut bearer {
            bearer.set_sensitive(true);
        }
        let address = server.strip_prefix("http://").unwrap_or(server);
        let endpoint = Endpoint::from_shared(format!("http://{address}")).map_err(|_| ClientError::Address {
            server: server.to_owned(),
        })?;
        let endpoint = endpoint
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEPALIVE)
            .keep_alive_timeout(KEEPALIVE)
            .initial_stream_window_size(1 << 20)
            .initial_connection_window_size(8 << 20);
        let channel = endpoint.connect().await.map_err(|error| ClientError::Unreachable {
            server: server.to_owned(),
            cause: innermost(&error),
        })?;
        Ok(Self {
            channel,
            authority: Authority(bearer),
        })
    }

    /// Judges one product, before a deadline where one is given.
    pub async fn classify(&self, request: ClassifyRequest, timeout: Option<Duration>) -> Result<Decision, ClientError> {
        let mut request = tonic::Request::new(request);
        if let Some(timeout) = timeout {
            request.set_timeout(timeout);
        }
        Ok(self.ad_safety().classify(request).await?.into_inner())
    }

    /// Judges many products; answers come in any order. The stream of answers ends with the requests' or with its first error.
    pub async fn classify_stream(
        &self,
        requests: impl Stream<Item = StreamRequest> + Send + 'static,
    ) -> Result<Answers<StreamResult>, ClientError> {
        let answers = self.ad_safety().classify_stream(requests).await?.into_inner();
        Ok(answers.map(|answer| answer.map_err(ClientError::from)).boxed())
    }

    /// Verdicts on known products.
    pub async fn get_verdicts(&self, request: GetVerdictsRequest) -> Result<GetVerdictsResponse, ClientError> {
        Ok(self.ad_safety().get_verdicts(request).await?.into_inner())
    }

    /// Verdicts on known products as they change.
    pub async fn watch_verdicts(
        &self,
        request: WatchVerdictsRequest,
    ) -> Result<Answers<WatchVerdictsResponse>, ClientError> {
        let told = self.ad_safety().watch_verdicts(request).await?.into_inner();
        Ok(told.map(|told| told.map_err(ClientError::from)).boxed())
    }

    /// A page of decisions on record.
    pub async fn list_decisions(&self, request: ListDecisionsRequest) -> Result<ListDecisionsResponse, ClientError> {
        Ok(self.decisions().list_decisions(request).await?.into_inner())
    }

    /// One decision on record.
    pub async fn get_decision(&self, decision_id: &str) -> Result<RecordedDecision, ClientError> {
        let decision_id = decision_id.to_owned();
        let request = GetDecisionRequest { decision_id };
        Ok(self.decisions().get_decision(request).await?.into_inner())
    }

    /// Corrects a judgement.
    pub async fn correct(&self, request: CorrectRequest) -> Result<Correction, ClientError> {
        Ok(self.decisions().correct(request).await?.into_inner())
    }

    /// Ends a correction.
    pub async fn revoke_correction(&self, request: RevokeCorrectionRequest) -> Result<Correction, ClientError> {
        Ok(self.decisions().revoke_correction(request).await?.into_inner())
    }

    /// Makes a decision again.
    pub async fn replay(&self, decision_id: &str) -> Result<ReplayResponse, ClientError> {
        let decision_id = decision_id.to_owned();
        let request = ReplayRequest { decision_id };
        Ok(self.decisions().replay(request).await?.into_inner())
    }

    /// What made a verdict change.
    pub async fn why(&self, request: WhyRequest) -> Result<WhyResponse, ClientError> {
        Ok(self.decisions().why(request).await?.into_inner())
    }

    /// The policy in force of a model; of the one that judges where the name is empty.
    pub async fn get_policy(&self, model: &str) -> Result<GetPolicyResponse, ClientError> {
        let model = model.to_owned();
        Ok(self
            .policies()
            .get_policy(GetPolicyRequest { model })
            .await?
            .into_inner())
    }

    /// What a draft would change: how far it is, again and again, and at last what it is.
    pub async fn simulate_policy(
        &self,
        request: SimulatePolicyRequest,
    ) -> Result<Answers<SimulatePolicyResponse>, ClientError> {
        let answers = self.policies().simulate_policy(request).await?.into_inner();
        Ok(answers.map(|answer| answer.map_err(ClientError::from)).boxed())
    }

    /// Takes a policy that waits into force.
    pub async fn apply_policy(&self, request: ApplyPolicyRequest) -> Result<ApplyPolicyResponse, ClientError> {
        Ok(self.policies().apply_policy(request).await?.into_inner())
    }

    /// What thresholds would do: how far it is, again and again, then what it goes by, then a curve for each label.
    pub async fn thresholds(&self, request: ThresholdsRequest) -> Result<Answers<ThresholdsResponse>, ClientError> {
        let answers = self.policies().thresholds(request).await?.into_inner();
        Ok(answers.map(|answer| answer.map_err(ClientError::from)).boxed())
    }

    /// A page of corrections on record.
    pub async fn list_corrections(
        &self,
        request: ListCorrectionsRequest,
    ) -> Result<ListCorrectionsResponse, ClientError> {
        Ok(self.decisions().list_corrections(request).await?.into_inner())
    }

    /// Takes over what another system decided, group by group.
    pub async fn import(
        &self,
        groups: impl Stream<Item = ImportRequest> + Send + 'static,
    ) -> Result<ImportResponse, ClientError> {
        Ok(self.decisions().import(groups).await?.into_inner())
    }

    /// Erases a partner, or counts what there is of it.
    pub async fn erase_partner(&self, request: ErasePartnerRequest) -> Result<ErasePartnerResponse, ClientError> {
        Ok(self.decisions().erase_partner(request).await?.into_inner())
    }

    /// The encoded bytes of a picture, by their SHA-256 in hexadecimal; none where it is not kept.
    pub async fn get_picture(&self, image_sha256: &str) -> Result<Option<Vec<u8>>, ClientError> {
        let image_sha256 = image_sha256.to_owned();
        let answered = self.decisions().get_picture(GetPictureRequest { image_sha256 }).await;
        let mut pieces = match answered {
            Err(status) if status.code() == Code::NotFound => return Ok(None),
            answered => answered?.into_inner(),
        };
        let mut picture = Vec::new();
        while let Some(answer) = pieces.message().await? {
            picture.extend_from_slice(&answer.piece);
        }
        Ok(Some(picture))
    }

    /// Every version of every model.
    pub async fn list_models(&self) -> Result<ListModelsResponse, ClientError> {
        Ok(self.models().list_models(ListModelsRequest {}).await?.into_inner())
    }

    /// One model and its versions.
    pub async fn get_model(&self, model: &str) -> Result<Model, ClientError> {
        let model = model.to_owned();
        Ok(self.models().get_model(GetModelRequest { model }).await?.into_inner())
    }

    /// The state of a model, or of all where the name is empty: now, and after each change.
    pub async fn watch_models(&self, model: &str) -> Result<Answers<WatchModelsResponse>, ClientError> {
        let model = model.to_owned();
        let views = self
            .models()
            .watch_models(WatchModelsRequest { model })
            .await?
            .into_inner();
        Ok(views.map(|view| view.map_err(ClientError::from)).boxed())
    }

    /// The last flips of a model, the newest first; 0 asks for the server's usual number.
    pub async fn list_flips(&self, model: &str, limit: u32) -> Result<ListFlipsResponse, ClientError> {
        let model = model.to_owned();
        Ok(self
            .models()
            .list_flips(ListFlipsRequest { model, limit })
            .await?
            .into_inner())
    }

    fn ad_safety(&self) -> AdSafetyClient<Authorised> {
        AdSafetyClient::with_interceptor(self.channel.clone(), self.authority.clone())
            .max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    fn decisions(&self) -> DecisionsClient<Authorised> {
        DecisionsClient::with_interceptor(self.channel.clone(), self.authority.clone())
            .max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    fn policies(&self) -> PoliciesClient<Authorised> {
        PoliciesClient::with_interceptor(self.channel.clone(), self.authority.clone())
            .max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    fn models(&self) -> ModelsClient<Authorised> {
        ModelsClient::with_interceptor(self.channel.clone(), self.authority.clone())
            .max_decoding_message_size(MAX_ANSWER_BYTES)
    }
}

/// What lies at the bottom of an error: "Connection refused", and not "transport error".
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_that_is_not_there_is_told_with_what_to_do() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let server = free.local_addr().unwrap().to_string();
        drop(free);
        let Err(error) = Client::connect(&server, None).await else {
            panic!("nobody listens on {server}");
        };
        assert!(error.to_string().contains("vigie serve"), "{error}");
        assert!(matches!(
            Client::connect("no address", None).await,
            Err(ClientError::Address { .. })
        ));
    }
}
