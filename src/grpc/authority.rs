//! Who asks: the token of a call becomes a principal, or the call is refused before its message is read.
//!
//! Every declared method asks for one right. Health and reflection ask for none: machines ask them before they have a token.

use std::future::Future;

use http::{HeaderMap, Request, Response};
use tonic::body::Body;

use super::around::{Answer, Around};
use super::calls::Counter;
use super::status::status;
use crate::accounts::{Accounts, Denied, Right};
use crate::base::{Principal, Refusal};
use crate::wire::{self, Method};

/// Puts the [`Principal`] into the extensions of every request.
#[derive(Clone)]
pub struct AuthorityLayer {
    pub accounts: Accounts,
    pub counter: Counter,
}

impl Around for AuthorityLayer {
    fn around<F, E>(&self, mut request: Request<Body>, inner: impl FnOnce(Request<Body>) -> F) -> Answer<E>
    where
        F: Future<Output = Result<Response<Body>, E>> + Send + 'static,
        E: Send + 'static,
    {
        let Some(method) = wire::method(request.uri().path()) else {
            return Box::pin(inner(request));
        };
        match self.accounts.principal(token(request.headers()), right(method)) {
            Ok(principal) => {
                request.extensions_mut().insert(principal);
                Box::pin(inner(request))
            }
            Err(denied) => {
                let refusal = refusal(denied);
                self.counter.refused(&refusal);
                Box::pin(std::future::ready(Ok(status(refusal).into_http())))
            }
        }
    }
}

/// Whom the layer has found.
pub fn principal_of<T>(request: &tonic::Request<T>) -> Principal {
    request.extensions().get().cloned().unwrap_or_else(Principal::local)
}

/// What a method asks for. One that is new and not named here asks for the most.
fn right(method: &Method) -> Right {
    match (method.service.as_str(), method.name.as_str()) {
        ("vigie.v1.AdSafety", _) => Right::Serve,
        ("vigie.v1.Models", _) => Right::Read,
        ("vigie.v1.Policies", "GetPolicy" | "ValidatePolicy" | "SimulatePolicy" | "Thresholds") => Right::Read,
        ("vigie.v1.Decisions", "Correct" | "RevokeCorrection") => Right::Correct,
        (
            "vigie.v1.Decisions",
            "ListDecisions" | "GetDecision" | "ListCorrections" | "GetPicture" | "Replay" | "Why",
        ) => Right::Read,
        ("vigie.v1.Decisions", "Import" | "ErasePartner") => Right::Operate,
        (
            "inference.GRPCInferenceService",
            "ServerLive" | "ServerReady" | "ModelReady" | "ServerMetadata" | "ModelMetadata" | "ModelConfig"
            | "ModelInfer" | "ModelStreamInfer" | "ModelStatistics" | "RepositoryIndex",
        ) => Right::Serve,
        _ => Right::Operate,
    }
}

fn token(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(http::header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn refusal(denied: Denied) -> Refusal {
    match denied {
        Denied::Unknown(why) => Refusal::unauthenticated(format!(
            "{why}: send `authorization: Bearer TOKEN`; `vigie account issue NAME` makes one"
        )),
        Denied::Lacks { principal, right } => Refusal::denied(format!(
            "the account {principal} lacks the right to {right}: whoever keeps the accounts file can give it"
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn every_declared_method_asks_for_a_right_that_was_thought_of() {
        let mut asked: BTreeMap<Right, Vec<String>> = BTreeMap::new();
        for method in wire::methods() {
            asked.entry(right(method)).or_default().push(method.name.clone());
        }
        asked.values_mut().for_each(|names| names.sort());
        assert_eq!(asked[&Right::Correct], ["Correct", "RevokeCorrection"]);
        let operate = [
            "ApplyPolicy",
            "ErasePartner",
            "Import",
            "LogSettings",
            "RepositoryModelLoad",
            "RepositoryModelUnload",
            "TraceSetting",
        ];
        // Shared memory is refused to everybody.
        let others = asked[&Right::Operate]
            .iter()
            .filter(|name| !name.contains("SharedMemory"));
        assert_eq!(others.collect::<Vec<_>>(), operate);
    }

    #[test]
    fn a_token_stands_after_the_word_bearer() {
        for (value, expected) in [
            ("Bearer vigie_1", Some("vigie_1")),
            ("bearer  vigie_1 ", Some("vigie_1")),
            ("Basic dXNlcg==", None),
            ("vigie_1", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("authorization", value.parse().unwrap());
            assert_eq!(token(&headers), expected, "{value}");
        }
    }
}
