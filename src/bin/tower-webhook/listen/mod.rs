//! `listen`: serves all endpoints of the file, until a signal drains it.

mod admin;
mod connection;
mod deliver;
mod forward;
mod health;
mod opening;
mod routes;
mod stop;
mod verdict;
mod voice;
mod work;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tower_webhook::config::Config;

use self::health::Health;
use self::opening::{Intake, of_its_disk};
use self::routes::Routes;
use self::stop::{Hangups, Stop};
use self::voice::Voice;
use self::work::{Hands, Work};
use crate::lines::{self, Listening, Rejected};
use crate::names::NamesTaken;

/// More connections than this wait to be accepted.
const MAX_CONNECTIONS: usize = 4096;
/// With an inbox nobody waits for longer: what is not handled is on disk, and what is not on disk comes again.
const INBOX_DRAIN: Duration = Duration::from_secs(9);
/// So that no clock overflows.
const LONGEST_DRAIN: Duration = Duration::from_hours(24 * 365);

pub(crate) fn run(config: Config) -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return failed("the runtime cannot be started", &error),
    };
    let ended = runtime.block_on(serve(config));
    // What blocks a thread for longer than the drain allows is left behind.
    runtime.shutdown_background();
    ended.unwrap_or_else(|error| match error.downcast::<NamesTaken>() {
        Ok(taken) => {
            lines::say(taken);
            ExitCode::from(2)
        }
        Err(error) => failed("listen", &error),
    })
}

fn failed(what: &str, error: &dyn std::error::Error) -> ExitCode {
    lines::say(format_args!("{what}: {error}"));
    ExitCode::FAILURE
}

async fn serve(config: Config) -> std::io::Result<ExitCode> {
    let mut stop = Stop::new()?;
    let hangups = Hangups::new()?;
    let voice = Voice::start()?;
    tokio::spawn(hangups.answer(voice.clone()));
    let longest = if config.inbox.is_some() { INBOX_DRAIN } else { LONGEST_DRAIN };
    let (grace, write_deadline) = (config.drain.min(longest), config.write_deadline);
    let Begun { listener, admin, health, routes, work } = tokio::select! {
        begun = begin(config, &voice) => begun?,
        () = stop.wait() => return Ok(ExitCode::SUCCESS),
    };
    let (routes, open) = (Arc::new(routes), GracefulShutdown::new());
    let admin = admin.map(|admin| tokio::spawn(admin::serve(admin, Arc::clone(&health))));
    let what = if work.is_some() { "rejections, repeats and what was stored" } else { "rejections and repeats" };
    tokio::spawn(voice.clone().count(what));
    let code = tokio::select! {
        () = stop.wait() => ExitCode::SUCCESS,
        () = accept(&listener, &routes, &open, &voice, write_deadline) => ExitCode::SUCCESS,
        () = broken(work.as_ref()) => {
            voice.warn("the inbox takes nothing any more until it is opened anew: start again");
            ExitCode::FAILURE
        }
    };
    health.drain();
    drop(listener);
    let code = tokio::select! {
        () = end(open, &routes, work, &voice, grace) => code,
        () = stop.wait() => {
            voice.warn("a second signal: what is in hand is left, its leases end by themselves");
            voice.last_words().await;
            ExitCode::FAILURE
        }
    };
    // It answers to the end, and holds no store beyond it.
    admin.inspect(JoinHandle::abort);
    Ok(code)
}

/// What is there at the first line.
struct Begun {
    listener: TcpListener,
    admin: Option<TcpListener>,
    health: Arc<Health>,
    routes: Routes,
    work: Option<Work>,
}

/// Everything up to the first line.
async fn begin(config: Config, voice: &Voice) -> std::io::Result<Begun> {
    let listener = bind(config.listen).await?;
    let admin = match config.admin {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
    let intake = Intake::open(&config).await?;
    if let Some(words) = of_its_disk(&intake) {
        voice.warn(words);
    }
    let routes = Routes::new(&config, &intake, voice).map_err(std::io::Error::other)?;
    let told = admin.as_ref().map(|admin| Ok::<_, std::io::Error>(admin.local_addr()?.to_string())).transpose()?;
    voice.begin(&Listening { listening: listener.local_addr()?.to_string(), admin: told }).await?;
    let work = match (&config.inbox, &intake) {
        (Some(inbox), Intake::Kept(store)) => Some(Work::start(inbox, store, Hands::of(&config, voice), voice)),
        _ => None,
    };
    Ok(Begun { listener, admin, health: Arc::new(Health::of(intake)), routes, work })
}

/// Until the inbox takes nothing any more; without one, for ever.
async fn broken(work: Option<&Work>) {
    match work {
        Some(work) => work.broken().await,
        None => std::future::pending().await,
    }
}

async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let named = |error: std::io::Error| {
        std::io::Error::new(error.kind(), format!("{address} cannot be listened on: {error}"))
    };
    TcpListener::bind(address).await.map_err(named)
}

/// Takes connections for ever.
async fn accept(
    listener: &TcpListener,
    routes: &Arc<Routes>,
    open: &GracefulShutdown,
    voice: &Voice,
    write_deadline: Duration,
) {
    let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let permit = Arc::clone(&connections).acquire_owned().await;
        match listener.accept().await {
            Ok((stream, peer)) => {
                let served = open.watch(connection::serve(Arc::clone(routes), stream, peer, write_deadline));
                let voice = voice.clone();
                tokio::spawn(async move {
                    // A connection that breaks is the peer's affair. What the server refused by itself is ours to say.
                    if let Some(rejected) = served.await.err().as_ref().and_then(Rejected::by_the_server) {
                        voice.mention(&rejected);
                    }
                    drop(permit);
                });
            }
            // Out of descriptors, most likely: the next may be better.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

/// Drains and says what is still to be said, both within this time. What a worker has in hand gets most of it.
async fn end(open: GracefulShutdown, routes: &Routes, work: Option<Work>, voice: &Voice, grace: Duration) {
    let deadline = Instant::now() + grace;
    let worked = async {
        if let Some(work) = work {
            work.stop_within(grace - grace / 8).await;
        }
    };
    let drained = async { tokio::join!(drain(open, routes), worked) };
    if tokio::time::timeout_at(deadline, drained).await.is_err() {
        voice.warn("still in hand when the drain's time was over: left, their leases end by themselves");
    }
    match routes.unprotected.count() {
        0 => {}
        count => voice.warn(format_args!("warning: {count} events ran without protection against repeats")),
    }
    voice.finish(deadline).await;
}

/// Lets every connection finish its answer, and every event that is in hand its end.
async fn drain(open: GracefulShutdown, routes: &Routes) {
    open.shutdown().await;
    routes.drain.begin();
    routes.drain.finished().await;
}
