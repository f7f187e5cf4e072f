//! Real servers: started on free ports in folders of their own, and ended by their own process when dropped.
//!
//! `TOWER_WEBHOOK_TEST_REDIS` names another program than the `redis-server` in the path, such as Valkey's. Where versions
//! differ, tests expect what is documented of that version. A program that was built without TLS fails `redis::tls`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::support::free_address;

/// How long a server may take for anything that a test waits for.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

pub(super) struct Server {
    process: Child,
    /// Ends the server when this process is gone without having done so.
    watch: Child,
    port: u16,
    options: Vec<String>,
    folder: PathBuf,
}

impl Server {
    /// A server without files, unless the options say otherwise.
    pub(super) fn start(options: &[&str]) -> Self {
        Self::start_at(|_| (), options)
    }

    /// The same, after something was laid into its folder.
    pub(super) fn start_at(prepare: impl Fn(&Path), options: &[&str]) -> Self {
        for _ in 0..20 {
            let folder = folder();
            prepare(&folder);
            let options = options.iter().map(|option| (*option).to_owned()).collect::<Vec<_>>();
            let port = free_address().port();
            let (process, watch) = launch(port, &options, &folder);
            let mut server = Self { process, watch, port, options, folder };
            if server.is_up() {
                return server;
            }
        }
        panic!("{} {options:?} does not come up", program());
    }

    /// A replica of another server, which counts it among those that have all of its data.
    pub(super) fn replica_of(other: &Self) -> Self {
        Self::replica_through(other.port, other)
    }

    /// The same, with a proxy at this port between them.
    pub(super) fn replica_through(port: u16, other: &Self) -> Self {
        let replica = Self::start(&["--replicaof", "127.0.0.1", &port.to_string(), "--repl-diskless-sync-delay", "0"]);
        // The first time is no proof: in the first second a master may hold back what comes next.
        for _ in 0..3 {
            other.until("the replica counts", |other| {
                let talk: [&[&str]; 3] = [&["SET", "x", ""], &["DEL", "x"], &["WAIT", "1", "100"]];
                other.talk(&talk).unwrap()[2] == "1"
            });
        }
        replica
    }

