//! Judging: from what was seen to the decision, by the route's policy and by what people said.

use std::time::SystemTime;

use super::look::{Outcome, Sight};
use crate::base::{Classification, Decision, now_v7_id};
use crate::ledger::Ledger;
use crate::plan::Route;
use crate::policy::{self, Case, Facts, Matched, Subject, Texts};
use crate::tap::Seen;

/// A decision, and what else came of making it.
pub(super) struct Made {
    pub decision: Decision,
    /// Which keyword rules found a word in the texts.
    pub matched: Matched,
    /// What was seen, for whoever looks again.
    pub seen: Option<Seen>,
    /// Why the picture could not be judged.
    pub unreadable: Option<String>,
}

/// Makes the decision.
pub(super) fn judge(
    (route, ledger): (&Route, &Ledger),
    request: &Classification,
    sight: Sight,
    trace_id: String,
) -> Made {
    let now = SystemTime::now();
    // Read before the corrections are, so that it never claims more than was seen.
    let correction_seq = ledger.applied_seq();
    let matched = route.policy.matches(&Texts::of(&request.product));
    let (scores, seen, unreadable) = match sight.outcome {
        Outcome::Scored { scores, seen } => (scores.to_vec(), seen, None),
        Outcome::Unreadable { cause } => (Vec::new(), None, Some(cause)),
    };
    let look = match &unreadable {
        None => policy::Seen::Scored(&scores),
        Some(cause) => policy::Seen::Unreadable(cause),
    };
    let subject = Subject::of(&request.product, sight.sha256, &matched);
    let key = request.product.key();
    let partner = &request.product.partner_id;
    let verdicts = ledger.corrections_on(key.as_ref(), sight.sha256.as_ref(), partner, |corrections| {
        let corrections: Vec<_> = corrections.iter().collect();
        route.policy.judge(&Case {
            at: now.into(),
            countries: &request.countries,
            ad_type: &request.ad_type,
            facts: Facts::given(&request.facts),
            subject,
            look,
            corrections: &corrections,
        })
    });
    let decision = Decision {
        decision_id: now_v7_id(),
        verdicts,
        scores,
        model: route.model.clone(),
        version: route.served.version,
        revision: route.served.revision,
        policy_version: route.policy.version(),
        correction_seq,
        arm: route.arm,
        image_sha256: sight.sha256,
        known_picture: sight.known,
        trace_id,
        decided_at: now.into(),
    };
    Made {
        decision,
        matched,
        seen,
        unreadable,
    }
}
