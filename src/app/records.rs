//! What is on record: opened at the start, held to its limits while the server runs.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio_util::sync::CancellationToken;

use super::serve::ServeError;
use crate::accounts::Accounts;
use crate::base::Moment;
use crate::config::Settings;
use crate::executor::{Kind, become_one_of};
use crate::ledger::Ledger;
use crate::store::{DataDirectory, Journal, PostgresSettings, Records, RecordsError, SqliteSettings};
use crate::telemetry::Metrics;

/// How long before a database that is away at the start is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// How often the accounts file is looked at.
const ACCOUNTS_EVERY: Duration = Duration::from_secs(1);
/// How often what is on record is held to its limits.
const LIMITS_EVERY: Duration = Duration::from_secs(600);

/// What the process has on disk, or in a database.
pub(super) struct OnDisk {
    pub data: DataDirectory,
    pub records: Records,
    pub journal: Journal,
}

impl OnDisk {
    /// Opens everything. A database that is away is waited for: without the corrections in it nothing must serve.
    pub async fn open(settings: &Settings) -> Result<Self, ServeError> {
        let data = DataDirectory::open(&settings.data)?;
        let journal = Journal::open(&data).map_err(|error| ServeError::Records(error.to_string()))?;
        let records = match &settings.records.postgres {
            None => Records::open_sqlite(&data, sqlite()),
            Some(url) => open_postgres(url.expose()).await,
        };
        Ok(Self {
            data,
            records: records.map_err(|error| ServeError::Records(error.to_string()))?,
            journal,
        })
    }
}

/// Writing has its turn after answers, and before shadows.
fn sqlite() -> SqliteSettings {
    SqliteSettings {
        on_thread: || {
            // Refused to a process that was started with less: then it keeps what it has.
            let _refused = become_one_of(Kind::Load);
        },
        ..SqliteSettings::default()
    }
}

async fn open_postgres(url: &str) -> Result<Records, RecordsError> {
    loop {
        match Records::open_postgres(url, PostgresSettings::default()).await {
            Err(error @ (RecordsError::Away { .. } | RecordsError::Slow { .. })) => {
                tracing::warn!(%error, "waiting for the database (records.postgres)");
                tokio::time::sleep(AGAIN).await;
            }
            outcome => return outcome,
        }
    }
}

/// Holds what is kept to its limits: old decisions and pictures go, accounts follow their file.
pub(super) struct Keeper {
    pub records: Records,
    pub accounts: Accounts,
    /// How long decisions are kept; none: for good.
    pub keep: Option<Duration>,
    /// What pictures may take, in bytes.
    pub pictures: u64,
}

impl Keeper {
    /// Runs until the token is cancelled.
    pub async fn run(self, stop: CancellationToken) {
        let mut accounts = tokio::time::interval(ACCOUNTS_EVERY);
        let mut limits = tokio::time::interval(LIMITS_EVERY);
        loop {
            tokio::select! {
                _ = accounts.tick() => self.read_accounts().await,
                _ = limits.tick() => {
                    if let Err(error) = self.enforce().await {
                        tracing::warn!(%error, "what is on record is not held to its limits yet");
                    }
                }
                () = stop.cancelled() => return,
            }
        }
    }

    async fn read_accounts(&self) {
        let accounts = self.accounts.clone();
        match tokio::task::spawn_blocking(move || accounts.refresh()).await {
            Ok(Ok(true)) => tracing::info!("the accounts changed"),
            Ok(Ok(false)) | Err(_) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the accounts in force stay"),
        }
    }

    async fn enforce(&self) -> Result<(), RecordsError> {
        let now = Moment::from(SystemTime::now());
        if let Some(keep) = self.keep {
            self.records.forget_before(now.before(keep)).await?;
        }
        let retention = self.keep.unwrap_or(Duration::MAX);
        self.records.enforce_pictures(self.pictures, now, retention).await?;
        Ok(())
    }
}

/// Shows what the ledger knows.
pub(super) fn show_ledger(metrics: &Metrics, ledger: &Arc<Ledger>) {
    type Read = fn(&Ledger) -> usize;
    let series: [(&'static str, &'static str, Read); 3] = [
        ("vigie_ledger_products", "Products that are known in memory", |ledger| {
            ledger.memory().products
        }),
        ("vigie_ledger_corrections", "Corrections in force", |ledger| {
            ledger.memory().corrections
        }),
        (
            "vigie_ledger_bytes",
            "Memory that what is known of products takes",
            |ledger| {
                let memory = ledger.memory();
                memory.product_bytes + memory.correction_bytes
            },
        ),
    ];
    for (name, help, read) in series {
        let ledger = Arc::clone(ledger);
        metrics.reading(name, help, &[], move || read(&ledger) as f64);
    }
}
