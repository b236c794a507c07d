//! Steady work: how much of the bare loop's throughput is served, and how much later an answer comes.

use std::time::{Duration, Instant};

use ort::environment::Environment;
use tonic::Request;
use tonic::transport::Channel;
use vigie::grpc::generated::inference::grpc_inference_service_client::GrpcInferenceServiceClient;
use vigie::grpc::generated::vigie::ad_safety_client::AdSafetyClient;
use vigie::wire::inference::ModelInferRequest;
use vigie::wire::inference::model_infer_request::InferInputTensor;
use vigie::wire::vigie::ClassifyRequest;

use super::Effort;
use super::bare::{Bare, Stages};
use super::floor::{FloorProcess, Work};
use super::house::{self, CONNECTIONS};
use super::load::{Outcome, closed, median};
use super::machine::on_server_core;
use super::mobilenet::SIDE;
use super::pictures::jpegs;
use super::report::{Asked, Report};
use crate::support::Server;

/// Questions in flight when throughput is measured.
const IN_FLIGHT: usize = 8;
const PICTURES: usize = 16;
const STAGES: [&str; 6] = ["hash", "queue", "decode", "prepare", "infer", "judge"];

/// One side of a comparison in one round: how many a second, and the middle of one alone, in microseconds.
#[derive(Clone, Copy)]
struct Side {
    rate: f64,
    alone: f64,
}

/// What is compared in one round.
struct Round {
    bare: Side,
    /// The bare loop with a pause before each, as long as a message needs on its way: a core that has been idle is slower for a while, whoever uses it.
    paced: f64,
    floor: Side,
    /// The bare loop in the handler of the floor: what is left to be lost by anything else.
    behind: Side,
    served: Side,
}

/// JPEGs of 800 x 800 pixels and 115 KB, decoded whole or at half the size.
pub async fn pictures(environment: &Environment, effort: Effort, divisor: usize, report: &mut Report) {
    report.heading(match divisor {
        1 => "Classify, JPEG of 800 x 800 pixels and 115 KB, MobileNetV3-small",
        _ => "Classify, the same with half-scale decoding allowed",
    });
    let jpegs = jpegs(PICTURES, 800, 115_000);
    let (place, onnx) = house::judging_place(divisor > 1);
    let mut bare = Bare::new(environment, &onnx);
    let server = house::served(&place).start_ready();
    let floor = FloorProcess::start(&Work::Nothing);
    let least_process = FloorProcess::start(&Work::Picture(onnx, divisor));
    let questions: Vec<ClassifyRequest> = jpegs.iter().map(|jpeg| house::question(jpeg)).collect();
    let (served, empty) = (house::clients(server.grpc).await, house::clients(floor.address).await);
    let least = house::clients(least_process.address).await;
    house::settled(&server).await;
    let mut sides = Vec::new();
    let mut stages = Vec::new();
    for _ in 0..effort.rounds {
        let floor = classified(&empty, &questions, effort.span / 2).await;
        let pause = Duration::from_secs_f64(floor.alone / 1e6);
        let (side, by_stage) = on_server_core(|| bare_pictures(&mut bare, &jpegs, divisor, effort.span));
        let mut each = jpegs.iter().cycle();
        let paced = on_server_core(|| {
            let mut next = || each.next().map(|jpeg| drop(bare.picture(jpeg, divisor)));
            measured(effort.span / 2, pause, || {
                next();
            })
        });
        stages.push(by_stage);
        let behind = classified(&least, &questions, effort.span / 2).await;
        let served = classified(&served, &questions, effort.span).await;
        sides.push(Round {
            bare: side,
            paced: paced.alone,
            floor,
            behind,
            served,
        });
    }
    let alone = stages_alone(&server, &served, &questions, effort.span / 2).await;
    report.tell("served alone, as the server says, µs", &alone);
    tell_bare(&sides, &stages, report);
    compare(&sides, [92.0, 97.0, 300.0, 60.0], report);
}

