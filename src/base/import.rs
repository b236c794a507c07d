//! What another system decided, on its way into the records of this one.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::decision::{Arm, Decision};
use super::ids::{CountryCode, Digest, ModelName, PolicyVersion, RevisionId, Version, id_of};
use super::known::ImportedVerdict;
use super::moment::Moment;
use super::product::Product;
use super::record::{Origin, Recorded};
use super::verdict::{CountryVerdict, Reason, Source};

/// What another system said of one product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedProduct {
    /// With both of its identities, and without its picture.
    pub product: Product,
    /// Of the picture that it was said of, where that is known.
    pub image_sha256: Option<Digest>,
    /// At least one, and one a country.
    pub verdicts: Vec<ImportedVerdict>,
    /// None: when it is put on record.
    pub decided_at: Option<Moment>,
}

impl ImportedProduct {
    /// What its decision is called: the same for the same content from the same source, and another for any other.
    pub fn decision_id(&self, source: &str) -> String {
        // Taken apart field by field, so that a new one cannot be forgotten.
        let Product {
            partner_id,
            product_id,
            title,
            description,
            category,
            brand,
            language,
            price,
            displays,
            picture: _,
        } = &self.product;
        let mut content = Content(Sha256::new());
        for text in [
            source,
            partner_id,
            product_id,
            title,
            description,
            category,
            brand,
            language,
        ] {
            content.text(text);
        }
        let price = price.as_ref().map(|price| (price.units, price.nanos, &price.currency));
        let image = self.image_sha256.map(|image| image.to_string());
        let at = self.decided_at.map(Moment::micros);
        content.text(&format!("{price:?} {displays:?} {image:?} {at:?}"));
        let verdicts: BTreeMap<CountryCode, &ImportedVerdict> =
            self.verdicts.iter().map(|verdict| (verdict.country, verdict)).collect();
        for (country, ImportedVerdict { verdict, reason, .. }) in verdicts {
            content.text(country.as_str());
            content.text(verdict.as_str());
            content.text(reason);
        }
        id_of(Digest(content.0.finalize().into()))
    }

    /// The decision that goes on record: by no revision and no policy of ours, under the model that is to judge the product later.
    pub fn into_recorded(self, source: &str, model: ModelName, now: Moment) -> Recorded {
        let decision_id = self.decision_id(source);
        let nothing = Digest([0; 32]);
        let countries = self.verdicts.iter().map(|verdict| verdict.country).collect();
        let verdicts = self.verdicts.into_iter().map(|verdict| said_by(source, verdict));
        Recorded {
            decision: Decision {
                decision_id,
                verdicts: verdicts.collect(),
                scores: Vec::new(),
                model,
                version: Version::NONE,
                revision: RevisionId(nothing),
                policy_version: PolicyVersion(nothing),
                correction_seq: 0,
                arm: Arm::Stable,
                image_sha256: self.image_sha256,
                known_picture: false,
                trace_id: String::new(),
                decided_at: self.decided_at.unwrap_or(now),
            },
            origin: Origin::Imported,
            product: self.product,
            countries,
            ad_type: String::new(),
            facts: BTreeMap::new(),
            unreadable: None,
            counts: true,
        }
    }
}

fn said_by(source: &str, said: ImportedVerdict) -> CountryVerdict {
    let text = match said.reason.as_str() {
        "" => format!("according to {source}"),
        reason => format!("according to {source}: {reason}"),
    };
    CountryVerdict {
        country: said.country,
        verdict: said.verdict,
        reasons: vec![Reason {
            source: Source::Imported,
            label: None,
            score: None,
            threshold: None,
            rule: "imported".to_owned(),
            text,
            losing: false,
        }],
        valid_until: None,
    }
}

/// Texts, each after its length, so that no two rows of them are one.
struct Content(Sha256);

impl Content {
    fn text(&mut self, text: &str) {
        self.0.update((text.len() as u64).to_le_bytes());
        self.0.update(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Verdict;

    fn lamp(verdicts: &[(&str, Verdict)]) -> ImportedProduct {
        let verdict = |(country, verdict): &(&str, Verdict)| ImportedVerdict {
            country: country.parse().unwrap(),
            verdict: *verdict,
            reason: String::new(),
        };
        ImportedProduct {
            product: Product {
                partner_id: "shop".into(),
                product_id: "lamp".into(),
                ..Product::default()
            },
            image_sha256: None,
            verdicts: verdicts.iter().map(verdict).collect(),
            decided_at: None,
        }
    }

    #[test]
    fn the_same_content_has_one_name_in_whatever_order_its_countries_come() {
        let said = [("FR", Verdict::Block), ("", Verdict::Allow)];
        let id = lamp(&said).decision_id("old");
        assert_eq!(id.len(), 36);
        assert_eq!(lamp(&[said[1], said[0]]).decision_id("old"), id);
        let mut others = [lamp(&said), lamp(&said), lamp(&said), lamp(&said[..1])];
        others[0].product.partner_id = "shopl".into();
        others[0].product.product_id = "amp".into();
        others[1].decided_at = Some(Moment::from_micros(0));
        others[2].verdicts[0].reason = "a knife".into();
        for other in others {
            assert_ne!(other.decision_id("old"), id, "{other:?}");
        }
        assert_ne!(lamp(&said).decision_id("older"), id);
    }

    #[test]
    fn what_goes_on_record_says_whose_word_it_is() {
        let mut said = lamp(&[("FR", Verdict::Block)]);
        said.verdicts[0].reason = "a knife".into();
        let recorded = said.into_recorded("old", "adsafety".parse().unwrap(), Moment::from_micros(7));
        assert_eq!(recorded.decision.decided_at, Moment::from_micros(7));
        let reason = &recorded.decision.verdicts[0].reasons[0];
        assert_eq!(
            (reason.source, reason.text.as_str()),
            (Source::Imported, "according to old: a knife")
        );
    }
}
