//! The search for what made the difference: parts of one state are put into another until the verdict is as it was.

use std::collections::HashMap;

use super::Desk;
use super::lab::Lab;
use super::part::{End, Part};
use super::states::Bench;
use crate::base::{CountryCode, CountryVerdict, Refusal, Verdict};

/// What comes of a state, or why it cannot be tried.
pub(super) type Tried = Result<Vec<CountryVerdict>, String>;

/// The verdicts of a state.
pub(super) fn judge(lab: &mut Lab<'_>, end: &End, countries: &[CountryCode]) -> Tried {
    let look = lab.look(end.picture, &end.preprocessing, &end.weights)?;
    let bench = Bench {
        at: end.at,
        countries,
        seen: &end.seen,
        picture: end.picture,
        policy: &end.policy,
        corrections: &end.corrections,
    };
    Ok(bench.judge(&look))
}

/// One state, and another whose parts are put into it. Each combination is judged once.
pub(super) struct Trials<'t, 'd> {
    pub desk: &'d Desk,
    pub lab: &'t mut Lab<'d>,
    pub base: &'t End,
    pub other: &'t End,
    /// Those in which the two differ.
    pub parts: &'t [Part],
    pub countries: &'t [CountryCode],
    tried: HashMap<u32, Tried>,
}

impl<'t, 'd> Trials<'t, 'd> {
    pub fn new(
        (desk, lab): (&'d Desk, &'t mut Lab<'d>),
        (base, other): (&'t End, &'t End),
        parts: &'t [Part],
        countries: &'t [CountryCode],
    ) -> Self {
        Self {
            desk,
            lab,
            base,
            other,
            parts,
            countries,
            tried: HashMap::new(),
        }
    }

    /// The verdicts with these parts of the other, by the bits of their places.
    pub fn with(&mut self, set: u32) -> Result<&Tried, Refusal> {
        if !self.tried.contains_key(&set) {
            self.desk.check()?;
            let end = self.base.with(&parts_of(self.parts, set), self.other);
            let tried = judge(self.lab, &end, self.countries);
            self.tried.insert(set, tried);
        }
        Ok(&self.tried[&set])
    }

    /// The smallest sets of parts that, put in, give a country a verdict.
    pub fn smallest(&mut self, country: CountryCode, verdict: Verdict) -> Result<Vec<Vec<Part>>, Refusal> {
        let parts = self.parts;
        let sets = smallest(parts.len(), |set| {
            let tried = self.with(set)?;
            let of_country = |verdicts: &Vec<CountryVerdict>| {
                let found = verdicts.iter().find(|found| found.country == country);
                found.is_some_and(|found| found.verdict == verdict)
            };
            Ok::<_, Refusal>(tried.as_ref().is_ok_and(of_country))
        })?;
        Ok(sets.into_iter().map(|set| parts_of(parts, set)).collect())
    }
}

fn parts_of(parts: &[Part], set: u32) -> Vec<Part> {
    let chosen = parts.iter().enumerate().filter(|(place, _)| set & (1 << place) != 0);
    chosen.map(|(_, part)| *part).collect()
}

/// The smallest sets out of so many things of which something is true: all of the least size at which there is one.
fn smallest<E>(count: usize, mut is_so: impl FnMut(u32) -> Result<bool, E>) -> Result<Vec<u32>, E> {
    for size in 1..=count {
        let mut found = Vec::new();
        for set in (1_u32..1 << count).filter(|set| set.count_ones() as usize == size) {
            if is_so(set)? {
                found.push(set);
            }
        }
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn found(count: usize, is_so: impl Fn(u32) -> bool) -> Vec<u32> {
        let Ok(found) = smallest(count, |set| Ok::<_, Infallible>(is_so(set)));
        found
    }

    #[test]
    fn one_part_is_enough_where_one_is() {
        assert_eq!(found(5, |set| set & 0b00100 != 0), [0b00100]);
        assert_eq!(found(5, |set| set & 0b01001 != 0), [0b00001, 0b01000], "either");
    }

    #[test]
    fn parts_that_count_only_together_are_found_together() {
        assert_eq!(found(4, |set| set & 0b1010 == 0b1010), [0b1010]);
        assert_eq!(found(3, |set| set == 0b111), [0b111]);
        assert_eq!(found(3, |_| false), [] as [u32; 0]);
        assert_eq!(found(0, |_| true), [] as [u32; 0]);
    }

    #[test]
    fn the_parts_of_a_set_are_those_at_its_bits() {
        let parts = [Part::Picture, Part::Policy, Part::Date];
        assert_eq!(parts_of(&parts, 0b101), [Part::Picture, Part::Date]);
        assert_eq!(parts_of(&parts, 0), []);
    }
}
