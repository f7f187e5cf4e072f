//! A Redis of the test's own: on a free port, in a folder of its own, ended when dropped.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tower_webhook::idempotency::RedisStore;

const PATIENCE: Duration = Duration::from_secs(20);

pub struct Redis {
    process: Child,
    port: u16,
    folder: PathBuf,
}

impl Redis {
    pub async fn start() -> Self {
        for _ in 0..5 {
            let mut redis = Self::launch();
            if redis.is_up().await {
                return redis;
            }
        }
        panic!("redis-server does not come up");
    }

    fn launch() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("stranger-redis-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let program = std::env::var("TOWER_WEBHOOK_TEST_REDIS").unwrap_or_else(|_| "redis-server".to_owned());
        let process = Command::new(&program)
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir", folder.to_str().unwrap()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap_or_else(|fault| panic!("these tests need {program}, which scripts/test.sh installs: {fault}"));
        Self { process, port, folder }
    }

    pub async fn store(&self) -> RedisStore {
        RedisStore::connect(&self.url()).await.unwrap()
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    async fn is_up(&mut self) -> bool {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end && self.process.try_wait().unwrap().is_none() {
            if RedisStore::connect(&self.url()).await.is_ok() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
