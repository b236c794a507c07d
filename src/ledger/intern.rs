//! Texts that many products share, each kept once and known by a number: partners, categories, languages, sets of facts.
//!
//! One table for all shards, so that what is asked for all the time stays in the processor's caches. A number is resolved without a lock: what has one
//! keeps it for good. Therefore the table is bounded, in texts and in bytes; a text that finds it full is written into the record itself, and goes
//! with it. So whoever sends ever new texts costs the memory of his own products and no more.

use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU32;
use std::sync::{OnceLock, PoisonError, RwLock, RwLockReadGuard};

use hashbrown::HashTable;

use super::memory::allocated;

/// The number of a text in its table.
pub type Number = NonZeroU32;

/// How many texts one piece of a table has room for; pieces are made as they are needed.
const PIECE: usize = 1024;

/// The shared texts of a ledger.
pub struct Texts {
    /// Partners, models, categories, languages, currencies, versions of rules.
    pub names: Interner,
    /// Sets of facts, causes, reasons: they vary more, and must not take the place of the others.
    pub phrases: Interner,
}

impl Default for Texts {
    fn default() -> Self {
        Self {
            names: Interner::new(1 << 20, 128 << 20),
            phrases: Interner::new(1 << 17, 32 << 20),
        }
    }
}

/// One table of texts.
pub struct Interner {
    hasher: RandomState,
    pieces: Box<[OnceLock<Piece>]>,
    index: RwLock<Index>,
    max_bytes: usize,
}

type Piece = Box<[OnceLock<Box<[u8]>>]>;

/// From texts to numbers; only writers look into it.
#[derive(Default)]
struct Index {
    numbers: HashTable<(u64, Number)>,
    bytes: usize,
}

impl Interner {
    /// An empty table for at most so many texts, which take at most so many bytes.
    pub fn new(max_texts: usize, max_bytes: usize) -> Self {
        Self {
            hasher: RandomState::new(),
            pieces: (0..max_texts.div_ceil(PIECE)).map(|_| OnceLock::new()).collect(),
            index: RwLock::default(),
            max_bytes,
        }
    }

    /// The number of a text, which is given one if it has none; none where the table is full.
    pub fn number(&self, text: &[u8]) -> Option<Number> {
        let hash = self.hasher.hash_one(text);
        let found = self.find_in(&self.index(), hash, text);
        found.or_else(|| self.add(hash, text))
    }

    /// The number of a text that has one.
    pub fn find(&self, text: &[u8]) -> Option<Number> {
        self.find_in(&self.index(), self.hasher.hash_one(text), text)
    }

    /// The text with a number; empty where there is none.
    pub fn bytes(&self, number: Number) -> &[u8] {
        let index = number.get() as usize - 1;
        let piece = self.pieces.get(index / PIECE).and_then(OnceLock::get);
        piece
            .and_then(|piece| piece[index % PIECE].get())
            .map_or(&[], |text| text)
    }

    /// The memory that it takes, in bytes.
    pub fn memory_bytes(&self) -> usize {
        let index = self.index();
        let pieces = index.numbers.len().div_ceil(PIECE) * PIECE * size_of::<OnceLock<Box<[u8]>>>();
        index.bytes + pieces + index.numbers.allocation_size() + size_of_val(&self.pieces[..])
    }

    fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn find_in(&self, index: &Index, hash: u64, text: &[u8]) -> Option<Number> {
        let is_it = |(other, number): &(u64, Number)| *other == hash && self.bytes(*number) == text;
        index.numbers.find(hash, is_it).map(|(_, number)| *number)
    }

    fn add(&self, hash: u64, text: &[u8]) -> Option<Number> {
        let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
        // Somebody else may have added it meanwhile.
        if let Some(number) = self.find_in(&index, hash, text) {
            return Some(number);
        }
        let (at, bytes) = (index.numbers.len(), index.bytes + allocated(text.len()));
        let piece = self.pieces.get(at / PIECE).filter(|_| bytes <= self.max_bytes)?;
        let number = u32::try_from(at + 1).ok().and_then(Number::new)?;
        let piece = piece.get_or_init(|| (0..PIECE).map(|_| OnceLock::new()).collect());
        piece[at % PIECE].get_or_init(|| text.into());
        index.numbers.insert_unique(hash, (hash, number), |(hash, _)| *hash);
        index.bytes = bytes;
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_one_number_for_good() {
        let texts = Interner::new(PIECE * 3, 1 << 20);
        let numbers: Vec<Number> = (0..2500_u32).map(|n| texts.number(&n.to_le_bytes()).unwrap()).collect();
        for (n, number) in (0..2500_u32).zip(numbers) {
            assert_eq!(texts.bytes(number), n.to_le_bytes());
            assert_eq!(texts.find(&n.to_le_bytes()), Some(number));
            assert_eq!(texts.number(&n.to_le_bytes()), Some(number));
        }
        assert_eq!(texts.find(b"unheard of"), None);
    }

    #[test]
    fn however_many_texts_come_the_memory_is_bounded() {
        for (texts, most) in [
            (Interner::new(PIECE, 1 << 20), PIECE),
            (Interner::new(PIECE * 8, 32 * 2000), 2000),
        ] {
            let (known, mut kept) = (texts.number(b"known before"), 1);
            let mut full = 0;
            for n in 0..10_000_u32 {
                kept += usize::from(texts.number(&n.to_le_bytes()).is_some());
                if n == 5_000 {
                    full = texts.memory_bytes();
                }
            }
            assert_eq!((kept, texts.memory_bytes()), (most, full));
            assert_eq!(texts.number(b"known before"), known, "who is there stays");
        }
    }

    #[test]
    fn threads_agree_on_the_numbers() {
        let texts = Interner::new(PIECE * 4, 1 << 20);
        let all: Vec<Vec<Option<Number>>> = std::thread::scope(|scope| {
            let each = || (0..3000_u32).map(|n| texts.number(&n.to_le_bytes())).collect();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(each)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(all.iter().all(|numbers| *numbers == all[0]));
    }
}