/// Tells of the bare loop, by stage.
fn tell_bare(sides: &[Round], stages: &[Stages], report: &mut Report) {
    let stage = |of: fn(&Stages) -> Duration| {
        median(
            &stages
                .iter()
                .map(|stages| of(stages).as_secs_f64() * 1e6)
                .collect::<Vec<_>>(),
        )
    };
    report.note(
        "bare loop",
        median(&sides.iter().map(|round| round.bare.rate).collect::<Vec<_>>()),
        "/s",
        Asked::Nothing,
        format!(
            "decode {:.0} µs, resize {:.0}, normalise {:.0}, infer {:.0}",
            stage(|s| s.decode),
            stage(|s| s.resize),
            stage(|s| s.normalise),
            stage(|s| s.infer)
        ),
    );
}

/// Raw FP32 tensors of 1 x 3 x 224 x 224 over the Open Inference Protocol.
pub async fn tensors(environment: &Environment, effort: Effort, report: &mut Report) {
    report.heading("ModelInfer, one raw FP32 tensor 1 x 3 x 224 x 224 (602 KB), MobileNetV3-small, 1,000 outputs");
    let (place, onnx) = house::tensor_place();
    let mut bare = Bare::new(environment, &onnx);
    let server = house::served(&place).start_ready();
    let floor = FloorProcess::start(&Work::Nothing);
    let least_process = FloorProcess::start(&Work::Numbers(onnx));
    house::settled(&server).await;
    report.note(
        "memory of the idle server with this one 10 MB model",
        server.memory() as f64 / 1e6,
        "MB",
        Asked::AtMost(120.0),
        "",
    );
    let numbers: Vec<f32> = (0..3 * SIDE * SIDE).map(|at| (at % 255) as f32 / 128.0 - 1.0).collect();
    let raw: bytes::Bytes = numbers
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect::<Vec<u8>>()
        .into();
    let empty = house::clients(floor.address).await;
    let least = house::clients(least_process.address).await;
    let clients: Vec<_> = house::channels(server.grpc)
        .await
        .into_iter()
        .map(GrpcInferenceServiceClient::new)
        .collect();
    let payload = [house::question(&raw)];
    let infer = infer_request(raw);
    let mut sides = Vec::new();
    for _ in 0..effort.rounds {
        let floor = classified(&empty, &payload, effort.span / 2).await;
        let pause = Duration::from_secs_f64(floor.alone / 1e6);
        let side = on_server_core(|| measured(effort.span, Duration::ZERO, || drop(bare.run(&numbers))));
        let paced = on_server_core(|| measured(effort.span / 2, pause, || drop(bare.run(&numbers))));
        let behind = classified(&least, &payload, effort.span / 2).await;
        let served = inferred(&clients, &infer, effort.span).await;
        sides.push(Round {
            bare: side,
            paced: paced.alone,
            floor,
            behind,
            served,
        });
    }
    report.note(
        "bare Session::run",
        median(&sides.iter().map(|round| round.bare.rate).collect::<Vec<_>>()),
        "/s",
        Asked::Nothing,
        "",
    );
    compare(&sides, [83.0, 97.0, f64::NAN, f64::NAN], report);
}

