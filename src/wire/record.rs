//! Decisions on record on their way out.

use super::vigie;
use crate::base::{CountryCode, Money, Origin, Product, Recorded};

impl From<Money> for vigie::Money {
    fn from(money: Money) -> Self {
        Self {
            units: money.units,
            nanos: money.nanos,
            currency: money.currency,
        }
    }
}

impl From<Product> for vigie::Product {
    /// Without the picture.
    fn from(product: Product) -> Self {
        Self {
            partner_id: product.partner_id,
            product_id: product.product_id,
            title: product.title,
            description: product.description,
            category: product.category,
            brand: product.brand,
            language: product.language,
            price: product.price.map(Into::into),
            displays: product.displays,
            picture: None,
        }
    }
}

impl From<Recorded> for vigie::RecordedDecision {
    fn from(recorded: Recorded) -> Self {
        let mut decision = vigie::Decision::from(recorded.decision);
        if recorded.origin == Origin::Imported {
            decision.revision.clear();
            decision.policy_version.clear();
        }
        Self {
            decision: Some(decision),
            product: Some(recorded.product.into()),
            countries: recorded.countries.into_iter().map(code).collect(),
            ad_type: recorded.ad_type,
            facts: recorded.facts,
            unreadable: recorded.unreadable.unwrap_or_default(),
            imported: match recorded.origin {
                Origin::Judged => false,
                Origin::Imported => true,
            },
        }
    }
}

/// A country as the wire writes it.
pub fn code(country: CountryCode) -> String {
    country.as_str().to_owned()
}
