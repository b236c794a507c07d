//! Questions for verdicts on known products, and their answers.

use super::correction::product_key;
use super::request::{MAX_IDENTITY_BYTES, checked_facts, countries, within};
use super::vigie;
use crate::base::{ProductVerdicts, Refusal, Telling, VerdictsAsk};

/// Products of one question.
const MAX_PRODUCTS: usize = 10_000;
/// Products times countries of one question, where each verdict has one reason: what a core judges in a tenth of a second.
const MAX_VERDICTS: usize = 50_000;
/// The same where each has all of its reasons: they are ten times as long.
const MAX_FULL_VERDICTS: usize = 5_000;

impl vigie::GetVerdictsRequest {
    /// The question in the words of the house.
    pub fn into_ask(self) -> Result<VerdictsAsk, Refusal> {
        let countries = countries(&self.countries)?;
        let telling = match vigie::View::try_from(self.view) {
            Ok(vigie::View::Unspecified | vigie::View::Basic) => Telling::Brief,
            Ok(vigie::View::Full) => Telling::Full,
            Err(_) => {
                let message = format!("{} is unknown: BASIC (1) or FULL (2) is expected", self.view);
                return Err(Refusal::invalid("view", message));
            }
        };
        let most = match telling {
            Telling::Brief => MAX_VERDICTS,
            Telling::Full => MAX_FULL_VERDICTS,
        };
        let (products, verdicts) = (self.products.len(), self.products.len() * countries.len().max(1));
        if products > MAX_PRODUCTS || verdicts > most {
            let message = format!(
                "{products} products and {verdicts} verdicts are asked for; at most {MAX_PRODUCTS} and {most} are answered at once in this view"
            );
            return Err(Refusal::invalid("products", message));
        }
        within("ad_type", &self.ad_type, MAX_IDENTITY_BYTES)?;
        checked_facts(&self.facts)?;
        let keys = self.products.into_iter().enumerate();
        Ok(VerdictsAsk {
            products: keys
                .map(|(i, key)| product_key(&format!("products[{i}]"), key))
                .collect::<Result<_, _>>()?,
            countries,
            ad_type: self.ad_type,
            facts: self.facts,
            telling,
        })
    }
}

impl From<ProductVerdicts> for vigie::ProductVerdicts {
    fn from(of: ProductVerdicts) -> Self {
        Self {
            product: Some(of.product.into()),
            verdicts: of.verdicts.into_iter().map(Into::into).collect(),
            known: of.known,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::RefusalKind;

    fn asked(products: usize, countries: &[&str], view: i32) -> vigie::GetVerdictsRequest {
        let key = |i: usize| vigie::ProductKey {
            partner_id: "acme".into(),
            product_id: i.to_string(),
        };
        vigie::GetVerdictsRequest {
            products: (0..products).map(key).collect(),
            countries: countries.iter().map(|&country| country.to_owned()).collect(),
            view,
            ..Default::default()
        }
    }

    #[test]
    fn a_question_is_read_whole_or_refused_by_its_field() {
        let ask = asked(2, &["FR", ""], 2).into_ask().unwrap();
        assert_eq!(
            (ask.products.len(), ask.countries.len(), ask.telling),
            (2, 2, Telling::Full)
        );
        let mut nameless = asked(2, &[], 0);
        nameless.products[1].product_id.clear();
        for (request, field) in [
            (asked(10_001, &[], 0), "products"),
            (asked(9_000, &["FR"; 6], 0), "products"),
            (asked(1_000, &["FR"; 6], 2), "products"),
            (asked(1, &["fr"], 0), "countries[0]"),
            (asked(1, &[], 9), "view"),
            (nameless, "products[1].product_id"),
        ] {
            let refusal = request.into_ask().unwrap_err();
            assert_eq!(
                refusal.kind,
                RefusalKind::InvalidArgument { field: field.into() },
                "{refusal}"
            );
        }
    }
}