/// Pictures whose scores are remembered: JPEGs of 480 x 480 pixels and 40 KB, asked again and again.
pub async fn known(effort: Effort, report: &mut Report) {
    report.heading("Classify, known pictures of 40 KB");
    let questions: Vec<ClassifyRequest> = jpegs(PICTURES, 480, 40_000)
        .iter()
        .map(|jpeg| house::question(jpeg))
        .collect();
    let (place, _) = house::judging_place(false);
    let server = house::served(&place).set("KNOWN__MEMORY", "32 MiB").start_ready();
    let floor = FloorProcess::start(&Work::Nothing);
    let (served, empty) = (house::clients(server.grpc).await, house::clients(floor.address).await);
    classified(&served, &questions, effort.span).await;
    let mut sides = Vec::new();
    for _ in 0..effort.rounds {
        sides.push((
            classified(&empty, &questions, effort.span / 2).await,
            classified(&served, &questions, effort.span / 2).await,
        ));
    }
    let over = |figure: fn(&(Side, Side)) -> f64| median(&sides.iter().map(figure).collect::<Vec<_>>());
    report.note(
        "transport floor",
        over(|(floor, _)| floor.rate),
        "/s",
        Asked::Nothing,
        "",
    );
    report.note(
        "known pictures, 8 in flight",
        over(|(_, served)| served.rate),
        "/s",
        Asked::AtLeast(6000.0),
        "",
    );
    report.note(
        "one in flight, median, added to the floor",
        over(|(floor, served)| served.alone - floor.alone),
        "µs",
        Asked::Nothing,
        "",
    );
}

/// Tells the served side against the others, round by round. Bars: throughput of bare, of bare and floor; microseconds added to bare, to both.
fn compare(rounds: &[Round], [of_bare, of_both, added, added_to_both]: [f64; 4], report: &mut Report) {
    let over = |figure: fn(&Round) -> f64| median(&rounds.iter().map(figure).collect::<Vec<_>>());
    let at_most = |bar: f64| {
        if bar.is_nan() {
            Asked::Nothing
        } else {
            Asked::AtMost(bar)
        }
    };
    let floor = format!("{:.0} µs alone", over(|round| round.floor.alone));
    report.note(
        "transport floor",
        over(|round| round.floor.rate),
        "/s",
        Asked::Nothing,
        floor,
    );
    report.note(
        "served, 8 in flight",
        over(|round| round.served.rate),
        "/s",
        Asked::Nothing,
        "",
    );
    let of = |figure: fn(&Round) -> f64| 100.0 * over(figure);
    report.note(
        "throughput, of the bare loop",
        of(|round| round.served.rate / round.bare.rate),
        "%",
        Asked::AtLeast(of_bare),
        "",
    );
    report.note(
        "throughput, of bare loop plus transport floor",
        of(|round| round.served.rate * (1.0 / round.bare.rate + 1.0 / round.floor.rate)),
        "%",
        Asked::AtLeast(of_both),
        "",
    );
    compare_with_the_least(rounds, report);
    let paced = over(|round| round.served.alone - round.paced);
    report.note(
        "one in flight, median, added to the bare loop",
        over(|round| round.served.alone - round.bare.alone),
        "µs",
        at_most(added),
        format!("{paced:.0} µs to one that pauses as long as a message is on its way"),
    );
    let paced = over(|round| round.served.alone - round.paced - round.floor.alone);
    report.note(
        "one in flight, median, added to bare loop plus floor",
        over(|round| round.served.alone - round.bare.alone - round.floor.alone),
        "µs",
        at_most(added_to_both),
        format!("{paced:.0} µs to one that pauses"),
    );
}

/// Tells the served side against the least that any server of this kind does.
fn compare_with_the_least(rounds: &[Round], report: &mut Report) {
    let over = |figure: fn(&Round) -> f64| median(&rounds.iter().map(figure).collect::<Vec<_>>());
    let of = |figure: fn(&Round) -> f64| 100.0 * over(figure);
    let behind = over(|round| round.behind.alone - round.bare.alone);
    report.note(
        "throughput, of the bare loop in an empty handler",
        of(|round| round.served.rate / round.behind.rate),
        "%",
        Asked::Nothing,
        format!(
            "that alone keeps {:.1} % of the bare loop, and adds {behind:.0} µs",
            of(|round| round.behind.rate / round.bare.rate)
        ),
    );
}

