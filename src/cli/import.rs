//! `vigie import`: another system's verdicts and block lists, checked line by line, and put on record.

mod fields;
mod merge;
mod rows;

use std::collections::BTreeSet;
use std::io;

use anyhow::Context;
use comfy_table::Cell;
use futures_util::stream;
use serde_json::json;

use super::arguments::ImportArguments;
use super::{Outcome, progress, show};
use crate::base::RefusalKind;
use crate::wire::vigie::{ImportRequest, ImportResponse, ImportedProduct, ImportedVerdict};
use fields::Said;
use merge::Merged;
use rows::{Line, Lines};

/// Products of one message, and about how many bytes of it, whichever comes first.
const GROUP: usize = 500;
const GROUP_BYTES: usize = 1 << 20;

/// What is wrong with a line, and where in it; the field is empty where it is the whole line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    pub field: String,
    pub why: String,
}

impl Wrong {
    fn of(field: &str, why: String) -> Self {
        Self {
            field: field.to_owned(),
            why,
        }
    }
}

/// A file that was read to its end.
#[derive(Debug, Default)]
struct Checked {
    lines: u64,
    bad: Vec<(u64, Wrong)>,
    /// Columns that nobody reads.
    unread: BTreeSet<String>,
    merged: Merged,
}

pub(super) async fn run(arguments: ImportArguments) -> anyhow::Result<Outcome> {
    let as_json = arguments.server.json;
    let checked = check(&arguments)?;
    if !as_json {
        show_bad(&checked)?;
    }
    let holds_back = arguments.dry_run || (arguments.strict && !checked.bad.is_empty());
    let summary = Summary::of(&checked, holds_back);
    let bad = checked.bad;
    let answer = if holds_back || checked.merged.len() == 0 {
        ImportResponse::default()
    } else {
        send(&arguments, checked.merged).await?
    };
    if as_json {
        show::line(&summary.as_json(&answer, &bad).to_string())?;
    } else {
        summary.show(&answer, &arguments)?;
    }
    Ok(if bad.is_empty() {
        Outcome::Done
    } else {
        Outcome::Objection
    })
}

fn check(arguments: &ImportArguments) -> anyhow::Result<Checked> {
    let mut lines = Lines::open(&arguments.file, arguments.format)?;
    let bar = progress::counter("lines read", arguments.server.json)?;
    let mut checked = Checked::default();
    while let Some(Line { number, row }) = lines.next()? {
        bar.inc(1);
        checked.lines += 1;
        let taken = row.and_then(|row| {
            let unread = row.keys().filter(|field| !fields::KNOWN.contains(&field.as_str()));
            checked.unread.extend(unread.cloned());
            let said = fields::said(&row)?;
            would_be_taken(&said)?;
            checked.merged.add(number, said)
        });
        if let Err(wrong) = taken {
            checked.bad.push((number, wrong));
        }
    }
    bar.finish_and_clear();
    Ok(checked)
}

/// What the server would say of a line alone, in the words of the file.
fn would_be_taken(said: &Said) -> Result<(), Wrong> {
    let verdict = |country: &String| ImportedVerdict {
        country: country.clone(),
        verdict: said.verdict.into(),
        reason: said.reason.clone(),
    };
    let alone = ImportedProduct {
        product: Some(said.product.clone()),
        image_sha256: said.image_sha256.clone(),
        verdicts: said.countries.iter().map(verdict).collect(),
        decided_at: said.decided_at,
    };
    let refused = alone.into_product("").map(drop);
    refused.map_err(|refusal| {
        let RefusalKind::InvalidArgument { field } = &refusal.kind else {
            return Wrong::of("", refusal.message);
        };
        let why = refusal
            .message
            .strip_prefix(&format!("{field}: "))
            .unwrap_or(&refusal.message);
        let field = field.strip_prefix("product.").unwrap_or(field);
        Wrong::of(field.rsplit("].").next().unwrap_or(field), why.to_owned())
    })
}

async fn send(arguments: &ImportArguments, merged: Merged) -> anyhow::Result<ImportResponse> {
    let client = arguments.server.connect().await?;
    let products = merged.into_products();
    let bar = progress::bar(products.len() as u64, "products", arguments.server.json)?;
    let groups = Groups {
        products: products.collect::<Vec<_>>().into_iter(),
        source: arguments.source.clone(),
    };
    let drawn = bar.clone();
    // Each is made when the server is ready to read it.
    let sent = groups.inspect(move |group| drawn.inc(group.products.len() as u64));
    let answer = client.import(stream::iter(sent)).await;
    bar.finish_and_clear();
    answer.context("the import broke off; the same command goes on where it ended")
}

/// The messages of an import.
struct Groups {
    products: std::vec::IntoIter<ImportedProduct>,
    source: String,
}

impl Iterator for Groups {
    type Item = ImportRequest;

    fn next(&mut self) -> Option<ImportRequest> {
        let mut group = ImportRequest {
            source: self.source.clone(),
            products: Vec::new(),
        };
        let mut bytes = 0;
        while group.products.len() < GROUP && bytes < GROUP_BYTES {
            let Some(product) = self.products.next() else { break };
            bytes += texts_of(&product);
            group.products.push(product);
        }
        (!group.products.is_empty()).then_some(group)
    }
}

fn texts_of(product: &ImportedProduct) -> usize {
    let described = product.product.as_ref();
    let described = described.map_or(0, |product| product.title.len() + product.description.len());
    let reasons: usize = product.verdicts.iter().map(|verdict| verdict.reason.len()).sum();
    described + reasons
}

