//! The lines of a file, as JSON or as CSV, one after the other: fields by name, and what is wrong with a line as a whole.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

use anyhow::{Context, bail};
use serde_json::Value;

use super::Wrong;
use crate::cli::arguments::LineFormat;

/// A line that is longer is not one of a list of verdicts.
const LONGEST_LINE: u64 = 1 << 20;

/// What UTF-8 files of some systems begin with.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// The fields of a line by their names, as JSON has them.
pub(super) type Row = BTreeMap<String, Value>;

/// A line with its number in the file, from 1.
#[derive(Debug)]
pub(super) struct Line {
    pub number: u64,
    pub row: Result<Row, Wrong>,
}

/// Every line of a file that holds anything.
pub(super) enum Lines {
    Json {
        input: Box<dyn BufRead>,
        number: u64,
    },
    Csv {
        reader: csv::Reader<Box<dyn BufRead>>,
        columns: Vec<String>,
        last: u64,
    },
}

impl Lines {
    /// Opens a file, or standard input.
    pub fn open(file: &Path, format: Option<LineFormat>) -> anyhow::Result<Self> {
        if file == Path::new("-") {
            return Self::read(Box::new(BufReader::new(io::stdin())), format);
        }
        let opened = File::open(file).with_context(|| format!("read {}", file.display()))?;
        let by_ending = file.extension().and_then(|ending| match ending.to_str()? {
            "csv" | "tsv" => Some(LineFormat::Csv),
            "jsonl" | "ndjson" | "json" => Some(LineFormat::Jsonl),
            _ => None,
        });
        let lines = Self::read(Box::new(BufReader::new(opened)), format.or(by_ending));
        lines.with_context(|| format!("read {}", file.display()))
    }

    /// Reads what is given; without a format, what begins with a brace is JSON.
    pub fn read(mut input: Box<dyn BufRead>, format: Option<LineFormat>) -> anyhow::Result<Self> {
        // As much as is needed to see how it begins; it is read again afterwards.
        let mut beginning = Vec::new();
        input.by_ref().take(MARK.len() as u64).read_to_end(&mut beginning)?;
        if beginning == MARK {
            beginning.clear();
        }
        while beginning.iter().all(u8::is_ascii_whitespace) {
            let byte = input.by_ref().bytes().next().transpose()?;
            match byte {
                Some(byte) => beginning.push(byte),
                None => bail!("there is nothing in it"),
            }
        }
        let first = beginning.iter().copied().find(|byte| !byte.is_ascii_whitespace());
        let input: Box<dyn BufRead> = Box::new(Cursor::new(beginning).chain(input));
        let guessed = if matches!(first, Some(b'{' | b'[')) {
            LineFormat::Jsonl
        } else {
            LineFormat::Csv
        };
        match format.unwrap_or(guessed) {
            LineFormat::Jsonl if first == Some(b'[') => {
                bail!("it is one array of JSON, and an object a line is expected: `jq -c '.[]'` makes that of it")
            }
            LineFormat::Jsonl => Ok(Self::Json { input, number: 0 }),
            LineFormat::Csv => Self::csv(input),
        }
    }

    fn csv(mut input: Box<dyn BufRead>) -> anyhow::Result<Self> {
        let mut header = Vec::new();
        while header.iter().all(u8::is_ascii_whitespace) {
            header.clear();
            if input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut header)? == 0 {
                bail!("there is nothing in it");
            }
        }
        let count = |byte: u8| header.iter().filter(|other| **other == byte).count();
        // The first of those that are there most often.
        let delimiter = [b'\t', b';', b','].into_iter().max_by_key(|byte| count(*byte));
        let mut builder = csv::ReaderBuilder::new();
        builder.delimiter(delimiter.unwrap_or(b',')).flexible(true);
        let input: Box<dyn BufRead> = Box::new(Cursor::new(header).chain(input));
        let mut reader = builder.from_reader(input);
        let columns = reader.headers().context("the header is no text")?;
        let columns: Vec<String> = columns.iter().map(|name| name.trim().to_lowercase()).collect();
        for needed in ["partner_id", "product_id", "verdict"] {
            if !columns.iter().any(|column| column == needed) {
                bail!(
                    "the header has no column {needed}: partner_id, product_id and verdict are needed; it has {}",
                    columns.join(", ")
                );
            }
        }
        Ok(Self::Csv {
            reader,
            columns,
            last: 1,
        })
    }

    /// The next line; none at the end.
    pub fn next(&mut self) -> anyhow::Result<Option<Line>> {
        match self {
            Self::Json { input, number } => next_json(input, number),
            Self::Csv { reader, columns, last } => next_csv(reader, columns, last),
        }
    }
}

