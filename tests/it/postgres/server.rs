//! A real server: made in a folder of its own, on a free port, and ended by its own process.
//!
//! `TOWER_WEBHOOK_TEST_POSTGRES` names another folder with `initdb` and `postgres` than Debian's newest.

use std::fs::File;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tokio_postgres::{Client, NoTls};

use crate::ports::free_address;

/// How long a server may take for anything that a test waits for.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Server {
    process: Child,
    /// Ends the server when this process is gone without having done so.
    watch: Child,
    port: u16,
    folder: PathBuf,
    settings: Vec<String>,
}

impl Server {
    /// The one that tests share which do it no harm. It ends with this process.
    pub(crate) async fn shared() -> &'static Self {
        tokio::task::spawn_blocking(Self::shared_here).await.unwrap()
    }

    /// The same, for who may wait.
    pub(crate) fn shared_here() -> &'static Self {
        static SHARED: OnceLock<Server> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    pub(crate) fn start() -> Self {
        Self::start_with(|_| Vec::new())
    }

    /// With more settings, which may name files that are laid into its folder.
    pub(super) fn start_with(prepare: impl FnOnce(&Path) -> Vec<String>) -> Self {
        let folder = folder();
        let mut initdb = command("initdb", &folder);
        let made =
            initdb.args(["-D", "data", "-U", "tester", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]).output();
        let made = made.unwrap_or_else(|error| panic!("{error}"));
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let settings = prepare(&folder);
        for _ in 0..20 {
            let port = free_address().port();
            let (process, watch) = launch(port, &folder, &settings);
            let mut server = Self { process, watch, port, folder: folder.clone(), settings: settings.clone() };
            if server.is_up() {
                return server;
            }
            // Somebody else has the port by now.
            end(&mut server.watch);
            end(&mut server.process);
            std::mem::forget(server);
        }
        panic!("postgres does not come up: {}", std::fs::read_to_string(folder.join("log")).unwrap());
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://tester@127.0.0.1:{}/postgres", self.port)
    }

    /// A file of this content that is the server's alone.
    pub(super) fn file(folder: &Path, name: &str, content: &str) -> String {
        let path = folder.join(name);
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        if let Some((user, group)) = server_user() {
            chown(&path, Some(user), Some(group)).unwrap();
        }
        path.to_str().unwrap().to_owned()
    }

    /// A connection of the test's own.
    pub(crate) async fn client(&self) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.url(), NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    /// All that it has written so far.
    pub(super) fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.folder.join("log")).unwrap()).into_owned()
    }

    /// `kill -9` of the server and, by that, of all who serve.
    pub(crate) fn kill(&mut self) {
        end(&mut self.watch);
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts it again on its port and its data, and waits until it answers.
    pub(crate) fn restart(&mut self) {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            // Until its last child is gone, the next is not let in.
            (self.process, self.watch) = launch(self.port, &self.folder, &self.settings);
            if self.is_up() {
                return;
            }
            end(&mut self.watch);
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("postgres does not come up again: {}", self.log());
    }

    /// Whether it takes connections: it says so in its log, and is still there.
    fn is_up(&mut self) -> bool {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until && self.process.try_wait().unwrap().is_none() {
            let mut ready = command("pg_isready", &self.folder);
            let port = self.port.to_string();
            if ready.args(["-h", "127.0.0.1", "-p", &port, "-q"]).status().unwrap().success() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        end(&mut self.watch);
        end(&mut self.process);
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn end(process: &mut Child) {
    let _ = process.kill();
    let _ = process.wait();
}

fn programs() -> PathBuf {
    if let Ok(named) = std::env::var("TOWER_WEBHOOK_TEST_POSTGRES") {
        return named.into();
    }
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.filter_map(|version| version.file_name().to_str()?.parse::<u32>().ok()).max();
    let newest = newest.expect("these tests need PostgreSQL's initdb, which scripts/test.sh installs");
    format!("/usr/lib/postgresql/{newest}/bin").into()
}

/// One of its programs, in this folder, as its user where we are root, whom it does not serve.
fn command(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(programs().join(program));
    command.current_dir(folder).stdin(Stdio::null()).env_remove("PGHOST").env_remove("PGPORT");
    if let Some((user, group)) = server_user() {
        command.uid(user).gid(group);
    }
    command
}

fn server_user() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| -> Option<u32> {
        let output = Command::new("id").args(arguments).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    if id(&["-u"]) != Some(0) {
        return None;
    }
    let (user, group) = (id(&["-u", "postgres"]), id(&["-g", "postgres"]));
    Some((user.expect("there is a user `postgres`"), group.expect("there is a group of it")))
}

fn launch(port: u16, folder: &Path, more: &[String]) -> (Child, Child) {
    let log = File::options().append(true).create(true).open(folder.join("log")).unwrap();
    let settings = [
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "max_connections=300",
        "shared_buffers=64MB",
        "log_line_prefix=%d ",
        "log_min_messages=warning",
    ];
    let mut server = command("postgres", folder);
    server.args(["-D", "data", "-p", &port.to_string()]);
    for setting in settings.into_iter().chain(more.iter().map(String::as_str)) {
        server.args(["-c", setting]);
    }
    let process = server.stdout(Stdio::null()).stderr(log).spawn().unwrap_or_else(|error| panic!("{error}"));
    let watch = format!("cat; kill -QUIT {}; sleep 1; rm -rf {}", process.id(), folder.display());
    let watch = Command::new("sh").args(["-c", &watch]).stdin(Stdio::piped()).spawn().unwrap();
    (process, watch)
}

fn folder() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("tower-webhook-postgres-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    if let Some((user, group)) = server_user() {
        chown(&folder, Some(user), Some(group)).unwrap();
    }
    folder
}
