//! How often judging a picture asks for memory. Buffers are kept by the thread, so that what is left is small and stays so.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use vigie::executor::{Executor, Lane, Reaper};
use vigie::preprocess::{PictureLimits, decode, to_tensor};

use crate::engine::runtime;
use crate::executor::shipped;
use crate::support::client::catalogue;

/// Requests to the allocator, and bytes asked for, that one picture may cause once the buffers are there.
const MOST: (usize, usize) = (60, 64 << 10);

thread_local! {
    static ASKED: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

/// The system's allocator, with a count a thread.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every request goes to the system's allocator as it came; the count touches no memory but its own.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Not there any more while a thread ends; then nobody counts.
        let _ = ASKED.try_with(|asked| {
            let (times, bytes) = asked.get();
            asked.set((times + 1, bytes + layout.size()));
        });
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[test]
fn judging_a_picture_hardly_asks_for_memory() {
    let executor = Executor::load(&runtime(), shipped(2), 1, &Reaper::start().unwrap()).unwrap();
    let preprocessing = executor.spec().judge.as_ref().unwrap().preprocessing.clone();
    let lane = Lane::apart(0);
    let entry = catalogue()
        .iter()
        .find(|entry| entry.picture.extension().is_some_and(|ending| ending == "jpg"))
        .unwrap();
    let bytes = entry.bytes();
    let judge = || {
        let workspace = &mut *lane.workspace();
        let decoded = decode(
            &bytes,
            &preprocessing.decode_options(),
            &PictureLimits::default(),
            workspace,
        )
        .unwrap();
        let tensor = to_tensor(&decoded, &preprocessing, workspace);
        let scores = executor.judge(&lane, &tensor).unwrap();
        workspace.give_back(decoded, tensor);
        scores
    };
    let first = judge();
    ASKED.set((0, 0));
    let again = judge();
    let asked = ASKED.get();
    assert_eq!(first, again);
    println!("{} requests, {} bytes", asked.0, asked.1);
    assert!(asked.0 <= MOST.0 && asked.1 <= MOST.1, "{asked:?}, allowed {MOST:?}");
}
