//! `vigie decisions export`: decisions as lines of JSON; or what people corrected, with the pictures, as training reads it.

mod folder;
mod labels;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::SystemTime;

use anyhow::Context;
use serde_json::json;

use super::arguments::ExportArguments;
use super::{Outcome, decisions, progress, show};
use crate::grpc::client::Client;
use crate::wire::vigie::{ListCorrectionsRequest, ListDecisionsRequest, ProductKey};
use crate::wire::{Timestamp, timestamp};
use folder::Folder;
use labels::{About, Labels, Word, Worth, worth};

/// Entries of a page.
const PAGE: u32 = 1000;
/// Training refuses fewer pictures.
const LEAST: u64 = 20;
/// Pictures that are not to be had and are named one by one.
const NAMED: usize = 20;

pub(super) async fn run(arguments: ExportArguments) -> anyhow::Result<Outcome> {
    if arguments.corrections {
        corrections(&arguments).await
    } else {
        decisions(&arguments).await
    }
}

async fn decisions(arguments: &ExportArguments) -> anyhow::Result<Outcome> {
    let client = arguments.server.connect().await?;
    let to_stdout = arguments.out == Path::new("-");
    let mut out: Box<dyn Write> = if to_stdout {
        Box::new(io::stdout())
    } else {
        let made = File::create_new(&arguments.out);
        Box::new(BufWriter::new(
            made.with_context(|| format!("make {}", arguments.out.display()))?,
        ))
    };
    let mut request = decisions::request(&arguments.filters);
    request.limit = PAGE;
    let bar = progress::counter("decisions", arguments.server.json)?;
    let mut count = 0;
    loop {
        let page = client.list_decisions(request.clone()).await?;
        for decision in &page.decisions {
            writeln!(out, "{}", decisions::as_json(decision)?)?;
        }
        count += page.decisions.len() as u64;
        bar.set_position(count);
        if page.next_cursor.is_empty() {
            break;
        }
        request.cursor = page.next_cursor;
    }
    out.flush()?;
    bar.finish_and_clear();
    if to_stdout {
        return Ok(Outcome::Done);
    }
    let file = arguments.out.display().to_string();
    if arguments.server.json {
        show::line(&json!({ "out": file, "decisions": count }).to_string())?;
    } else {
        show::line(&format!("{count} decisions are in {file}, the newest first"))?;
    }
    Ok(Outcome::Done)
}

/// What came of looking through the corrections.
#[derive(Debug, Default)]
struct Tally {
    pictures: u64,
    labels: u64,
    contested: u64,
    expired: u64,
    exceptions: u64,
    revoked: u64,
    whole_partner: u64,
    /// Products of which no decision with a picture is on record.
    no_picture: Vec<String>,
    /// Pictures that are not kept any more.
    gone: Vec<String>,
    /// Pictures that no reader of pictures reads.
    unreadable: Vec<String>,
}

