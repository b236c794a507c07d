//! A stream is bounded, complete, and leaves nothing behind.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Semaphore;
use tonic::Code;

use super::*;

fn driving(order: Order) -> Driving {
    Driving {
        order,
        read_ahead: 64,
        stalled: Duration::from_secs(600),
        deadline: Deadline::NONE,
        room: Room::new(1 << 20),
        stop: CancellationToken::new(),
        _place: None,
    }
}

impl Item for usize {
    fn bytes(&self) -> usize {
        1000
    }
}

fn numbers(count: usize) -> impl Stream<Item = Result<usize, Status>> + Send + 'static {
    futures_util::stream::iter((0..count).map(Ok))
}

/// Work that counts itself while it is alive and ends when the gate lets it.
#[derive(Clone)]
struct Gate {
    alive: Arc<AtomicUsize>,
    started: Arc<AtomicUsize>,
    places: Arc<Semaphore>,
}

struct Alive(Arc<AtomicUsize>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Gate {
    fn closed() -> Self {
        Self {
            alive: Arc::default(),
            started: Arc::default(),
            places: Arc::new(Semaphore::new(0)),
        }
    }

    fn pass(&self, number: usize) -> impl Future<Output = usize> + Send + 'static {
        self.alive.fetch_add(1, Ordering::SeqCst);
        self.started.fetch_add(1, Ordering::SeqCst);
        let (alive, places) = (Alive(Arc::clone(&self.alive)), Arc::clone(&self.places));
        async move {
            let place = places.acquire_owned().await.unwrap();
            place.forget();
            drop(alive);
            number
        }
    }

    fn works(
        &self,
    ) -> (
        impl Fn(usize) -> Pin<Box<dyn Future<Output = usize> + Send>> + Send + 'static,
        Self,
    ) {
        let gate = self.clone();
        (
            move |number| Box::pin(gate.pass(number)) as Pin<Box<dyn Future<Output = usize> + Send>>,
            self.clone(),
        )
    }
}

/// Lets every task run as far as it can.
async fn settle() {
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn every_item_is_answered_before_the_end() {
    let answers = answer(
        numbers(1000),
        |number| async move { number * 2 },
        driving(Order::AsReady),
    );
    let mut got: Vec<usize> = answers.map(|answer| answer.unwrap()).collect().await;
    got.sort_unstable();
    assert_eq!(got, (0..1000).map(|number| number * 2).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_order_asked_is_kept_where_it_is_promised() {
    let respond = |number: usize| async move {
        for _ in 0..(10 - number) {
            tokio::task::yield_now().await;
        }
        number
    };
    let answers = answer(numbers(10), respond, driving(Order::AsAsked));
    let got: Vec<usize> = answers.map(|answer| answer.unwrap()).collect().await;
    assert_eq!(got, (0..10).collect::<Vec<_>>());
}

#[tokio::test]
async fn no_more_is_read_than_the_read_ahead_whatever_the_reader_does() {
    let (respond, gate) = Gate::closed().works();
    let mut answers = answer(numbers(1000), respond, driving(Order::AsReady));
    settle().await;
    assert_eq!(gate.started.load(Ordering::SeqCst), 64);
    gate.places.add_permits(1000);
    settle().await;
    // One answer lies ready for the reader, outside the count.
    assert_eq!(gate.started.load(Ordering::SeqCst), 65);
    answers.next().await.unwrap().unwrap();
    settle().await;
    assert_eq!(gate.started.load(Ordering::SeqCst), 66);
    assert_eq!(answers.count().await, 999);
}

#[tokio::test]
async fn when_the_caller_leaves_its_work_is_dropped() {
    let (respond, gate) = Gate::closed().works();
    let answers = answer(numbers(10), respond, driving(Order::AsReady));
    settle().await;
    assert_eq!(gate.alive.load(Ordering::SeqCst), 10);
    drop(answers);
    settle().await;
    assert_eq!(gate.alive.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_reader_that_takes_nothing_is_cut_and_its_work_dropped() {
    let (respond, gate) = Gate::closed().works();
    gate.places.add_permits(3);
    let stalled = Duration::from_millis(20);
    let mut answers = answer(
        numbers(10),
        respond,
        Driving {
            stalled,
            ..driving(Order::AsReady)
        },
    );
    while gate.started.load(Ordering::SeqCst) == 0 || gate.alive.load(Ordering::SeqCst) > 0 {
        tokio::task::yield_now().await;
    }
    assert!(answers.next().await.unwrap().is_ok());
    assert_eq!(answers.next().await.unwrap().unwrap_err().code(), Code::Aborted);
    assert!(answers.next().await.is_none());
}

#[tokio::test]
async fn a_slow_model_does_not_make_a_reader_look_stalled() {
    let slow = |number: usize| async move {
        tokio::time::sleep(Duration::from_millis(40)).await;
        number
    };
    let stalled = Duration::from_millis(20);
    let answers = answer(
        numbers(2),
        slow,
        Driving {
            stalled,
            ..driving(Order::AsAsked)
        },
    );
    assert_eq!(answers.map(|answer| answer.unwrap()).collect::<Vec<_>>().await, [0, 1]);
}

#[tokio::test]
async fn a_stopping_server_answers_what_it_has_read_and_says_so() {
    let (respond, gate) = Gate::closed().works();
    let driving = driving(Order::AsReady);
    let stop = driving.stop.clone();
    let endless = numbers(5).chain(futures_util::stream::pending());
    let mut answers = answer(endless, respond, driving);
    settle().await;
    stop.cancel();
    gate.places.add_permits(5);
    for _ in 0..5 {
        answers.next().await.unwrap().unwrap();
    }
    assert_eq!(answers.next().await.unwrap().unwrap_err().code(), Code::Unavailable);
}

#[tokio::test]
async fn a_broken_request_stream_ends_after_what_was_read() {
    let requests = numbers(3).chain(futures_util::stream::iter([Err(Status::invalid_argument("broken"))]));
    let answers: Vec<_> = answer(requests, |number| async move { number }, driving(Order::AsAsked))
        .collect()
        .await;
    let codes: Vec<_> = answers
        .iter()
        .map(|answer| answer.as_ref().map_err(Status::code))
        .collect();
    assert_eq!(codes, [Ok(&0), Ok(&1), Ok(&2), Err(Code::InvalidArgument)]);
}

#[tokio::test]
async fn the_deadline_of_the_stream_ends_it() {
    let deadline = Deadline::after(Instant::now(), Duration::from_millis(10));
    let (respond, gate) = Gate::closed().works();
    let mut answers = answer(
        numbers(3),
        respond,
        Driving {
            deadline,
            ..driving(Order::AsReady)
        },
    );
    assert_eq!(
        answers.next().await.unwrap().unwrap_err().code(),
        Code::DeadlineExceeded
    );
    settle().await;
    assert_eq!(gate.alive.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn items_beyond_the_room_are_not_begun() {
    let (respond, gate) = Gate::closed().works();
    // Each of 1000 bytes takes a whole KiB of the three that 3000 bytes are rounded to.
    let room = Room::new(3000);
    let driving = Driving {
        room,
        ..driving(Order::AsReady)
    };
    let answers = answer(numbers(10), respond, driving);
    settle().await;
    assert_eq!(gate.started.load(Ordering::SeqCst), 3);
    gate.places.add_permits(10);
    assert_eq!(answers.count().await, 10);
}
