//! Prices: what a rule expects of them, and what is wrong with one.

use crate::base::{Money, Verdict};

use super::rule::Strict;

/// An amount in billionths of its currency's unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Amount(i128);

impl Amount {
    /// Of a plain decimal number: digits, and after a point at most nine more. None where the text is none or too large.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (whole, parts) = text.split_once('.').map_or((text, ""), |(whole, parts)| (whole, parts));
        let (sign, whole) = whole.strip_prefix('-').map_or((1, whole), |whole| (-1, whole));
        let is_number = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || whole.len() > 15 || parts.len() > 9 || !is_number(whole) || !is_number(parts) {
            return None;
        }
        if parts.is_empty() && text.contains('.') {
            return None;
        }
        let (units, nanos) = (
            whole.parse::<i128>().ok()?,
            format!("{parts:0<9}").parse::<i128>().ok()?,
        );
        Some(Self(sign * (units * 1_000_000_000 + nanos)))
    }

    /// Of money, whatever its fields say.
    pub(super) fn of(money: &Money) -> Self {
        Self(i128::from(money.units) * 1_000_000_000 + i128::from(money.nanos))
    }

    /// The same as money.
    pub(super) fn money(self, currency: String) -> Option<Money> {
        let units = i64::try_from(self.0 / 1_000_000_000).ok()?;
        let nanos = i32::try_from(self.0 % 1_000_000_000).ok()?;
        Some(Money { units, nanos, currency })
    }

    pub(super) fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// So many times as much.
    pub(super) fn times(self, factor: f64) -> Self {
        Self((self.0 as f64 * factor) as i128)
    }
}

impl std::fmt::Display for Amount {
    /// With two decimals, or as many more as it has.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (whole, parts) = (
            self.0.unsigned_abs() / 1_000_000_000,
            self.0.unsigned_abs() % 1_000_000_000,
        );
        let parts = format!("{parts:09}");
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}{whole}.{:0<2}", parts.trim_end_matches('0'))
    }
}

/// What a rule expects of prices in one currency.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bounds {
    /// Three capital letters.
    pub currency: String,
    pub min: Option<Amount>,
    pub max: Option<Amount>,
    /// The usual price, and the share of it below which a price is not believed.
    pub median: Option<(Amount, f64)>,
    /// What becomes of a price below `min` or above `max`.
    pub verdict: Strict,
}

/// What is wrong with a price.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum PriceFinding {
    Absent,
    NotPositive,
    /// No rule that applies states bounds for its currency.
    OtherCurrency,
    BelowMinimum(Amount),
    AboveMaximum(Amount),
    /// Below this share of the median.
    FarBelow(f64, Amount),
}

impl Bounds {
    /// The verdict on a price, and why. None where nothing is wrong with it.
    pub(super) fn on(&self, price: Option<&Money>) -> Option<(Verdict, PriceFinding)> {
        let Some(money) = price else {
            return Some((Verdict::Review, PriceFinding::Absent));
        };
        let price = Amount::of(money);
        if !price.is_positive() {
            return Some((Verdict::Review, PriceFinding::NotPositive));
        }
        if money.currency != self.currency {
            return Some((Verdict::Review, PriceFinding::OtherCurrency));
        }
        let below = self.min.filter(|&min| price < min).map(PriceFinding::BelowMinimum);
        let above = self.max.filter(|&max| price > max).map(PriceFinding::AboveMaximum);
        if let Some(finding) = below.or(above) {
            return Some((self.verdict.into(), finding));
        }
        let (median, share) = self.median?;
        (price < median.times(share)).then_some((Verdict::Review, PriceFinding::FarBelow(share, median)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn euros(text: &str) -> Option<Money> {
        Amount::parse(text).unwrap().money("EUR".to_owned())
    }

    #[test]
    fn amounts_are_exact_and_read_back() {
        for (text, shown) in [
            ("9.9", "9.90"),
            ("10", "10.00"),
            ("0.001", "0.001"),
            ("-3.50", "-3.50"),
            ("-0.5", "-0.50"),
        ] {
            let amount = Amount::parse(text).unwrap();
            assert_eq!(amount.to_string(), shown);
            assert_eq!(Amount::of(&amount.money("EUR".to_owned()).unwrap()), amount);
        }
        for bad in [
            "",
            ".",
            "1.",
            ".5",
            "1e3",
            "+1",
            "1,5",
            "nan",
            "--1",
            "1.0000000001",
            "1234567890123456",
        ] {
            assert_eq!(Amount::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_price_is_found() {
        let amount = |text| Amount::parse(text).unwrap();
        let bounds = Bounds {
            currency: "EUR".into(),
            min: Some(amount("1")),
            max: Some(amount("100")),
            median: Some((amount("40"), 0.1)),
            verdict: Strict::Block,
        };
        let dollars = Some(Money {
            units: 5,
            nanos: 0,
            currency: "USD".into(),
        });
        for (price, expected) in [
            (None, Some((Verdict::Review, PriceFinding::Absent))),
            (euros("0"), Some((Verdict::Review, PriceFinding::NotPositive))),
            (euros("-1"), Some((Verdict::Review, PriceFinding::NotPositive))),
            (dollars, Some((Verdict::Review, PriceFinding::OtherCurrency))),
            (
                euros("0.99"),
                Some((Verdict::Block, PriceFinding::BelowMinimum(amount("1")))),
            ),
            (
                euros("1"),
                Some((Verdict::Review, PriceFinding::FarBelow(0.1, amount("40")))),
            ),
            (
                euros("3.99"),
                Some((Verdict::Review, PriceFinding::FarBelow(0.1, amount("40")))),
            ),
            (euros("4"), None),
            (euros("100"), None),
            (
                euros("100.01"),
                Some((Verdict::Block, PriceFinding::AboveMaximum(amount("100")))),
            ),
        ] {
            assert_eq!(bounds.on(price.as_ref()), expected, "{price:?}");
        }
    }
}
