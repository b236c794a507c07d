//! SHA-256 of files, remembered: what did not change is not read again.
//!
//! A hash is kept under the file's identity: device, inode, size and both times. A file may be written twice within one tick of the file system's
//! clock and look the same, so a hash is only kept once the file is older than such a tick. A huge file is read in steps, one a scan, so that other
//! models are looked at in between.

use std::collections::HashMap;
use std::io::{self, Read, Seek, SeekFrom};
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};

use crate::base::Digest;

use super::layout::{Identity, Opened};

/// How much of one file is read in one step.
pub(super) const STEP_BYTES: u64 = 256 << 20;
const CHUNK_BYTES: usize = 1 << 20;
/// Linux stamps files by a clock that ticks every 1 to 10 ms.
const TICK: Duration = Duration::from_millis(50);
/// File systems with whole or even seconds alone.
const COARSE_TICK: Duration = Duration::from_millis(2_100);

/// How far the hash of a file has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    Done(Digest),
    /// More steps are needed.
    Reading {
        done: u64,
        total: u64,
    },
    /// The file changed while it was read.
    Changed,
}

/// The hashes of the files that the last scans met.
#[derive(Debug)]
pub(super) struct HashCache {
    known: HashMap<Identity, Known>,
    step_bytes: u64,
    scan: u64,
    bytes_read: u64,
}

#[derive(Debug)]
struct Known {
    state: State,
    last_used: u64,
}

#[derive(Debug)]
enum State {
    Done(Digest),
    Partial(Box<(Sha256, u64)>),
}

impl HashCache {
    pub(super) fn new(step_bytes: u64) -> Self {
        Self {
            known: HashMap::new(),
            step_bytes,
            scan: 0,
            bytes_read: 0,
        }
    }

    /// Begins a scan: what the last one did not ask for is forgotten.
    pub(super) fn begin_scan(&mut self) {
        self.known.retain(|_, known| known.last_used == self.scan);
        self.scan += 1;
    }

    /// How many bytes have been read since the beginning.
    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// Whether asking for this file's hash reads nothing.
    pub(super) fn knows(&self, identity: &Identity) -> bool {
        self.known
            .get(identity)
            .is_some_and(|known| matches!(known.state, State::Done(_)))
    }

    /// The hash of a file, or how far it has come; `now` tells whether it may be remembered.
    pub(super) fn digest(&mut self, opened: &mut Opened, now: SystemTime) -> io::Result<Progress> {
        let identity = opened.identity;
        let (mut hasher, mut done) = match self.known.remove(&identity).map(|known| known.state) {
            Some(State::Done(digest)) => {
                self.keep(identity, State::Done(digest));
                return Ok(Progress::Done(digest));
            }
            Some(State::Partial(partial)) => *partial,
            None => (Sha256::new(), 0),
        };
        opened.file.seek(SeekFrom::Start(done))?;
        let read = copy_into(&mut hasher, &mut (&opened.file).take(self.step_bytes), |_| Ok(()))?;
        self.bytes_read += read;
        done += read;
        if Identity::of(&opened.file.metadata()?) != identity || done > identity.bytes {
            return Ok(Progress::Changed);
        }
        let tick = if identity.has_coarse_times() { COARSE_TICK } else { TICK };
        let is_old_enough = identity.age(now) > tick;
        if done < identity.bytes {
            if read == 0 {
                return Ok(Progress::Changed);
            }
            if is_old_enough {
                self.keep(identity, State::Partial(Box::new((hasher, done))));
            }
            return Ok(Progress::Reading {
                done,
                total: identity.bytes,
            });
        }
        let digest = Digest(hasher.finalize().into());
        if is_old_enough {
            self.keep(identity, State::Done(digest));
        }
        Ok(Progress::Done(digest))
    }

    fn keep(&mut self, identity: Identity, state: State) {
        self.known.insert(
            identity,
            Known {
                state,
                last_used: self.scan,
            },
        );
    }
}

/// The SHA-256 of bytes in memory.
pub(super) fn digest_of(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}

/// Reads to the end and passes each chunk on; returns the SHA-256 of it all.
pub(super) fn copy_hashing(source: &mut impl Read, each: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<Digest> {
    let mut hasher = Sha256::new();
    copy_into(&mut hasher, source, each)?;
    Ok(Digest(hasher.finalize().into()))
}

/// Reads to the end; returns the number of bytes.
fn copy_into(
    hasher: &mut Sha256,
    reader: &mut impl Read,
    mut each: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<u64> {
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut total = 0;
    loop {
        match reader.read(&mut chunk) {
            Ok(0) => return Ok(total),
            Ok(count) => {
                hasher.update(&chunk[..count]);
                each(&chunk[..count])?;
                total += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::layout::Root;
    use super::*;

    fn later() -> SystemTime {
        SystemTime::now() + Duration::from_secs(60)
    }

    #[test]
    fn an_unchanged_file_is_read_once() {
        let directory = tempfile::tempdir().unwrap();
        let root = Root::resolve(directory.path()).unwrap();
        let path = directory.path().join("file");
        std::fs::write(&path, "first").unwrap();
        let mut cache = HashCache::new(STEP_BYTES);
        for _ in 0..3 {
            cache.begin_scan();
            let progress = cache.digest(&mut root.open(&path).unwrap(), later()).unwrap();
            assert_eq!(progress, Progress::Done(digest_of(b"first")));
        }
        assert_eq!(cache.bytes_read(), 5);

        std::fs::write(&path, "other").unwrap();
        let progress = cache.digest(&mut root.open(&path).unwrap(), later()).unwrap();
        assert_eq!(progress, Progress::Done(digest_of(b"other")));
    }

    #[test]
    fn a_file_written_a_moment_ago_is_read_again() {
        let directory = tempfile::tempdir().unwrap();
        let root = Root::resolve(directory.path()).unwrap();
        let path = directory.path().join("file");
        std::fs::write(&path, "first").unwrap();
        let mut cache = HashCache::new(STEP_BYTES);
        let opened = |root: &Root| root.open(&path).unwrap();
        cache.digest(&mut opened(&root), SystemTime::UNIX_EPOCH).unwrap();
        cache.digest(&mut opened(&root), SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(cache.bytes_read(), 10);
    }

    #[test]
    fn a_huge_file_is_read_in_steps_and_hashes_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let root = Root::resolve(directory.path()).unwrap();
        let path = directory.path().join("file");
        let content: Vec<u8> = (0..1000_u32).map(|i| i as u8).collect();
        std::fs::write(&path, &content).unwrap();
        let mut cache = HashCache::new(300);
        let mut steps = 0;
        let digest = loop {
            cache.begin_scan();
            steps += 1;
            match cache.digest(&mut root.open(&path).unwrap(), later()).unwrap() {
                Progress::Done(digest) => break digest,
                Progress::Reading { done, total } => assert!(done < total),
                Progress::Changed => panic!("nobody changed it"),
            }
        };
        assert_eq!((digest, steps, cache.bytes_read()), (digest_of(&content), 4, 1000));
    }
}
