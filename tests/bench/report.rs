//! The figures as they are told: a table for people, JSON for machines, each with what was asked of it.

use std::path::Path;

use serde_json::json;

/// Which way is better.
#[derive(Clone, Copy)]
pub enum Asked {
    AtLeast(f64),
    AtMost(f64),
    /// Told for its own sake.
    Nothing,
}

/// One measured figure.
pub struct Figure {
    pub name: String,
    pub value: f64,
    pub unit: &'static str,
    pub asked: Asked,
    pub remark: String,
}

/// All that was measured.
#[derive(Default)]
pub struct Report {
    figures: Vec<Figure>,
}

impl Report {
    /// Notes a figure, and prints it at once.
    pub fn note(
        &mut self,
        name: impl Into<String>,
        value: f64,
        unit: &'static str,
        asked: Asked,
        remark: impl Into<String>,
    ) {
        let figure = Figure {
            name: name.into(),
            value,
            unit,
            asked,
            remark: remark.into(),
        };
        println!("{}", line(&figure));
        self.figures.push(figure);
    }

    /// Prints what is no figure.
    pub fn tell(&self, what: &str, words: &str) {
        println!("  {what:<62} {words}");
    }

    /// Prints a heading.
    pub fn heading(&self, text: &str) {
        println!("\n{text}");
    }

    /// Writes everything as JSON.
    pub fn write(&self, path: &Path, machine: &str) {
        let figure = |figure: &Figure| {
            let (at_least, at_most) = match figure.asked {
                Asked::AtLeast(bar) => (Some(bar), None),
                Asked::AtMost(bar) => (None, Some(bar)),
                Asked::Nothing => (None, None),
            };
            json!({
                "name": figure.name, "value": figure.value, "unit": figure.unit, "remark": figure.remark,
                "at_least": at_least, "at_most": at_most, "reached": reached(figure),
            })
        };
        let figures: Vec<_> = self.figures.iter().map(figure).collect();
        let text = serde_json::to_string_pretty(&json!({ "machine": machine, "figures": figures })).unwrap();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text + "\n").unwrap();
        println!("\nwritten to {}", path.display());
    }
}

fn reached(figure: &Figure) -> Option<bool> {
    match figure.asked {
        Asked::AtLeast(bar) => Some(figure.value >= bar),
        Asked::AtMost(bar) => Some(figure.value <= bar),
        Asked::Nothing => None,
    }
}

fn line(figure: &Figure) -> String {
    let asked = match figure.asked {
        Asked::AtLeast(bar) => format!("asked: at least {}", number(bar)),
        Asked::AtMost(bar) => format!("asked: at most {}", number(bar)),
        Asked::Nothing => String::new(),
    };
    let mark = match reached(figure) {
        Some(true) => "reached",
        Some(false) => "SHORT",
        None => "",
    };
    let value = format!("{} {}", number(figure.value), figure.unit);
    format!(
        "  {:<62} {value:>14}  {mark:<8}{asked:<22}{}",
        figure.name, figure.remark
    )
}

fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.3}"),
    }
}