fn next_json(input: &mut Box<dyn BufRead>, number: &mut u64) -> anyhow::Result<Option<Line>> {
    loop {
        let mut line = Vec::new();
        if input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        *number += 1;
        if line.len() as u64 == LONGEST_LINE && !line.ends_with(b"\n") {
            bail!("line {number} has more than {LONGEST_LINE} bytes: is each object on a line of its own?");
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let row = serde_json::from_slice::<Row>(&line);
        let row = row.map_err(|error| Wrong::of("", format!("is no JSON object: {}", without_place(&error))));
        return Ok(Some(Line { number: *number, row }));
    }
}

/// What serde says, without a line number that counts within the line.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    match text.strip_suffix(&place) {
        Some(said) => format!("{said}, at character {}", error.column()),
        None => text,
    }
}

fn next_csv(
    reader: &mut csv::Reader<Box<dyn BufRead>>,
    columns: &[String],
    last: &mut u64,
) -> anyhow::Result<Option<Line>> {
    loop {
        let mut record = csv::ByteRecord::new();
        let is_there = reader.read_byte_record(&mut record);
        if !is_there.with_context(|| format!("after line {last}"))? {
            return Ok(None);
        }
        let number = record.position().map_or(*last, csv::Position::line);
        *last = number;
        if record.iter().all(|cell| cell.trim_ascii().is_empty()) {
            continue;
        }
        let row = row_of(&record, columns);
        return Ok(Some(Line { number, row }));
    }
}

fn row_of(record: &csv::ByteRecord, columns: &[String]) -> Result<Row, Wrong> {
    if record.len() != columns.len() {
        let why = format!("has {} cells, and the header has {}", record.len(), columns.len());
        return Err(Wrong::of("", why));
    }
    let cells = columns.iter().zip(record);
    let read = |(column, cell): (&String, &[u8])| match std::str::from_utf8(cell) {
        Ok(text) => Ok((column.clone(), Value::String(text.to_owned()))),
        Err(_) => Err(Wrong::of(column, "is no UTF-8: save the file as UTF-8".to_owned())),
    };
    cells.map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &'static [u8]) -> Vec<(u64, Result<Row, String>)> {
        let mut lines = Lines::read(Box::new(text), None).unwrap();
        let mut all = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            all.push((
                line.number,
                line.row.map_err(|wrong| format!("{}: {}", wrong.field, wrong.why)),
            ));
        }
        all
    }

    fn refused(text: &'static [u8]) -> String {
        match Lines::read(Box::new(text), None) {
            Ok(_) => panic!("it was taken"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn both_forms_are_told_apart_and_their_lines_keep_their_numbers() {
        let json = lines(b"\n{\"partner_id\": \"a\"}\n\n[1]\n{\"x\n");
        assert_eq!(json[0].0, 2);
        assert_eq!(json[0].1.as_ref().unwrap()["partner_id"], "a");
        assert_eq!((json[1].0, json[2].0), (4, 5));
        assert!(json[1].1.as_ref().unwrap_err().contains("no JSON object"), "{json:?}");
        let csv = lines(b"\xef\xbb\xbfpartner_id;product_id;Verdict\na;\"1\n2\";BLOCK\n\n;;\na;3\na;\xff;ALLOW\n");
        assert_eq!(
            (csv[0].0, csv[0].1.as_ref().unwrap()["product_id"].as_str()),
            (2, Some("1\n2"))
        );
        assert_eq!(csv[1], (6, Err(": has 2 cells, and the header has 3".to_owned())));
        assert_eq!(csv[2].0, 7);
        assert!(
            csv[2].1.as_ref().unwrap_err().starts_with("product_id: is no UTF-8"),
            "{csv:?}"
        );
        for separated in [
            &b"partner_id,product_id,verdict\na,1,x"[..],
            b"partner_id\tproduct_id\tverdict\na\t1\tx",
        ] {
            assert_eq!(lines(separated)[0].1.as_ref().unwrap()["verdict"], "x");
        }
    }

    #[test]
    fn what_is_no_list_of_lines_is_refused_with_what_to_do() {
        assert!(refused(b" \n ").contains("nothing"));
        assert!(refused(b"").contains("nothing"));
        assert!(refused(b"[{}]").contains("jq"));
        assert!(refused(b"partner_id,verdict\na,BLOCK\n").contains("no column product_id"));
    }
}
