//! Verdicts on known products: no picture, no inference. What is known is judged at each call by the plan of that moment, so that a policy, a date,
//! a correction or a fact holds from the next call on.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::Serving;
use crate::base::{
    CountryVerdict, ImportedVerdict, LabelScore, Moment, Money, ProductKey, ProductVerdicts, Refusal, Target, Telling,
    Verdict, VerdictsAsk,
};
use crate::ledger::{Corrections, Found, View};
use crate::plan::Route;
use crate::policy::{Case, Facts, Matched, Seen, Subject};

/// Verdicts that are made before others on the same thread have their turn: some tenths of a millisecond's worth.
pub(super) const AT_ONCE: usize = 512;

/// Why nothing can be said of a product while a new policy's keywords are looked for.
const NOT_SEARCHED: &str = "its texts have not been searched yet for the keywords of the policy in force";

impl Serving {
    /// Answers in the order asked. It takes no place among the requests in flight, and no core: it is less work than refusing it.
    ///
    /// # Errors
    /// Where no model can judge, or none has a policy.
    pub async fn verdicts(&self, ask: VerdictsAsk) -> Result<Vec<ProductVerdicts>, Refusal> {
        let route = self.admission.plan().route(None, &Target::Plan)?;
        let at = SystemTime::now().into();
        let keywords = route.policy.keywords_mark();
        let mut scratch = Scratch::default();
        let mut answers = Vec::with_capacity(ask.products.len());
        let mut since_turn = 0;
        for key in &ask.products {
            since_turn += ask.countries.len().max(1);
            if since_turn > AT_ONCE {
                since_turn = 0;
                tokio::task::yield_now().await;
            }
            let bench = Bench {
                route: &route,
                ask: &ask,
                at,
                keywords,
            };
            let verdicts = self
                .ledger
                .read(&key.partner_id, &key.product_id, |known, corrections| {
                    let is_known = known.is_some();
                    let verdicts = bench.judge(key, known, corrections, &mut scratch, |case| bench.tell(case));
                    (verdicts, is_known)
                });
            answers.push(ProductVerdicts {
                product: key.clone(),
                verdicts: verdicts.0,
                known: verdicts.1,
            });
        }
        Ok(answers)
    }
}

/// Buffers that one product after another is unpacked into.
#[derive(Default)]
pub(super) struct Scratch {
    scores: Vec<LabelScore>,
    facts: BTreeMap<String, String>,
    imported: Vec<ImportedVerdict>,
}

/// By what all products of one question are judged.
pub(super) struct Bench<'a> {
    pub route: &'a Route,
    pub ask: &'a VerdictsAsk,
    pub at: Moment,
    /// Of the policy's keyword rules.
    pub keywords: u64,
}

impl Bench<'_> {
    /// Makes a case of what is known of a product and of what was said of it, and has it told.
    pub fn judge<R>(
        &self,
        key: &ProductKey,
        known: Option<View<'_>>,
        corrections: Corrections<'_>,
        scratch: &mut Scratch,
        tell: impl FnOnce(&Case<'_>) -> R,
    ) -> R {
        let corrections: Vec<_> = corrections.iter().collect();
        let Some(known) = known else {
            let subject = Subject::unknown(&key.partner_id, &key.product_id);
            return tell(&self.case(subject, Facts::given(&self.ask.facts), Seen::Unknown, &corrections));
        };
        let price = known.price().map(|price| Money {
            units: price.units,
            nanos: price.nanos,
            currency: price.currency.to_owned(),
        });
        let matched = known.matched(self.keywords).map(Matched::from_numbers);
        let stale = matched.is_none() && self.route.policy.has_keywords();
        let matched = matched.unwrap_or_default();
        let subject = Subject {
            partner_id: &key.partner_id,
            product_id: &key.product_id,
            category: known.category(),
            price: price.as_ref(),
            image_sha256: known.image_sha256(),
            texts: known.texts(),
            matched: &matched,
        };
        scratch.facts.clear();
        scratch
            .facts
            .extend(known.facts().map(|(name, value)| (name.to_owned(), value.to_owned())));
        let Scratch {
            scores,
            facts,
            imported,
        } = scratch;
        let facts = Facts {
            given: &self.ask.facts,
            known: facts,
        };
        let look = match (stale, self.seen(&known, scores, imported)) {
            (true, Seen::Imported(_)) => {
                // Another system's BLOCK holds meanwhile.
                for said in imported.iter_mut().filter(|said| said.verdict == Verdict::Allow) {
                    said.verdict = Verdict::Review;
                    said.reason = NOT_SEARCHED.to_owned();
                }
                Seen::Imported(imported)
            }
            (true, _) => Seen::Unreadable(NOT_SEARCHED),
            (false, seen) => seen,
        };
        tell(&self.case(subject, facts, look, &corrections))
    }

    /// What the live revision made of the picture; until it has looked, what the last one did that was not rolled back.
    fn seen<'s>(
        &self,
        known: &View<'s>,
        scores: &'s mut Vec<LabelScore>,
        imported: &'s mut Vec<ImportedVerdict>,
    ) -> Seen<'s> {
        let look = known
            .look_of(&self.route.served.revision)
            .or_else(|| known.looks().next());
        match look.map(|look| look.found) {
            Some(Found::Scores(found)) => {
                scores.clear();
                scores.extend(found.iter().map(|(label, probability)| LabelScore {
                    label: label.clone(),
                    probability,
                }));
                Seen::Scored(scores)
            }
            Some(Found::Unreadable(cause)) => Seen::Unreadable(cause),
            None => {
                imported.clear();
                imported.extend(known.imported().filter_map(|verdict| {
                    Some(ImportedVerdict {
                        country: verdict.country.parse().ok()?,
                        verdict: verdict.verdict,
                        reason: verdict.reason.to_owned(),
                    })
                }));
                if imported.is_empty() {
                    Seen::Unknown
                } else {
                    Seen::Imported(imported)
                }
            }
        }
    }

    fn case<'c>(
        &'c self,
        subject: Subject<'c>,
        facts: Facts<'c>,
        look: Seen<'c>,
        corrections: &'c [&'c crate::base::Correction],
    ) -> Case<'c> {
        Case {
            at: self.at,
            countries: &self.ask.countries,
            ad_type: &self.ask.ad_type,
            facts,
            subject,
            look,
            corrections,
        }
    }

    fn tell(&self, case: &Case<'_>) -> Vec<CountryVerdict> {
        match self.ask.telling {
            Telling::Full => self.route.policy.judge(case),
            Telling::Brief => {
                let brief = self.route.policy.brief(case);
                brief.iter().map(|verdict| verdict.to_verdict()).collect()
            }
        }
    }
}
