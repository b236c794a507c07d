//! The journal of acts that wait for the store: on the disk when acknowledged, and never guessed at.

use std::fs;

use vigie::base::CorrectionScope;
use vigie::store::{AskedAct, DataDirectory, Journal, JournalError};

use super::samples::{asked, key};

fn act(number: u64) -> AskedAct {
    AskedAct::Correct(asked(number))
}

fn pending(journal: &Journal) -> Vec<AskedAct> {
    journal.pending().map(|(_, act)| act.clone()).collect()
}

struct Kept {
    data: DataDirectory,
    _folder: tempfile::TempDir,
}

impl Kept {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDirectory::open(folder.path()).unwrap();
        Self { data, _folder: folder }
    }

    fn open(&self) -> Result<Journal, JournalError> {
        Journal::open(&self.data)
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.data.path().join("acts.journal")).unwrap()
    }

    fn put(&self, bytes: &[u8]) {
        fs::write(self.data.path().join("acts.journal"), bytes).unwrap();
    }
}

#[test]
fn what_waits_is_there_after_a_restart_until_it_is_done() {
    let kept = Kept::new();
    let acts: Vec<AskedAct> = (0..3).map(act).collect();
    let mut journal = kept.open().unwrap();
    let numbers: Vec<u64> = acts.iter().map(|act| journal.append(act.clone()).unwrap()).collect();
    assert_eq!(pending(&journal), acts);
    drop(journal);
    let mut journal = kept.open().unwrap();
    assert_eq!(pending(&journal), acts);
    journal.done(numbers[1]).unwrap();
    journal.done(numbers[1]).unwrap();
    journal.done(99).unwrap();
    drop(journal);
    let mut journal = kept.open().unwrap();
    assert_eq!(pending(&journal), [acts[0].clone(), acts[2].clone()]);
    journal.done(numbers[0]).unwrap();
    journal.done(numbers[2]).unwrap();
    assert_eq!(kept.bytes(), b"", "nothing waits, and the file is empty");
    // A number that was given is not given again while the journal is open.
    let next = journal.append(act(9)).unwrap();
    assert!(!numbers.contains(&next));
    drop(journal);
    assert_eq!(pending(&kept.open().unwrap()), [act_of(&kept)]);
}

fn act_of(kept: &Kept) -> AskedAct {
    let journal = kept.open().unwrap();
    pending(&journal).remove(0)
}

#[test]
fn a_line_that_a_crash_cut_is_dropped_wherever_it_was_cut() {
    let kept = Kept::new();
    let mut journal = kept.open().unwrap();
    let acts: Vec<AskedAct> = (0..2).map(act).collect();
    journal.append(acts[0].clone()).unwrap();
    let whole = kept.bytes();
    journal.append(acts[1].clone()).unwrap();
    drop(journal);
    let both = kept.bytes();
    for end in whole.len()..both.len() {
        kept.put(&both[..end]);
        let mut journal = kept.open().unwrap();
        assert_eq!(pending(&journal), acts[..1], "{end}");
        // What comes next stands on a line of its own.
        journal.append(acts[1].clone()).unwrap();
        drop(journal);
        assert_eq!(pending(&kept.open().unwrap()), acts);
    }
    // Room that was taken and never filled.
    let mut torn = both.clone();
    torn[whole.len() + 20..].fill(0);
    for end in [&b""[..], b"\n"] {
        kept.put(&[&torn, end].concat());
        assert_eq!(pending(&kept.open().unwrap()), acts[..1]);
    }
}

#[test]
fn any_other_damage_is_named_by_its_line() {
    let kept = Kept::new();
    let mut journal = kept.open().unwrap();
    for number in 0..3 {
        journal.append(act(number)).unwrap();
    }
    drop(journal);
    let whole = kept.bytes();
    for place in 0..whole.len() - 1 {
        let mut damaged = whole.clone();
        damaged[place] ^= 1;
        let line = 1 + whole[..place].iter().filter(|byte| **byte == b'\n').count();
        // A line end that is gone joins two lines; one that came makes two of one: the first of them is told.
        kept.put(&damaged);
        let refused = kept.open();
        assert!(
            matches!(&refused, Err(JournalError::Damaged { line: at, path, .. }) if *at == line && path.ends_with("acts.journal")),
            "{place}: {refused:?}"
        );
    }
    assert_eq!(kept.bytes().len(), whole.len(), "nothing was changed");
}

#[test]
fn what_is_about_an_erased_partner_is_gone_from_the_file() {
    let kept = Kept::new();
    let of = |number: u64, partner: &str| {
        let mut asked = asked(number);
        asked.correction.scope = CorrectionScope::Product(key(partner, "sku"));
        asked.correction.reason = format!("words on {partner} {number}");
        AskedAct::Correct(asked)
    };
    let stay = [of(2, "stays"), of(4, "stays")];
    let mut journal = kept.open().unwrap();
    journal.forget_partner("gone").unwrap();
    let done = journal.append(of(1, "gone")).unwrap();
    journal.append(stay[0].clone()).unwrap();
    journal.append(of(3, "gone")).unwrap();
    journal.done(done).unwrap();
    assert!(memchr::memmem::find(&kept.bytes(), b"words on gone 1").is_some());
    journal.forget_partner("gone").unwrap();
    assert_eq!(pending(&journal), stay[..1]);
    assert!(memchr::memmem::find(&kept.bytes(), b"gone").is_none());
    // It goes on as before.
    journal.append(stay[1].clone()).unwrap();
    drop(journal);
    let mut journal = kept.open().unwrap();
    assert_eq!(pending(&journal), stay);
    journal.forget_partner("stays").unwrap();
    assert_eq!(kept.bytes(), b"");
}
