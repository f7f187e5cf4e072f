//! `send`: the reference sender. It seals as a provider does, sends, and says what was answered.

mod args;
mod curl;
mod exchange;
mod fixtures;
mod message;
mod needs;
mod sealer;
mod sending;
mod shell;
mod target;
mod who;
mod wrong;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use tower_webhook::config::{Fault, SecretSource, TlsClient, TlsClientSpec};
use tower_webhook::provider::{Message, Provider as _};

pub(crate) use self::args::Arguments;
use self::args::{DeliveryOptions, Tamper};
use self::exchange::{Answer, attempt};
use self::message::Source;
use self::sealer::Sealer;
pub(crate) use self::sending::{Pick, Sending, is_valid};
pub(crate) use self::shell::word;
pub(crate) use self::target::Target;
use self::wrong::Wrong;
use crate::lines::{self, say};

/// How long an answer is waited for where the provider does not publish how long it waits.
const USUAL_TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) fn run(arguments: Arguments) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            say(format_args!("the runtime cannot be started: {error}"));
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(send(arguments)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(Wrong(lines)) => {
            lines.iter().for_each(say);
            ExitCode::from(2)
        }
    }
}

/// Whether stdout took the text.
fn print(text: &str) -> bool {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_ok()
}

/// Whether all went as it should.
async fn send(arguments: Arguments) -> Result<bool, Wrong> {
    if arguments.list {
        return Ok(print(&fixtures::list()));
    }
    let source = Source::read(arguments.event.as_deref().unwrap_or_default())?;
    let provider = source.provider();
    let message = source.message(&arguments.message)?;
    let sealer = sealer(&arguments, message, provider)?;
    let delivery = &arguments.delivery;
    let to = address(delivery.to.as_deref(), &sealer.sending)?;
    let https = || tls(delivery);
    let target = Target::by(&to, &sealer.sending.path, delivery.dangerous_any_host, https).await?;
    if target.tls.is_none() && (delivery.ca.is_some() || delivery.cert.is_some()) {
        return Err("--ca, --cert: mean nothing for http; write --to https://…".to_owned().into());
    }
    let mut request = sealer.seal()?;
    announce(&sealer, &request, &target);
    if delivery.dry_run {
        return Ok(print(&curl::line(&sealer, &request, &target.uri.to_string(), delivery)?));
    }
    let timeout = delivery.timeout.or(sealer.sending.provider.profile().answer_within).unwrap_or(USUAL_TIMEOUT);
    let mut is_well = true;
    for at in 0..delivery.times {
        if at > 0 && delivery.reseal {
            request = sealer.seal()?;
        }
        let answer = attempt(&target, request.clone(), timeout).await;
        is_well &= judge(&answer, sealer.tamper.is_some() || arguments.fault.stale);
        if lines::print(&answer).is_err() {
            return Ok(false);
        }
    }
    Ok(is_well)
}

/// Whom an https receiver is believed by, and by what it is told who sends.
fn tls(options: &DeliveryOptions) -> Result<TlsClient, String> {
    let mut spec = TlsClientSpec::default();
    spec.ca = options.ca.clone();
    spec.identity = options.cert.clone().zip(options.cert_key.clone().map(SecretSource::File));
    spec.build().map_err(|faults| {
        let named = |fault: &Fault| {
            let option = match fault.key.split('.').next() {
                Some("to") => "--to",
                Some("ca") => "--ca",
                Some("certificate") => "--cert",
                _ => "--cert-key",
            };
            format!("{option}: {}; {}", fault.wrong, fault.right)
        };
        faults.iter().map(named).collect::<Vec<_>>().join("\ntower-webhook: ")
    })
}

/// Puts together what is sealed, under which key and with which fault.
fn sealer(arguments: &Arguments, mut message: Message, provider: Option<&str>) -> Result<Sealer, Wrong> {
    let who = &arguments.who;
    let fault = &arguments.fault;
    // A template may sign them. They are set once more when the provider has set its own.
    for (name, value) in &arguments.message.header {
        message = message.header(name.clone(), value.clone());
    }
    let mut sending = who::sending(who, provider)?;
    if let Some(provider) = provider.filter(|provider| *provider != sending.provider_name) {
        say(format_args!("this is an event of {provider}, sent as {}", sending.provider_name));
    }
    let is_timed = sending.provider.scheme().tolerance().is_some();
    if fault.stale && !is_timed {
        sending = who::without_time(who, provider, sending)?;
    }
    if fault.tamper == Some(Tamper::Body) && !sending.provider.scheme().covers_body() {
        say(format_args!("{} proves no body: no receiver can see that it was changed", sending.provider_name));
    }
    Ok(Sealer {
        sending,
        message,
        stale: fault.stale && is_timed,
        method: arguments.message.method.clone(),
        headers: arguments.message.header.clone(),
        tamper: fault.tamper,
    })
}

fn address(to: Option<&str>, sending: &Sending) -> Result<String, Wrong> {
    if let Some(to) = to {
        return Ok(to.to_owned());
    }
    let mut listen = sending.listen.ok_or_else(|| {
        "--to: is missing, and no configuration says a fixed port; write --to http://127.0.0.1:PORT/path".to_owned()
    })?;
    if listen.ip().is_unspecified() {
        listen.set_ip(match listen {
            std::net::SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            std::net::SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    let scheme = if sending.is_tls { "https" } else { "http" };
    Ok(format!("{scheme}://{listen}"))
}

fn announce(sealer: &Sealer, request: &Request<Bytes>, target: &Target) {
    let key = match &sealer.sending.key {
        Some(key) if key.is_valid => format!(" under key {}", key.id),
        Some(key) => format!(" under key {}, which is not valid now", key.id),
        None => String::new(),
    };
    let fault = match sealer.tamper {
        Some(Tamper::Body) => ", one bit of the body flipped".to_owned(),
        Some(what) => match sealer.damaged(what) {
            Ok(name) => format!(", one bit of header {name} flipped"),
            Err(_) => String::new(),
        },
        None => String::new(),
    };
    let stale = if sealer.stale { ", sealed 31 days ago" } else { "" };
    let (method, bytes, provider) = (request.method(), request.body().len(), &sealer.sending.provider_name);
    say(format_args!("{method} {} as {provider}{key}: {bytes} bytes{fault}{stale}", target.uri));
}

/// Whether this answer is the one that should have come; if not, says so.
fn judge(answer: &Answer, should_refuse: bool) -> bool {
    if answer.status == Some(404) {
        say("answered 404: is this the right path?");
    }
    let wrong = match (answer.status, should_refuse) {
        (Some(200..=299), false) | (Some(400..=499), true) => return true,
        (Some(200..=299), true) => "accepted, and it should have been refused: the oracle is unhappy".to_owned(),
        (Some(status), false) => format!("not delivered: answered {status}"),
        (Some(status), true) => format!("answered {status}, which is no rejection"),
        (None, _) => format!("not delivered: {}", answer.error.as_deref().unwrap_or("no answer")),
    };
    say(wrong);
    false
}
