//! The server: one thread that serves every variant on a port of its own, and says how long it was on a CPU.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Sender};
use std::time::Duration;
use std::{fs, thread};

use axum::Router;
use tokio::task::JoinSet;
use tower_webhook::error::BoxError;

use crate::variants::Variant;

pub(crate) struct Server {
    /// The thread's `schedstat`: nanoseconds on a CPU, nanoseconds in the queue, time slices.
    statistics: PathBuf,
}

impl Server {
    /// Serves the variants and tells each its address.
    pub(crate) fn start(variants: &mut [Variant]) -> Result<Self, BoxError> {
        let mut apps = Vec::new();
        for variant in variants {
            let listener = TcpListener::bind("127.0.0.1:0")?;
            listener.set_nonblocking(true)?;
            variant.address = listener.local_addr()?;
            apps.push((listener, variant.app.clone()));
        }
        let (started, starting) = mpsc::channel();
        let server = thread::Builder::new().name("server".to_owned());
        server.spawn(move || serve(apps, &started).inspect_err(|error| eprintln!("server: {error}")))?;
        starting.recv().map(|statistics| Self { statistics }).map_err(|_| "the server did not start".into())
    }

    /// How long the server thread has been on a CPU. Exact only while it sleeps, so that it is given the time to.
    pub(crate) fn cpu_time(&self) -> Result<Duration, BoxError> {
        thread::sleep(Duration::from_millis(3));
        let text = fs::read_to_string(&self.statistics)?;
        let nanos = text.split(' ').next().unwrap_or_default().parse()?;
        Ok(Duration::from_nanos(nanos))
    }
}

fn serve(apps: Vec<(TcpListener, Router)>, started: &Sender<PathBuf>) -> Result<(), BoxError> {
    let this_thread = fs::read_link("/proc/thread-self")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut servers = JoinSet::new();
        for (listener, app) in apps {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            servers.spawn(async move { axum::serve(listener, app).await });
        }
        started.send(Path::new("/proc").join(this_thread).join("schedstat"))?;
        while let Some(ended) = servers.join_next().await {
            ended??;
        }
        Ok(())
    })
}
