//! The SQL of a question about decisions or corrections. Both databases are asked with the same text, but for the hint that SQLite gets.
//!
//! One stated filter is chosen to lead: an index on it and the time gives its matches newest first, and the other filters are held against
//! those. The narrowest filters lead before the wider ones. SQLite is told the index, since it knows nothing of how values are spread;
//! PostgreSQL does.

use std::fmt::Write as _;

use crate::base::{CountryCode, Verdict};

use super::RecordsError;
use super::code::{column, source_name};
use super::query::{CorrectionQuery, DecisionQuery, Position, check_limit, not_a_cursor};

/// The columns that a decision is made of, in the order in which both databases read them; the last is its place in the order of arrival.
pub(in crate::store) const DECISION_COLUMNS: &str = "d.decision_id, d.at, d.partner_id, d.product_id, d.image, d.model, d.version, \
     d.revision, d.policy, d.verdicts, d.body, d.entry";

/// Whose SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Dialect {
    Sqlite,
    Postgres,
}

/// A value for a place in the SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) enum Bind {
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// A question: the text, in which the nth value stands as `$n`, first mentioned in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::store) struct Select {
    pub sql: String,
    pub binds: Vec<Bind>,
}

impl Select {
    /// Adds a condition, in which `$` stands for the value.
    fn and(&mut self, condition: &str, bind: Bind) {
        self.binds.push(bind);
        let numbered = condition.replace('$', &format!("${}", self.binds.len()));
        self.sql.push_str(" AND ");
        self.sql.push_str(&numbered);
    }
}

/// The questions whose answers together, merged newest first, are a page of decisions and one more.
pub(in crate::store) fn decisions(query: &DecisionQuery, dialect: Dialect) -> Result<Vec<Select>, RecordsError> {
    check_limit(query.limit)?;
    let position = query.cursor.as_deref().map(Position::from_cursor).transpose()?;
    let leading = leading_index(query);
    let selects = match (leading, query.country, query.verdict) {
        (None, Some(country), Some(verdict)) => vec![by_country(query, country, verdict, position)],
        // The index has each country's verdicts apart, so each gives its own newest.
        (None, Some(country), None) => Verdict::ALL
            .into_iter()
            .map(|verdict| by_country(query, country, verdict, position))
            .collect(),
        (leading, _, _) => vec![by_index(query, leading.unwrap_or("decisions_by_at"), dialect, position)],
    };
    Ok(selects)
}

