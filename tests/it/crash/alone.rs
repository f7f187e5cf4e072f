//! The child by itself: armed wrongly, killed from outside, and one that never listens. And who gets fail points at all.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use tower_webhook::testing::crash::{Crashing, Point, VARIABLE};

use super::child::NAME;
use super::ledger::Ledger;
use super::scene::{How, Scene};

#[test]
fn a_process_that_is_armed_wrongly_ends_and_says_why() {
    let ledger = Ledger::new();
    for wrong in ["claimd", "claimed:0", ""] {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args([NAME, "--exact", "--ignored", "--nocapture"]);
        command.env("LISTEN", "127.0.0.1:0").env("LEDGER", ledger.path()).env("HOW", "ByKey").env(VARIABLE, wrong);
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = pipes.spawn().unwrap();
        // Held: where it is not refused, it serves until this is gone.
        let _stdin = child.stdin.take();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let line = lines.find(|line| line.starts_with("TOWER_WEBHOOK_CRASH: ")).unwrap();
        assert!(line.contains(&format!("{wrong:?}")) && line.contains("claimed, handled"), "{line}");
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
        assert!(!String::from_utf8(output.stdout).unwrap().contains("listening"), "{wrong:?}");
    }
}

#[tokio::test]
async fn a_child_that_is_killed_is_started_again_where_it_was_and_gone_when_dropped() {
    let ledger = Ledger::new();
    let scene = Scene { redis: None, how: How::ByKey, crashes: vec![], events: 0 };
    let child = scene.start(&ledger).await;
    let (address, first) = (child.address(), child.id().unwrap());
    for times in 1..=2 {
        child.kill();
        child.risen(times).await.unwrap();
    }
    let last = child.id().unwrap();
    assert_ne!(first, last);
    assert_eq!(child.address(), address);
    let deaths = child.deaths();
    assert_eq!(deaths.len(), 2);
    assert!(deaths.iter().all(|death| death.status.code().is_none() && death.armed.is_none()), "{deaths:?}");
    std::net::TcpStream::connect(address).unwrap();
    drop(child);
    assert!(!Command::new("kill").args(["-0", &last.to_string()]).output().unwrap().status.success());
}

#[tokio::test]
async fn one_that_does_not_listen_is_an_error_and_says_how_it_ended() {
    let shell = |script: &'static str| {
        let command = move |_| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            command
        };
        Crashing::new(command).up_within(Duration::from_secs(60))
    };
    let ended = shell("echo {}; exit 3").start().await.unwrap_err().to_string();
    assert!(ended.contains("said no address: exit status: 3"), "{ended}");
    let silent = shell("exec sleep 3600").up_within(Duration::from_millis(100)).start().await.unwrap_err();
    assert_eq!(silent.to_string(), "it has said no address in time");
    let nobody = Crashing::new(|_| Command::new("/no/such/program")).start().await.unwrap_err().to_string();
    assert!(nobody.starts_with("it cannot be started: "), "{nobody}");
    // Lines of any kind are read, in any form that is told.
    let own = shell("echo hello; echo at 127.0.0.1:9; exec sleep 3600");
    let own = own.address_in(|line| line.strip_prefix("at ")?.parse().ok()).start().await.unwrap();
    assert_eq!(own.address().port(), 9);
}

#[tokio::test]
async fn one_that_comes_up_no_more_is_told_to_who_waits_for_it() {
    let mut starts = 0;
    let command = move |_| {
        starts += 1;
        let mut command = Command::new("sh");
        let first = r#"echo '{"listening":"127.0.0.1:9"}'; exec sleep 3600"#;
        command.args(["-c", if starts == 1 { first } else { "exit 7" }]);
        command
    };
    let crashing = Crashing::new(command).crashes([Point::Claimed]).up_within(Duration::from_secs(60));
    let child = crashing.start().await.unwrap();
    child.kill();
    let gone = child.risen(1).await.unwrap_err().to_string();
    assert!(gone.contains("exit status: 7"), "{gone}");
    assert_eq!(child.deaths()[0].armed, Some(Point::Claimed.nth(1)));
}

/// The features of Cargo.toml, by name what each brings.
fn brought_by(feature: &str, seen: &mut BTreeSet<String>) {
    let manifest = include_str!("../../../Cargo.toml");
    let features = manifest.split("\n[features]\n").nth(1).unwrap().split("\n[").next().unwrap();
    let (_, rest) = features.split_once(&format!("{feature} = [")).unwrap_or_else(|| panic!("{feature}"));
    for brought in rest.split(']').next().unwrap().split('"').skip(1).step_by(2) {
        if !brought.contains([':', '/']) && seen.insert(brought.to_owned()) {
            brought_by(brought, seen);
        }
    }
}

#[test]
fn no_feature_of_a_program_brings_fail_points() {
    for feature in ["default", "axum", "cli", "config", "redis-tls", "sender"] {
        let mut brought = BTreeSet::new();
        brought_by(feature, &mut brought);
        assert!(!brought.contains("testing"), "{feature}: {brought:?}");
    }
    let mut brought = BTreeSet::new();
    brought_by("cli", &mut brought);
    assert!(brought.contains("redis"), "control: it is followed through: {brought:?}");
}

/// What is there without the feature `testing`, but for macros that come to nothing.
fn left_without_testing(room: &str) -> Vec<&str> {
    let lines: Vec<_> = room.lines().collect();
    let code = room.lines().enumerate().filter(|(_, line)| line.starts_with(|first: char| first.is_ascii_alphabetic()));
    let is_gone = |at: usize| {
        let before = lines[..at].last().copied().unwrap_or_default();
        let is_empty = before == "#[cfg(not(feature = \"testing\"))]" && lines[at + 1].trim().ends_with(") => {};");
        before == "#[cfg(feature = \"testing\")]" || is_empty && lines[at + 2] == "}"
    };
    code.filter(|(at, _)| !is_gone(*at)).map(|(_, line)| line).collect()
}

#[test]
fn without_testing_a_fail_point_is_nothing() {
    let room = include_str!("../../../src/fail_point/mod.rs");
    assert_eq!(left_without_testing(room), ["pub(crate) use {arm, reach};"]);
    assert!(room.matches("=> {};").count() == 2 && room.matches("mod ").count() == 2, "control: it was read");
    let always = room.replacen("#[cfg(feature = \"testing\")]\nmod point;", "mod point;", 1);
    assert_eq!(left_without_testing(&always).first(), Some(&"mod point;"));
    let says = room.replacen("($point:ident) => {};", "($point:ident) => { stringify!($point) };", 1);
    assert_eq!(left_without_testing(&says).first(), Some(&"macro_rules! reach {"));
}
