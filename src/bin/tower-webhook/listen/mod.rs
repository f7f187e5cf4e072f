//! `listen`: serves all endpoints of the file, until a signal drains it.

mod admin;
mod alarms;
mod connection;
mod deliver;
mod exposition;
mod forward;
mod ground;
mod health;
mod notify;
mod numbers;
mod open;
mod opening;
mod patient;
mod reload;
mod routes;
mod serving;
mod stop;
mod streams;
mod tls;
mod verdict;
mod voice;
mod work;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use tower_webhook::config::Config;
use tower_webhook::delivery::Drain;

use self::admin::Admin;
use self::ground::Ground;
use self::health::Health;
use self::notify::Notify;
use self::numbers::Numbers;
use self::open::Open;
use self::opening::{Intake, of_its_disk};
use self::serving::{Handing, Serving};
use self::stop::{Hangups, Stop};
use self::voice::Voice;
use self::work::Work;
use crate::lines::{self, Listening};
use crate::names::NamesTaken;
use crate::reading::File;

/// More connections than this wait to be accepted.
const MAX_CONNECTIONS: usize = 4096;
/// With an inbox nobody waits for longer: what is not handled is on disk, and what is not on disk comes again.
const INBOX_DRAIN: Duration = Duration::from_secs(9);
/// So that no clock overflows.
const LONGEST_DRAIN: Duration = Duration::from_hours(24 * 365);

pub(crate) fn run(file: File) -> ExitCode {
    let config = match file.receiving() {
        Ok(config) => config,
        Err(code) => return code,
    };
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return failed("the runtime cannot be started", &error),
    };
    let ended = runtime.block_on(serve(config, file));
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

async fn serve(config: Config, file: File) -> std::io::Result<ExitCode> {
    let mut stop = Stop::new()?;
    let hangups = Hangups::new()?;
    let voice = Voice::start()?;
    let Begun { listener, admin, health, serving, work } = tokio::select! {
        begun = begin(config, &voice) => begun?,
        () = stop.wait() => return Ok(ExitCode::SUCCESS),
    };
    let notify = Arc::new(Notify::of_the_environment().unwrap_or_else(|error| {
        voice.warn(format_args!("warning: {error}"));
        Notify::nobody()
    }));
    notify.ready();
    let open = Open::new();
    let admin = admin.map(|(listener, admin)| tokio::spawn(admin::serve(listener, admin)));
    let what = if work.is_some() { "rejections, repeats and what was stored" } else { "rejections and repeats" };
    tokio::spawn(voice.clone().count(what));
    tokio::spawn(voice.clone().miss());
    let follow = tokio::spawn(reload::follow(hangups, Arc::clone(&serving), file, Arc::clone(&notify)));
    let code = tokio::select! {
        () = stop.wait() => ExitCode::SUCCESS,
        () = accept(&listener, &serving, &open, &voice) => ExitCode::SUCCESS,
        () = broken(work.as_ref()) => {
            voice.warn("the inbox takes nothing any more until it is opened anew: start again");
            ExitCode::FAILURE
        }
        () = voice.unheard() => {
            voice.warn("stored events are handed over on stdout, and stdout is gone: they wait for another start");
            ExitCode::FAILURE
        }
    };
    health.drain();
    notify.stopping();
    follow.abort();
    drop(listener);
    let code = tokio::select! {
        is_whole = end(open, &serving, work) => if is_whole { code } else { ExitCode::FAILURE },
        () = stop.wait() => {
            voice.warn("a second signal: what is in hand is left, its leases end by themselves");
            voice.last_words().await;
            ExitCode::FAILURE
        }
    };
    // It answers to the end, and holds no store beyond it.
    if let Some(admin) = admin {
        admin.abort();
    }
    Ok(code)
}

/// What is there at the first line.
struct Begun {
    listener: TcpListener,
    admin: Option<(TcpListener, Arc<Admin>)>,
    health: Arc<Health>,
    serving: Arc<Serving>,
    work: Option<Work>,
}

