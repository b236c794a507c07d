//! Places: the rules of each country in the order in which they outrank each other, made once when a policy is read.
//!
//! Countries with the same rules, in force at the same moments, share a place.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use jiff::tz::TimeZone;

use crate::base::{CountryCode, Moment, Probability};

use super::rule::{Rule, Says, Scope};
use super::zones::{Calendars, countries, end_of_day, start_of_day};

/// A group of countries.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    pub name: String,
    pub line: usize,
    /// Its own and those of the groups within it; never empty.
    pub countries: BTreeSet<CountryCode>,
    /// The names of the groups within it.
    pub within: Vec<String>,
}

/// A rule among those of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Standing {
    /// The rule, by its place in the policy.
    pub rule: u16,
    /// How specific it is among the rules on its label here: 0 is the most specific; equal ones are equally specific.
    pub class: u16,
    /// In force from this moment …
    pub begins: Moment,
    /// … until this one.
    pub ends: Moment,
}

impl Standing {
    pub(super) fn holds_at(&self, at: Moment) -> bool {
        self.begins <= at && at < self.ends
    }

    /// The next moment at which it begins or ends.
    pub(super) fn changes_after(&self, at: Moment) -> Option<Moment> {
        let ends = Some(self.ends).filter(|&ends| ends != END_OF_TIME);
        [Some(self.begins), ends]
            .into_iter()
            .flatten()
            .filter(|&change| change > at)
            .min()
    }

    pub(super) fn is_dated(&self) -> bool {
        self.begins != BEGINNING_OF_TIME || self.ends != END_OF_TIME
    }
}

const BEGINNING_OF_TIME: Moment = Moment::from_micros(i64::MIN);
const END_OF_TIME: Moment = Moment::from_micros(i64::MAX);

/// The rules of countries that have the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Place {
    /// By the number of the label; the more specific before the less, equally specific ones by their ids.
    pub labels: Vec<Vec<Standing>>,
    /// Rules about keywords, categories, products and prices, by their place in the policy.
    pub others: Vec<Standing>,
    /// Whether any rule here begins or ends.
    pub is_dated: bool,
}

/// All places, and which is whose.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Places {
    all: Vec<Place>,
    /// By place and label: no rule there has anything against a score below.
    floors: Vec<Vec<Probability>>,
    /// By `slot`.
    of_country: Vec<u16>,
}

/// Two letters, and the rest of the world.
const SLOTS: usize = 26 * 26 + 1;

/// The place of a country in the table of places.
fn slot(country: CountryCode) -> usize {
    match *country.as_str().as_bytes() {
        [first, second] => usize::from(first.wrapping_sub(b'A')) * 26 + usize::from(second.wrapping_sub(b'A')),
        _ => SLOTS - 1,
    }
}

impl Places {
    pub(super) fn new(rules: &[Rule], groups: &[Group], labels: usize) -> Self {
        let mut by_id: Vec<(u16, &Rule)> = (0..).zip(rules).collect();
        by_id.sort_by(|(_, a), (_, b)| a.id.cmp(&b.id));
        let calendars = Calendars::new();
        let any_dates = rules.iter().any(|rule| rule.dates.are_stated());
        let mut numbers: HashMap<Place, u16> = HashMap::new();
        let mut all = Vec::new();
        let mut of_country = vec![0; SLOTS];
        let everywhere = [CountryCode::REST_OF_WORLD]
            .into_iter()
            .chain(countries().map(|(country, _)| country));
        for country in everywhere {
            let zone = if any_dates {
                calendars.zone(country)
            } else {
                TimeZone::UTC
            };
            let place = place(&by_id, groups, (country, &zone), labels);
            let number = *numbers.entry(place).or_insert_with_key(|place| {
                all.push(place.clone());
                u16::try_from(all.len() - 1).expect("there are 251 countries")
            });
            of_country[slot(country)] = number;
        }
        let floors = all
            .iter()
            .map(|place| place.labels.iter().map(|standings| floor(standings, rules)).collect());
        Self {
            floors: floors.collect(),
            all,
            of_country,
        }
    }

