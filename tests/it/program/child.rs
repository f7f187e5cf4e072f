//! The built program as a child process: started in an empty environment, read line by line, ended when dropped.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long a child may be silent before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder of one test, removed when dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("program-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A child that is about to start: `PATH` is all of its environment, and its stdin is empty, unless told otherwise.
pub(crate) struct Program {
    command: Command,
    stdin: Vec<u8>,
    is_read: bool,
}

impl Program {
    /// `tower-webhook` with these arguments.
    pub(crate) fn new<A: Into<OsString>>(arguments: impl IntoIterator<Item = A>) -> Self {
        Self::other(env!("CARGO_BIN_EXE_tower-webhook"), arguments)
    }

    /// Another program of the machine, such as `sh`.
    pub(crate) fn other<A: Into<OsString>>(program: &str, arguments: impl IntoIterator<Item = A>) -> Self {
        let mut command = Command::new(program);
        command.args(arguments.into_iter().map(Into::into)).env_clear();
        command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self { command, stdin: Vec::new(), is_read: true }
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Its stdout is read only as far as lines are asked for, but for a few KiB: a pipe whose reader stalls.
    pub(crate) fn unread(mut self) -> Self {
        self.is_read = false;
        self
    }

    pub(crate) fn start(mut self) -> Running {
        let mut child =
            self.command.spawn().unwrap_or_else(|error| panic!("{:?}: {error}", self.command.get_program()));
        let mut stdin = child.stdin.take().unwrap();
        // A child that ends without reading its stdin is no fault of the test.
        thread::spawn(move || stdin.write_all(&self.stdin));
        let stdout = match self.is_read {
            true => lines(child.stdout.take().unwrap()),
            false => lines_on_demand(child.stdout.take().unwrap()),
        };
        let stderr = lines(child.stderr.take().unwrap());
        Running { child, stdout, stderr }
    }

    /// Starts it and waits for its end.
    pub(crate) fn run(self) -> Done {
        self.start().wait()
    }
}

fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    hand_over(from, move |line| sender.send(line).is_ok());
    receiver
}

fn lines_on_demand(from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::sync_channel(0);
    hand_over(from, move |line| sender.send(line).is_ok());
    receiver
}

fn hand_over(from: impl Read + Send + 'static, give: impl Fn(String) -> bool + Send + 'static) {
    thread::spawn(move || {
        for line in BufReader::new(from).split(b'\n') {
            let Ok(line) = line else { break };
            if !give(String::from_utf8_lossy(&line).into_owned()) {
                break;
            }
        }
    });
}

/// A child that lives. Dropped, it is killed and waited for.
pub(crate) struct Running {
    child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
}

impl Running {
    /// Its next line on stdout.
    pub(crate) fn line(&self) -> String {
        match self.stdout.recv_timeout(PATIENCE) {
            Ok(line) => line,
            Err(error) => panic!("no line on stdout ({error}); stderr: {}", self.stderr_so_far()),
        }
    }

    /// Its next line on stdout, if it comes in time.
    pub(crate) fn line_within(&self, limit: Duration) -> Option<String> {
        self.stdout.recv_timeout(limit).ok()
    }

    /// Its next line on stdout, as JSON.
    pub(crate) fn json(&self) -> Value {
        let line = self.line();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// What it has said on stderr since this was last asked.
    pub(crate) fn stderr_so_far(&self) -> String {
        self.stderr.try_iter().collect::<Vec<_>>().join("\n")
    }

    /// Its number, for `/proc`.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success(), "kill -s {name}: {status}");
    }

