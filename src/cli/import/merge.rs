//! The lines of a file by the product that they are about: one decision a product, one verdict a country.

use std::collections::{BTreeMap, HashMap};

use super::Wrong;
use super::fields::Said;
use crate::wire::Timestamp;
use crate::wire::vigie::{ImportedProduct, ImportedVerdict, Product, Verdict};

/// Everything that a file says, in the order of its products.
#[derive(Debug, Default)]
pub(super) struct Merged {
    places: HashMap<(String, String), usize>,
    products: Vec<Known>,
}

#[derive(Debug)]
struct Known {
    product: Product,
    image_sha256: String,
    verdicts: BTreeMap<String, Word>,
    /// Where the picture was first named.
    line: u64,
}

#[derive(Debug)]
struct Word {
    verdict: Verdict,
    reason: String,
    decided_at: Option<Timestamp>,
    line: u64,
}

impl Merged {
    /// How many products there are.
    pub fn len(&self) -> usize {
        self.products.len()
    }

    /// Adds a line's word. Where it says another thing of a country than an earlier line, the one that was decided later holds; where that is not said,
    /// the stricter, and the line is bad.
    pub fn add(&mut self, line: u64, said: Said) -> Result<(), Wrong> {
        let key = (said.product.partner_id.clone(), said.product.product_id.clone());
        let place = *self.places.entry(key).or_insert_with(|| {
            self.products.push(Known {
                product: Product::default(),
                image_sha256: String::new(),
                verdicts: BTreeMap::new(),
                line,
            });
            self.products.len() - 1
        });
        self.products[place].add(line, said)
    }

    /// What goes to the server.
    pub fn into_products(self) -> impl ExactSizeIterator<Item = ImportedProduct> {
        self.products.into_iter().map(Known::into_product)
    }

    /// How many verdicts of each kind there are in each country.
    pub fn counts(&self) -> BTreeMap<&str, [u64; 3]> {
        let mut counts = BTreeMap::<&str, [u64; 3]>::new();
        for (country, word) in self.products.iter().flat_map(|known| &known.verdicts) {
            counts.entry(country).or_default()[strictness(word.verdict)] += 1;
        }
        counts
    }
}

/// ALLOW, REVIEW, BLOCK.
fn strictness(verdict: Verdict) -> usize {
    match verdict {
        Verdict::Allow => 0,
        Verdict::Review => 1,
        Verdict::Block | Verdict::Unspecified => 2,
    }
}

impl Known {
    fn add(&mut self, line: u64, said: Said) -> Result<(), Wrong> {
        if !said.image_sha256.is_empty() {
            if self.image_sha256.is_empty() {
                (self.image_sha256, self.line) = (said.image_sha256, line);
            } else if self.image_sha256 != said.image_sha256 {
                let why = format!("is another picture of the product than in line {}", self.line);
                return Err(Wrong::of("image_sha256", why));
            }
        }
        let mut wrong = None;
        for country in said.countries {
            let word = Word {
                verdict: said.verdict,
                reason: said.reason.clone(),
                decided_at: said.decided_at,
                line,
            };
            match self.verdicts.get_mut(&country) {
                None => drop(self.verdicts.insert(country, word)),
                Some(before) => wrong = wrong.or(before.meet(word, &country)),
            }
        }
        self.describe(said.product);
        wrong.map_or(Ok(()), Err)
    }

    /// What a later line says of the product completes and outranks what an earlier one did.
    fn describe(&mut self, product: Product) {
        let known = &mut self.product;
        for (text, told) in [
            (&mut known.partner_id, product.partner_id),
            (&mut known.product_id, product.product_id),
            (&mut known.title, product.title),
            (&mut known.description, product.description),
            (&mut known.category, product.category),
            (&mut known.brand, product.brand),
            (&mut known.language, product.language),
        ] {
            if !told.is_empty() {
                *text = told;
            }
        }
        known.price = product.price.or(known.price.take());
        known.displays = product.displays.or(known.displays);
    }

    fn into_product(self) -> ImportedProduct {
        let moments = self.verdicts.values().filter_map(|word| word.decided_at);
        let decided_at = moments.max_by_key(|at| (at.seconds, at.nanos));
        let verdict = |(country, word): (String, Word)| ImportedVerdict {
            country,
            verdict: word.verdict.into(),
            reason: word.reason,
        };
        ImportedProduct {
            product: Some(self.product),
            image_sha256: self.image_sha256,
            verdicts: self.verdicts.into_iter().map(verdict).collect(),
            decided_at,
        }
    }
}

