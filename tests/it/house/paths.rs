//! Reads Rust source just far enough to know which paths it names: words and punctuation without comments and literals, modules by their braces.
//!
//! Not a parser: it knows paths, `use` trees, inline modules and `super`, and takes the rest as it comes. Paths inside string literals and inside
//! documentation do not count; paths inside macro calls do.

/// One path of a file, from where it starts: `["crate", "engine", "Session"]`, `["tonic", "Status"]`. A `use` tree gives one for each leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPath {
    pub line: usize,
    pub segments: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    line: usize,
    text: String,
}

/// The paths that a file names; `super` and `self` are resolved against `module`, the file's own place in the crate (`["engine", "session"]`).
pub fn named_paths(text: &str, module: &[&str]) -> Vec<NamedPath> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    let mut inline_modules: Vec<Option<String>> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match tokens[at].text.as_str() {
            "{" => {
                let opens_module = at >= 2 && tokens[at - 2].text == "mod";
                inline_modules.push(opens_module.then(|| tokens[at - 1].text.clone()));
            }
            "}" => drop(inline_modules.pop()),
            _ if starts_path(&tokens, at) => {
                let here: Vec<String> = module
                    .iter()
                    .map(|name| (*name).to_owned())
                    .chain(inline_modules.iter().flatten().cloned())
                    .collect();
                let mut leaves = Vec::new();
                at = read_path(&tokens, at, &mut Vec::new(), &mut leaves);
                found.extend(leaves.into_iter().map(|leaf| resolve(leaf, &here)));
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// A path starts at a word that is followed by `::`, or by nothing in a plain `use name;`, and that continues no other path.
fn starts_path(tokens: &[Token], at: usize) -> bool {
    let word = |index: usize| tokens.get(index).map_or("", |token| token.text.as_str());
    let before = if at == 0 { "" } else { word(at - 1) };
    is_word(word(at)) && (word(at + 1) == "::" || before == "use") && before != "."
}

/// Reads a path or a `use` tree from `at`, adds its leaves, and returns where it ends.
fn read_path(tokens: &[Token], mut at: usize, prefix: &mut Vec<String>, leaves: &mut Vec<NamedPath>) -> usize {
    let depth = prefix.len();
    let line = tokens[at].line;
    while let Some(token) = tokens.get(at) {
        match token.text.as_str() {
            "{" => {
                at += 1;
                while tokens.get(at).is_some_and(|token| token.text != "}") {
                    match tokens[at].text.as_str() {
                        "," => at += 1,
                        // A name given with `as` is no path.
                        "as" => at += 2,
                        _ => at = read_path(tokens, at, prefix, leaves).max(at + 1),
                    }
                }
                prefix.truncate(depth);
                return at + 1;
            }
            "*" => {
                at += 1;
                break;
            }
            word if is_word(word) => prefix.push(word.to_owned()),
            _ => break,
        }
        at += 1;
        if tokens.get(at).is_none_or(|token| token.text != "::") {
            break;
        }
        at += 1;
    }
    if prefix.len() > depth || depth > 0 {
        leaves.push(NamedPath {
            line,
            segments: prefix.clone(),
        });
    }
    prefix.truncate(depth);
    at
}

/// Turns `self::…` and `super::…` into `crate::…`.
fn resolve(path: NamedPath, here: &[String]) -> NamedPath {
    let NamedPath { line, segments } = path;
    let ups = segments.iter().take_while(|segment| *segment == "super").count();
    let selves = usize::from(segments.first().is_some_and(|segment| segment == "self"));
    if ups + selves == 0 {
        return NamedPath { line, segments };
    }
    let above = &here[..here.len().saturating_sub(ups)];
    let rest = segments.into_iter().skip(ups + selves);
    NamedPath {
        line,
        segments: std::iter::once("crate".to_owned())
            .chain(above.iter().cloned())
            .chain(rest)
            .collect(),
    }
}

fn is_word(text: &str) -> bool {
    text.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// Words, `::` and single punctuation marks; comments, strings, characters, lifetimes and numbers are left out.
fn tokens(text: &str) -> Vec<Token> {
    let characters: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < characters.len() {
        let from = at;
        let rest = &characters[at..];
        match rest {
            ['/', '/', ..] => at += rest.iter().position(|c| *c == '\n').unwrap_or(rest.len()),
            ['/', '*', ..] => at += block_comment(rest),
            ['"', ..] => at += quoted(rest),
            ['r' | 'b' | 'c', ..] if raw_string(rest).is_some() => at += raw_string(rest).unwrap_or(1),
            ['\'', ..] => at += character_or_lifetime(rest),
            [':', ':', ..] => {
                found.push(Token {
                    line,
                    text: "::".to_owned(),
                });
                at += 2;
            }
            [first, ..] if first.is_alphanumeric() || *first == '_' => {
                let length = rest.iter().take_while(|c| c.is_alphanumeric() || **c == '_').count();
                found.push(Token {
                    line,
                    text: rest[..length].iter().collect(),
                });
                at += length;
            }
            [first, ..] => {
                if !first.is_whitespace() {
                    found.push(Token {
                        line,
                        text: first.to_string(),
                    });
                }
                at += 1;
            }
            [] => break,
        }
        line += characters[from..at].iter().filter(|c| **c == '\n').count();
    }
    found
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn quoted(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != '"' {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// The length of `r"…"`, `r#"…"#`, `br"…"`; none when a word merely starts with these letters.
fn raw_string(rest: &[char]) -> Option<usize> {
    let letters = rest.iter().take_while(|c| matches!(**c, 'r' | 'b' | 'c')).count();
    if letters > 2 {
        return None;
    }
    let hashes = rest[letters..].iter().take_while(|c| **c == '#').count();
    let body = letters + hashes;
    if rest.get(body) != Some(&'"') {
        return None;
    }
    if !rest[..letters].contains(&'r') {
        return (hashes == 0).then(|| letters + quoted(&rest[letters..]));
    }
    let closing: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let inside = rest[body + 1..]
        .windows(closing.len())
        .position(|window| window == closing)?;
    Some(body + 1 + inside + closing.len())
}

fn character_or_lifetime(rest: &[char]) -> usize {
    match rest {
        ['\'', '\\', ..] => 3 + rest.iter().skip(3).position(|c| *c == '\'').unwrap_or(0),
        ['\'', _, '\'', ..] => 3,
        _ => {
            1 + rest
                .iter()
                .skip(1)
                .take_while(|c| c.is_alphanumeric() || **c == '_')
                .count()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::named_paths;

    fn paths(text: &str, module: &[&str]) -> Vec<String> {
        named_paths(text, module)
            .into_iter()
            .map(|path| path.segments.join("::"))
            .collect()
    }

    #[test]
    fn trees_aliases_and_calls_are_named_leaf_by_leaf() {
        let text = "use crate::{base::{Label, Score as S}, engine::Session as Other, self}; use tonic;\nfn f() { crate::plan::pin(); x.await; ::ort::init() }";
        assert_eq!(
            paths(text, &["grpc"]),
            [
                "crate::base::Label",
                "crate::base::Score",
                "crate::engine::Session",
                "crate::self",
                "tonic",
                "crate::plan::pin",
                "ort::init"
            ]
        );
    }

    #[test]
    fn super_is_resolved_through_inline_modules() {
        let text = "use super::sibling::A; mod tests { use super::super::sibling::B; mod deep { use super::super::super::super::plan::C; } } use super::super::plan::D;";
        assert_eq!(
            paths(text, &["grpc", "tensor"]),
            [
                "crate::grpc::sibling::A",
                "crate::grpc::sibling::B",
                "crate::plan::C",
                "crate::plan::D"
            ]
        );
    }

    #[test]
    fn comments_and_literals_name_nothing() {
        let text = "// use crate::a::B;\n/* crate::c /* crate::d */ crate::e */ \"crate::f\" r#\"crate::\"g\"# b\"crate::h\" '\"' fn f<'a>(x: &'a str) { '\\''; crate::real::X }";
        assert_eq!(paths(text, &["m"]), ["crate::real::X"]);
    }

    #[test]
    fn a_path_knows_its_line() {
        let found = named_paths("//! words\n\nuse\n    crate::base::Label;\n", &["m"]);
        assert_eq!(found[0].line, 4);
    }
}
