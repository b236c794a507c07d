//! `vigie watch`: what is not allowed, then every change of a verdict, until interrupted.

use std::io::{self, IsTerminal};
use std::time::Duration;

use futures_util::StreamExt;
use indicatif::{ProgressBar, ProgressStyle};

use super::arguments::WatchArguments;
use super::classify::why;
use super::{Outcome, show};
use crate::grpc::client::{Answers, Client, ClientError};
use crate::wire::to_json;
use crate::wire::vigie::{ProductVerdicts, Verdict, WatchVerdictsRequest, WatchVerdictsResponse};

/// How long a broken connection is waited with: at first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// Places of the columns.
const PRODUCT: usize = 28;
const VERDICT: usize = 7;

pub(super) async fn run(arguments: WatchArguments) -> anyhow::Result<Outcome> {
    // The first connection is made at once or not at all: a wrong address would be tried for ever.
    let client = arguments.server.connect().await?;
    let mut watching = Watching::new(arguments)?;
    let answers = client.watch_verdicts(watching.request()).await?;
    let watched = tokio::select! {
        watched = watching.follow(answers) => watched,
        interrupted = tokio::signal::ctrl_c() => interrupted.map_err(anyhow::Error::from),
    };
    watching.spinner.finish_and_clear();
    watched?;
    watching.part();
    Ok(Outcome::Done)
}

struct Watching {
    arguments: WatchArguments,
    /// The last one told.
    cursor: String,
    /// Turns during a snapshot, on a terminal.
    spinner: ProgressBar,
    /// Places of the column of countries.
    country: usize,
}

impl Watching {
    fn new(arguments: WatchArguments) -> anyhow::Result<Self> {
        let spinner = if arguments.server.json || !io::stderr().is_terminal() {
            ProgressBar::hidden()
        } else {
            let style =
                ProgressStyle::with_template("{spinner} {human_pos} products are not allowed so far, {elapsed}")?;
            ProgressBar::new_spinner().with_style(style)
        };
        let names = arguments
            .countries
            .iter()
            .map(|code| show::country(code).chars().count());
        let country = names.max().unwrap_or_else(|| show::country("").len());
        Ok(Self {
            cursor: arguments.cursor.clone(),
            arguments,
            spinner,
            country,
        })
    }

    fn request(&self) -> WatchVerdictsRequest {
        WatchVerdictsRequest {
            countries: self.arguments.countries.clone(),
            cursor: self.cursor.clone(),
        }
    }

    /// Shows what is told, and asks for the rest where the connection breaks. Ends only where that is in vain, or nobody reads.
    async fn follow(&mut self, mut answers: Answers<WatchVerdictsResponse>) -> anyhow::Result<()> {
        let (first, longest) = PAUSES;
        let mut pause = first;
        loop {
            let broken = loop {
                match answers.next().await {
                    Some(Ok(told)) => {
                        pause = first;
                        self.show(told)?;
                    }
                    Some(Err(error)) => break error,
                    None => break ended(),
                }
            };
            answers = self.again(broken, &mut pause, longest).await?;
        }
    }

    async fn again(
        &self,
        mut broken: ClientError,
        pause: &mut Duration,
        longest: Duration,
    ) -> Result<Answers<WatchVerdictsResponse>, ClientError> {
        loop {
            if !may_pass(&broken) {
                return Err(broken);
            }
            let after = humantime::format_duration(*pause);
            self.spinner
                .suspend(|| show::remark(&format!("the watch broke off ({broken}); trying again in {after}")));
            tokio::time::sleep(*pause).await;
            *pause = longest.min(*pause * 2);
            match self.connect().await {
                Ok(answers) => {
                    self.spinner.suspend(|| show::remark("connected again"));
                    return Ok(answers);
                }
                Err(error) => broken = error,
            }
        }
    }

    async fn connect(&self) -> Result<Answers<WatchVerdictsResponse>, ClientError> {
        let client: Client = self.arguments.server.connect().await?;
        client.watch_verdicts(self.request()).await
    }

    fn show(&mut self, told: WatchVerdictsResponse) -> anyhow::Result<()> {
        if self.arguments.server.json {
            let json = to_json(&told, "vigie.v1.WatchVerdictsResponse").map_err(anyhow::Error::msg)?;
            show::line(&json.to_string())?;
        } else {
            match &told.result {
                Some(result) => {
                    self.spinner.inc(u64::from(told.snapshot));
                    let lines = self.lines(result, told.snapshot);
                    self.spinner.suspend(|| show::print(&lines))?;
                }
                None => self.mark(&told)?,
            }
        }
        self.cursor = told.cursor;
        Ok(())
    }

    /// The beginning or the end of a snapshot.
    fn mark(&mut self, told: &WatchVerdictsResponse) -> io::Result<()> {
        if !told.snapshot {
            return Ok(());
        }
        if told.cursor.is_empty() {
            self.spinner.reset();
            self.spinner.enable_steady_tick(Duration::from_millis(100));
            let country = self.country;
            let heading = format!(
                "{:PRODUCT$}  {:country$}  {:VERDICT$}  WHY",
                "PRODUCT", "COUNTRY", "VERDICT"
            );
            return self.spinner.suspend(|| show::line(&show::quiet(&heading)));
        }
        self.spinner.finish_and_clear();
        show::line(&show::quiet("everything else is allowed; changes follow as they come"))
    }

    /// A line a country; of a snapshot only what is not allowed.
    fn lines(&self, result: &ProductVerdicts, snapshot: bool) -> String {
        let product = result.product.as_ref().map(show::product).unwrap_or_default();
        if result.verdicts.is_empty() {
            return format!("{product:PRODUCT$}  nothing is known of it any more\n");
        }
        let country = self.country;
        let shown = result
            .verdicts
            .iter()
            .filter(|verdict| !snapshot || verdict.verdict() != Verdict::Allow);
        let line = |verdict: &crate::wire::vigie::CountryVerdict| {
            let why = why(verdict).replace('\n', " ");
            let (code, word) = (
                show::country(&verdict.country),
                show::verdict_word(verdict.verdict(), VERDICT),
            );
            format!("{product:PRODUCT$}  {code:country$}  {word}  {why}\n")
        };
        shown.map(line).collect()
    }

    /// Says how to go on, where a person watched and there is something to go on from.
    fn part(&self) {
        if !self.arguments.server.json && !self.cursor.is_empty() {
            show::remark(&format!("to go on from here: --cursor {}", self.cursor));
        }
    }
}

fn ended() -> ClientError {
    ClientError::Refused {
        code: "UNAVAILABLE",
        message: "the server has ended the watch".to_owned(),
    }
}

/// Whether the same may go well later.
fn may_pass(error: &ClientError) -> bool {
    match error {
        ClientError::Unreachable { .. } => true,
        ClientError::Address { .. } | ClientError::Token => false,
        ClientError::Refused { code, .. } => !matches!(
            *code,
            "INVALID_ARGUMENT" | "UNAUTHENTICATED" | "PERMISSION_DENIED" | "NOT_FOUND" | "UNIMPLEMENTED"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let refused = |code| ClientError::Refused {
            code,
            message: String::new(),
        };
        assert!(may_pass(&ended()) && may_pass(&refused("UNKNOWN")) && may_pass(&refused("ABORTED")));
        assert!(!may_pass(&refused("UNAUTHENTICATED")) && !may_pass(&ClientError::Token));
    }
}
