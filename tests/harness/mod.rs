//! Real homes and real nodes: each node a process of the real program, each home a folder of its own.

#![allow(dead_code, reason = "each test binary uses a part of it")]

pub mod https;
pub mod site;

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

/// How long anything may take that takes a second on an idle machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How long between two looks at what is waited for.
const POLL: Duration = Duration::from_millis(50);

/// Waits until `look` returns something; panics with `what` when it never does.
#[track_caller]
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "waited {} s in vain: {what}", PATIENCE.as_secs());
        std::thread::sleep(POLL);
    }
}

/// What a command left behind.
#[derive(Debug)]
pub struct Outcome {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    /// stdout as the one JSON value that it must be.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("no JSON value ({e}): {self:?}"))
    }

    /// Asserts success.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }
}

/// A command of the real program, with nothing of our environment that it heeds.
pub fn knack() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_knack"));
    command.stdin(Stdio::null());
    for variable in ["KNACK_HOME", "RUST_LOG", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(variable);
    }
    command
}

/// Runs a command to its end. A panic in it is a failure of the test, whatever else comes out.
#[track_caller]
pub fn finish(command: &mut Command) -> Outcome {
    let output = command.output().expect("the program runs");
    let text = |bytes| String::from_utf8(bytes).expect("the program prints UTF-8");
    let outcome =
        Outcome { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) };
    assert!(!outcome.stderr.contains("panicked"), "{command:?}\n{}", outcome.stderr);
    outcome
}

/// A home and, while it is up, its node.
pub struct Knack {
    pub name: String,
    dir: TempDir,
    home: PathBuf,
    node: Option<Node>,
}

struct Node {
    process: Child,
    listen: Vec<String>,
}

impl Knack {
    /// A new home, set up.
    pub fn new(name: &str) -> Self {
        Self::within(name, "home")
    }

    /// A new home, set up, in the folder `path` below a temporary one.
    pub fn within(name: &str, path: &str) -> Self {
        let dir = TempDir::with_prefix("knack-test-").expect("a temporary folder");
        let home = dir.path().join(path);
        let knack = Knack { name: name.to_owned(), dir, home, node: None };
        knack.run(&["init"]).ok();
        knack
    }

    /// Many new homes.
    pub fn cast<const N: usize>(names: [&str; N]) -> [Self; N] {
        names.map(Knack::new)
    }

    pub fn home(&self) -> &Path {
        &self.home
    }

    /// A path next to the home, for files that commands read or write.
    pub fn file(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().expect("UTF-8").to_owned()
    }

    /// A command with this home.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = knack();
        command.arg("--home").arg(&self.home).args(args);
        command
    }

    /// Runs a command with this home.
    #[track_caller]
    pub fn run(&self, args: &[&str]) -> Outcome {
        finish(&mut self.command(args))
    }

    /// Runs a command that must succeed; what it printed as JSON.
    #[track_caller]
    pub fn json(&self, args: &[&str]) -> Value {
        finish(self.command(args).arg("--json")).ok().json()
    }

    /// Starts the node on loopback and waits until it is ready.
    #[track_caller]
    pub fn up(&mut self, bootstrap: &[String]) {
        assert!(self.node.is_none(), "{} is up already", self.name);
        let log = fs::File::options().create(true).append(true).open(self.log()).expect("a log");
        let mut command = self.command(&["up", "--listen", "/ip4/127.0.0.1/udp/0/quic-v1"]);
        command.args(["--listen", "/ip4/127.0.0.1/tcp/0"]);
        for address in bootstrap {
            command.args(["--bootstrap", address]);
        }
        let mut process = command.stdout(Stdio::piped()).stderr(log).spawn().expect("the program runs");
        let stdout = BufReader::new(process.stdout.take().expect("piped"));
        self.node = Some(Node { process, listen: Vec::new() });
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let mut listen = Vec::new();
        loop {
            match lines.recv_timeout(PATIENCE) {
                Ok(line) if line == "ready" => break,
                Ok(address) => listen.push(address),
                Err(e) => panic!("{} did not become ready ({e}): {}", self.name, self.talk()),
            }
        }
        self.node.as_mut().expect("just set").listen = listen;
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    /// What the node said on stderr.
    pub fn talk(&self) -> String {
        fs::read_to_string(self.log()).unwrap_or_default()
    }

    /// Where the node listens.
    pub fn listen(&self) -> &[String] {
        self.node.as_ref().map_or(&[], |n| &n.listen)
    }

    /// Ends the node at once, as a power cut would: SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut node) = self.node.take() {
            let _ = node.process.kill();
            let _ = node.process.wait();
        }
    }

    /// Asks the node to end, and waits until it has: SIGTERM.
    #[track_caller]
    pub fn stop(&mut self) -> ExitStatus {
        let mut node = self.node.take().expect("up");
        let terminate = format!("kill -TERM {}", node.process.id());
        Command::new("sh").args(["-c", &terminate]).status().expect("a shell");
        let ended = until("the node ends", || node.process.try_wait().expect("our child"));
        assert!(!self.talk().contains("panicked"), "{}", self.talk());
        ended
    }

    /// The state that the node, or the home, reports.
    #[track_caller]
    pub fn status(&self) -> Value {
        self.json(&["status"])
    }

    pub fn did(&self) -> String {
        text(&self.status()["did"])
    }

    pub fn view(&self) -> String {
        text(&self.status()["view"])
    }

    /// Waits until the own index holds `count` summaries.
    #[track_caller]
    pub fn knows(&self, count: u64) {
        let mut held = 0;
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            held = self.status()["index"]["summaries"].as_u64().expect("a count");
            if held == count {
                return;
            }
            std::thread::sleep(POLL);
        }
        panic!("{} holds {held} summaries, not {count}", self.name);
    }

    /// Issues a credential to `holder` and has the holder import it.
    #[track_caller]
    pub fn award(&self, holder: &Knack, skill: &str, level: u8) {
        let file = self.issue(holder, skill, level);
        holder.json(&["import", &file]);
    }

    /// Issues a credential to `holder`; the file that holds it.
    #[track_caller]
    pub fn issue(&self, holder: &Knack, skill: &str, level: u8) -> String {
        let file = holder.file(&format!("{skill}-{level}.json"));
        let (did, level) = (holder.did(), level.to_string());
        // What is there is not replaced.
        let _ = fs::remove_file(&file);
        self.json(&["issue", "--to", &did, "--skill", skill, "--level", &level, "--out", &file]);
        file
    }

    /// The network's answer to a query, reached or not.
    #[track_caller]
    pub fn query(&self, query: &str) -> Value {
        let outcome = finish(self.command(&["query", query, "--deadline", "20s"]).arg("--json"));
        assert!([Some(0), Some(6)].contains(&outcome.code), "{outcome:?}");
        outcome.json()
    }

    /// The views that a query finds.
    #[track_caller]
    pub fn finds(&self, query: &str) -> Vec<String> {
        let report = self.query(query);
        let mut views: Vec<String> =
            report["results"].as_array().expect("results").iter().map(|r| text(&r["view"])).collect();
        views.sort();
        views
    }
}

impl Drop for Knack {
    fn drop(&mut self) {
        self.kill();
        let talk = self.talk();
        if talk.contains("panicked") && !std::thread::panicking() {
            panic!("the node of {} panicked:\n{talk}", self.name);
        }
    }
}

/// A JSON string's content.
#[track_caller]
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// The views of homes, in the order in which [`Knack::finds`] returns them.
pub fn views(homes: &[&Knack]) -> Vec<String> {
    let mut views: Vec<String> = homes.iter().map(|h| h.view()).collect();
    views.sort();
    views
}
