//! A thread that starts the process, sees it end, and starts it again.

use std::collections::VecDeque;
use std::io::{self, BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::process::{ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::handles::{Death, Handles, LOOK};
use super::not_up::NotUp;
use crate::fail_point::{Crash, VARIABLE};

/// Any port that is free.
pub(super) const SOMEWHERE: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));
/// Between two starts of a process that does not come up again.
const PAUSE: Duration = Duration::from_millis(50);
/// So long a process may take to end that has closed its stdout.
const ENDING: Duration = Duration::from_secs(1);

/// Finds the address in a line of the process.
type AddressIn = dyn Fn(&str) -> Option<SocketAddr> + Send + Sync;

/// How the process is run.
pub(super) struct Plan {
    pub(super) command: Box<dyn FnMut(SocketAddr) -> Command + Send>,
    pub(super) address_in: Arc<AddressIn>,
    pub(super) crashes: VecDeque<Crash>,
    pub(super) up_within: Duration,
}

pub(super) struct Keeper {
    plan: Plan,
    handles: Arc<Handles>,
}

impl Keeper {
    pub(super) fn new(plan: Plan, handles: Arc<Handles>) -> Self {
        Self { plan, handles }
    }

    pub(super) fn start(mut self) -> io::Result<JoinHandle<()>> {
        thread::Builder::new().name("crash".to_owned()).spawn(move || {
            if let Err(not_up) = self.keep() {
                self.handles.change(|state| state.not_up = Some(not_up));
            }
            self.handles.reap();
        })
    }

    fn keep(&mut self) -> Result<(), NotUp> {
        let mut listen = SOMEWHERE;
        while !self.handles.is_over() {
            let armed = self.plan.crashes.pop_front();
            listen = self.rise(listen, armed)?;
            self.handles.change(|state| (state.address, state.is_up) = (Some(listen), true));
            let Some(status) = self.ended().map_err(|error| NotUp::because(&error))? else { return Ok(()) };
            self.handles.change(|state| {
                state.is_up = false;
                state.deaths.push(Death { status, armed });
            });
        }
        Ok(())
    }

    /// Waits until the process ends by itself. `None`: it is over.
    fn ended(&self) -> io::Result<Option<ExitStatus>> {
        while !self.handles.is_over() {
            if let Some(status) = self.handles.status()? {
                return Ok(Some(status));
            }
            thread::sleep(LOOK);
        }
        Ok(None)
    }

    /// Starts it until it listens: once at first; again and again on a port that it had, and that may not be free at once.
    fn rise(&mut self, listen: SocketAddr, armed: Option<Crash>) -> Result<SocketAddr, NotUp> {
        let end = Instant::now() + self.plan.up_within;
        loop {
            let not_up = match self.launch(listen, armed, end) {
                Ok(address) if listen.port() == 0 || address == listen => return Ok(address),
                Ok(address) => return Err(NotUp::new(format!("it listens at {address} and no more at {listen}"))),
                Err(not_up) => not_up,
            };
            if listen.port() == 0 || self.handles.is_over() || Instant::now() + PAUSE >= end {
                return Err(not_up);
            }
            thread::sleep(PAUSE);
        }
    }

    fn launch(&mut self, listen: SocketAddr, armed: Option<Crash>, end: Instant) -> Result<SocketAddr, NotUp> {
        let mut command = (self.plan.command)(listen);
        match armed {
            Some(crash) => command.env(VARIABLE, crash.to_string()),
            None => command.env_remove(VARIABLE),
        };
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut process = spawned.map_err(|error| NotUp::because(&error))?;
        let stdout = process.stdout.take().ok_or(NotUp::new("it has no stdout"))?;
        self.handles.with(|here| *here = Some(process));
        let heard = self.listen_to(stdout);
        loop {
            match heard.recv_timeout(LOOK) {
                Ok(address) => return Ok(address),
                Err(RecvTimeoutError::Timeout) if !self.handles.is_over() && Instant::now() < end => {}
                Err(RecvTimeoutError::Timeout) => {
                    self.handles.reap();
                    return Err(NotUp::new("it has said no address in time"));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let status = self.handles.status_until(Instant::now() + ENDING);
                    return Err(match status.map_err(|error| NotUp::because(&error))? {
                        Some(status) => NotUp::new(format!("it has ended and said no address: {status}")),
                        None => NotUp::new("it has closed its stdout and said no address"),
                    });
                }
            }
        }
    }

    /// Reads its stdout to the end, so that it never waits for a reader, and hands on the first address.
    fn listen_to(&self, stdout: ChildStdout) -> mpsc::Receiver<SocketAddr> {
        let (sender, receiver) = mpsc::channel();
        let address_in = Arc::clone(&self.plan.address_in);
        thread::spawn(move || {
            let mut sender = Some(sender);
            for line in BufReader::new(stdout).split(b'\n') {
                let Ok(line) = line else { break };
                let Some(listener) = &sender else { continue };
                if let Some(address) = address_in(&String::from_utf8_lossy(&line)) {
                    // Nobody listens any more once it is over.
                    listener.send(address).unwrap_or_default();
                    sender = None;
                }
            }
        });
        receiver
    }
}
