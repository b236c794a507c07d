//! How far long work is: on standard error, on a terminal only, and never beside JSON.

use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// How often a bar is drawn though nothing happens.
const TICK: Duration = Duration::from_millis(200);

/// A bar over so many of something: `products`.
pub(super) fn bar(count: u64, unit: &str, is_hidden: bool) -> anyhow::Result<ProgressBar> {
    let template = format!("{{bar:40.cyan/blue}} {{human_pos}}/{{human_len}} {unit}, {{per_sec}}, {{eta}} left");
    drawn(ProgressBar::new(count), &template, is_hidden)
}

/// A count of something of which nobody knows beforehand how much there is: `lines read`.
pub(super) fn counter(unit: &str, is_hidden: bool) -> anyhow::Result<ProgressBar> {
    let template = format!("{{spinner}} {{human_pos}} {unit}, {{per_sec}}, {{elapsed}}");
    drawn(ProgressBar::new_spinner(), &template, is_hidden)
}

/// Something that only takes its time.
pub(super) fn waiting(what: &str, is_hidden: bool) -> anyhow::Result<ProgressBar> {
    let bar = drawn(ProgressBar::new_spinner(), "{spinner} {msg}, {elapsed}", is_hidden)?;
    bar.set_message(what.to_owned());
    Ok(bar)
}

fn drawn(bar: ProgressBar, template: &str, is_hidden: bool) -> anyhow::Result<ProgressBar> {
    if is_hidden || !io::stderr().is_terminal() {
        return Ok(ProgressBar::hidden());
    }
    let bar = bar.with_style(ProgressStyle::with_template(template)?);
    bar.enable_steady_tick(TICK);
    Ok(bar)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_can_be_drawn() {
        for made in [
            bar(3, "products", false),
            counter("lines read", false),
            waiting("erasing", false),
        ] {
            drop(made.unwrap());
        }
        for template in [
            "{bar:40.cyan/blue} {human_pos}/{human_len} x, {per_sec}, {eta} left",
            "{spinner} {msg}, {elapsed}",
        ] {
            assert!(ProgressStyle::with_template(template).is_ok());
        }
    }
}
