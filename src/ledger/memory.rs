//! How much memory the ledger takes, by what it knows of its own tables.

/// What is in memory, and the bytes that it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Memory {
    /// Products that are known.
    pub products: usize,
    /// Bytes of all that is kept of products: records, tables, shared texts, the latest changes. An estimate from the sizes asked of the allocator,
    /// rounded as the GNU C library rounds them.
    pub product_bytes: usize,
    /// Corrections that are kept: in force, or over and not yet let go.
    pub corrections: usize,
    /// Bytes of the corrections, estimated likewise.
    pub correction_bytes: usize,
}

/// What the allocator takes for a piece: eight bytes more, in steps of sixteen, at least 32; nothing for nothing.
pub fn allocated(length: usize) -> usize {
    if length == 0 {
        0
    } else {
        (length + 8).next_multiple_of(16).max(32)
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use crate::base::{Digest, KnownProduct, Look, Moment, Money, ProductKey, RevisionId, RevisionLook, TextsMark};
    use crate::ledger::{Ledger, Matched};

    const PRODUCTS: u64 = 200_000;

    /// Set in the process that measures itself: in this one other tests take memory too.
    const ALONE: &str = "VIGIE_TEST_LEDGER_MEMORY";

    fn resident_bytes() -> usize {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
    }

    fn product(number: u64) -> KnownProduct {
        let look = |of: u8, hours: i64| RevisionLook {
            revision: RevisionId(Digest([of; 32])),
            look: Look::Scores(vec![0.25; 7]),
            at: Moment::from_micros(1_764_000_000_000_000 - hours * 3_600_000_000),
            decision_id: String::new(),
        };
        KnownProduct {
            key: ProductKey {
                partner_id: format!("partner-{}", number % 2000),
                product_id: format!("sku-{number:016x}"),
            },
            model: "adsafety".parse().unwrap(),
            image_sha256: Some(Digest([number as u8; 32])),
            texts: TextsMark([number as u8; 16]),
            title: String::new(),
            description: String::new(),
            category: format!("Apparel & Accessories > Clothing > {}", number % 3000),
            brand: String::new(),
            language: "fr".to_owned(),
            price: Some(Money {
                units: (number % 200) as i64,
                nanos: 990_000_000,
                currency: "EUR".to_owned(),
            }),
            displays: Some(number % 100_000),
            facts: [].into(),
            looks: vec![look(1, 0), look(2, 1)],
            imported: Vec::new(),
            seen_at: Moment::from_micros(1_764_000_000_000_000),
        }
    }

    fn measure() {
        let ledger = Ledger::new();
        let labels: Vec<_> = (0..7).map(|label| format!("label_{label}").parse().unwrap()).collect();
        for of in [1, 2] {
            ledger.register(RevisionId(Digest([of; 32])), &labels);
        }
        let before = resident_bytes();
        for number in 0..PRODUCTS {
            ledger.judged(&product(number), &Matched::default());
        }
        let resident = resident_bytes() - before;
        let memory = ledger.memory();
        let is_near = resident.abs_diff(memory.product_bytes) < resident / 10;
        assert!(is_near, "{resident} bytes are resident, {memory:?} are told");
        let each = resident / PRODUCTS as usize;
        assert!(
            each <= 250 && memory.products == PRODUCTS as usize,
            "{each} bytes a product"
        );
    }

    #[test]
    fn a_product_takes_at_most_250_bytes_and_the_ledger_knows_how_much() {
        if std::env::var_os(ALONE).is_some() {
            return measure();
        }
        let (_, module) = module_path!().split_once("::").unwrap();
        let this = format!("{module}::a_product_takes_at_most_250_bytes_and_the_ledger_knows_how_much");
        let mut alone = Command::new(std::env::current_exe().unwrap());
        let output = alone.args(["--exact", &this]).env(ALONE, "1").output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && told.contains("1 passed"), "{told}");
    }
}
