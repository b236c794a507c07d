//! Judging: from what was seen to the decision, by the route's policy.

use std::time::SystemTime;

use super::look::{Outcome, Sight};
use crate::base::{Classification, CountryCode, Decision, now_v7_id};
use crate::plan::Route;
use crate::policy::Case;
use crate::tap::Seen;

/// Makes the decision; gives back what was seen, for whoever looks again.
pub(super) fn judge(
    route: &Route,
    request: &Classification,
    sight: Sight,
    trace_id: String,
) -> (Decision, Option<Seen>) {
    let rest_of_world = [CountryCode::REST_OF_WORLD];
    let countries = if request.countries.is_empty() {
        &rest_of_world[..]
    } else {
        &request.countries
    };
    let known_picture = sight.known;
    let (verdicts, scores, seen) = match sight.outcome {
        Outcome::Scored { scores, seen } => {
            let case = Case {
                scores: &scores,
                countries,
                ad_type: &request.ad_type,
                facts: &request.facts,
                product: &request.product,
            };
            (route.policy.judge(&case), scores.to_vec(), seen)
        }
        Outcome::Unreadable { cause } => (route.policy.unreadable(&cause, countries), Vec::new(), None),
    };
    let decision = Decision {
        decision_id: now_v7_id(),
        verdicts,
        scores,
        model: route.model.clone(),
        version: route.served.version,
        revision: route.served.revision,
        policy_version: route.policy.version(),
        arm: route.arm,
        image_sha256: sight.sha256,
        known_picture,
        trace_id,
        decided_at: SystemTime::now(),
    };
    (decision, seen)
}
