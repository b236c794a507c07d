//! How answers look: tables without frames, coloured on a terminal only, and times, shares and digests in few letters.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, SystemTime};

use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement, Table, presets};

use crate::wire::vigie::{ProductKey, Verdict};

/// Writes to standard output. Fails when nobody reads any more.
pub(super) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Writes one line to standard output.
pub(super) fn line(text: &str) -> io::Result<()> {
    print(&format!("{text}\n"))
}

/// Says on standard error what went wrong. That nobody reads it is no further trouble.
pub(super) fn complain(text: &str) {
    let (red, plain) = if colours(io::stderr().is_terminal()) {
        ("\x1b[1;31m", "\x1b[0m")
    } else {
        ("", "")
    };
    let _ = writeln!(io::stderr().lock(), "{red}error:{plain} {text}");
}

/// Says on standard error what is good to know beside the output.
pub(super) fn remark(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Grey on a terminal: what is good to know but not what was asked.
pub(super) fn quiet(text: &str) -> String {
    if colours(io::stdout().is_terminal()) {
        format!("\x1b[2m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

fn colours(is_terminal: bool) -> bool {
    is_terminal && std::env::var_os("NO_COLOR").is_none()
}

/// An empty table with these columns.
pub(super) fn table(columns: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(
        columns
            .iter()
            .map(|column| Cell::new(column).add_attribute(Attribute::Dim)),
    );
    if table.width().is_none() {
        // Not a terminal: whoever reads this cuts lines as they like.
        table.set_content_arrangement(ContentArrangement::Disabled);
    }
    table
}

/// The table as it is printed: no space at the ends of lines.
pub(super) fn print_table(table: &Table) -> io::Result<()> {
    let text: String = table
        .lines()
        .map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(&line).trim_end()))
        .collect();
    print(&text)
}

/// A number, at the right.
pub(super) fn number(text: impl ToString) -> Cell {
    Cell::new(text.to_string()).set_alignment(CellAlignment::Right)
}

/// A verdict in its colour.
pub(super) fn verdict(verdict: Verdict) -> Cell {
    let cell = Cell::new(verdict_name(verdict));
    match verdict {
        Verdict::Allow => cell.fg(Color::Green),
        Verdict::Block => cell.fg(Color::Red).add_attribute(Attribute::Bold),
        Verdict::Review => cell.fg(Color::Yellow),
        Verdict::Unspecified => cell,
    }
}

/// A verdict in its colour and at the left of so many places, for lines that are no table.
pub(super) fn verdict_word(verdict: Verdict, places: usize) -> String {
    let name = verdict_name(verdict);
    let colour = match verdict {
        Verdict::Allow => "32",
        Verdict::Block => "1;31",
        Verdict::Review => "33",
        Verdict::Unspecified => "0",
    };
    if colours(io::stdout().is_terminal()) {
        format!("\x1b[{colour}m{name:places$}\x1b[0m")
    } else {
        format!("{name:places$}")
    }
}

/// A verdict by its name.
pub(super) fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Allow => "ALLOW",
        Verdict::Block => "BLOCK",
        Verdict::Review => "REVIEW",
        Verdict::Unspecified => "?",
    }
}

/// The state of a version in its colour.
pub(super) fn state(name: &str) -> Cell {
    let cell = Cell::new(name);
    match name {
        "READY" => cell.fg(Color::Green),
        "REJECTED" => cell.fg(Color::Red).add_attribute(Attribute::Bold),
        "INCOMPLETE" | "WAITING" | "LOADING" | "CHECKING" => cell.fg(Color::Yellow),
        _ => cell,
    }
}

/// A country by its code, or the rest of the world.
pub(super) fn country(code: &str) -> String {
    if code.is_empty() {
        "(rest of the world)".to_owned()
    } else {
        code.to_owned()
    }
}

/// A product as `partner/product`.
pub(super) fn product(key: &ProductKey) -> String {
    let ids = [key.partner_id.as_str(), key.product_id.as_str()];
    let ids: Vec<&str> = ids.into_iter().filter(|id| !id.is_empty()).collect();
    ids.join("/")
}

/// The first twelve digits of a digest.
pub(super) fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

/// How long ago a moment was, in the largest unit that fits.
pub(super) fn ago(seconds: i64, now: SystemTime) -> String {
    let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let passed = now.saturating_sub(u64::try_from(seconds).unwrap_or_default());
    let units = [(86_400, "d"), (3_600, "h"), (60, "min")];
    let (size, unit) = units
        .into_iter()
        .find(|(size, _)| passed >= 2 * size)
        .unwrap_or((1, "s"));
    format!("{} {unit} ago", passed / size)
}

/// A moment as RFC 3339, to the second.
pub(super) fn moment(seconds: i64) -> String {
    let since = Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
    match SystemTime::UNIX_EPOCH.checked_add(since) {
        Some(at) => humantime::format_rfc3339_seconds(at).to_string(),
        None => seconds.to_string(),
    }
}

/// A share of a whole in percent; a dash where there is no whole.
pub(super) fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        "–".to_owned()
    } else {
        format!("{:.1} %", 100.0 * part as f64 / whole as f64)
    }
}

/// A text cut to so many characters.
pub(super) fn cut(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        None => text.to_owned(),
        Some(_) => text.chars().take(characters.saturating_sub(1)).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_texts_are_short() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        assert_eq!(ago(999_990, now), "10 s ago");
        assert_eq!(ago(1_000_000 - 7_300, now), "2 h ago");
        assert_eq!(ago(2_000_000, now), "0 s ago");
        assert_eq!((cut("summer", 6), cut("résumé!", 4)), ("summer".into(), "rés…".into()));
        assert_eq!(moment(1_700_000_000), "2023-11-14T22:13:20Z");
        assert_eq!((share(1, 8), share(0, 0)), ("12.5 %".into(), "–".into()));
    }
}
