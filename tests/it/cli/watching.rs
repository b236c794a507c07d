//! `vigie watch` before a real server, over a connection that can be broken.

use std::net::SocketAddr;
use std::process::{Child, Stdio};

use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::vigie;
use crate::corrections::asking::{Asking, block, plain, shows};
use crate::support::lines::Lines;
use crate::support::server::PATIENCE;
use crate::support::{Launch, Place};

/// A way to a server that breaks whenever it is told to.
struct Way {
    address: SocketAddr,
    breaks: watch::Sender<u32>,
}

impl Way {
    async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (breaks, broken) = watch::channel(0);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let mut broken = broken.clone();
                broken.mark_unchanged();
                tokio::spawn(async move {
                    let mut far = TcpStream::connect(server).await.unwrap();
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                        _ = broken.changed() => {}
                    }
                });
            }
        });
        Self { address, breaks }
    }

    fn breaks(&self) {
        self.breaks.send_modify(|times| *times += 1);
    }
}

/// A `vigie watch` at work.
struct Watching {
    child: Child,
    out: Lines,
    err: Lines,
}

impl Watching {
    fn begin(server: SocketAddr, words: &[&str]) -> Self {
        let mut command = vigie(&["watch", "--country", "FR"]);
        command.args(words).env("VIGIE_SERVER", server.to_string());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = Lines::of(child.stdout.take().unwrap());
        let err = Lines::of(child.stderr.take().unwrap());
        Self { child, out, err }
    }

    /// Waits for a line, away from the thread that everything else runs on.
    async fn says(&self, wanted: impl Fn(&str) -> bool + Send + 'static) -> String {
        let out = self.out.clone();
        let said = tokio::task::spawn_blocking(move || out.wait_for(wanted, PATIENCE)).await;
        said.unwrap()
            .unwrap_or_else(|said| panic!("not said:\n{said}\n{}", self.err.so_far().join("\n")))
    }

    /// Interrupts it, as Ctrl-C does, and gives its exit code.
    async fn interrupt(mut self) -> i32 {
        let id = self.child.id().to_string();
        assert!(
            std::process::Command::new("kill")
                .args(["-INT", &id])
                .status()
                .unwrap()
                .success()
        );
        let ended = tokio::task::spawn_blocking(move || self.child.wait().unwrap()).await;
        ended.unwrap().code().expect("it ended by itself")
    }
}

#[tokio::test]
async fn a_person_sees_what_is_not_allowed_and_then_each_change_until_interrupted() {
    let place = Place::with_versions(&[1]);
    let server = Launch::new(&place).start_ready();
    let asking = Asking::begin(&server).await;
    let (armed, tame) = (shows("firearm"), plain());
    for entry in [armed, tame] {
        asking.classify(entry).await;
        asking.known(entry).await;
    }
    let watching = Watching::begin(server.grpc, &[]);
    watching.says(|line| line.contains("everything else is allowed")).await;
    let said = watching.out.so_far();
    assert!(said[0].contains("PRODUCT") && said[0].contains("WHY"), "{said:?}");
    assert!(
        said[1].contains(&armed.product_id) && said[1].contains("FR") && said[1].contains("BLOCK"),
        "{said:?}"
    );
    assert_eq!(said.len(), 3, "{said:?}");
    asking.correct(block(tame)).await.unwrap();
    let line = watching.says(|line| line.contains(&tame.product_id)).await;
    assert!(line.contains("BLOCK") && line.contains("A person has looked"), "{line}");
    let err = watching.err.clone();
    assert_eq!(watching.interrupt().await, 0);
    assert!(
        err.wait_for_end(PATIENCE) && err.so_far().join("\n").contains("--cursor "),
        "{:?}",
        err.so_far()
    );
}

#[tokio::test]
async fn a_broken_connection_is_made_anew_and_nothing_is_missed() {
    let place = Place::with_versions(&[1]);
    let server = Launch::new(&place).start_ready();
    let way = Way::to(server.grpc).await;
    let asking = Asking::begin(&server).await;
    let watching = Watching::begin(way.address, &["--json"]);
    watching.says(|line| message(line)["cursor"] != "").await;
    way.breaks();
    asking.correct(block(plain())).await.unwrap();
    let line = watching.says(|line| !message(line)["result"].is_null()).await;
    let told = message(&line);
    assert_eq!(told["snapshot"], false);
    assert_eq!(told["result"]["product"]["product_id"], plain().product_id.as_str());
    assert_eq!(told["result"]["verdicts"][0]["verdict"], "BLOCK");
    let complaints = watching.err.so_far().join("\n");
    assert!(
        complaints.contains("broke off") && complaints.contains("connected again"),
        "{complaints}"
    );
    assert_eq!(watching.interrupt().await, 0);
}

fn message(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

#[test]
fn what_cannot_be_watched_is_trouble_at_once() {
    let place = Place::with_versions(&[1]);
    let server = Launch::new(&place).start_ready();
    let mut command = vigie(&["watch", "--cursor", "yesterday"]);
    command.env("VIGIE_SERVER", server.grpc.to_string());
    let ended = super::end(command);
    assert_eq!((ended.code, ended.out.as_str()), (2, ""));
    assert!(ended.err.contains("cursor: is no cursor"), "{}", ended.err);
}