fn show_bad(checked: &Checked) -> io::Result<()> {
    if !checked.bad.is_empty() {
        let mut table = show::table(&["LINE", "FIELD", "WHAT IS WRONG"]);
        for (number, wrong) in &checked.bad {
            let field = if wrong.field.is_empty() {
                "(the line)"
            } else {
                &wrong.field
            };
            table.add_row(vec![show::number(number), Cell::new(field), Cell::new(&wrong.why)]);
        }
        show::print_table(&table)?;
        show::line("")?;
    }
    if !checked.unread.is_empty() {
        let names: Vec<&str> = checked.unread.iter().map(String::as_str).collect();
        show::line(&show::quiet(&format!(
            "not read, because nothing is known by these names: {}",
            names.join(", ")
        )))?;
        show::line("")?;
    }
    Ok(())
}

/// What is told at the end.
struct Summary {
    lines: u64,
    bad: u64,
    products: u64,
    /// By country: ALLOW, REVIEW, BLOCK.
    verdicts: Vec<(String, [u64; 3])>,
    unread: Vec<String>,
    /// Nothing was sent.
    held_back: bool,
}

impl Summary {
    fn of(checked: &Checked, held_back: bool) -> Self {
        let counts = checked.merged.counts();
        Self {
            lines: checked.lines,
            bad: checked.bad.len() as u64,
            products: checked.merged.len() as u64,
            verdicts: counts
                .into_iter()
                .map(|(country, counts)| (country.to_owned(), counts))
                .collect(),
            unread: checked.unread.iter().cloned().collect(),
            held_back,
        }
    }

    fn as_json(&self, answer: &ImportResponse, bad: &[(u64, Wrong)]) -> serde_json::Value {
        let bad = bad
            .iter()
            .map(|(line, wrong)| json!({ "line": line, "field": wrong.field, "why": wrong.why }));
        let verdicts = self.verdicts.iter().map(|(country, [allow, review, block])| {
            json!({ "country": country, "allow": allow, "review": review, "block": block })
        });
        json!({
            "lines": self.lines,
            "products": self.products,
            "added": answer.added,
            "already_there": answer.products - answer.added,
            "imported": !self.held_back,
            "verdicts": verdicts.collect::<Vec<_>>(),
            "bad": bad.collect::<Vec<_>>(),
            "not_read": self.unread,
        })
    }

    fn show(&self, answer: &ImportResponse, arguments: &ImportArguments) -> io::Result<()> {
        let mut table = show::table(&["COUNTRY", "ALLOW", "REVIEW", "BLOCK"]);
        for (country, counts) in &self.verdicts {
            let counts = counts.map(show::number);
            table.add_row(
                [Cell::new(show::country(country))]
                    .into_iter()
                    .chain(counts)
                    .collect::<Vec<_>>(),
            );
        }
        if !self.verdicts.is_empty() {
            show::print_table(&table)?;
            show::line("")?;
        }
        let mut table = show::table(&["LINES", "BAD", "PRODUCTS", "ADDED", "ALREADY THERE"]);
        table.add_row(vec![
            show::number(self.lines),
            show::number(self.bad),
            show::number(self.products),
            show::number(answer.added),
            show::number(answer.products - answer.added),
        ]);
        show::print_table(&table)?;
        if let Some(said) = self.said(arguments) {
            show::line("")?;
            show::line(&said)?;
        }
        Ok(())
    }

    /// Why nothing, or not everything, was imported.
    fn said(&self, arguments: &ImportArguments) -> Option<String> {
        match (self.held_back, self.bad) {
            (true, _) if arguments.dry_run => Some("nothing was imported: --dry-run only checks".to_owned()),
            (true, bad) => Some(format!(
                "nothing was imported: {bad} lines are bad, and --strict takes all or none"
            )),
            (false, 0) => None,
            (false, bad) => Some(format!(
                "{bad} lines are bad and were left out; mend them and import the file again: what is on record already is left as it is"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::vigie::Product;

    #[test]
    fn groups_hold_everything_once_and_stay_small() {
        let product = |number: usize| ImportedProduct {
            product: Some(Product {
                product_id: number.to_string(),
                description: "x".repeat(if number == 3 { 60_000 } else { 2_000 }),
                ..Product::default()
            }),
            ..ImportedProduct::default()
        };
        let all: Vec<ImportedProduct> = (0..1_200).map(product).collect();
        let groups = Groups {
            products: all.clone().into_iter(),
            source: "old".into(),
        };
        let groups: Vec<ImportRequest> = groups.collect();
        assert!(
            groups
                .iter()
                .all(|group| group.source == "old" && group.products.len() <= GROUP)
        );
        let sent: Vec<ImportedProduct> = groups.into_iter().flat_map(|group| group.products).collect();
        assert_eq!(sent, all);
    }

    #[test]
    fn what_the_server_would_refuse_is_told_in_the_words_of_the_file() {
        let row = r#"{"partner_id": "a", "product_id": "1", "verdict": "ok", "price": "1 EURO"}"#;
        let mut said = fields::said(&serde_json::from_str(row).unwrap()).unwrap();
        assert_eq!(would_be_taken(&said).unwrap_err().field, "price.currency");
        said.product.price = None;
        assert_eq!(would_be_taken(&said), Ok(()));
        said.reason = "x".repeat(5_000);
        let wrong = would_be_taken(&said).unwrap_err();
        assert!(
            wrong.field == "reason" && wrong.why.starts_with("5000 bytes"),
            "{wrong:?}"
        );
        said.reason.clear();
        said.image_sha256 = "abc".into();
        assert_eq!(would_be_taken(&said).unwrap_err().field, "image_sha256");
    }
}
