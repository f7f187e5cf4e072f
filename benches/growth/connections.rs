//! 1 to 1000 connections over HTTP, and a server in a process of its own.

use std::hint::black_box;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};

use axum::Router;
use axum::routing::post;
use bytes::Bytes;
use tower_webhook::error::BoxError;
use tower_webhook::provider::aella;
use tower_webhook::{MemoryStore, Received, Receiver};

use crate::client::{Client, Expected};
use crate::deliveries::Senders;
use crate::rates::{Rounds, real};
use crate::requests::{basic, runtime};
use crate::wire::wires;
use crate::{Plan, cpu, deliveries};

const LARGEST: usize = 1000;
/// Requests in a round.
const COUNT: usize = 3000;
/// Below so many connections, memory is other things' memory.
const FEW: usize = 100;

pub(crate) fn print(plan: Plan) -> Result<(), BoxError> {
    println!("connections: Aella with Basic, HMAC, claim, typed event, 0.7 KB, over HTTP; bare is axum's `Bytes`");
    println!(
        "{:>11} {:>6} {:>11} {:>11}  {:19} {:>12} {:>12}",
        "connections", "rounds", "ns", "ns of bare", "of bare", "KB each", "KB of bare"
    );
    let mut senders = Senders::new()?;
    for connections in [1, 10, 100, LARGEST].into_iter().filter(|connections| *connections <= LARGEST / plan.part) {
        let mut served =
            [Served::start("full", connections, &mut senders)?, Served::start("bare", connections, &mut senders)?];
        for round in 0..=plan.rounds {
            let requests = wires(senders.aella(COUNT)?)?;
            for turn in 0..2 {
                let served = served.get_mut((round + turn) % 2).ok_or("two are served")?;
                let cost = served.send(&requests)?;
                if round > 0 {
                    served.costs.0.push(cost);
                }
            }
        }
        let [full, bare] = &served;
        println!(
            "{connections:11} {:6} {:11.0} {:11.0}  {:19} {:>12} {:>12}",
            plan.rounds,
            full.costs.median(),
            bare.costs.median(),
            full.costs.of(&bare.costs),
            full.memory(connections),
            bare.memory(connections)
        );
    }
    println!();
    Ok(())
}

struct Served {
    server: Server,
    client: Client,
    costs: Rounds,
    /// What the connections take, in kilobytes each.
    kilobytes: f64,
}

impl Served {
    fn start(variant: &str, connections: usize, senders: &mut Senders) -> Result<Self, BoxError> {
        let server = Server::start(variant)?;
        // Once around, so that what is needed anyway is there.
        Client::connect_times(1, server.address)?.send(&wires(senders.aella(COUNT)?)?, Expected::Fresh)?;
        let before = server.resident()?;
        let mut client = Client::connect_times(connections, server.address)?;
        client.send(&wires(senders.aella(connections)?)?, Expected::Fresh)?;
        let kilobytes = real(server.resident()?.saturating_sub(before))? / real(u64::try_from(connections)?)?;
        Ok(Self { server, client, costs: Rounds::default(), kilobytes })
    }

    /// Nanoseconds of the server a request.
    fn send(&mut self, requests: &[Bytes]) -> Result<f64, BoxError> {
        let before = self.server.spent()?;
        self.client.send(requests, Expected::Fresh)?;
        let spent = self.server.spent()?.saturating_sub(before);
        Ok(spent.as_secs_f64() * 1e9 / real(u64::try_from(requests.len())?)?)
    }

    fn memory(&self, connections: usize) -> String {
        if connections < FEW { "-".to_owned() } else { format!("{:.1}", self.kilobytes) }
    }
}

struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    fn start(variant: &str) -> Result<Self, BoxError> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut process = command.args(["--serve", variant]).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        Ok(Self { process, address: line.trim().parse()? })
    }

    fn spent(&self) -> Result<std::time::Duration, BoxError> {
        cpu::spent(&self.process.id().to_string())
    }

    /// Kilobytes of memory that it has for itself.
    fn resident(&self) -> Result<u64, BoxError> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).ok_or("no RssAnon")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It holds nothing that anybody wants.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The server's side: serves, and says where.
pub(crate) fn serve(variant: &str) -> Result<(), BoxError> {
    let app = match variant {
        "full" => full()?,
        _ => Router::new().route("/", post(async |body: Bytes| drop(black_box(body)))),
    };
    runtime()?.block_on(async {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        println!("{}", listener.local_addr()?);
        std::io::stdout().flush()?;
        Ok(axum::serve(listener, app).await?)
    })
}

fn full() -> Result<Router, BoxError> {
    let receiver = Receiver::new("aella", deliveries::aella()?).basic_auth(&basic()?);
    let receiver = receiver.dedupe(MemoryStore::new(1_000_000));
    Ok(Router::new().route_service("/", receiver.handle(async |event: Received<aella::Event>| drop(black_box(event)))))
}