async fn corrections(arguments: &ExportArguments) -> anyhow::Result<Outcome> {
    let mut folder = Folder::begin(&arguments.out)?;
    let client = arguments.server.connect().await?;
    let mut tally = Tally::default();
    let mut labels = collect(&client, arguments, &mut tally).await?;
    let pictures: Vec<String> = labels.pictures().cloned().collect();
    let bar = progress::bar(pictures.len() as u64, "pictures", arguments.server.json)?;
    for picture in pictures {
        let lacks = match client.get_picture(&picture).await? {
            None => Some(&mut tally.gone),
            Some(bytes) if folder.add(&picture, &bytes)? => None,
            Some(_) => Some(&mut tally.unreadable),
        };
        if let Some(list) = lacks {
            labels.forget(&picture);
            list.push(picture);
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    tally.count(&labels);
    folder.finish(&labels)?;
    if arguments.server.json {
        show::line(&tally.as_json(&arguments.out).to_string())?;
    } else {
        tally.show(&arguments.out)?;
    }
    Ok(Outcome::Done)
}

/// Goes through the corrections, the newest first, and finds the picture of each.
async fn collect(client: &Client, arguments: &ExportArguments, tally: &mut Tally) -> anyhow::Result<Labels> {
    let now = SystemTime::now();
    let oldest = arguments.since().and_then(|span| now.checked_sub(span)).map(timestamp);
    let is_old = |at: &Timestamp| oldest.is_some_and(|oldest| (at.seconds, at.nanos) < (oldest.seconds, oldest.nanos));
    let bar = progress::counter("corrections", arguments.server.json)?;
    let mut labels = Labels::default();
    let mut request = ListCorrectionsRequest {
        include_ended: true,
        limit: PAGE,
        ..ListCorrectionsRequest::default()
    };
    loop {
        let page = client.list_corrections(request.clone()).await?;
        for correction in page.corrections {
            if correction.created_at.as_ref().is_some_and(is_old) {
                continue;
            }
            bar.inc(1);
            match worth(correction, &arguments.filters.label, timestamp(now)) {
                Worth::Exception => tally.exceptions += 1,
                Worth::Revoked => tally.revoked += 1,
                Worth::WholePartner => tally.whole_partner += 1,
                Worth::OtherLabel => {}
                Worth::Label(word) => match picture_of(client, &word).await? {
                    Ok(picture) => labels.add(picture, word),
                    Err(product) => tally.no_picture.push(product),
                },
            }
        }
        if page.next_cursor.is_empty() {
            break;
        }
        request.cursor = page.next_cursor;
    }
    bar.finish_and_clear();
    Ok(labels)
}

/// The picture that a word is about: of a product the one that was judged last before. Where there is none, the product's name.
async fn picture_of(client: &Client, word: &Word) -> anyhow::Result<Result<String, String>> {
    let key: &ProductKey = match &word.about {
        About::Picture(picture) => return Ok(Ok(picture.clone())),
        About::Product(key) => key,
    };
    let request = ListDecisionsRequest {
        product: Some(key.clone()),
        until: Some(word.at),
        limit: 1,
        ..ListDecisionsRequest::default()
    };
    let before = client.list_decisions(request).await?.decisions.into_iter().next();
    let picture = before
        .and_then(|recorded| recorded.decision)
        .map(|decision| decision.image_sha256);
    Ok(picture
        .filter(|picture| !picture.is_empty())
        .ok_or_else(|| show::product(key)))
}

impl Tally {
    fn count(&mut self, labels: &Labels) {
        self.pictures = labels.pictures().len() as u64;
        let kept = || labels.pictures().flat_map(|picture| labels.of(picture));
        self.labels = kept().count() as u64;
        self.expired = kept().filter(|kept| kept.word.expired_at.is_some()).count() as u64;
        self.contested = labels.contested();
        self.no_picture.sort();
        self.no_picture.dedup();
    }

    fn as_json(&self, out: &Path) -> serde_json::Value {
        json!({
            "out": out.display().to_string(),
            "pictures": self.pictures,
            "labels": self.labels,
            "contested": self.contested,
            "expired": self.expired,
            "left_out": {
                "exceptions": self.exceptions,
                "revoked": self.revoked,
                "whole_partner": self.whole_partner,
                "no_picture_known": self.no_picture,
                "pictures_gone": self.gone,
                "pictures_unreadable": self.unreadable,
            },
        })
    }

    fn show(&self, out: &Path) -> io::Result<()> {
        let mut table = show::table(&[
            "PICTURES",
            "LABELS",
            "CONTESTED",
            "EXPIRED",
            "EXCEPTIONS",
            "REVOKED",
            "WHOLE PARTNER",
        ]);
        table.add_row(vec![
            show::number(self.pictures),
            show::number(self.labels),
            show::number(self.contested),
            show::number(self.expired),
            show::number(self.exceptions),
            show::number(self.revoked),
            show::number(self.whole_partner),
        ]);
        show::print_table(&table)?;
        for (why, list) in [
            ("left out, no picture of the product is on record", &self.no_picture),
            ("left out, the picture is not kept any more", &self.gone),
            ("left out, the picture cannot be read", &self.unreadable),
        ] {
            named(why, list)?;
        }
        show::line("")?;
        show::line(&format!(
            "{} holds pictures, labels.csv and corrections.csv; exceptions, revoked ones and those about a whole partner are left out",
            out.display()
        ))?;
        if self.pictures < LEAST {
            show::line(&show::quiet(&format!(
                "training needs at least {LEAST} pictures, and some hundreds a label to be of use"
            )))?;
        }
        Ok(())
    }
}

fn named(why: &str, list: &[String]) -> io::Result<()> {
    if list.is_empty() {
        return Ok(());
    }
    show::line("")?;
    show::line(&format!("{why} ({}):", list.len()))?;
    for one in list.iter().take(NAMED) {
        show::line(&format!("  {one}"))?;
    }
    match list.len().saturating_sub(NAMED) {
        0 => Ok(()),
        more => show::line(&show::quiet(&format!("  and {more} more; --json has them"))),
    }
}
