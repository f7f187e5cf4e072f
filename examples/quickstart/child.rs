//! The receiver as a process of its own, which can be killed like any other.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader as AsyncBufReader};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;
use tower_webhook::error::BoxError;

use crate::books::Books;
use crate::cases;
use crate::ledger::Ledger;
use crate::sabotage::Sabotage;
use crate::server::Running;
use crate::wire::Line;

/// The first argument of such a process.
pub(crate) const RECEIVER: &str = "--receiver";

const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// The process's own life: receives until its input ends. A line of input tells it to drain.
pub(crate) async fn live(folder: &str, port: &str, sabotage: &str) -> Result<(), BoxError> {
    let sabotage: Option<Sabotage> = sabotage.parse().ok();
    let books = Books::new(sabotage).down_once_for(cases::FAILS_ONCE);
    let running = Running::start(&books, sabotage, Path::new(folder), port.parse()?).await?;
    books.say(&Line::Listening(running.address));
    let mut orders = AsyncBufReader::new(tokio::io::stdin()).lines();
    while orders.next_line().await?.is_some() {
        running.drain().await;
        books.say(&Line::Drained);
    }
    running.stop().await
}

/// Such a process, seen from the one that started it.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    child: Child,
    orders: Option<ChildStdin>,
    told: UnboundedReceiver<Line>,
}

impl Receiver {
    /// Starts one with its inbox in this folder, and notes what it tells.
    pub(crate) async fn start(
        ledger: &Ledger,
        sabotage: Option<Sabotage>,
        folder: &Path,
        port: u16,
    ) -> Result<Self, BoxError> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(RECEIVER).arg(folder).arg(port.to_string());
        command.arg(sabotage.map_or_else(|| "none".into(), |sabotage| sabotage.to_string()));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (orders, output) = (child.stdin.take(), child.stdout.take().ok_or("a child without output")?);
        let (tell, told) = unbounded_channel();
        let ledger = ledger.clone();
        // Ends with the child's output.
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                match serde_json::from_str(&line) {
                    Ok(line @ (Line::Listening(_) | Line::Drained)) => drop(tell.send(line)),
                    Ok(line) => ledger.note(line),
                    Err(_) => eprintln!("the receiver says: {line}"),
                }
            }
        });
        let mut this = Self { address: SocketAddr::from(([127, 0, 0, 1], port)), child, orders, told };
        match this.next().await? {
            Line::Listening(address) => Ok(Self { address, ..this }),
            _ => Err("the receiver did not begin with its address".into()),
        }
    }

    async fn next(&mut self) -> Result<Line, BoxError> {
        timeout(ANSWER_WITHIN, self.told.recv()).await?.ok_or_else(|| "the receiver has ended".into())
    }

    /// As a machine that loses power would: nothing is told to it, and nothing in it comes to an end.
    pub(crate) fn kill(mut self) -> Result<(), BoxError> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// What is in hand finishes; what comes new is told to come again.
    pub(crate) async fn drain(&mut self) -> Result<(), BoxError> {
        writeln!(self.orders.as_mut().ok_or("it is told nothing any more")?, "drain")?;
        self.next().await.map(drop)
    }

    /// Ends it, after its last event.
    pub(crate) fn stop(mut self) -> Result<(), BoxError> {
        drop(self.orders.take());
        if self.child.wait()?.success() { Ok(()) } else { Err("the receiver ended with an error".into()) }
    }
}