impl Word {
    fn meet(&mut self, other: Word, country: &str) -> Option<Wrong> {
        if self.verdict == other.verdict {
            if self.reason.is_empty() {
                self.reason = other.reason;
            }
            return None;
        }
        let moment = |word: &Word| word.decided_at.map(|at| (at.seconds, at.nanos));
        if let (Some(mine), Some(theirs)) = (moment(self), moment(&other))
            && mine != theirs
        {
            if theirs > mine {
                *self = other;
            }
            return None;
        }
        let (before, place) = (self.verdict.as_str_name(), crate::cli::show::country(country));
        let why = format!(
            "says {} of {place}, where line {} says {before}: the stricter holds",
            other.verdict.as_str_name(),
            self.line
        );
        if strictness(other.verdict) > strictness(self.verdict) {
            *self = other;
        }
        Some(Wrong::of("verdict", why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(product: &str, country: &str, verdict: Verdict, at: Option<i64>) -> Said {
        Said {
            product: Product {
                partner_id: "shop".into(),
                product_id: product.into(),
                ..Product::default()
            },
            image_sha256: String::new(),
            countries: vec![country.into()],
            verdict,
            reason: String::new(),
            decided_at: at.map(|seconds| Timestamp { seconds, nanos: 0 }),
        }
    }

    #[test]
    fn lines_of_one_product_become_one_decision() {
        let mut merged = Merged::default();
        merged.add(2, line("lamp", "FR", Verdict::Block, Some(5))).unwrap();
        merged.add(3, line("vase", "", Verdict::Allow, None)).unwrap();
        let mut titled = line("lamp", "DE", Verdict::Allow, Some(9));
        titled.product.title = "Lamp".into();
        merged.add(4, titled).unwrap();
        assert_eq!(merged.counts()["FR"], [0, 0, 1]);
        let all: Vec<ImportedProduct> = merged.into_products().collect();
        assert_eq!(all.len(), 2);
        let countries: Vec<&str> = all[0].verdicts.iter().map(|verdict| verdict.country.as_str()).collect();
        assert_eq!(countries, ["DE", "FR"]);
        assert_eq!(all[0].decided_at.unwrap().seconds, 9);
        assert_eq!(all[0].product.as_ref().unwrap().title, "Lamp");
    }

    #[test]
    fn of_two_words_on_a_country_the_later_holds_or_else_the_stricter_and_is_told() {
        let verdict_of = |lines: &[(Verdict, Option<i64>)]| {
            let mut merged = Merged::default();
            let told = lines
                .iter()
                .zip(1..)
                .map(|((verdict, at), number)| merged.add(number, line("lamp", "FR", *verdict, *at)));
            let wrong: Vec<Wrong> = told.filter_map(Result::err).collect();
            let product = merged.into_products().next().unwrap();
            (product.verdicts[0].verdict(), wrong.len())
        };
        use Verdict::{Allow, Block, Review};
        assert_eq!(verdict_of(&[(Block, Some(1)), (Allow, Some(2))]), (Allow, 0));
        assert_eq!(verdict_of(&[(Block, Some(2)), (Allow, Some(1))]), (Block, 0));
        assert_eq!(verdict_of(&[(Allow, None), (Block, Some(1))]), (Block, 1));
        assert_eq!(verdict_of(&[(Block, None), (Review, None)]), (Block, 1));
        assert_eq!(verdict_of(&[(Block, None), (Block, Some(3))]), (Block, 0));
    }

    #[test]
    fn two_pictures_of_one_product_are_a_contradiction() {
        let mut merged = Merged::default();
        let with = |picture: &str| Said {
            image_sha256: picture.into(),
            ..line("lamp", "FR", Verdict::Block, None)
        };
        merged.add(1, line("lamp", "", Verdict::Allow, None)).unwrap();
        merged.add(2, with("aa")).unwrap();
        merged.add(3, with("aa")).unwrap();
        let wrong = merged.add(4, with("bb")).unwrap_err();
        assert!(
            wrong.field == "image_sha256" && wrong.why.contains("line 2"),
            "{wrong:?}"
        );
    }
}