fn bare_pictures(bare: &mut Bare, jpegs: &[Vec<u8>], divisor: usize, span: Duration) -> (Side, Stages) {
    let mut sum = Stages::default();
    let mut count = 0;
    let mut each = jpegs.iter().cycle();
    let side = measured(span, Duration::ZERO, || {
        if let Some(jpeg) = each.next() {
            let (stages, _) = bare.picture(jpeg, divisor);
            sum.decode += stages.decode;
            sum.resize += stages.resize;
            sum.normalise += stages.normalise;
            sum.infer += stages.infer;
            count += 1;
        }
    });
    let mean = Stages {
        decode: sum.decode / count,
        resize: sum.resize / count,
        normalise: sum.normalise / count,
        infer: sum.infer / count,
    };
    (side, mean)
}

fn measured(span: Duration, pause: Duration, mut work: impl FnMut()) -> Side {
    let began = Instant::now();
    let mut each = Vec::new();
    while began.elapsed() < span {
        if !pause.is_zero() {
            std::thread::sleep(pause);
        }
        let one = Instant::now();
        work();
        each.push(one.elapsed().as_secs_f64() * 1e6);
    }
    Side {
        rate: each.len() as f64 / began.elapsed().as_secs_f64(),
        alone: median(&each),
    }
}

/// What the server says of its stages, over the questions of one caller alone: the mean of each, in microseconds.
async fn stages_alone(
    server: &Server,
    clients: &[AdSafetyClient<Channel>],
    questions: &[ClassifyRequest],
    span: Duration,
) -> String {
    let read = || {
        STAGES.map(|stage| {
            let label = format!("stage=\"{stage}\"");
            ["sum", "count"]
                .map(|part| server.metric(&format!("vigie_serving_stage_duration_seconds_{part}"), &[&label]))
        })
    };
    let before = read();
    let ask = |_, question: usize| {
        let mut client = clients[question % CONNECTIONS].clone();
        let request = Request::new(questions[question % questions.len()].clone());
        async move { client.classify(request).await.map(drop) }
    };
    closed(1, span, ask).await;
    let means = STAGES
        .iter()
        .zip(before.iter().zip(read()))
        .map(|(stage, (before, after))| {
            let mean = (after[0] - before[0]) / (after[1] - before[1]).max(1.0) * 1e6;
            format!("{stage} {mean:.0}")
        });
    means.collect::<Vec<_>>().join(", ")
}

async fn classified(clients: &[AdSafetyClient<Channel>], questions: &[ClassifyRequest], span: Duration) -> Side {
    let ask = |caller: usize, question: usize| {
        let mut client = clients[caller % CONNECTIONS].clone();
        let request = Request::new(questions[(caller + question) % questions.len()].clone());
        async move { client.classify(request).await.map(drop) }
    };
    side(closed(1, span / 2, ask).await, closed(IN_FLIGHT, span, ask).await)
}

async fn inferred(
    clients: &[GrpcInferenceServiceClient<Channel>],
    request: &ModelInferRequest,
    span: Duration,
) -> Side {
    let ask = |caller: usize, _| {
        let mut client = clients[caller % CONNECTIONS].clone();
        let request = Request::new(request.clone());
        async move { client.model_infer(request).await.map(drop) }
    };
    side(closed(1, span / 2, ask).await, closed(IN_FLIGHT, span, ask).await)
}

fn side(alone: Outcome, together: Outcome) -> Side {
    for outcome in [&alone, &together] {
        assert!(
            outcome.failed.is_empty() && outcome.refused.is_empty(),
            "{:?}",
            outcome.failed.first()
        );
    }
    Side {
        rate: together.rate(),
        alone: median(&alone.answered) * 1e3,
    }
}

fn infer_request(raw: bytes::Bytes) -> ModelInferRequest {
    let input = InferInputTensor {
        name: "pixels".into(),
        datatype: "FP32".into(),
        shape: vec![1, 3, SIDE, SIDE],
        ..InferInputTensor::default()
    };
    ModelInferRequest {
        model_name: "mobilenet".into(),
        inputs: vec![input],
        raw_input_contents: vec![raw],
        ..ModelInferRequest::default()
    }
}
