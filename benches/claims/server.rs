//! A Redis server of this bench's own, and what it says.

use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tower_webhook::error::BoxError;

pub(crate) struct Server {
    process: Child,
    port: u16,
}

impl Server {
    pub(crate) fn start() -> Result<Self, BoxError> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut command = on_core(0, "redis-server");
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        let process = command.stdout(Stdio::null()).spawn().map_err(|error| format!("redis-server: {error}"))?;
        let server = Self { process, port };
        let start = Instant::now();
        while server.client()?.get_connection().is_err() {
            if start.elapsed() > Duration::from_secs(10) {
                return Err("redis-server does not come up".into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn client(&self) -> Result<redis::Client, BoxError> {
        Ok(redis::Client::open(self.url())?)
    }

    pub(crate) fn empty(&self) -> Result<(), BoxError> {
        Ok(redis::cmd("FLUSHALL").exec(&mut self.client()?.get_connection()?)?)
    }

    /// How many bytes it uses for its data.
    pub(crate) fn used(&self) -> Result<u64, BoxError> {
        let info: redis::InfoDict = redis::cmd("INFO").arg("memory").query(&mut self.client()?.get_connection()?)?;
        info.get("used_memory").ok_or_else(|| "used_memory is not told".into())
    }

    /// Claims a second by `redis-benchmark`: new keys, a connection for each of so many clients, no pipeline.
    pub(crate) fn benchmark(&self, clients: u64, claims: u64) -> Result<f64, BoxError> {
        const KEY: &str = "whd1:{00000000000000000000000000000000__rand_int__}";
        const RECORD: &str = "Ptokentokentokentmarkmarkmarkmark1;90a3e3d0";
        let numbers = ["-p", &self.port.to_string(), "-c", &clients.to_string(), "-n", &claims.to_string()];
        let told = on_core(1, "redis-benchmark")
            .args(numbers)
            .args(["-r", "999999999999", "--csv", "SET", KEY, RECORD, "NX", "PX", "2419200000"])
            .stderr(Stdio::null())
            .output()
            .map_err(|error| format!("redis-benchmark: {error}"))?;
        let told = String::from_utf8(told.stdout)?;
        let line = told.lines().last().unwrap_or_default();
        let rate = line.split("\",\"").nth(1).and_then(|rate| rate.parse().ok());
        rate.ok_or_else(|| format!("redis-benchmark said {line:?}").into())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It holds nothing that anybody wants.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A command on this core, or wherever there is room on a machine with one.
fn on_core(core: usize, program: &str) -> Command {
    if std::thread::available_parallelism().map_or(1, usize::from) < 2 {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["-c", &core.to_string(), program]);
    command
}

/// This thread, and those that it starts from now on, on this core.
pub(crate) fn stay_on_core(core: usize) -> Result<(), BoxError> {
    let me = std::process::id().to_string();
    let status = Command::new("taskset").args(["-cp", &core.to_string(), &me]).stdout(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err("taskset refused".into()) }
}