    /// A sentinel that alone decides that this master is down, and knows its replica.
    pub(super) fn sentinel_of(name: &str, master: &Self, replica: &Self) -> Self {
        let sentinel =
            Self::start_at(|folder| std::fs::write(folder.join("sentinel.conf"), "").unwrap(), &["--sentinel"]);
        let port = master.port.to_string();
        assert_eq!(sentinel.command(&["SENTINEL", "MONITOR", name, "127.0.0.1", &port, "1"]), "OK");
        for (option, value) in [("down-after-milliseconds", "300"), ("failover-timeout", "3000")] {
            assert_eq!(sentinel.command(&["SENTINEL", "SET", name, option, value]), "OK");
        }
        let replica = replica.port.to_string();
        sentinel.until("the sentinel knows the replica", |sentinel| {
            sentinel.says(&["SENTINEL", "REPLICAS", name], &replica)
        });
        sentinel
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// `kill -9`, and gone when this returns.
    pub(super) fn kill(&mut self) {
        end(&mut self.watch);
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts it again on its port and its data, and waits until it answers.
    pub(super) fn restart(&mut self) {
        self.begin_restart(&[]);
        assert!(self.is_up(), "{} does not come up again", program());
    }

    /// The same without waiting, and with these options for this time.
    pub(super) fn begin_restart(&mut self, more: &[&str]) {
        let options = self.options.iter().map(String::as_str).chain(more.iter().copied()).map(str::to_owned);
        (self.process, self.watch) = launch(self.port, &options.collect::<Vec<_>>(), &self.folder);
    }

    /// Stops its process: it holds its connections and says nothing.
    pub(super) fn freeze(&self) {
        self.signal("STOP");
    }

    pub(super) fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.process.id();
        assert!(Command::new("sh").args(["-c", &format!("kill -{signal} {id}")]).status().unwrap().success());
    }

    /// Its reply as text: errors begin with `-`, arrays have a line an element.
    pub(super) fn command<A: AsRef<[u8]>>(&self, words: &[A]) -> String {
        self.try_command(words).unwrap_or_else(|error| panic!("the server does not answer: {error}"))
    }

    /// These slots of a cluster are this node's.
    pub(super) fn take_slots(&self, slots: std::ops::Range<u16>) {
        let slots = slots.map(|slot| slot.to_string());
        let words: Vec<_> = ["CLUSTER", "ADDSLOTS"].map(str::to_owned).into_iter().chain(slots).collect();
        assert_eq!(self.command(&words), "OK");
    }

    /// Whether a script may write to it when it is full: from version 7 on, which is every Valkey's for Redis.
    pub(super) fn finishes_when_full(&self) -> bool {
        let info = self.command(&["INFO", "server"]);
        let version = info.lines().find_map(|line| line.strip_prefix("redis_version:")?.split('.').next());
        version.unwrap().parse::<u32>().unwrap() >= 7
    }

    pub(super) fn says(&self, words: &[&str], text: &str) -> bool {
        self.try_command(words).is_ok_and(|reply| reply.contains(text))
    }

    /// Polls until it is so, and fails when it never is.
    pub(super) fn until(&self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !is_so(self) {
            assert!(Instant::now() < end, "never so: {what}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn is_up(&mut self) -> bool {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end && self.process.try_wait().unwrap().is_none() {
            if self.says(&["PING"], "PONG") {
                return true;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        false
    }

    fn try_command<A: AsRef<[u8]>>(&self, words: &[A]) -> std::io::Result<String> {
        Ok(self.talk(&[words])?.remove(0))
    }

    /// Replies to commands on one connection.
    fn talk<A: AsRef<[u8]>>(&self, commands: &[&[A]]) -> std::io::Result<Vec<String>> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let mut request = Vec::new();
        for words in commands {
            write!(request, "*{}\r\n", words.len())?;
            for word in words.iter().map(AsRef::as_ref) {
                write!(request, "${}\r\n", word.len())?;
                request.extend_from_slice(word);
                request.extend_from_slice(b"\r\n");
            }
        }
        stream.write_all(&request)?;
        let mut replies = BufReader::new(stream);
        commands.iter().map(|_| read(&mut replies)).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        end(&mut self.watch);
        end(&mut self.process);
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn read(from: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    let (kind, rest) = line.trim_end().split_at_checked(1).ok_or(std::io::ErrorKind::UnexpectedEof)?;
    match (kind, rest.parse::<i64>()) {
        ("$", Ok(length @ 0..)) => {
            let mut bytes = vec![0; usize::try_from(length).unwrap() + 2];
            from.read_exact(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes[..bytes.len() - 2]).into_owned())
        }
        ("*", Ok(count @ 0..)) => {
            (0..count).map(|_| read(from)).collect::<Result<Vec<_>, _>>().map(|all| all.join("\n"))
        }
        ("-", _) => Ok(line.trim_end().to_owned()),
        _ => Ok(rest.to_owned()),
    }
}

fn end(process: &mut Child) {
    let _ = process.kill();
    let _ = process.wait();
}

fn program() -> String {
    std::env::var("TOWER_WEBHOOK_TEST_REDIS").unwrap_or_else(|_| "redis-server".to_owned())
}

fn launch(port: u16, options: &[String], folder: &Path) -> (Child, Child) {
    let mut command = Command::new(program());
    if options.iter().any(|option| option == "--sentinel") {
        command.arg(folder.join("sentinel.conf"));
    } else {
        command.args(["--save", ""]);
    }
    let process = command
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--dir", folder.to_str().unwrap()])
        .args(options)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("these tests need {}, which scripts/test.sh installs: {error}", program()));
    let watch = format!("cat; kill -9 {}; rm -rf {}", process.id(), folder.display());
    let watch = Command::new("sh").args(["-c", &watch]).stdin(Stdio::piped()).spawn().unwrap();
    (process, watch)
}

fn folder() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("tower-webhook-redis-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
