//! Mistakes of a policy's text: all of them, each with its key, its place and the way out.

use std::fmt::Display;

/// So many are told; whoever reads them all has better things to do than to read more.
const MOST_TOLD: usize = 200;

/// One thing that is wrong with a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {}{problem}", if key.is_empty() { String::new() } else { format!("{key}: ") })]
pub struct Mistake {
    /// The path of the key in the file: `country.FR.label.alcohol.block`. Empty where the text is no TOML, or too long.
    pub key: String,
    /// From 1.
    pub line: usize,
    /// In characters, from 1. What is missing is told where the table begins that it is missing from.
    pub column: usize,
    /// What is wrong and what to write instead.
    pub problem: String,
}

/// Everything that is wrong with a policy. The policy in force stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError {
    /// In the order of the file. Never empty.
    pub mistakes: Vec<Mistake>,
}

impl std::error::Error for PolicyError {}

impl Display for PolicyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.mistakes.as_slice() {
            [one] => write!(f, "the policy has a mistake: {one}"),
            all => {
                write!(f, "the policy has {} mistakes", all.len())?;
                let separators = std::iter::once(": ").chain(std::iter::repeat("; "));
                all.iter()
                    .zip(separators)
                    .try_for_each(|(mistake, separator)| write!(f, "{separator}{mistake}"))
            }
        }
    }
}

/// Where something stands: the path of its key, and the byte at which it begins.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    pub path: String,
    pub at: usize,
}

/// The mistakes found so far, in a text.
pub(super) struct Mistakes<'t> {
    text: &'t str,
    /// The byte at which each line begins.
    lines: Vec<usize>,
    found: Vec<(usize, Mistake)>,
}

impl<'t> Mistakes<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let ends = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n');
        Self {
            text,
            lines: std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect(),
            found: Vec::new(),
        }
    }

    /// Notes a mistake and answers None, so that a reader can end with it.
    pub(super) fn note<T>(&mut self, spot: &Spot, problem: impl Into<String>) -> Option<T> {
        self.add(spot, problem);
        None
    }

    pub(super) fn add(&mut self, spot: &Spot, problem: impl Into<String>) {
        let (line, column) = self.place(spot.at);
        let mistake = Mistake {
            key: spot.path.clone(),
            line,
            column,
            problem: problem.into(),
        };
        if self.found.len() < 10 * MOST_TOLD {
            self.found.push((spot.at, mistake));
        }
    }

    /// Line and column of a byte, from 1.
    pub(super) fn place(&self, at: usize) -> (usize, usize) {
        let line = self.lines.partition_point(|&start| start <= at).max(1);
        let before = self.lines.get(line - 1).and_then(|&start| self.text.get(start..at));
        (line, 1 + before.map_or(0, |before| before.chars().count()))
    }

    pub(super) fn count(&self) -> usize {
        self.found.len()
    }

    /// Those found, in the order of the file. None where there are none.
    pub(super) fn into_error(mut self) -> Option<PolicyError> {
        self.found.sort_by_key(|(at, _)| *at);
        let more = self.found.len().saturating_sub(MOST_TOLD);
        let mut mistakes: Vec<Mistake> = self
            .found
            .into_iter()
            .take(MOST_TOLD)
            .map(|(_, mistake)| mistake)
            .collect();
        if let (Some(last), 1..) = (mistakes.last_mut(), more) {
            last.problem += &format!(" (and at least {more} more mistakes after this one)");
        }
        (!mistakes.is_empty()).then_some(PolicyError { mistakes })
    }
}
