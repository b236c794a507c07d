//! What is asked: requests made of arguments, of pictures and of a catalogue's lines.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use bytes::Bytes;
use serde::Deserialize;

use super::arguments::{ClassifyArguments, ProductArguments};
use crate::wire::vigie::{ClassifyRequest, Money, Product, product};

/// No server takes as much; a file beyond it is not even read.
const MOST_BYTES: u64 = 256 << 20;

/// The request that is the same for every picture of a command.
pub(super) fn common(arguments: &ClassifyArguments) -> ClassifyRequest {
    ClassifyRequest {
        product: Some(described(&arguments.product)),
        countries: arguments.countries.clone(),
        ad_type: arguments.ad_type.clone(),
        facts: arguments.facts.iter().cloned().collect::<BTreeMap<_, _>>(),
        model: arguments.target.model.clone(),
        version: arguments.target.version,
        revision: arguments.target.revision.clone(),
        ..ClassifyRequest::default()
    }
}

fn described(product: &ProductArguments) -> Product {
    Product {
        partner_id: product.partner_id.clone(),
        product_id: product.product_id.clone(),
        title: product.title.clone(),
        description: product.description.clone(),
        category: product.category.clone(),
        brand: product.brand.clone(),
        language: product.language.clone(),
        ..Product::default()
    }
}

/// The request about a product, with a picture read from a file.
pub(super) fn with_picture(mut request: ClassifyRequest, file: &Path) -> anyhow::Result<ClassifyRequest> {
    let picture = read_picture(file)?;
    request.product.get_or_insert_default().picture = Some(product::Picture::Image(picture));
    Ok(request)
}

/// Errors leave the file's name to the caller.
fn read_picture(file: &Path) -> anyhow::Result<Bytes> {
    let about = fs::metadata(file).context("the file cannot be read")?;
    if about.is_dir() {
        bail!("it is a folder: name the pictures in it");
    }
    if about.len() > MOST_BYTES {
        bail!("it has {} MiB: no server takes such a picture", about.len() >> 20);
    }
    Ok(fs::read(file).context("the file cannot be read")?.into())
}

/// One line of a catalogue.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Entry {
    #[serde(default)]
    partner_id: String,
    #[serde(default)]
    product_id: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    category: String,
    #[serde(default)]
    brand: String,
    #[serde(default)]
    language: String,
    price: Option<Price>,
    displays: Option<u64>,
    /// Relative to the catalogue's folder.
    picture: Option<PathBuf>,
}

#[derive(Debug, Clone, Deserialize)]
struct Price {
    units: i64,
    #[serde(default)]
    nanos: i32,
    currency: String,
}

/// The products of a catalogue file, in order.
#[derive(Debug)]
pub(super) struct Catalogue {
    folder: PathBuf,
    pub entries: Vec<Entry>,
}

impl Catalogue {
    /// Reads the whole file. Mistakes are told together, ten at most.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let (mut entries, mut mistakes) = (Vec::new(), Vec::new());
        for (number, line) in lines {
            match serde_json::from_str(line) {
                Ok(entry) => entries.push(entry),
                Err(error) => mistakes.push(format!("\n  line {}: {error}", number + 1)),
            }
        }
        if !mistakes.is_empty() {
            let more = mistakes.len().saturating_sub(10);
            let rest = if more > 0 {
                format!("\n  and {more} more")
            } else {
                String::new()
            };
            mistakes.truncate(10);
            bail!(
                "{} is not a catalogue, which has a product a line as JSON:{}{rest}",
                file.display(),
                mistakes.concat()
            );
        }
        if entries.is_empty() {
            bail!("{} holds no product", file.display());
        }
        let folder = file.parent().unwrap_or(Path::new("")).to_owned();
        Ok(Self { folder, entries })
    }

    /// The request about one product. A picture that cannot be read is left out, and the server says so in its decision.
    pub fn request(&self, entry: &Entry, common: &ClassifyRequest) -> ClassifyRequest {
        let picture = entry
            .picture
            .as_ref()
            .and_then(|picture| read_picture(&self.folder.join(picture)).ok());
        ClassifyRequest {
            product: Some(entry.product(picture)),
            ..common.clone()
        }
    }
}

impl Entry {
    /// How people find it again: partner and product, and its title.
    pub fn name(&self) -> (String, &str) {
        let id = [self.partner_id.as_str(), self.product_id.as_str()];
        (
            id.into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join("/"),
            &self.title,
        )
    }

    fn product(&self, picture: Option<Bytes>) -> Product {
        Product {
            partner_id: self.partner_id.clone(),
            product_id: self.product_id.clone(),
            title: self.title.clone(),
            description: self.description.clone(),
            category: self.category.clone(),
            brand: self.brand.clone(),
            language: self.language.clone(),
            price: self.price.as_ref().map(|price| Money {
                units: price.units,
                nanos: price.nanos,
                currency: price.currency.clone(),
            }),
            displays: self.displays,
            picture: picture.map(product::Picture::Image),
        }
    }
}
