//! One decision as a row: the columns that it is found by, and the rest of it as bytes.

use super::bytes::{CodeError, Names, Reader, Writer};
use super::{
    FORM, column, read_form, read_money, read_original, source_name, source_number, source_numbered, verdict_named,
    write_country, write_money, write_original,
};
use crate::base::{
    Arm, CountryVerdict, Decision, Digest, LabelScore, Moment, Origin, Picture, PolicyVersion, Probability, Product,
    Reason, Recorded, RevisionId, Version,
};

/// A decision on its way into the database.
#[derive(Debug)]
pub(in crate::store) struct DecisionRow {
    pub decision_id: String,
    pub at: i64,
    pub partner_id: String,
    pub product_id: String,
    pub image: Option<[u8; 32]>,
    pub model: String,
    pub version: i64,
    pub revision: [u8; 32],
    pub policy: [u8; 32],
    /// The strictest verdict over the countries, and what decided it.
    pub strictest: Option<&'static str>,
    pub label: Option<String>,
    pub source: Option<&'static str>,
    /// `FR=BLOCK DE=ALLOW`, in the order asked; the rest of the world is `=ALLOW`.
    pub verdicts: String,
    pub body: Vec<u8>,
}

/// A decision on its way out of the database.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct DecisionColumns<'a> {
    pub decision_id: &'a str,
    pub at: i64,
    pub partner_id: &'a str,
    pub product_id: &'a str,
    pub image: Option<&'a [u8]>,
    pub model: &'a str,
    pub version: i64,
    pub revision: &'a [u8],
    pub policy: &'a [u8],
    pub verdicts: &'a str,
    pub body: &'a [u8],
}

impl DecisionRow {
    pub fn new(recorded: &Recorded) -> Self {
        let Recorded { decision, product, .. } = recorded;
        let strictest = strictest(&decision.verdicts);
        let deciding = strictest.and_then(|verdict| verdict.reasons.iter().find(|reason| !reason.losing));
        Self {
            decision_id: column(&decision.decision_id).into_owned(),
            at: decision.decided_at.micros(),
            partner_id: column(&product.partner_id).into_owned(),
            product_id: column(&product.product_id).into_owned(),
            image: decision.image_sha256.map(|digest| digest.0),
            model: decision.model.as_str().to_owned(),
            version: decision.version.get(),
            revision: decision.revision.0.0,
            policy: decision.policy_version.0.0,
            strictest: strictest.map(|verdict| verdict.verdict.as_str()),
            label: deciding.and_then(|reason| reason.label.as_ref().map(|label| label.as_str().to_owned())),
            source: deciding.map(|reason| source_name(reason.source)),
            verdicts: verdicts_text(&decision.verdicts),
            body: body(recorded),
        }
    }

    /// Country and verdict of each verdict, as the column has them.
    pub fn country_verdicts(&self) -> impl Iterator<Item = (&str, &str)> {
        pairs(&self.verdicts)
    }
}

/// The countries and verdicts that a column of them lists.
pub(in crate::store) fn pairs(verdicts: &str) -> impl Iterator<Item = (&str, &str)> {
    verdicts.split(' ').filter_map(|pair| pair.split_once('='))
}

/// The first of the strictest.
fn strictest(verdicts: &[CountryVerdict]) -> Option<&CountryVerdict> {
    let strictest = verdicts.iter().map(|verdict| verdict.verdict).max()?;
    verdicts.iter().find(|verdict| verdict.verdict == strictest)
}

fn verdicts_text(verdicts: &[CountryVerdict]) -> String {
    let mut text = String::with_capacity(verdicts.len() * 10);
    for verdict in verdicts {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(verdict.country.as_str());
        text.push('=');
        text.push_str(verdict.verdict.as_str());
    }
    text
}

fn body(recorded: &Recorded) -> Vec<u8> {
    // Taken apart field by field, so that a new one cannot be forgotten.
    let Recorded {
        decision,
        origin,
        product,
        countries,
        ad_type,
        facts,
        unreadable,
        counts,
    } = recorded;
    let mut writer = Writer::default();
    writer.byte(FORM);
    writer.byte(match origin {
        Origin::Judged => 0,
        Origin::Imported => 1,
    });
    writer.byte(u8::from(*counts));
    write_decision(&mut writer, decision);
    write_product(&mut writer, product);
    writer.list(countries.iter(), |writer, country| write_country(writer, *country));
    writer.text(ad_type);
    writer.list(facts.iter(), |writer, (name, value)| {
        writer.text(name);
        writer.text(value);
    });
    writer.option(unreadable.as_deref(), Writer::text);
    writer.finish()
}

fn write_decision(writer: &mut Writer, decision: &Decision) {
    // The fields that a row has columns for are left to those.
    let Decision {
        decision_id,
        verdicts,
        scores,
        model: _,
        version: _,
        revision: _,
        policy_version: _,
        correction_seq,
        arm,
        image_sha256: _,
        known_picture,
        trace_id,
        decided_at: _,
    } = decision;
    write_original(writer, decision_id);
    writer.list(scores.iter(), |writer, LabelScore { label, probability }| {
        writer.text(label.as_str());
        writer.float(probability.get());
    });
    for verdict in verdicts {
        writer.list(verdict.reasons.iter(), write_reason);
        writer.option(verdict.valid_until, |writer, until| writer.signed(until.micros()));
    }
    writer.number(*correction_seq);
    writer.byte(match arm {
        Arm::Stable => 0,
        Arm::Candidate => 1,
        Arm::Named => 2,
    });
    writer.byte(u8::from(*known_picture));
    writer.text(trace_id);
}

