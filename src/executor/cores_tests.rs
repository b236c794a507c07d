//! The promises of the computing threads, on real threads. Order comes from channels, never from sleeping.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::*;
use crate::executor::lane::Abandoned;

const LONG: Duration = Duration::from_secs(20);

fn cores(live: usize, limit: usize) -> Cores {
    let limits = QueueLimits {
        live: limit,
        bulk: limit,
        background: limit,
    };
    Cores::start(Lanes { live, background: 1 }, limits).unwrap()
}

fn ticket(class: Class, deadline: Deadline) -> Ticket {
    let caller = Caller::default();
    Ticket::new(class, Asker { caller, deadline })
}

/// Keeps a thread of a class busy until told otherwise.
struct Busy {
    release: SyncSender<()>,
    outcome: tokio::task::JoinHandle<Result<(), NotRun>>,
}

impl Busy {
    async fn on(cores: &Cores, class: Class) -> Self {
        let (release, released) = sync_channel::<()>(1);
        let (began, begun) = oneshot::channel();
        let cores = cores.clone();
        let work = move |_: &Lane| {
            began.send(()).unwrap();
            wait(&released);
        };
        let outcome = tokio::spawn(async move { cores.run(ticket(class, Deadline::NONE), work).await });
        begun.await.unwrap();
        Self { release, outcome }
    }

    async fn end(self) {
        self.release.send(()).unwrap();
        self.outcome.await.unwrap().unwrap();
    }
}

fn wait(released: &Receiver<()>) {
    released.recv_timeout(LONG).expect("the test releases the thread");
}