    /// The number of a country's place.
    pub(super) fn number(&self, country: CountryCode) -> u16 {
        self.of_country.get(slot(country)).copied().unwrap_or_default()
    }

    /// The place of a country.
    pub(super) fn of(&self, country: CountryCode) -> &Place {
        &self.all[usize::from(self.number(country))]
    }

    /// The score below which every rule on a label allows it in a country, by the number of the label.
    pub(super) fn floors(&self, country: CountryCode) -> &[Probability] {
        &self.floors[usize::from(self.number(country))]
    }

    /// All of them, each once.
    pub(super) fn all(&self) -> &[Place] {
        &self.all
    }
}

/// How specific a rule is in a country: the smaller, the more. None where it does not apply there.
pub(super) fn specificity(rule: &Rule, groups: &[Group], country: CountryCode) -> Option<Specificity> {
    Some(Specificity {
        without_product: rule.when.products.is_empty(),
        without_partner: rule.when.partners.is_empty(),
        breadth: breadth(&rule.scope, groups, country)?,
        without_ad_type: rule.when.ad_types.is_empty(),
        on_facts: Reverse(rule.when.on_facts()),
    })
}

/// The order of precedence, field by field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Specificity {
    without_product: bool,
    without_partner: bool,
    /// 0 for a country that is named, the size of the smallest group that it is in, or everywhere.
    breadth: usize,
    without_ad_type: bool,
    on_facts: Reverse<usize>,
}

/// The lowest threshold of the rules on a label, the default among them.
fn floor(standings: &[Standing], rules: &[Rule]) -> Probability {
    let standing = standings.iter().map(|standing| &rules[usize::from(standing.rule)]);
    let default = rules.iter().filter(|rule| matches!(rule.says, Says::ByDefault { .. }));
    let thresholds = standing.chain(default).filter_map(|rule| rule.effect()?.first_step());
    let lowest = thresholds
        .map(|(_, threshold)| threshold)
        .min_by(|a, b| a.get().total_cmp(&b.get()));
    lowest.expect("the default has a threshold")
}

fn breadth(scope: &Scope, groups: &[Group], country: CountryCode) -> Option<usize> {
    if scope.countries.is_empty() && scope.groups.is_empty() {
        return Some(usize::MAX);
    }
    if scope.countries.contains(&country) {
        return Some(0);
    }
    let named = scope.groups.iter().filter_map(|&group| groups.get(group));
    named
        .filter(|group| group.countries.contains(&country))
        .map(|group| group.countries.len())
        .min()
}

fn place(rules: &[(u16, &Rule)], groups: &[Group], (country, zone): (CountryCode, &TimeZone), labels: usize) -> Place {
    let mut by_label = vec![Vec::new(); labels];
    let mut others = Vec::new();
    for &(number, rule) in rules {
        let Some(specificity) = specificity(rule, groups, country) else {
            continue;
        };
        let standing = Standing {
            rule: number,
            class: 0,
            begins: rule
                .dates
                .starts
                .map_or(BEGINNING_OF_TIME, |day| start_of_day(day, zone)),
            ends: rule.dates.ends.map_or(END_OF_TIME, |day| end_of_day(day, zone)),
        };
        match rule.label().and_then(|label| by_label.get_mut(label)) {
            Some(of_label) => of_label.push((specificity, standing)),
            None if rule.effect().is_none() => others.push(standing),
            None => {}
        }
    }
    let labels: Vec<Vec<Standing>> = by_label.into_iter().map(in_order).collect();
    let is_dated = labels.iter().flatten().chain(&others).any(Standing::is_dated);
    Place {
        labels,
        others,
        is_dated,
    }
}

/// The most specific first; what is equally specific stays in its order and gets the same class.
fn in_order(mut found: Vec<(Specificity, Standing)>) -> Vec<Standing> {
    found.sort_by_key(|(specificity, _)| *specificity);
    let mut class = 0;
    let mut before = None;
    let mut ordered = Vec::with_capacity(found.len());
    for (specificity, standing) in found {
        class += u16::from(before.is_some_and(|before| before != specificity));
        before = Some(specificity);
        ordered.push(Standing { class, ..standing });
    }
    ordered
}
