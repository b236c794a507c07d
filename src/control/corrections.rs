//! Corrections: put on record, then in force here, then acknowledged. Toward safety it is the other way round where it must be: a BLOCK takes effect
//! though the store is away, is kept on this replica's disk, and reaches the store when it can.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio_util::sync::CancellationToken;

use crate::base::{
    Correction, CorrectionScope, Moment, NewCorrection, Principal, ProductKey, Refusal, SeenThen, now_v7_id,
};
use crate::ledger::Ledger;
use crate::store::{AskedAct, AskedCorrection, AskedRevocation, CorrectionQuery, Journal, Page, Records, RecordsError};

/// How often what waits on this replica's disk is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// How long a BLOCK waits for the store before it takes effect without it.
const PROMPT: Duration = Duration::from_millis(500);

/// Corrects and revokes. Cheap to clone.
#[derive(Clone)]
pub struct Corrections {
    records: Records,
    ledger: Arc<Ledger>,
    journal: Arc<Mutex<Journal>>,
}

impl Corrections {
    /// On these records; what an earlier process could not put there is in force again at once.
    pub fn new(records: Records, ledger: Arc<Ledger>, journal: Journal) -> Self {
        for (_, act) in journal.pending() {
            if let AskedAct::Correct(asked) = act {
                ledger.correct(here_alone(asked));
            }
        }
        Self {
            records,
            ledger,
            journal: Arc::new(Mutex::new(journal)),
        }
    }

    /// Corrects. When it is answered, the correction is in force on this replica.
    ///
    /// # Errors
    /// What is away from safety needs the store; a request identity that was used for something else.
    pub async fn correct(
        &self,
        request_id: String,
        mut new: NewCorrection,
        author: Principal,
    ) -> Result<Correction, Refusal> {
        let at = now();
        if new.expires_at.is_some_and(|end| end <= at) {
            return Err(Refusal::invalid(
                "expires_at",
                "has passed already: a moment to come is expected",
            ));
        }
        if let Some(partner_id) = new.scope.partner_id()
            && self.ledger.gone().is_under_way(partner_id)
        {
            return Err(Refusal::aborted(format!(
                "{partner_id:?} is being erased, and its corrections with it: ask again when that has ended"
            )));
        }
        if let (CorrectionScope::Product(key), true) = (&new.scope, new.kind.is_away_from_safety()) {
            new.seen = self.seen(key);
        }
        let asked = AskedCorrection {
            request_id,
            correction_id: now_v7_id(),
            correction: new,
            author,
            at,
        };
        let recorded = self.records.act(AskedAct::Correct(asked.clone()));
        let recorded = if asked.correction.kind.is_away_from_safety() {
            recorded.await
        } else {
            match tokio::time::timeout(PROMPT, recorded).await {
                Ok(Err(error)) if !error.is_answer() => return self.act_here(asked).await,
                // Whether the store has it by now cannot be known; it is brought there again, and is known there by its identity.
                Err(_) => return self.act_here(asked).await,
                Ok(answered) => answered,
            }
        };
        let correction = recorded.map_err(refused)?;
        self.ledger.correct(correction.clone());
        Ok(correction)
    }

    /// Ends a correction. When it is answered, it is out of force on this replica.
    ///
    /// # Errors
    /// There is none, it was revoked already, or the store does not answer.
    pub async fn revoke(
        &self,
        request_id: String,
        correction_id: String,
        reason: String,
        author: Principal,
    ) -> Result<Correction, Refusal> {
        let asked = AskedRevocation {
            request_id,
            correction_id,
            reason,
            author,
            at: now(),
        };
        let revoked = self.records.act(AskedAct::Revoke(asked)).await.map_err(refused)?;
        if let Some(revocation) = revoked.revoked.clone() {
            self.ledger.revoke(&revoked.correction_id, revocation);
        }
        Ok(revoked)
    }

    /// A page of corrections, the newest first.
    ///
    /// # Errors
    /// A wrong question, or a store that does not answer.
    pub async fn list(&self, query: CorrectionQuery) -> Result<Page<Correction>, Refusal> {
        Ok(self.records.corrections(&query).await?)
    }