fn write_reason(writer: &mut Writer, reason: &Reason) {
    let Reason {
        source,
        label,
        score,
        threshold,
        rule,
        text,
        losing,
    } = reason;
    writer.byte(source_number(*source));
    writer.option(label.as_ref(), |writer, label| writer.text(label.as_str()));
    writer.option(*score, |writer, score| writer.float(score.get()));
    writer.option(*threshold, |writer, threshold| writer.float(threshold.get()));
    writer.text(rule);
    writer.text(text);
    writer.byte(u8::from(*losing));
}

fn write_product(writer: &mut Writer, product: &Product) {
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
    } = product;
    write_original(writer, partner_id);
    write_original(writer, product_id);
    for text in [title, description, category, brand, language] {
        writer.text(text);
    }
    write_money(writer, price.as_ref());
    writer.option(*displays, Writer::number);
}

impl DecisionColumns<'_> {
    /// The decision that the row holds.
    pub fn read(&self, names: &mut Names) -> Result<Recorded, CodeError> {
        let mut reader = Reader::new(self.body);
        read_form(&mut reader)?;
        let origin = match reader.byte()? {
            0 => Origin::Judged,
            1 => Origin::Imported,
            other => return Err(CodeError(format!("{other} is no origin"))),
        };
        let counts = reader.flag()?;
        let recorded = Recorded {
            origin,
            counts,
            decision: self.read_decision(&mut reader, names)?,
            product: self.read_product(&mut reader)?,
            countries: reader.list(|reader| names.country(reader.str()?))?,
            ad_type: reader.text()?,
            facts: reader.list(|reader| Ok((reader.text()?, reader.text()?)))?,
            unreadable: reader.option(Reader::text)?,
        };
        reader.end().map(|()| recorded)
    }

    fn read_decision(&self, reader: &mut Reader<'_>, names: &mut Names) -> Result<Decision, CodeError> {
        let decision_id = read_original(reader, self.decision_id)?;
        let scores = reader.list(|reader| {
            Ok(LabelScore {
                label: names.label(reader.str()?)?,
                probability: read_probability(reader)?,
            })
        })?;
        let verdicts = self.read_verdicts(reader, names)?;
        let correction_seq = reader.number()?;
        let arm = match reader.byte()? {
            0 => Arm::Stable,
            1 => Arm::Candidate,
            2 => Arm::Named,
            other => return Err(CodeError(format!("{other} is no arm"))),
        };
        Ok(Decision {
            decision_id,
            verdicts,
            scores,
            model: names.model(self.model)?,
            version: match self.version {
                0 => Version::NONE,
                number => Version::try_from(number)?,
            },
            revision: RevisionId(digest(self.revision)?),
            policy_version: PolicyVersion(digest(self.policy)?),
            correction_seq,
            arm,
            image_sha256: self.image.map(digest).transpose()?,
            known_picture: reader.flag()?,
            trace_id: reader.text()?,
            decided_at: Moment::from_micros(self.at),
        })
    }

    fn read_verdicts(&self, reader: &mut Reader<'_>, names: &mut Names) -> Result<Vec<CountryVerdict>, CodeError> {
        let read = |(country, verdict): (&str, &str)| {
            Ok(CountryVerdict {
                country: names.country(country)?,
                verdict: verdict_named(verdict)?,
                reasons: reader.list(|reader| read_reason(reader, names))?,
                valid_until: reader.option(Reader::signed)?.map(Moment::from_micros),
            })
        };
        pairs(self.verdicts).map(read).collect()
    }

    fn read_product(&self, reader: &mut Reader<'_>) -> Result<Product, CodeError> {
        Ok(Product {
            partner_id: read_original(reader, self.partner_id)?,
            product_id: read_original(reader, self.product_id)?,
            title: reader.text()?,
            description: reader.text()?,
            category: reader.text()?,
            brand: reader.text()?,
            language: reader.text()?,
            price: read_money(reader)?,
            displays: reader.option(Reader::number)?,
            picture: Picture::Missing,
        })
    }
}

fn read_reason(reader: &mut Reader<'_>, names: &mut Names) -> Result<Reason, CodeError> {
    Ok(Reason {
        source: source_numbered(reader.byte()?)?,
        label: reader.option(|reader| names.label(reader.str()?))?,
        score: reader.option(read_probability)?,
        threshold: reader.option(read_probability)?,
        rule: reader.text()?,
        text: reader.text()?,
        losing: reader.flag()?,
    })
}

fn read_probability(reader: &mut Reader<'_>) -> Result<Probability, CodeError> {
    let value = reader.float()?;
    Probability::new(value).ok_or_else(|| CodeError(format!("{value} is no probability")))
}

/// A hash as a column has it.
pub(in crate::store) fn digest(bytes: &[u8]) -> Result<Digest, CodeError> {
    let whole = bytes.try_into().map(Digest);
    whole.map_err(|_| CodeError(format!("a hash has {} bytes", bytes.len())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Verdict;

    #[test]
    fn the_strictest_verdict_is_the_first_of_the_strictest() {
        let verdict = |country: &str, verdict| CountryVerdict {
            country: country.parse().unwrap(),
            verdict,
            reasons: Vec::new(),
            valid_until: None,
        };
        let verdicts = [
            verdict("FR", Verdict::Allow),
            verdict("DE", Verdict::Block),
            verdict("", Verdict::Block),
        ];
        assert_eq!(strictest(&verdicts).unwrap().country.as_str(), "DE");
        assert_eq!(verdicts_text(&verdicts), "FR=ALLOW DE=BLOCK =BLOCK");
        let listed: Vec<_> = pairs("FR=ALLOW =BLOCK").collect();
        assert_eq!(listed, [("FR", "ALLOW"), ("", "BLOCK")]);
        assert_eq!(pairs("").count(), 0);
    }
}