/// Lets tasks run until so many jobs wait.
async fn until_waiting(cores: &Cores, live: usize, bulk: usize) {
    let began = Instant::now();
    while (cores.load().waiting_live, cores.load().waiting_bulk) != (live, bulk) {
        assert!(began.elapsed() < LONG, "{:?}", cores.load());
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn work_runs_on_a_lane_and_its_outcome_comes_back() {
    let cores = cores(2, 4);
    let index = cores
        .run(ticket(Class::Live, Deadline::NONE), Lane::index)
        .await
        .unwrap();
    assert!(index < 2);
    assert_eq!(
        cores.run(ticket(Class::Background, Deadline::NONE), Lane::index).await,
        Ok(2)
    );
    assert!(cores.close(LONG));
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_says_when_to_come_back() {
    let cores = cores(1, 1);
    let busy = Busy::on(&cores, Class::Live).await;
    let waiting = tokio::spawn({
        let cores = cores.clone();
        async move { cores.run(ticket(Class::Live, Deadline::NONE), |_| ()).await }
    });
    until_waiting(&cores, 1, 0).await;
    let refused = cores
        .run(ticket(Class::Live, Deadline::NONE), |_| ())
        .await
        .unwrap_err();
    assert!(
        matches!(refused, NotRun::QueueFull { retry_after } if retry_after > Duration::ZERO),
        "{refused}"
    );
    busy.end().await;
    assert_eq!(waiting.await.unwrap(), Ok(()));
}

#[tokio::test]
async fn live_jobs_go_before_bulk_jobs() {
    let cores = cores(1, 8);
    let busy = Busy::on(&cores, Class::Live).await;
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = Vec::new();
    for (number, class) in [Class::Bulk, Class::Bulk, Class::Live, Class::Live]
        .into_iter()
        .enumerate()
    {
        let (order, handle) = (Arc::clone(&order), cores.clone());
        let work = move |_: &Lane| order.lock().unwrap().push(class);
        tasks.push(tokio::spawn(async move {
            handle.run(ticket(class, Deadline::NONE), work).await
        }));
        until_waiting(&cores, number.saturating_sub(1), (number + 1).min(2)).await;
    }
    busy.end().await;
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(
        *order.lock().unwrap(),
        [Class::Live, Class::Live, Class::Bulk, Class::Bulk]
    );
}

#[tokio::test]
async fn a_job_whose_caller_left_is_never_started() {
    let cores = cores(1, 8);
    let busy = Busy::on(&cores, Class::Live).await;
    let started = Arc::new(AtomicUsize::new(0));
    let mut waiting = Vec::new();
    for _ in 0..5 {
        let (handle, started) = (cores.clone(), Arc::clone(&started));
        let work = move |_: &Lane| started.fetch_add(1, Ordering::SeqCst);
        waiting.push(tokio::spawn(async move {
            handle.run(ticket(Class::Live, Deadline::NONE), work).await
        }));
    }
    until_waiting(&cores, 5, 0).await;
    for task in &waiting[1..] {
        task.abort();
    }
    for task in waiting.drain(1..) {
        assert!(task.await.unwrap_err().is_cancelled());
    }
    busy.end().await;
    waiting.pop().unwrap().await.unwrap().unwrap();
    assert!(cores.close(LONG));
    assert_eq!(started.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_left_make_room_for_those_who_wait() {
    let cores = cores(1, 1);
    let busy = Busy::on(&cores, Class::Live).await;
    let handle = cores.clone();
    let left = tokio::spawn(async move { handle.run(ticket(Class::Live, Deadline::NONE), |_| ()).await });
    until_waiting(&cores, 1, 0).await;
    left.abort();
    assert!(left.await.unwrap_err().is_cancelled());
    let handle = cores.clone();
    let next = tokio::spawn(async move { handle.run(ticket(Class::Live, Deadline::NONE), |_| 7).await });
    // Let it take the place of the one that left before the thread is free.
    tokio::task::yield_now().await;
    busy.end().await;
    assert_eq!(next.await.unwrap(), Ok(7));
}

#[tokio::test]
async fn work_learns_that_its_caller_left() {
    let cores = cores(1, 1);
    let (began, begun) = oneshot::channel();
    let (told, tell) = oneshot::channel();
    let (release, released) = sync_channel::<()>(1);
    let handle = cores.clone();
    let work = move |lane: &Lane| {
        assert_eq!(lane.check(), Ok(()));
        began.send(()).unwrap();
        wait(&released);
        told.send(lane.check()).unwrap();
    };
    let caller = tokio::spawn(async move { handle.run(ticket(Class::Live, Deadline::NONE), work).await });
    begun.await.unwrap();
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    release.send(()).unwrap();
    assert_eq!(tell.await.unwrap(), Err(Abandoned::CallerLeft));
}

#[tokio::test]
async fn a_deadline_is_kept_whatever_the_threads_do() {
    let cores = cores(1, 4);
    let busy = Busy::on(&cores, Class::Live).await;
    let started = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&started);
    let deadline = Deadline::after(Instant::now(), Duration::from_millis(20));
    let outcome = cores
        .run(ticket(Class::Live, deadline), move |_| {
            counted.fetch_add(1, Ordering::SeqCst)
        })
        .await;
    assert_eq!(outcome, Err(NotRun::DeadlinePassed));
    busy.end().await;
    assert_eq!(
        cores
            .run(ticket(Class::Live, Deadline::at(Instant::now())), |_| 0)
            .await,
        Err(NotRun::DeadlinePassed)
    );
    assert!(cores.close(LONG));
    assert_eq!(started.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_panic_becomes_a_value_and_the_thread_lives() {
    let cores = cores(1, 4);
    for _ in 0..3 {
        let outcome = cores
            .run(ticket(Class::Live, Deadline::NONE), |_| [0][std::hint::black_box(1)])
            .await;
        assert_eq!(outcome, Err(NotRun::Panicked));
    }
    assert_eq!(cores.run(ticket(Class::Live, Deadline::NONE), |_| 5).await, Ok(5));
}

#[tokio::test]
async fn background_work_never_takes_a_live_thread() {
    let cores = cores(2, 1);
    let busy = Busy::on(&cores, Class::Background).await;
    assert_eq!(cores.offer(|_| ()), Ok(()));
    assert_eq!(cores.offer(|_| ()), Err(QueueFull));
    assert_eq!(cores.run(ticket(Class::Live, Deadline::NONE), |_| 1).await, Ok(1));
    assert_eq!(cores.run(ticket(Class::Bulk, Deadline::NONE), |_| 2).await, Ok(2));
    assert_eq!(cores.load().waiting_background, 1);
    busy.end().await;
}

#[tokio::test]
async fn those_who_wait_for_room_all_get_it() {
    let cores = cores(2, 2);
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..200_u32 {
        let cores = cores.clone();
        tasks.spawn(async move {
            cores
                .run(ticket(Class::Bulk, Deadline::NONE), move |_| number)
                .await
                .unwrap()
        });
    }
    assert_eq!(tasks.join_all().await.into_iter().sum::<u32>(), 199 * 200 / 2);
}

#[tokio::test]
async fn closing_does_what_is_queued_and_takes_no_more() {
    let cores = cores(1, 4);
    let busy = Busy::on(&cores, Class::Live).await;
    let handle = cores.clone();
    let queued = tokio::spawn(async move { handle.run(ticket(Class::Live, Deadline::NONE), |_| 3).await });
    until_waiting(&cores, 1, 0).await;
    cores.shared.close();
    assert_eq!(cores.offer(|_| ()), Err(QueueFull));
    assert_eq!(
        cores.run(ticket(Class::Live, Deadline::NONE), |_| 4).await,
        Err(NotRun::Closing)
    );
    busy.end().await;
    assert_eq!(queued.await.unwrap(), Ok(3));
    assert!(cores.close(LONG));
}

#[tokio::test]
async fn closing_ends_in_time_and_refuses_what_still_waits() {
    let cores = cores(1, 4);
    let busy = Busy::on(&cores, Class::Live).await;
    let handle = cores.clone();
    let queued = tokio::spawn(async move { handle.run(ticket(Class::Live, Deadline::NONE), |_| 3).await });
    until_waiting(&cores, 1, 0).await;
    assert!(!cores.close(Duration::ZERO));
    assert_eq!(queued.await.unwrap(), Err(NotRun::Closing));
    busy.end().await;
    assert!(cores.close(LONG));
}

#[tokio::test]
async fn the_threads_end_with_the_last_handle() {
    let cores = cores(2, 4);
    let shared = Arc::downgrade(&cores.shared);
    let outcome = cores.run(ticket(Class::Live, Deadline::NONE), |_| 1).await;
    assert_eq!(outcome, Ok(1));
    drop(cores);
    let began = Instant::now();
    while shared.strong_count() > 0 {
        assert!(began.elapsed() < LONG);
        tokio::task::yield_now().await;
    }
}
