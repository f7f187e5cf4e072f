//! Under a service manager: what it is told and when, and the unit file.

use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use super::child::{Folder, Listener, Program};
use super::upstream::{Upstream, aella, forwarding};

const UNIT: &str = include_str!("../../../deploy/tower-webhook.service");

struct Manager {
    folder: Folder,
    socket: UnixDatagram,
}

impl Manager {
    fn new() -> Self {
        let folder = Folder::new();
        let socket = UnixDatagram::bind(folder.path().join("n")).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Self { folder, socket }
    }

    fn start(&self, config: &str) -> Listener {
        Listener::start_with(config, &[("NOTIFY_SOCKET", self.folder.path().join("n").to_str().unwrap())])
    }

    fn told(&self) -> String {
        let mut words = [0; 256];
        let count = self.socket.recv(&mut words).unwrap();
        String::from_utf8(words[..count].to_vec()).unwrap()
    }

    fn was_told_nothing_more(&self) {
        self.socket.set_nonblocking(true).unwrap();
        assert!(self.socket.recv(&mut [0; 256]).is_err());
    }
}

/// Microseconds of the clock that systemd reads, as it is now.
fn monotonic() -> i64 {
    let done =
        Program::other("python3", ["-c", "import time; print(time.clock_gettime_ns(time.CLOCK_MONOTONIC))"]).run();
    done.stdout[0].parse::<i64>().unwrap() / 1000
}

#[test]
fn the_manager_is_told_when_it_is_ready_when_it_reads_its_file_and_when_it_drains() {
    let (manager, upstream) = (Manager::new(), Upstream::start());
    let config = forwarding(&upstream.address).replace("\"1s\"", "\"30s\"");
    let listener = manager.start(&config);
    assert_eq!(manager.told(), "READY=1");
    for (config, is_taken) in [(config.as_str(), true), ("colour = 1", false)] {
        let before = monotonic();
        assert_eq!(listener.reload(config), is_taken);
        let told = manager.told();
        let micros = told.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap_or_else(|| panic!("{told}"));
        assert!((before..=monotonic()).contains(&micros.parse().unwrap()), "{told}");
        assert_eq!(manager.told(), "READY=1", "also where the old file stays");
    }
    // What is in hand is finished after that.
    let address = listener.address().to_owned();
    let sender = std::thread::spawn(move || aella("1").send(&address).status);
    upstream.seen.recv().unwrap();
    listener.running().signal("TERM");
    assert_eq!(manager.told(), "STOPPING=1");
    upstream.answers.send("200 OK\r\ncontent-length: 0").unwrap();
    assert_eq!((sender.join().unwrap(), listener.into_running().wait().code), (200, Some(0)));
    manager.was_told_nothing_more();
}

#[test]
fn one_that_cannot_listen_is_never_ready() {
    let manager = Manager::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let config = forwarding("127.0.0.1:1").replace("127.0.0.1:0", &taken.local_addr().unwrap().to_string());
    let file = manager.folder.write("receiver.toml", config);
    let program = Program::new(["listen".into(), "--config".into(), file.into_os_string()]);
    let done = program.env("NOTIFY_SOCKET", manager.folder.path().join("n").to_str().unwrap()).run();
    assert_eq!(done.code, Some(1), "{done:?}");
    manager.was_told_nothing_more();
}

#[test]
fn a_manager_that_is_not_there_or_does_not_read_holds_nobody() {
    let listener = Listener::start_with(&forwarding("127.0.0.1:1"), &[("NOTIFY_SOCKET", "/nowhere/at/all")]);
    assert!(listener.running().stderr_line().contains("NOTIFY_SOCKET leads nowhere"));
    assert_eq!(listener.stop().code, Some(0));

    let manager = Manager::new();
    let listener = manager.start(&forwarding("127.0.0.1:1"));
    let start = Instant::now();
    for _ in 0..50 {
        assert!(listener.reload(&forwarding("127.0.0.1:1")));
    }
    assert_eq!(listener.stop().code, Some(0));
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}

#[test]
fn the_unit_notifies_drains_and_may_do_no_more_than_it_must() {
    let lines: Vec<&str> = UNIT.lines().collect();
    for line in [
        "Type=notify",
        "ExecReload=/bin/kill -HUP $MAINPID",
        "DynamicUser=yes",
        "StateDirectory=tower-webhook",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=",
        "ProtectSystem=strict",
        "ProtectHome=yes",
        "PrivateDevices=yes",
        "MemoryDenyWriteExecute=yes",
    ] {
        assert!(lines.contains(&line), "{line}");
    }
    assert!(!UNIT.contains("WatchdogSec"), "nobody would feed it");
    let command = lines.iter().find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/tower-webhook ")).unwrap();
    let help = Program::new(["listen", "--help"]).run().said();
    for flag in command.split(' ').filter(|word| word.starts_with("--")) {
        assert!(help.contains(flag), "{flag}");
    }
    let stop: u64 = lines.iter().find_map(|line| line.strip_prefix("TimeoutStopSec=")).unwrap().parse().unwrap();
    assert!(stop > 30, "longer than the default of drain");
    if Program::other("sh", ["-c", "command -v systemd-analyze"]).run().code != Some(0) {
        assert!(std::env::var_os("CI").is_none(), "systemd-analyze is missing: install systemd");
        eprintln!("systemd-analyze is missing: the unit is not verified");
        return;
    }
    let folder = Folder::new();
    let program = env!("CARGO_BIN_EXE_tower-webhook");
    let unit = folder.write("tower-webhook.service", UNIT.replace("/usr/local/bin/tower-webhook", program));
    let verified = Program::other("systemd-analyze", ["verify".into(), unit.into_os_string()]).run();
    assert_eq!((verified.code, verified.stderr.as_str()), (Some(0), ""));
}
