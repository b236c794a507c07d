//! Everything that a question finds, by COPY in its binary form: the quickest way out of PostgreSQL.

use std::ops::Range;
use std::pin::Pin;

use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::runtime::Handle;
use tokio_postgres::CopyOutStream;

use super::connect::Connector;
use super::fault::fault;
use crate::store::records::{CodeError, Gone, RecordsError, Scan, Sender, start_scan};

/// So many rows are taken off the connection together.
const GROUP: usize = 256;

/// What the binary form begins with: a signature, flags, and the length of what follows them.
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";

/// The most columns that a row may have.
const COLUMNS: usize = 12;

/// A row as it came.
#[derive(Debug)]
pub(super) struct Tuple {
    bytes: Bytes,
    fields: [Option<Range<usize>>; COLUMNS],
}

impl Tuple {
    fn read(bytes: Bytes, from: usize) -> Result<Option<Self>, CodeError> {
        let short = || CodeError("a row is cut".to_owned());
        let number = |at: usize| -> Result<i32, CodeError> {
            let taken = bytes.get(at..at + 4).and_then(|taken| taken.try_into().ok());
            taken.map(i32::from_be_bytes).ok_or_else(short)
        };
        let count = bytes.get(from..from + 2).and_then(|taken| taken.try_into().ok());
        let Ok(count) = usize::try_from(count.map(i16::from_be_bytes).ok_or_else(short)?) else {
            // A count below zero ends the whole.
            return Ok(None);
        };
        let mut fields = [const { None }; COLUMNS];
        let mut at = from + 2;
        for field in fields.iter_mut().take(count) {
            let length = usize::try_from(number(at)?);
            at += 4;
            if let Ok(length) = length {
                *field = Some(at..at + length);
                at += length;
            }
        }
        Ok(Some(Self { bytes, fields }))
    }

    pub fn maybe_bytes(&self, column: usize) -> Result<Option<&[u8]>, CodeError> {
        let Some(Some(range)) = self.fields.get(column) else {
            return Ok(None);
        };
        let bytes = self.bytes.get(range.clone());
        bytes.map(Some).ok_or_else(|| CodeError("a row is cut".to_owned()))
    }

    pub fn bytes(&self, column: usize) -> Result<&[u8], CodeError> {
        self.maybe_bytes(column)?
            .ok_or_else(|| CodeError(format!("column {column} is empty")))
    }

    pub fn text(&self, column: usize) -> Result<&str, CodeError> {
        std::str::from_utf8(self.bytes(column)?).map_err(|error| CodeError(error.to_string()))
    }

    pub fn int(&self, column: usize) -> Result<i64, CodeError> {
        let bytes = self.bytes(column)?.try_into();
        bytes
            .map(i64::from_be_bytes)
            .map_err(|_| CodeError(format!("column {column} is no number")))
    }
}

/// The rows of a COPY.
struct Tuples {
    stream: Pin<Box<CopyOutStream>>,
    has_begun: bool,
    /// The stream may not be asked again after its end.
    is_over: bool,
}

impl Tuples {
    /// Some rows; none at the end.
    async fn next_group(&mut self) -> Result<Vec<Tuple>, RecordsError> {
        let mut group = Vec::with_capacity(GROUP);
        while group.len() < GROUP && !self.is_over {
            let Some(message) = self.stream.next().await else {
                self.is_over = true;
                break;
            };
            let bytes = message.map_err(|error| fault(&error))?;
            let tuple = self
                .read(bytes)
                .map_err(|error| RecordsError::corrupt("the database's answer", error))?;
            let Some(tuple) = tuple else { continue };
            group.push(tuple);
        }
        Ok(group)
    }

    fn read(&mut self, bytes: Bytes) -> Result<Option<Tuple>, CodeError> {
        if self.has_begun {
            return Tuple::read(bytes, 0);
        }
        self.has_begun = true;
        if !bytes.starts_with(SIGNATURE) {
            return Err(CodeError("it is no binary copy".to_owned()));
        }
        // No extension of the form is in use: nothing stands between the lengths and the first row.
        Tuple::read(bytes, SIGNATURE.len() + 8)
    }
}

/// Reads all rows of a SELECT, each through a function, on a connection of its own.
pub(super) fn scan<T: Send + 'static>(
    connector: &Connector,
    select: String,
    mut read: impl FnMut(&Tuple) -> Result<T, RecordsError> + Send + 'static,
) -> Scan<T> {
    let connector = connector.clone();
    let runtime = Handle::current();
    start_scan(move |sender| {
        let open = async {
            let session = connector.unlimited().await?;
            // Rows are wanted in the order of an index and as they come, not after all of them were sorted.
            session
                .batch("SET enable_sort = off; SET enable_bitmapscan = off")
                .await?;
            let copy = format!("COPY ({select}) TO STDOUT (FORMAT binary)");
            let stream = session.client().copy_out(&copy).await.map_err(|error| fault(&error))?;
            let tuples = Tuples {
                stream: Box::pin(stream),
                has_begun: false,
                is_over: false,
            };
            Ok::<_, RecordsError>((session, tuples))
        };
        let (_session, mut tuples) = runtime.block_on(open)?;
        loop {
            let group = runtime.block_on(tuples.next_group())?;
            if group.is_empty() {
                return Ok(());
            }
            if hand_on(&group, &mut read, sender)?.is_err() {
                return Ok(());
            }
        }
    })
}

fn hand_on<T>(
    group: &[Tuple],
    read: &mut impl FnMut(&Tuple) -> Result<T, RecordsError>,
    sender: &mut Sender<T>,
) -> Result<Result<(), Gone>, RecordsError> {
    for tuple in group {
        if let Err(gone) = sender.send(read(tuple)?) {
            return Ok(Err(gone));
        }
    }
    Ok(Ok(()))
}
