//! The configuration file: read whole, checked whole, every fault in one go.

mod built;
mod custom;
mod dedupe;
mod endpoint;
mod forward;
mod keys;
mod provider;
mod reader;
mod sending;
mod validity;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use toml::Table;
use tower_webhook::gate::BodyBudget;

pub(crate) use dedupe::{Dedupe, Keys};
pub(crate) use endpoint::Endpoint;
pub(crate) use forward::Forward;
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
    /// How long a peer may not read of its answer.
    pub(crate) write_deadline: Duration,
    /// How long what is in hand may take after a signal to stop.
    pub(crate) drain: Duration,
    pub(crate) dedupe: Dedupe,
    pub(crate) endpoints: Vec<Endpoint>,
    /// What works and should be known.
    pub(crate) warnings: Vec<String>,
    /// What was right once, and is too late for whoever receives now.
    outdated: Vec<Fault>,
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
        let config = table.and_then(|table| Self::read(&table, folder_of(path), &faults));
        let found = faults.take();
        match config {
            Some(config) if found.is_empty() => Ok(config),
            config => Err(found.into_iter().chain(config.into_iter().flat_map(|config| config.outdated)).collect()),
        }
    }

    /// The same for whoever receives now.
    pub(crate) fn for_now(self) -> Result<Self, Vec<Fault>> {
        if self.outdated.is_empty() { Ok(self) } else { Err(self.outdated) }
    }

    fn read(table: &Table, folder: &Path, faults: &Faults) -> Option<Self> {
        let root = Section::root(table, faults);
        let listen = root.text("listen").unwrap_or("127.0.0.1:0");
        let listen: Option<SocketAddr> = listen.parse().ok();
        if listen.is_none() {
            root.fault("listen", "is not an address", "write an address and a port, such as \"127.0.0.1:8080\"");
        }
        let tenant = root.text("tenant").unwrap_or_default().to_owned();
        let dedupe = dedupe::read(&root, folder);
        if root.has("inbox") {
            let _ = root.section("inbox");
            root.fault("inbox", "is not in this version of the program", "leave it out, and set [dedupe]");
        }
        let defaults = Defaults { max_body: root.size("max_body"), retention: dedupe.retention };
        let time = |key, usual| root.some_time(key).unwrap_or(Duration::from_secs(usual));
        let (body_deadline, write_deadline, drain) =
            (time("body_deadline", 10), time("write_deadline", 10), time("drain", 30));
        let sections = root.sections("endpoint");
        if sections.is_empty() {
            root.fault("endpoint", "is missing", "write at least one [[endpoint]] with path and provider");
        }
        let budget = root.size("body_budget");
        root.finish();
        let endpoints: Vec<_> =
            sections.iter().filter_map(|section| Endpoint::read(section, folder, &defaults)).collect();
        check_paths(&endpoints, faults);
        check_names(&endpoints, &tenant, faults);
        let body_budget = check_budget(&root, budget, &endpoints);
        let outdated = validity::judge(&sections, faults);
        let listen = listen?;
        if !listen.ip().is_loopback() && matches!(dedupe.keys, Keys::Memory { .. }) {
            faults.warn(format_args!(
                "dedupe: the memory store forgets at exit, and {listen} is not loopback: a repeat after a restart is handled again"
            ));
        }
        let warnings = faults.take_warnings();
        Some(Self {
            listen,
            tenant,
            body_deadline,
            body_budget,
            write_deadline,
            drain,
            dedupe,
            endpoints,
            warnings,
            outdated,
        })
    }
}

fn check_budget(root: &Section<'_>, given: Option<usize>, endpoints: &[Endpoint]) -> BodyBudget {
    let longest = endpoints.iter().map(|endpoint| endpoint.max_body).max().unwrap_or_default();
    let Some(bytes) = given else { return BodyBudget::for_bodies_of(longest) };
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

/// Endpoints of one name share their effects: what one has handled is a repeat for the others. So they must be one
/// receiver's.
fn check_names(endpoints: &[Endpoint], tenant: &str, faults: &Faults) {
    let receivers: Vec<_> = endpoints.iter().map(|endpoint| (endpoint, endpoint.identity(tenant))).collect();
    for (at, (endpoint, receiver)) in receivers.iter().enumerate() {
        let namesakes = || receivers.iter().take(at).filter(|(earlier, _)| earlier.name == endpoint.name);
        if let Some(taken) = namesakes().find_map(|(_, earlier)| receiver.may_join(earlier).err()) {
            faults.add(format!("endpoint[{at}].name"), taken.problem(), taken.remedy());
            continue;
        }
        for (earlier, _) in namesakes() {
            faults.warn(format_args!(
                "{} and {} have one name ({:?}) and one provider: an event that one of them has handled is a repeat for \
                 the other",
                earlier.path, endpoint.path, endpoint.name
            ));
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
