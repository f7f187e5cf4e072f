//! A process that is killed while it accepts, and one whose file may grow no further: what was acknowledged is there.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use super::*;
use crate::inbox::{Filter, InboxErrorKind};

const NAME: &str = "inbox::store::sqlite::tests::killing::child";
/// So many are accepted at once, all or none.
const TOGETHER: u32 = 3;

fn numbered(number: u32, size: usize) -> NewEvent {
    let mut key = [1; 32];
    key[..4].copy_from_slice(&number.to_be_bytes());
    let says = vec![u8::try_from(number % 251).unwrap(); size];
    NewEvent {
        key: KeyHash::from_bytes(key),
        readable_key: format!("key-{number}"),
        payload: says.into(),
        ..event(1, "a")
    }
}

/// Four that accept side by side, until the process is killed or the inbox refuses.
#[test]
#[ignore = "the other tests run it in a process of its own"]
fn child() {
    let Some(path) = std::env::var_os("INBOX") else { return };
    let number = |name: &str| std::env::var(name).unwrap().parse::<u32>().unwrap();
    let (first, size) = (number("FIRST"), usize::try_from(number("SIZE")).unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let inbox = SqliteInbox::open(path).await.unwrap();
        let mut all = tokio::task::JoinSet::new();
        for lane in 0..4 {
            let inbox = inbox.clone();
            all.spawn(async move {
                for turn in 0.. {
                    let from = first + (turn * 4 + lane) * TOGETHER;
                    let events = (from..from + TOGETHER).map(|number| numbered(number, size)).collect();
                    let said = match inbox.accept(events, at(0)).await {
                        Ok(accepted) => format!("\nstored {from} {accepted:?}\n"),
                        Err(error) => format!("\nrefused {:?}: {error}\n", error.kind()),
                    };
                    std::io::stdout().write_all(said.as_bytes()).unwrap();
                    if said.starts_with("\nrefused") {
                        return;
                    }
                }
            });
        }
        all.join_all().await;
    });
}

fn start(mut command: Command, path: &Path, first: u32, size: usize) -> Child {
    command.args([NAME, "--exact", "--ignored", "--nocapture"]);
    command.env("INBOX", path).env("FIRST", first.to_string()).env("SIZE", size.to_string());
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// The first number of what this line acknowledges.
fn stored_by(line: &str) -> Option<u32> {
    line.strip_suffix(']')?.strip_prefix("stored ")?.split(' ').next()?.parse().ok()
}

/// What was acknowledged is there as it was sent, and of what was not, all three or none.
async fn all_is_there(inbox: &SqliteInbox, stored: &[u32], size: usize) {
    let there = inbox.list(&Filter::default(), 1_000_000).await.unwrap();
    let mut batches: HashMap<u32, HashMap<u32, EventId>> = HashMap::new();
    for event in &there {
        let number: u32 = event.key.strip_prefix("key-").unwrap().parse().unwrap();
        let twice = batches.entry(number / TOGETHER * TOGETHER).or_default().insert(number, event.id);
        assert_eq!(twice, None, "{number} is there twice");
    }
    for (from, batch) in &batches {
        assert_eq!(batch.len(), 3, "{from}: all three or none");
    }
    for from in stored {
        assert!(batches.contains_key(from), "{from} was acknowledged");
    }
    // Of a sample also what they say.
    for (number, id) in stored.iter().rev().take(20).flat_map(|from| &batches[from]) {
        let shown = inbox.show(*id).await.unwrap().unwrap();
        assert_eq!(shown.payload.unwrap(), numbered(*number, size).payload, "{number}");
    }
    counts_are_true(inbox).await;
}

/// By hand as often as `KILLS` says.
#[tokio::test]
async fn what_was_acknowledged_outlives_a_kill() {
    let folder = Folder::new();
    let kills = std::env::var("KILLS").map_or(10, |text| text.parse::<u32>().unwrap());
    let mut all = Vec::new();
    for kill in 0..kills {
        let first = kill * 300_000;
        let mut child = start(Command::new(std::env::current_exe().unwrap()), &folder.file(), first, 900);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let wanted = usize::try_from(1 + (kill * 37) % 90).unwrap();
        let before = all.len();
        all.extend(lines.by_ref().filter_map(|line| stored_by(&line)).take(wanted));
        child.kill().unwrap();
        let _ = child.wait().unwrap();
        // What it had said before it died, and a line that is cut was not said.
        all.extend(lines.filter_map(|line| stored_by(&line)));
        assert!(all.len() >= before + wanted, "{kill}: {} of {wanted}", all.len() - before);
        all_is_there(&opened(&folder).await, &all, 900).await;
    }
    println!("{kills} kills, {} events acknowledged, none missing", all.len() * 3);
}

/// Its file may grow to a megabyte, and a write beyond fails as on a disk that takes no more.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn where_no_more_can_be_written_nothing_is_half_there_and_it_goes_on_afterwards() {
    let folder = Folder::new();
    drop(opened(&folder).await);
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -f 2048; exec \"$0\" \"$@\""]).arg(std::env::current_exe().unwrap());
    let child = start(shell, &folder.file(), 0, 60_000);
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let stored: Vec<u32> = text.lines().filter_map(stored_by).collect();
    let refused: Vec<_> = text.lines().filter(|line| line.starts_with("refused")).collect();
    let kinds = [InboxErrorKind::Full, InboxErrorKind::Poisoned, InboxErrorKind::Unavailable];
    assert_eq!(refused.len(), 4, "{text}");
    for line in &refused {
        assert!(kinds.iter().any(|kind| line.contains(&format!("refused {kind:?}"))), "{line}");
    }
    println!("{} stored, then {refused:?}", stored.len() * 3);
    assert!(!stored.is_empty());
    let inbox = opened(&folder).await;
    all_is_there(&inbox, &stored, 60_000).await;
    let again = inbox.accept((0..90).map(|number| numbered(number, 60_000)).collect(), at(1)).await.unwrap();
    assert_eq!(again.len(), 90);
    let duplicates = again.iter().filter(|accepted| matches!(accepted, Accepted::Duplicate(_))).count();
    assert!((stored.len() * 3..90).contains(&duplicates), "{duplicates}");
    counts_are_true(&inbox).await;
}