/// The index of the narrowest filter; none where the country leads, or nothing does.
fn leading_index(query: &DecisionQuery) -> Option<&'static str> {
    let narrow = [
        (query.product.is_some(), "decisions_by_product"),
        (query.image_sha256.is_some(), "decisions_by_image"),
        (query.partner.is_some(), "decisions_by_partner"),
    ];
    let wide = [
        (query.label.is_some(), "decisions_by_label"),
        (query.policy_version.is_some(), "decisions_by_policy"),
        (query.model.is_some() && query.version.is_some(), "decisions_by_version"),
        (query.source.is_some(), "decisions_by_source"),
        (query.model.is_some(), "decisions_by_model"),
        (query.verdict.is_some(), "decisions_by_strictest"),
    ];
    let stated = |filters: &[(bool, &'static str)]| filters.iter().find(|(stated, _)| *stated).map(|(_, index)| *index);
    match stated(&narrow) {
        None if query.country.is_some() => None,
        narrowest => narrowest.or_else(|| stated(&wide)),
    }
}

fn by_index(query: &DecisionQuery, index: &str, dialect: Dialect, position: Option<Position>) -> Select {
    let hint = match dialect {
        Dialect::Sqlite => format!(" INDEXED BY {index}"),
        Dialect::Postgres => String::new(),
    };
    let mut select = Select {
        sql: format!("SELECT {DECISION_COLUMNS} FROM decisions d{hint} WHERE true"),
        binds: Vec::new(),
    };
    filter(&mut select, query);
    if let Some(country) = query.country {
        let verdicts = query.verdict.map_or_else(
            || "'ALLOW', 'REVIEW', 'BLOCK'".to_owned(),
            |verdict| format!("'{}'", verdict.as_str()),
        );
        let condition = format!(
            "EXISTS (SELECT 1 FROM decision_countries c WHERE c.country = $ AND c.verdict IN ({verdicts}) \
             AND c.at = d.at AND c.entry = d.entry)"
        );
        select.and(&condition, Bind::Text(country.as_str().to_owned()));
    } else if let Some(verdict) = query.verdict {
        select.and("d.strictest = $", Bind::Text(verdict.as_str().to_owned()));
    }
    newest_first(&mut select, query, "d", position);
    select
}

fn by_country(query: &DecisionQuery, country: CountryCode, verdict: Verdict, position: Option<Position>) -> Select {
    let mut select = Select {
        // Not a plain join: SQLite takes the tables of a CROSS JOIN in their order.
        sql: format!(
            "SELECT {DECISION_COLUMNS} FROM decision_countries c CROSS JOIN decisions d WHERE d.entry = c.entry"
        ),
        binds: Vec::new(),
    };
    select.and("c.country = $", Bind::Text(country.as_str().to_owned()));
    select.and("c.verdict = $", Bind::Text(verdict.as_str().to_owned()));
    filter(&mut select, query);
    newest_first(&mut select, query, "c", position);
    select
}

/// The filters on a decision's own columns, but for the verdict.
fn filter(select: &mut Select, query: &DecisionQuery) {
    let text = |text: &str| Bind::Text(column(text).into_owned());
    if let Some(key) = &query.product {
        select.and("d.partner_id = $", text(&key.partner_id));
        select.and("d.product_id = $", text(&key.product_id));
    }
    if let Some(partner) = &query.partner {
        select.and("d.partner_id = $", text(partner));
    }
    if let Some(image) = query.image_sha256 {
        select.and("d.image = $", Bind::Bytes(image.0.to_vec()));
    }
    if let Some(model) = &query.model {
        select.and("d.model = $", text(model.as_str()));
    }
    if let Some(version) = query.version {
        select.and("d.version = $", Bind::Int(version.get()));
    }
    if let Some(policy) = query.policy_version {
        select.and("d.policy = $", Bind::Bytes(policy.0.0.to_vec()));
    }
    if let Some(label) = &query.label {
        select.and("d.label = $", text(label.as_str()));
    }
    if let Some(source) = query.source {
        select.and("d.source = $", text(source_name(source)));
    }
}

/// The span of time, where the page before ended, the order and the limit; `table` is the one whose index leads.
fn newest_first(select: &mut Select, query: &DecisionQuery, table: &str, position: Option<Position>) {
    if let Some(since) = query.since {
        select.and(&format!("{table}.at >= $"), Bind::Int(since.micros()));
    }
    if let Some(until) = query.until {
        select.and(&format!("{table}.at < $"), Bind::Int(until.micros()));
    }
    if let Some(Position { at, entry }) = position {
        // The first is for the index; the two others are for the order among equals.
        select.and(&format!("{table}.at <= $"), Bind::Int(at));
        select.and(&format!("({table}.at < $"), Bind::Int(at));
        select.binds.push(Bind::Int(entry));
        let _ = write!(select.sql, " OR {table}.entry < ${})", select.binds.len());
    }
    let limit = query.limit + 1;
    let _ = write!(
        select.sql,
        " ORDER BY {table}.at DESC, {table}.entry DESC LIMIT {limit}"
    );
}

/// The question whose answer is a page of corrections and one more.
pub(in crate::store) fn corrections(query: &CorrectionQuery) -> Result<Select, RecordsError> {
    check_limit(query.limit)?;
    let mut select = Select {
        sql: "SELECT body, seq FROM corrections WHERE true".to_owned(),
        binds: Vec::new(),
    };
    let text = |text: &str| Bind::Text(column(text).into_owned());
    if let Some(key) = &query.product {
        select.and("partner_id = $", text(&key.partner_id));
        select.and("product_id = $", text(&key.product_id));
    }
    if let Some(partner) = &query.partner {
        select.and("partner_id = $", text(partner));
    }
    if let Some(partner) = &query.whole_partner {
        select.and("product_id IS NULL AND partner_id = $", text(partner));
    }
    if let Some(picture) = query.picture {
        select.and("image = $", Bind::Bytes(picture.0.to_vec()));
    }
    if let Some(author) = &query.author {
        select.and("author = $", text(author.as_str()));
    }
    if let Some(at) = query.active_at {
        let at = || Bind::Int(at.micros());
        select.and("created_at <= $", at());
        select.and("(expires_at IS NULL OR expires_at > $)", at());
        select.and("(revoked_at IS NULL OR revoked_at > $)", at());
    }
    if let Some(cursor) = &query.cursor {
        let seq = cursor.parse().map_err(|_| not_a_cursor())?;
        select.and("seq < $", Bind::Int(seq));
    }
    let _ = write!(select.sql, " ORDER BY seq DESC LIMIT {}", query.limit + 1);
    Ok(select)
}
