//! The frame of every page: one style, no script, nothing fetched from elsewhere; and the pages that say little.

use std::fmt;

use axum::response::Html;

const STYLE: &str = include_str!("style.css");

const INDEX: [(&str, &str); 5] = [
    (
        "/traces",
        "Where the time went: the last requests and swaps, stage by stage",
    ),
    ("/metrics", "Counters and timings, for Prometheus and for reading"),
    (
        "/ready",
        "Whether requests may be sent here, and what is missing until then",
    ),
    ("/live", "Whether the process answers at all"),
    ("/config", "The configuration in force"),
];

/// The list of what this port shows.
pub fn index() -> Html<String> {
    let rows: String = INDEX
        .iter()
        .map(|(path, what)| format!("<li><a href=\"{path}\">{path}</a><span>{what}</span></li>"))
        .collect();
    page(
        "Vigie",
        &format!(
            "<h1>Vigie</h1><p class=\"quiet\">version {}</p><ul class=\"index\">{rows}</ul>",
            env!("CARGO_PKG_VERSION")
        ),
    )
}

/// What is said where nothing is.
pub fn not_found(why: &str) -> Html<String> {
    page(
        "Not found",
        &format!(
            "<h1>Not found</h1><p>{}</p><p><a href=\"/\">What is here</a></p>",
            Escaped(why)
        ),
    )
}

/// A whole page. `body` is HTML: whatever comes from outside stands in it escaped.
pub fn page(title: &str, body: &str) -> Html<String> {
    Html(format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{}</title><style>{STYLE}</style></head>\
         <body><main>{body}</main></body></html>",
        Escaped(title)
    ))
}

/// Text as it may stand in HTML, in an attribute too.
pub struct Escaped<'a>(pub &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            other => fmt::Write::write_char(f, other),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_markup() {
        assert_eq!(
            Escaped("<b a=\"'\">&").to_string(),
            "&lt;b a=&quot;&#39;&quot;&gt;&amp;"
        );
    }
}
