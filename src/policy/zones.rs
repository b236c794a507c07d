//! Days of the calendar to moments, in the time zone of each country.
//!
//! A day begins at its first moment there: where clocks jump over midnight, at the jump; where a day was left out altogether, when the
//! next one began.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::base::{CountryCode, Moment};

/// Each country and its time zone, a line each.
const TABLE: &str = include_str!("zones.txt");

/// Every country but the rest of the world, in the order of the table, with the name of its zone.
pub(super) fn countries() -> impl Iterator<Item = (CountryCode, &'static str)> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(code, zone)| Some((code.parse().ok()?, zone)))
}

/// The calendars of countries; a zone is read when it is first asked for.
pub(super) struct Calendars {
    zones: TimeZoneDatabase,
    names: HashMap<CountryCode, &'static str>,
}

impl Calendars {
    pub(super) fn new() -> Self {
        Self {
            zones: TimeZoneDatabase::bundled(),
            names: countries().collect(),
        }
    }

    /// The time zone of a country; UTC for the rest of the world.
    pub(super) fn zone(&self, country: CountryCode) -> TimeZone {
        let name = self.names.get(&country);
        name.and_then(|name| self.zones.get(name).ok()).unwrap_or(TimeZone::UTC)
    }
}

/// The first moment of a day in a time zone.
pub(super) fn start_of_day(day: Date, zone: &TimeZone) -> Moment {
    let start = day.to_zoned(zone.clone()).map(|start| start.timestamp());
    Moment::from_micros(start.unwrap_or(Timestamp::MAX).as_microsecond())
}

/// The first moment after a day in a time zone.
pub(super) fn end_of_day(day: Date, zone: &TimeZone) -> Moment {
    day.tomorrow()
        .map_or(Moment::from_micros(i64::MAX), |next| start_of_day(next, zone))
}

/// The day that a moment falls on in UTC.
pub(super) fn day_of(at: Moment) -> Date {
    let moment = Timestamp::from_microsecond(at.micros());
    let beyond = if at.micros() < 0 { Date::MIN } else { Date::MAX };
    moment.map_or(beyond, |moment| moment.to_zoned(TimeZone::UTC).date())
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;
    use jiff::civil::date;

    use super::*;

    fn utc(text: &str) -> Moment {
        Moment::from_micros(text.parse::<Timestamp>().unwrap().as_microsecond())
    }

    fn zone(country: &str) -> TimeZone {
        Calendars::new().zone(country.parse().unwrap())
    }

    #[test]
    fn every_country_has_a_zone_that_exists() {
        let zones = TimeZoneDatabase::bundled();
        assert_eq!(countries().count(), 250);
        for (country, name) in countries() {
            assert!(zones.get(name).is_ok(), "{country:?}: {name}");
        }
        assert_eq!(zone(""), TimeZone::UTC);
    }

    #[test]
    fn a_day_begins_at_its_first_moment_in_the_country() {
        for (country, day, begins) in [
            ("", date(2026, 1, 5), "2026-01-05T00:00Z"),
            ("GB", date(2026, 1, 5), "2026-01-05T00:00Z"),
            ("GB", date(2026, 7, 5), "2026-07-04T23:00Z"),
            ("FR", date(2026, 1, 5), "2026-01-04T23:00Z"),
            ("KI", date(2026, 1, 5), "2026-01-04T12:00Z"),
            ("US", date(2026, 1, 5), "2026-01-05T05:00Z"),
            // Midnight does not exist: Lebanese clocks go from 00:00 to 01:00.
            ("LB", date(2026, 3, 29), "2026-03-28T22:00Z"),
            // Midnight comes twice: Cuban clocks go back from 01:00 to 00:00.
            ("CU", date(2026, 11, 1), "2026-11-01T04:00Z"),
            // The day does not exist: Samoa went from the 29th to the 31st.
            ("WS", date(2011, 12, 30), "2011-12-30T10:00Z"),
            ("WS", date(2011, 12, 31), "2011-12-30T10:00Z"),
        ] {
            assert_eq!(start_of_day(day, &zone(country)), utc(begins), "{country} {day}");
        }
        assert_eq!(end_of_day(date(2026, 12, 31), &zone("FR")), utc("2026-12-31T23:00Z"));
        assert_eq!(
            end_of_day(date(2011, 12, 30), &zone("WS")),
            start_of_day(date(2011, 12, 30), &zone("WS"))
        );
    }

    /// Each quarter of an hour around a day belongs to it exactly if a clock there shows its date.
    #[test]
    fn the_moments_of_a_day_are_those_at_which_clocks_there_show_its_date() {
        let calendars = Calendars::new();
        let days = [
            date(2011, 12, 30),
            date(2026, 3, 29),
            date(2026, 3, 8),
            date(2026, 10, 25),
            date(2026, 11, 1),
        ];
        for (country, name) in countries() {
            let zone = calendars.zone(country);
            for day in days {
                let (begins, ends) = (start_of_day(day, &zone), end_of_day(day, &zone));
                let mut at = (day.to_zoned(TimeZone::UTC).unwrap() - 30.hours()).timestamp();
                for _ in 0..(4 * 84) {
                    let moment = Moment::from_micros(at.as_microsecond());
                    let shown = at.to_zoned(zone.clone()).date();
                    assert_eq!(begins <= moment && moment < ends, shown == day, "{name} {day} {at}");
                    at += 15.minutes();
                }
            }
        }
    }

    #[test]
    fn moments_beyond_the_calendar_fall_on_its_last_days() {
        assert_eq!(day_of(Moment::from_micros(i64::MAX)), Date::MAX);
        assert_eq!(day_of(Moment::from_micros(i64::MIN)), Date::MIN);
        assert_eq!(day_of(utc("2026-01-05T23:59Z")), date(2026, 1, 5));
    }
}
