//! A PostgreSQL server of the tests' own: in a temporary folder, reached by a socket in it, with a fresh database for each test.
//!
//! A shell keeps it: when the test process ends in whatever way, the shell reads the end of its input, stops the server and removes the folder.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

const KEEPER: &str = r#"
trap '' INT TERM HUP
cd "$2" || exit 1
control() { "$1/pg_ctl" -D "$2/data" -l "$2/log" -o "-k $2 -c listen_addresses= $3" -w -t 60 "$4" -m "$5" >/dev/null 2>&1; }
"$1/initdb" -D "$2/data" -U vigie -A trust -E UTF8 --locale=C --no-sync >"$2/log" 2>&1 || { echo failed; }
while read -r word mode; do
    control "$1" "$2" "$3" "$word" "$mode" && echo done || echo failed
done
control "$1" "$2" "$3" stop immediate
cd / && rm -rf "$2"
"#;

/// A server, running or stopped. It ends with the value.
pub struct Postgres {
    folder: PathBuf,
    keeper: Mutex<Keeper>,
    databases: AtomicU32,
}

struct Keeper {
    process: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// How a server is stopped.
#[derive(Debug, Clone, Copy)]
pub enum Stop {
    /// Connections are closed, everything is written.
    Fast,
    /// As by a crash: everything is left as it is.
    Immediate,
}

/// The one that all tests of the process share.
pub fn shared() -> &'static Postgres {
    static SHARED: OnceLock<Postgres> = OnceLock::new();
    SHARED.get_or_init(Postgres::start)
}

impl Postgres {
    /// Starts one that does not wait for the disk, and does nothing by itself: an old snapshot of its own would keep what a test erases.
    pub fn start() -> Self {
        Self::with(
            "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=300 -c autovacuum=off",
        )
    }

    /// Starts one with settings of the server's command line.
    pub fn with(settings: &str) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("vigie-pg-")
            .tempdir()
            .expect("make a temporary folder")
            .keep();
        let mut command = Command::new("sh");
        command
            .args(["-c", KEEPER, "keeper"])
            .args([&binaries(), &folder, Path::new(settings)])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if let Some((user, group)) = unprivileged() {
            chown(&folder, Some(user), Some(group)).expect("give the folder away");
            command.uid(user).gid(group);
        }
        let mut process = command.spawn().expect("start a shell");
        let keeper = Keeper {
            commands: process.stdin.take(),
            answers: BufReader::new(process.stdout.take().expect("it is piped")),
            process,
        };
        let server = Self {
            folder,
            keeper: Mutex::new(keeper),
            databases: AtomicU32::new(0),
        };
        server.restart();
        server
    }

    /// Starts it again after a stop.
    pub fn restart(&self) {
        self.tell("start fast");
    }

    pub fn stop(&self, how: Stop) {
        match how {
            Stop::Fast => self.tell("stop fast"),
            Stop::Immediate => self.tell("stop immediate"),
        }
    }

    /// The connection string of a new, empty database.
    pub async fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.run("postgres", &format!("CREATE DATABASE {name}")).await;
        self.connection(&name)
    }

    /// The connection string of a database.
    pub fn connection(&self, database: &str) -> String {
        format!("host={} user=vigie dbname={database}", self.folder.display())
    }

    /// Where its files are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs SQL in a database.
    pub async fn run(&self, database: &str, sql: &str) {
        execute(&self.connection(database), sql).await;
    }

    fn tell(&self, command: &str) {
        let mut keeper = self.keeper.lock().expect("no test panics while it holds this");
        let commands = keeper.commands.as_mut().expect("taken when dropped alone");
        writeln!(commands, "{command}").expect("the keeper reads");
        let mut answer = String::new();
        keeper.answers.read_line(&mut answer).expect("the keeper answers");
        if answer.trim() != "done" {
            let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            panic!("PostgreSQL: {command}: {}\n{log}", answer.trim());
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Ok(keeper) = self.keeper.get_mut() {
            drop(keeper.commands.take());
            let _ = keeper.process.wait();
        }
    }
}

/// Runs SQL by a connection string.
pub async fn execute(connection: &str, sql: &str) {
    let (client, connection) = tokio_postgres::connect(connection, tokio_postgres::NoTls)
        .await
        .expect("connect to PostgreSQL");
    let driver = tokio::spawn(connection);
    client.batch_execute(sql).await.expect(sql);
    drop(client);
    driver.await.expect("it ends").expect("it ends well");
}

/// A transaction that is open and stays so: what it locks is locked until it ends.
pub struct Held {
    client: tokio_postgres::Client,
    driver: tokio::task::JoinHandle<Result<(), tokio_postgres::Error>>,
}

impl Held {
    /// Begins one and runs SQL in it.
    pub async fn begin(connection: &str, sql: &str) -> Self {
        let (client, connection) = tokio_postgres::connect(connection, tokio_postgres::NoTls)
            .await
            .expect("connect to PostgreSQL");
        let driver = tokio::spawn(connection);
        client.batch_execute(&format!("BEGIN; {sql}")).await.expect(sql);
        Self { client, driver }
    }

    pub async fn end(self) {
        self.client.batch_execute("COMMIT").await.expect("commit");
        drop(self.client);
        self.driver.await.expect("it ends").expect("it ends well");
    }
}

/// The folder of the server's programs.
fn binaries() -> PathBuf {
    let named = std::env::var_os("VIGIE_TEST_POSTGRES_BIN").map(PathBuf::from);
    let in_path = std::env::var_os("PATH").unwrap_or_default();
    let by_version = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut by_version: Vec<PathBuf> = by_version.map(|version| version.path().join("bin")).collect();
    by_version.sort();
    named
        .into_iter()
        .chain(std::env::split_paths(&in_path))
        .chain(by_version.into_iter().rev())
        .find(|folder| ["initdb", "pg_ctl"].iter().all(|program| folder.join(program).is_file()))
        .expect(
            "no PostgreSQL server is here: install Debian's package `postgresql`, or name the folder of its programs in \
             VIGIE_TEST_POSTGRES_BIN",
        )
}

/// Whom the server runs as where the tests are root's, since it refuses root.
fn unprivileged() -> Option<(u32, u32)> {
    // SAFETY: it takes nothing and cannot fail.
    if unsafe { libc::geteuid() } != 0 {
        return None;
    }
    let accounts = std::fs::read_to_string("/etc/passwd").expect("read the accounts");
    let account = |name: &str| {
        let line = accounts.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    let found = account("postgres").or_else(|| account("nobody"));
    Some(found.expect("there is an account `postgres` or `nobody`"))
}
