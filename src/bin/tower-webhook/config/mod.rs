//! The configuration file: read whole, checked whole, every fault in one go.

mod custom;
mod dedupe;
mod endpoint;
mod keys;
mod provider;
mod reader;
mod sending;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use toml::Table;
use tower_webhook::gate::BodyBudget;

pub(crate) use dedupe::{Dedupe, Keys};
pub(crate) use endpoint::{Endpoint, Forward};
pub(crate) use reader::{Fault, duration};
use reader::{Faults, Section};
pub(crate) use sending::{Pick, Sending};

/// What the file says, ready for use.
pub(crate) struct Config {
    pub(crate) listen: SocketAddr,
    /// Keeps this file's keys apart from others on the same store. May be empty.
    pub(crate) tenant: String,
    pub(crate) body_deadline: Duration,
    /// For the bodies of all endpoints together.
    pub(crate) body_budget: BodyBudget,
    /// How long what is in hand may take after a signal to stop.
    pub(crate) drain: Duration,
    pub(crate) dedupe: Dedupe,
    pub(crate) endpoints: Vec<Endpoint>,
    /// What works and should be known.
    pub(crate) warnings: Vec<String>,
}

/// Settings that an endpoint takes over where it says nothing itself.
pub(crate) struct Defaults {
    pub(crate) max_body: Option<usize>,
    pub(crate) retention: Option<Duration>,
}

impl Config {
    /// Reads and checks a file.
    pub(crate) fn load(path: &Path) -> Result<Self, Vec<Fault>> {
        let faults = Faults::new(&path.display().to_string());
        let table = read_table(path, &faults);
        let config = table.and_then(|table| Self::parse(&table, folder_of(path), &faults));
        config.ok_or_else(|| faults.take())
    }

    fn parse(table: &Table, folder: &Path, faults: &Faults) -> Option<Self> {
        let root = Section::root(table, faults);
        let config = Self::read(&root, folder, faults);
        root.finish();
        config
    }

    fn read(root: &Section<'_>, folder: &Path, faults: &Faults) -> Option<Self> {
        let listen = root.text("listen").unwrap_or("127.0.0.1:0");
        let listen: Option<SocketAddr> = listen.parse().ok();
        if listen.is_none() {
            root.fault("listen", "is not an address", "write an address and a port, such as \"127.0.0.1:8080\"");
        }
        let tenant = root.text("tenant").unwrap_or_default().to_owned();
        let dedupe = dedupe::read(root, folder);
        if root.has("inbox") {
            let _ = root.section("inbox");
            root.fault("inbox", "is not in this version of the program", "leave it out, and set [dedupe]");
        }
        let defaults = Defaults { max_body: root.size("max_body"), retention: dedupe.retention };
        let body_deadline = root.duration("body_deadline").unwrap_or(Duration::from_secs(10));
        let drain = root.duration("drain").unwrap_or(Duration::from_secs(30));
        let sections = root.sections("endpoint");
        if sections.is_empty() {
            root.fault("endpoint", "is missing", "write at least one [[endpoint]] with path and provider");
        }
        let mut warnings = Vec::new();
        let endpoints: Vec<_> =
            sections.iter().filter_map(|section| Endpoint::read(section, folder, &defaults, &mut warnings)).collect();
        check_paths(&endpoints, faults);
        check_names(&endpoints, &tenant, faults);
        let body_budget = read_budget(root, &endpoints);
        let listen = listen?;
        if !listen.ip().is_loopback() && matches!(dedupe.keys, Keys::Memory { .. }) {
            warnings.push(format!(
                "dedupe: the memory store forgets at exit, and {listen} is not loopback: a repeat after a restart is handled again"
            ));
        }
        let is_sound = faults.is_empty();
        is_sound.then_some(Self { listen, tenant, body_deadline, body_budget, drain, dedupe, endpoints, warnings })
    }
}

fn read_budget(root: &Section<'_>, endpoints: &[Endpoint]) -> BodyBudget {
    let longest = endpoints.iter().map(|endpoint| endpoint.max_body).max().unwrap_or_default();
    let Some(bytes) = root.size("body_budget") else { return BodyBudget::for_bodies_of(longest) };
    let budget = BodyBudget::new(bytes);
    if budget.longest() < longest {
        root.fault(
            "body_budget",
            format_args!("has no room for a body of {longest} bytes"),
            "take twice the largest max_body, or more",
        );
    }
    budget
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

fn read_table(path: &Path, faults: &Faults) -> Option<Table> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            faults.add("(file)", format_args!("cannot be read: {error}"), "give the path of a readable TOML file");
            return None;
        }
    };
    match text.parse() {
        Ok(table) => Some(table),
        Err(error) => {
            let error: toml::de::Error = error;
            let place = error.span().map(|span| line_of(&text, span.start)).unwrap_or_default();
            faults.add(format!("line {place}"), error.message().replace('\n', " "), "write TOML");
            None
        }
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or_default().matches('\n').count() + 1
}

/// Two endpoints of one name share their effects, so they must be one receiver's.
fn check_names(endpoints: &[Endpoint], tenant: &str, faults: &Faults) {
    let receivers: Vec<_> = endpoints.iter().map(|endpoint| endpoint.identity(tenant)).collect();
    for (at, receiver) in receivers.iter().enumerate() {
        if let Some(taken) = receivers.iter().take(at).find_map(|earlier| receiver.may_join(earlier).err()) {
            faults.add(format!("endpoint[{at}].name"), taken.problem(), taken.remedy());
        }
    }
}

fn check_paths(endpoints: &[Endpoint], faults: &Faults) {
    for (at, endpoint) in endpoints.iter().enumerate() {
        if endpoints.iter().take(at).any(|earlier| earlier.path == endpoint.path) {
            faults.add(
                format!("endpoint[{at}].path"),
                format_args!("{:?} stands twice", endpoint.path),
                "give each endpoint its own path",
            );
        }
    }
}
