//! The figures of the README, by `make bench`: the built server on one core, whoever asks it on the other, against the bare loop and against the
//! transport alone. Each figure is a ratio or a difference within one run, the sides in turn, so that a machine whose speed drifts does not decide it;
//! nothing is asserted here.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark that cannot run fails by panicking"
)]
#![expect(dead_code, reason = "of what the tests share, only a part is used here")]

#[path = "../it/support/mod.rs"]
mod support;

mod bare;
mod floor;
mod house;
mod load;
mod machine;
mod mobilenet;
mod overload;
mod pictures;
mod reloads;
mod report;
mod scale;
mod steady;
mod verdicts;

use std::path::PathBuf;
use std::time::Duration;

use report::Report;

/// How long and how often each side is measured.
#[derive(Clone, Copy)]
pub struct Effort {
    pub rounds: usize,
    pub span: Duration,
    pub reloads: usize,
    pub products: usize,
}

const SECTIONS: [&str; 9] = [
    "pictures", "scaled", "tensors", "known", "verdicts", "together", "overload", "scale", "reloads",
];

/// What the command line asks for.
enum Asked {
    /// Measure these sections.
    Measure {
        quick: bool,
        reloads: Option<usize>,
        products: Option<usize>,
        sections: Vec<&'static str>,
    },
    /// Write what is measured to a folder.
    Export(PathBuf),
}

fn main() {
    if let Some(work) = floor::work() {
        return run(floor::serve(work));
    }
    match asked() {
        Some(Asked::Export(folder)) => house::export(&folder),
        Some(Asked::Measure {
            quick,
            reloads,
            products,
            sections,
        }) => measure(quick, (reloads, products), &sections),
        None => {
            eprintln!(
                "make bench ARGS=\"[--quick] [--reloads=N] [--products=N] [SECTION…]\", sections: {}\nmake bench ARGS=\"export FOLDER\" writes the model and the pictures",
                SECTIONS.join(", ")
            );
            std::process::exit(2);
        }
    }
}

fn asked() -> Option<Asked> {
    // What Cargo passes to a benchmark is not for us.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if let [word, folder] = words.as_slice()
        && word == "export"
    {
        return Some(Asked::Export(folder.into()));
    }
    let mut sections = Vec::new();
    let (mut quick, mut reloads, mut products) = (false, None, None);
    for word in &words {
        match SECTIONS.iter().find(|section| *section == word) {
            Some(section) => sections.push(*section),
            None if word == "--quick" => quick = true,
            None => match word.split_once('=')? {
                ("--reloads", count) => reloads = Some(count.parse().ok()?),
                ("--products", count) => products = Some(count.parse().ok()?),
                _ => return None,
            },
        }
    }
    if sections.is_empty() {
        sections = SECTIONS.to_vec();
    }
    Some(Asked::Measure {
        quick,
        reloads,
        products,
        sections,
    })
}

fn measure(quick: bool, (reloads, products): (Option<usize>, Option<usize>), sections: &[&str]) {
    let effort = Effort {
        rounds: if quick { 3 } else { 7 },
        span: Duration::from_millis(if quick { 1000 } else { 2000 }),
        reloads: reloads.unwrap_or(if quick { 10 } else { 100 }),
        products: products.unwrap_or(if quick { 20_000 } else { 200_000 }),
    };
    let machine = machine::describe();
    let (server, load) = (machine::SERVER_CORE, machine::LOAD_CORE);
    println!("machine: {machine}; the server on core {server}, the load on core {load}");
    machine::stay_on(load);
    let environment = bare::runtime();
    let mut report = Report::default();
    run(async {
        for section in sections {
            match *section {
                "pictures" => steady::pictures(&environment, effort, 1, &mut report).await,
                "scaled" => steady::pictures(&environment, effort, 2, &mut report).await,
                "tensors" => steady::tensors(&environment, effort, &mut report).await,
                "known" => steady::known(effort, &mut report).await,
                "verdicts" => verdicts::measure(effort, &mut report).await,
                "together" => scale::together(effort, &mut report).await,
                "scale" => scale::measure(effort, &mut report).await,
                "overload" => overload::measure(effort, &mut report).await,
                _ => reloads::measure(effort, &mut report).await,
            }
        }
    });
    report.write(
        &PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("figures.json"),
        &machine,
    );
}

/// Runs on this thread alone, so that it stays on its core.
fn run(work: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(work);
}