    /// Brings to the store what took effect without it, until the token is cancelled.
    pub async fn bring(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            self.bring_pending().await;
            tokio::select! {
                () = tokio::time::sleep(AGAIN) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    async fn bring_pending(&self) {
        if self.journal().pending().next().is_none() || !self.has_every_act().await {
            return;
        }
        loop {
            let first = self
                .journal()
                .pending()
                .next()
                .map(|(number, act)| (number, act.clone()));
            let Some((number, act)) = first else { return };
            if let Some(partner_id) = act.partner_id()
                && self.ledger.gone().covers(partner_id, act.at())
            {
                match self.journal().forget_partner(partner_id) {
                    Ok(()) => continue,
                    Err(error) => return tracing::warn!(%error, "an act on an erased partner stays in the journal"),
                }
            }
            match self.records.act(act).await {
                Ok(correction) => self.ledger.correct(correction),
                Err(error) if error.is_answer() => {
                    tracing::warn!(%error, "an act of this replica is refused by the store and dropped");
                }
                Err(_) => return,
            }
            if let Err(error) = self.journal().done(number) {
                tracing::warn!(%error, "an act that is on record now stays in the journal");
                return;
            }
        }
    }

    /// Whether everything that others did is known here: what they erased must not come back.
    async fn has_every_act(&self) -> bool {
        let applied = self.ledger.applied_seq();
        self.records.last_seq().await.is_ok_and(|last| last <= applied)
    }

    /// Forgets what waits on this replica's disk and is about a partner, which is to be erased.
    ///
    /// # Errors
    /// The disk refuses.
    pub async fn forget_partner(&self, partner_id: &str) -> Result<(), Refusal> {
        let (journal, partner_id) = (Arc::clone(&self.journal), partner_id.to_owned());
        let forgotten = tokio::task::spawn_blocking(move || {
            let mut journal = journal.lock().unwrap_or_else(PoisonError::into_inner);
            journal.forget_partner(&partner_id)
        });
        match forgotten.await {
            Ok(forgotten) => forgotten.map_err(|error| Refusal::unavailable(error.to_string())),
            Err(error) => Err(Refusal::internal(error.to_string())),
        }
    }

    /// In force here, kept on this disk, and shown as this replica's only.
    async fn act_here(&self, asked: AskedCorrection) -> Result<Correction, Refusal> {
        let correction = here_alone(&asked);
        self.ledger.correct(correction.clone());
        let journal = Arc::clone(&self.journal);
        let kept = tokio::task::spawn_blocking(move || {
            let mut journal = journal.lock().unwrap_or_else(PoisonError::into_inner);
            journal.append(AskedAct::Correct(asked))
        });
        match kept.await {
            Ok(Ok(_)) => Ok(correction),
            Ok(Err(error)) => Err(Refusal::unavailable(format!(
                "it is in force on this replica until it restarts, and cannot be kept: the store is away, and {error}"
            ))),
            Err(error) => Err(Refusal::internal(error.to_string())),
        }
    }

    /// What a product's correction is given on; none where nothing is known of it yet.
    fn seen(&self, key: &ProductKey) -> Option<SeenThen> {
        self.ledger.read(&key.partner_id, &key.product_id, |known, _| {
            known.map(|known| SeenThen {
                image_sha256: known.image_sha256(),
                texts: known.texts(),
            })
        })
    }

    fn journal(&self) -> std::sync::MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A correction that no store has yet.
fn here_alone(asked: &AskedCorrection) -> Correction {
    let NewCorrection {
        scope,
        countries,
        kind,
        reason,
        expires_at,
        seen,
    } = asked.correction.clone();
    Correction {
        seq: 0,
        correction_id: asked.correction_id.clone(),
        scope,
        countries,
        kind,
        reason,
        expires_at,
        author: asked.author.clone(),
        created_at: asked.at,
        seen,
        revoked: None,
        replica_only: true,
    }
}

/// Away from safety nothing takes effect without the store.
fn refused(error: RecordsError) -> Refusal {
    match error {
        RecordsError::Conflict { current } => Refusal::aborted(format!(
            "the correction was revoked already{}; look at it again",
            current
                .revoked
                .map(|revoked| format!(" by {} ({})", revoked.by, revoked.reason))
                .unwrap_or_default()
        )),
        RecordsError::Away { .. }
        | RecordsError::Slow { .. }
        | RecordsError::Full { .. }
        | RecordsError::Corrupt { .. }
        | RecordsError::Newer { .. }
        | RecordsError::Failed { .. } => Refusal::unavailable(format!(
            "{error}. Nothing was changed: this must be on record before it takes effect"
        )),
        RecordsError::NotFound { .. } | RecordsError::Input { .. } => error.into(),
    }
}

fn now() -> Moment {
    SystemTime::now().into()
}