/// On a disk of its own of six megabytes, where three are taken by something else.
#[cfg(target_os = "linux")]
#[tokio::test]
#[ignore = "the next test runs it where it may have a disk of its own"]
async fn on_a_small_disk() {
    let Some(place) = std::env::var_os("SMALL").map(PathBuf::from) else { return };
    std::fs::write(place.join("other"), vec![0; 3 << 20]).unwrap();
    let quota = crate::inbox::Quota { free_disk: 0, ..crate::inbox::Quota::default() };
    let setup = SqliteInbox::setup().quota(quota);
    let inbox = setup.open(place.join("inbox")).await.unwrap();
    let three = |from: u32| (from..from + TOGETHER).map(|number| numbered(number, 30_000)).collect::<Vec<_>>();
    let (mut stored, mut next) = (Vec::new(), 0);
    let error = loop {
        match inbox.accept(three(next), at(0)).await {
            Ok(_) => stored.push(next),
            Err(error) => break error,
        }
        next += TOGETHER;
        assert!(next < 1_000, "it is never full");
    };
    println!("\n{} events, then {error}", stored.len() * 3);
    assert_eq!(error.kind(), InboxErrorKind::Full, "{error}");
    assert!(stored.len() > 5);
    all_is_there(&inbox, &stored, 30_000).await;
    assert_eq!(inbox.accept(three(next), at(0)).await.unwrap_err().kind(), InboxErrorKind::Full);
    std::fs::remove_file(place.join("other")).unwrap();
    let _ = inbox.accept(three(next), at(1)).await.unwrap();
    stored.push(next);
    all_is_there(&inbox, &stored, 30_000).await;
    for held in lease(&inbox, 1, 1_000, 2).await {
        assert_eq!(inbox.complete(&held, at(3)).await.unwrap(), crate::inbox::Ended::Done);
    }
    counts_are_true(&inbox).await;
    println!("\nall of it");
}

/// A disk in a namespace of its own: of a user who is its root, or of root itself where users may have none.
#[cfg(target_os = "linux")]
const NAMESPACES: [&str; 2] = ["-Urm", "-m"];

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_to_be_full_and_is_used_again_when_there_is_room() {
    let folder = Folder::new();
    let mounting = |namespace: &str, then: &str| {
        let text = format!("mount -t tmpfs -o size=6m none \"$SMALL\" && {then}");
        let mut command = Command::new("unshare");
        command.args([namespace, "sh", "-c", &text]).arg(std::env::current_exe().unwrap()).env("SMALL", &folder.0);
        command
    };
    let may_mount = |namespace: &&&str| {
        mounting(namespace, "true").stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    let Some(namespace) = NAMESPACES.iter().find(may_mount) else {
        let why = "a full disk was not tested: `unshare -Urm` and `unshare -m` may mount none here";
        assert!(std::env::var_os("CI").is_none(), "{why}");
        eprintln!("\n{why}");
        return;
    };
    let name = NAME.replace("child", "on_a_small_disk");
    let output = mounting(namespace, &format!("exec \"$0\" {name} --exact --ignored --nocapture")).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    println!("{text}");
    assert!(output.status.success() && text.contains("all of it"), "{text}{}", String::from_utf8_lossy(&output.stderr));
}
