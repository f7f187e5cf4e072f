//! The published vectors, read as a stranger would: by their index, byte for byte, and given to a receiver of their configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde::Deserialize;
use tower::ServiceExt as _;
use tower_webhook::clock::Timestamp;
use tower_webhook::config;
use tower_webhook::event::Project as _;
use tower_webhook::provider::AnyEvent;
use tower_webhook::{Received, Rejection};

mod flipped;
mod flipped_twice;
#[path = "../../examples/vectors/suite/mod.rs"]
mod suite;

#[derive(Deserialize)]
struct Index {
    configurations: BTreeMap<String, Configuration>,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Configuration {
    keys: Vec<Key>,
    toml: String,
}

#[derive(Deserialize)]
struct Key {
    text: String,
    encoding: String,
}

#[derive(Deserialize)]
struct Vector {
    file: String,
    configuration: String,
    received_at: i64,
    verdict: String,
    status: u16,
    #[serde(default)]
    events: Vec<Event>,
    why: Option<String>,
    of: Option<String>,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Event {
    key: String,
    name: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

fn index() -> Index {
    serde_json::from_slice(&fs::read(folder().join("index.json")).unwrap()).unwrap()
}

/// The names of all files in a folder, from its root.
fn files(root: &Path, folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let names = entries.flat_map(|path| match path.is_dir() {
        true => files(root, &path),
        false => [path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/")].into(),
    });
    names.collect()
}

fn read(file: &str) -> Request<Bytes> {
    let raw = fs::read(folder().join(file)).unwrap();
    let end =
        raw.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or_else(|| panic!("{file} has no end of head"));
    let mut lines = raw[..end + 2]
        .split_inclusive(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r\n").unwrap_or_else(|| panic!("{file} has a line without CRLF")));
    let words: Vec<_> = lines.next().unwrap().split(|byte| *byte == b' ').collect();
    assert_eq!((words.len(), words[2]), (3, &b"HTTP/1.1"[..]), "{file}");
    let mut request = Request::builder().method(words[0]).uri(words[1]);
    for line in lines {
        let colon = line.windows(2).position(|two| two == b": ").unwrap_or_else(|| panic!("{file} has no field"));
        request = request.header(&line[..colon], &line[colon + 2..]);
    }
    let body = raw[end + 4..].to_vec();
    let request = request.body(Bytes::from(body)).unwrap();
    assert_eq!(request.headers()["content-length"], request.body().len().to_string(), "{file}");
    request
}

/// What a receiver answers to a request that comes twice, why, and which events it has handled.
async fn receive(toml: &str, vector: &Vector) -> ([u16; 2], Option<String>, Vec<Event>) {
    let config = config::read_text("vectors.toml", toml).unwrap().build().unwrap();
    let handled = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&handled);
    let receiver = config.receiver(&config.endpoints[0]).unwrap();
    let receiver = receiver.clock(Timestamp::from_second(vector.received_at).unwrap());
    let service = receiver.dedupe(config.dedupe.store.clone()).handle(move |event: Received<AnyEvent>| {
        let (key, name) = (event.delivery().key().to_string(), event.event().name().to_owned());
        seen.lock().unwrap().push(Event { key, name });
        async {}
    });
    let request = read(&vector.file).map(Full::new);
    let first = service.clone().oneshot(request.clone()).await.unwrap();
    let second = service.oneshot(request).await.unwrap();
    let why = first.extensions().get::<Rejection>().map(|rejection| rejection.kind().as_str().to_owned());
    let handled = std::mem::take(&mut *handled.lock().unwrap());
    ([first.status().as_u16(), second.status().as_u16()], why, handled)
}

#[test]
fn the_index_names_every_file_once_and_no_other() {
    let index = index();
    let mut named: BTreeSet<String> = index.vectors.iter().map(|vector| vector.file.clone()).collect();
    assert_eq!(named.len(), index.vectors.len(), "a file is named twice");
    named.extend(["README.md", "index.json"].map(str::to_owned));
    assert_eq!(files(&folder(), &folder()), named);
    for vector in &index.vectors {
        let folder = format!("{}/{}/", vector.configuration, vector.verdict);
        assert!(vector.file.starts_with(&folder), "{}", vector.file);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_accepted_is_handled_once_and_what_is_refused_never() {
    let index = index();
    let mut verdicts = BTreeMap::new();
    for vector in &index.vectors {
        let (statuses, why, handled) = receive(&index.configurations[&vector.configuration].toml, vector).await;
        assert_eq!(statuses, [vector.status; 2], "{}", vector.file);
        assert_eq!((&why, &handled), (&vector.why, &vector.events), "{}", vector.file);
        let is_accepted = vector.verdict == "accepted";
        assert_eq!((200..300).contains(&vector.status), is_accepted, "{}", vector.file);
        assert_eq!((vector.events.is_empty(), vector.of.is_none()), (!is_accepted, is_accepted), "{}", vector.file);
        if let Some(of) = &vector.of {
            assert!(index.vectors.iter().any(|other| other.file == *of && other.verdict == "accepted"), "{of}");
        }
        let counts: &mut [usize; 2] = verdicts.entry(&vector.configuration).or_default();
        counts[usize::from(is_accepted)] += 1;
    }
    assert_eq!(verdicts.len(), index.configurations.len());
    assert!(verdicts.values().all(|[refused, accepted]| *refused > 0 && *accepted > 0), "{verdicts:?}");
}

#[tokio::test]
async fn what_is_made_now_is_what_is_checked_in() {
    let made = suite::files().await.unwrap();
    for (name, bytes) in &made {
        let found = fs::read(folder().join(name)).unwrap_or_default();
        assert!(found == *bytes, "vectors/{name} is another: cargo run --example vectors --features config");
    }
    let mut names: BTreeSet<String> = made.into_keys().collect();
    names.insert("README.md".to_owned());
    assert_eq!(files(&folder(), &folder()), names);
}

#[test]
fn the_readme_names_every_key_and_every_reason() {
    let readme = fs::read_to_string(folder().join("README.md")).unwrap();
    let index = index();
    for vector in &index.vectors {
        let Some(why) = &vector.why else { continue };
        let line = readme.lines().find(|line| line.starts_with(&format!("| {} |", vector.status)));
        assert!(line.is_some_and(|line| line.contains(&format!("`{why}`"))), "{}: {why}", vector.file);
    }
    for (name, configuration) in index.configurations {
        let first = |line: &str| line.split('|').nth(1).is_some_and(|cell| cell.contains(&format!("`{name}`")));
        let line = readme.lines().find(|line| first(line));
        let line = line.unwrap_or_else(|| panic!("{name} is missing"));
        for Key { text, encoding } in configuration.keys {
            assert!(encoding == "pem" || line.contains(&format!("`{text}`")), "{line}");
            assert!(line.contains(&encoding), "{line}");
        }
    }
}
