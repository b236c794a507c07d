//! How a connection to PostgreSQL is made, and what every connection is told first.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::NoTlsStream;
use tokio_postgres::{Client, Config, Connection, NoTls, Socket};

use super::fault::{fault, of_connecting};
use super::link::Session;
use crate::store::records::{PostgresSettings, RecordsError};

/// How long a silent connection may be before the system asks whether the other end is still there.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Told to every connection. Plans are made for the values at hand, since they differ much in number; and what was acknowledged is on the server's
/// disk, whatever the server's own default is.
const GREETING: &str = "SET plan_cache_mode = force_custom_plan; \
     SET idle_in_transaction_session_timeout = 60000; \
     SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";

/// Makes connections. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    config: Arc<Config>,
    settings: PostgresSettings,
}

impl Connector {
    pub fn new(connection: &str, settings: PostgresSettings) -> Result<Self, RecordsError> {
        let mut config: Config = connection.parse().map_err(|error: tokio_postgres::Error| {
            let reason =
                format!("{error}; write it as `host=/run/postgresql dbname=vigie user=vigie`, or as `postgresql://…`");
            RecordsError::input("connection", reason)
        })?;
        if config.get_ssl_mode() == SslMode::Require {
            let reason = "TLS is not offered: reach the server by a local socket or within a protected network, without sslmode=require";
            return Err(RecordsError::input("connection", reason));
        }
        if config.get_application_name().is_none() {
            config.application_name("vigie");
        }
        config
            .connect_timeout(settings.connect_limit)
            .keepalives_idle(KEEPALIVE)
            .tcp_user_timeout(settings.statement_limit + settings.connect_limit);
        Ok(Self {
            config: Arc::new(config),
            settings,
        })
    }

    /// What the database is called in messages.
    pub fn place(&self) -> String {
        format!("the database {:?}", self.config.get_dbname().unwrap_or("postgres"))
    }

    /// A connection whose messages the caller takes.
    pub async fn raw(&self) -> Result<(Client, Connection<Socket, NoTlsStream>), RecordsError> {
        match timeout(self.settings.connect_limit, self.config.connect(NoTls)).await {
            Ok(made) => made.map_err(|error| of_connecting(&error)),
            Err(_) => Err(RecordsError::Away {
                reason: format!("no connection within {:?}", self.settings.connect_limit),
            }),
        }
    }

    /// A connection for statements that are given up after the limit.
    pub async fn limited(&self) -> Result<Session, RecordsError> {
        self.session(Some(self.settings.statement_limit)).await
    }

    /// A connection for what may take as long as it takes.
    pub async fn unlimited(&self) -> Result<Session, RecordsError> {
        self.session(None).await
    }

    async fn session(&self, limit: Option<Duration>) -> Result<Session, RecordsError> {
        let (client, connection) = self.raw().await?;
        // Ends when the client is dropped or the connection breaks; the client's own calls tell of the latter.
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to the store ended");
            }
        });
        let server_limit = limit.map_or(0, |limit| limit.as_millis());
        let greeting = format!("{GREETING}; SET statement_timeout = {server_limit}");
        match timeout(self.settings.connect_limit, client.batch_execute(&greeting)).await {
            Ok(told) => told.map_err(|error| fault(&error))?,
            Err(_) => {
                return Err(RecordsError::Away {
                    reason: "the server does not answer".to_owned(),
                });
            }
        }
        // The server gives up first, and says so; this limit is for a server that says nothing.
        Ok(Session::new(
            client,
            limit.map(|limit| limit + self.settings.connect_limit),
        ))
    }
}
