//! The server: one thread that serves every variant on a port of its own, and says how long it was on a CPU.

use std::net::TcpListener;
use std::sync::mpsc::{self, Sender};
use std::time::Duration;
use std::{fs, thread};

use axum::Router;
use tokio::task::JoinSet;
use tower_webhook::error::BoxError;

use crate::variants::Variant;

pub(crate) struct Server;

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
        starting.recv().map(|()| Self).map_err(|_| "the server did not start".into())
    }

    /// How long all threads but ours, which is the client's, have been on a CPU: the server's, and those on which it works on
    /// large bodies. Exact only while they sleep, so that they are given the time to.
    pub(crate) fn cpu_time(&self) -> Result<Duration, BoxError> {
        thread::sleep(Duration::from_millis(3));
        let ours = fs::read_link("/proc/thread-self")?;
        let mut nanos = 0;
        for thread in fs::read_dir("/proc/self/task")? {
            let thread = thread?;
            if Some(thread.file_name().as_os_str()) != ours.file_name() {
                // Nanoseconds on a CPU, nanoseconds in the queue, time slices.
                let text = fs::read_to_string(thread.path().join("schedstat"))?;
                nanos += text.split(' ').next().unwrap_or_default().parse::<u64>()?;
            }
        }
        Ok(Duration::from_nanos(nanos))
    }
}

fn serve(apps: Vec<(TcpListener, Router)>, started: &Sender<()>) -> Result<(), BoxError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // What a thread has used is gone with it.
        .thread_keep_alive(Duration::from_secs(3600))
        .build()?;
    runtime.block_on(async {
        let mut servers = JoinSet::new();
        for (listener, app) in apps {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            servers.spawn(async move { axum::serve(listener, app).await });
        }
        started.send(())?;
        while let Some(ended) = servers.join_next().await {
            ended??;
        }
        Ok(())
    })
}