/// Everything up to the first line.
async fn begin(config: Config, voice: &Voice) -> std::io::Result<Begun> {
    let listener = bind("listen", config.listen).await?;
    let intake = Intake::open(&config).await?;
    if let Some(words) = of_its_disk(&intake) {
        voice.warn(words);
    }
    let admin = match config.admin {
        Some(address) => Some((bind("admin", address).await?, Numbers::new(&config))),
        None => None,
    };
    let metrics = admin.as_ref().map(|(_, numbers)| numbers.metrics.clone());
    let (drain, unprotected) = (Drain::new(), config.unprotected.clone());
    let ground = Ground { intake, voice: voice.clone(), drain, unprotected, metrics };
    let (inbox, serving) = (config.inbox.clone(), Arc::new(Serving::new(config, ground)?));
    let address = |listener: &TcpListener| listener.local_addr().map(|address| address.to_string());
    let told = admin.as_ref().map(|(listener, _)| address(listener)).transpose()?;
    voice.begin(&Listening { listening: address(&listener)?, admin: told }).await?;
    let work = match (&inbox, &serving.ground.intake) {
        (Some(inbox), Intake::Kept(store)) => {
            let receivers = serving.now().receivers();
            Some(Work::start(inbox, store, Handing(Arc::clone(&serving)), receivers, &serving.ground))
        }
        _ => None,
    };
    let health = Arc::new(Health::of(Arc::clone(&serving)));
    let admin = admin.map(|(listener, numbers)| (listener, Arc::new(Admin { health: Arc::clone(&health), numbers })));
    Ok(Begun { listener, admin, health, serving, work })
}

/// Until the inbox takes nothing any more; without one, for ever.
async fn broken(work: Option<&Work>) {
    match work {
        Some(work) => work.broken().await,
        None => std::future::pending().await,
    }
}

/// Listens on the address that stands at this key.
async fn bind(key: &str, address: SocketAddr) -> std::io::Result<TcpListener> {
    let named = |error: std::io::Error| {
        let why = format!("{address} cannot be listened on: {error}; write another address at {key} in the file");
        std::io::Error::new(error.kind(), why)
    };
    TcpListener::bind(address).await.map_err(named)
}

/// Takes connections for ever.
async fn accept(listener: &TcpListener, serving: &Arc<Serving>, open: &Open, voice: &Voice) {
    let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let permit = Arc::clone(&connections).acquire_owned().await;
        match listener.accept().await {
            Ok((stream, peer)) => {
                let served = connection::serve(Arc::clone(serving), stream, peer, open.member());
                let voice = voice.clone();
                tokio::spawn(async move {
                    if let Some(rejected) = served.await {
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

/// Drains and says what is still to be said, both within the file's time. What a worker has in hand gets most of it.
/// Whether all that was in hand has ended or was given back.
async fn end(open: Open, serving: &Serving, work: Option<Work>) -> bool {
    let longest = if work.is_some() { INBOX_DRAIN } else { LONGEST_DRAIN };
    let grace = serving.now().config.drain.min(longest);
    let (deadline, voice) = (Instant::now() + grace, &serving.ground.voice);
    let worked = async {
        if let Some(work) = work {
            work.stop_within(grace - grace / 8).await;
        }
    };
    let drained = timeout_at(deadline, drain(open, &serving.ground.drain));
    let (drained, worked) = tokio::join!(drained, timeout_at(deadline, worked));
    // A connection that has brought no proved delivery by now leaves nothing undone.
    let cut_off = serving.ground.drain.finish_within(Duration::ZERO).await.err();
    match cut_off {
        Some(left) => voice.warn(format_args!(
            "{} deliveries were still in hand when the drain's time of {grace:?} was over: cut off, and whoever has no \
             answer comes again",
            left.count()
        )),
        None if drained.is_err() => voice.warn("connections were still open when the drain's time was over: closed"),
        None => {}
    }
    if worked.is_err() {
        voice.warn(
            "inbox: what was in hand at the end of the drain was not given back in time: its leases end by themselves",
        );
    }
    match serving.ground.unprotected.count() {
        0 => {}
        count => voice.warn(format_args!("warning: {count} events ran without protection against repeats")),
    }
    voice.finish(deadline).await;
    cut_off.is_none() && worked.is_ok()
}

/// Lets every connection finish its answer, and every event that is in hand its end.
async fn drain(open: Open, drain: &Drain) {
    open.end().await;
    drain.begin();
    drain.finished().await;
}