    /// Its next line on stderr.
    pub(crate) fn stderr_line(&self) -> String {
        self.stderr.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("no line on stderr ({error})"))
    }

    /// Nobody will read its stdout beyond its next line.
    fn close_stdout(&mut self) {
        self.stdout = mpsc::channel().1;
    }

    /// Waits for its end, whether or not its stdout is read. What it still says on stderr comes with its code.
    pub(crate) fn ends_within(mut self, limit: Duration) -> (Option<i32>, String) {
        let start = Instant::now();
        let mut said = Vec::new();
        loop {
            match self.stderr.recv_timeout(limit.saturating_sub(start.elapsed())) {
                Ok(line) => said.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("still running after {limit:?}: {}", said.join("\n")),
            }
        }
        (self.child.wait().unwrap().code(), said.join("\n"))
    }

    /// Waits for its end. What was read before is not in the outcome.
    pub(crate) fn wait(mut self) -> Done {
        let rest = |lines: &Receiver<String>| {
            let mut all = Vec::new();
            loop {
                match lines.recv_timeout(PATIENCE) {
                    Ok(line) => all.push(line),
                    Err(RecvTimeoutError::Disconnected) => return all,
                    Err(RecvTimeoutError::Timeout) => panic!("still running; so far: {}", all.join("\n")),
                }
            }
        };
        let (stdout, stderr) = (rest(&self.stdout), rest(&self.stderr).join("\n"));
        Done { code: self.child.wait().unwrap().code(), stdout, stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a child ended. No code: a signal ended it.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<String>,
    pub(crate) stderr: String,
}

impl Done {
    /// Its lines on stdout as JSON.
    pub(crate) fn json(&self) -> Vec<Value> {
        let parse = |line: &String| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        self.stdout.iter().map(parse).collect()
    }

    /// Everything it said, to look for what it must not say.
    pub(crate) fn said(&self) -> String {
        format!("{}\n{}", self.stdout.join("\n"), self.stderr)
    }
}

/// `listen` as a child, with its configuration in a folder of its own.
pub(crate) struct Listener {
    running: Running,
    address: String,
    admin: Option<String>,
    config: PathBuf,
    folder: Folder,
}

impl Listener {
    /// Starts it with this configuration, which is to listen on port 0, and reads its first line.
    pub(crate) fn start(config: &str) -> Self {
        Self::start_with(config, &[])
    }

    /// The same with these variables in its environment.
    pub(crate) fn start_with(config: &str, environment: &[(&str, &str)]) -> Self {
        Self::start_as(config, |program| {
            environment.iter().fold(program, |program, (name, value)| program.env(name, value))
        })
    }

    /// The same, and nobody reads its stdout beyond the lines that are asked for.
    pub(crate) fn start_unread(config: &str) -> Self {
        Self::start_as(config, Program::unread)
    }

    fn start_as(config: &str, change: impl FnOnce(Program) -> Program) -> Self {
        let folder = Folder::new();
        let config = folder.write("receiver.toml", config);
        let program = Program::new(["listen".into(), "--config".into(), config.clone().into_os_string()]);
        let running = change(program).start();
        let first = running.json();
        let address = first["listening"].as_str().unwrap_or_else(|| panic!("the first line is {first}")).to_owned();
        let admin = first["admin"].as_str().map(str::to_owned);
        Self { running, address, admin, config, folder }
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The same of its admin address, where the configuration has one.
    pub(crate) fn admin(&self) -> &str {
        self.admin.as_deref().expect("an admin address")
    }

    /// Gives it another file to read, tells it to, and waits until it says what came of it.
    pub(crate) fn reload(&self, config: &str) -> bool {
        fs::write(&self.config, config).unwrap();
        self.running.signal("HUP");
        loop {
            if let Some(reloaded) = self.json()["reloaded"].as_bool() {
                return reloaded;
            }
        }
    }

    /// `http://127.0.0.1:PORT/path`.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Where its configuration lies.
    pub(crate) fn config(&self) -> &Path {
        &self.config
    }

    /// The folder of its configuration.
    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Its next line on stdout.
    pub(crate) fn json(&self) -> Value {
        self.running.json()
    }

    /// Nobody will read its stdout beyond its next line.
    pub(crate) fn close_stdout(&mut self) {
        self.running.close_stdout();
    }

    pub(crate) fn running(&self) -> &Running {
        &self.running
    }

    /// The child alone, for what ends otherwise than by `stop`.
    pub(crate) fn into_running(self) -> Running {
        self.running
    }

    /// Tells it to stop, and waits until it has.
    pub(crate) fn stop(self) -> Done {
        self.running.signal("TERM");
        self.running.wait()
    }
}

#[test]
fn a_child_is_read_line_by_line_stopped_by_a_signal_and_killed_when_dropped() {
    let config = "listen = \"127.0.0.1:0\"\n[[endpoint]]\npath = \"/aella\"\nprovider = \"aella\"\n\
        keys = [{ id = \"k\", env = \"KEY\" }]";
    let listener = Listener::start_with(config, &[("KEY", "ae_sk_test_example")]);
    assert!(listener.config().starts_with(listener.folder().path()), "{:?}", listener.config());
    let answer = Program::other("curl", ["-s", "-d", "{}", &listener.url("/nowhere")]).run();
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert_eq!(listener.json()["status"], 404);
    assert_eq!(listener.stop().code, Some(0));

    let cat = Program::other("cat", ["-"]).env("A", "b").stdin("{\"a\":1}\n[2]").run();
    assert_eq!((cat.code, cat.json()), (Some(0), vec![serde_json::json!({"a": 1}), serde_json::json!([2])]));

    let sleeper = Program::other("sh", ["-c", "echo $$; exec sleep 3600"]).start();
    let id = sleeper.line();
    drop(sleeper);
    let gone = Program::other("kill", ["-0", &id]).run();
    assert_eq!(gone.code, Some(1), "{gone:?}");
    assert!(gone.said().contains(&id), "{gone:?}");
}
