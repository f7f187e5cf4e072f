//! What a request allocates: counted, and held. Not a test of time: the counts are the same on every machine.
//!
//! One thread, no network: each request goes straight into the router. The first ones are not counted; of the others the
//! middle one is, since now and then a store's map grows. Printed is what a request allocates beyond the bare handler of the
//! same traffic, whose own allocations are axum's. It fails when a count is higher than the one that is written here.
//!
//! ```sh
//! cargo bench --bench allocations
//! ```

#[path = "../pipeline/apps.rs"]
mod apps;
#[path = "../pipeline/deliveries.rs"]
mod deliveries;
#[path = "../pipeline/envelope.rs"]
mod envelope;
#[cfg(feature = "metrics")]
#[path = "../../src/bin/tower-webhook/listen/exposition.rs"]
#[allow(dead_code, reason = "nobody reads the numbers here")]
mod exposition;
#[path = "../inbox_engine/place.rs"]
mod place;

use allocation_counter::{AllocationInfo, measure};
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::Request;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;
use tower_webhook::Receiver;
use tower_webhook::error::BoxError;
use tower_webhook::inbox::SqliteInbox;

use deliveries::Senders;
use place::Place;

const WARM: usize = 64;
const COUNTED: usize = 65;

/// A way to serve.
struct Variant {
    name: &'static str,
    what: &'static str,
    app: Router,
    /// So many allocations may a request make beyond those of the bare handler. `None`: it is not ours.
    most: Option<u64>,
}

fn main() -> Result<(), BoxError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut senders = Senders::new()?;
    let ours = |name, what, app, most| Variant { name, what, app, most: Some(most) };
    let other = |name, what, app| Variant { name, what, app, most: None };
    let place = Place::new()?;
    let inbox = runtime.block_on(SqliteInbox::open(place.file()))?;
    let aella = [
        ours("verify", "`VerifyLayer` before axum, `Bytes`", apps::verify()?, 6),
        ours("no-parse", "Basic, HMAC, claim", apps::no_parse()?, 6),
        ours("no-dedupe", "Basic, HMAC, typed event", apps::no_dedupe()?, 8),
        ours("full", "Basic, HMAC, claim, typed event", apps::full()?, 8),
        #[cfg(feature = "metrics")]
        ours("metrics", "the same, numbers for Prometheus", apps::metrics()?, 8),
        ours("inbox", "Basic, HMAC, typed event, stored", stored(&inbox)?, 18),
        other("from-str", "axum, UTF-8 check and `from_str`", apps::from_str()),
        other("json", "axum, `Json<T>`", apps::json()),
    ];
    let opp = [ours("opp", "hex, AES-GCM, claim, typed event", apps::opp()?, 16)];
    let large = [ours("full-64k", "the full stack, 64 KB", apps::full()?, 8)];
    println!("{:10} {:36} {:>12} {:>5} {:>8}", "variant", "what it does", "allocations", "most", "bytes");
    let mut held = check(&runtime, aella, || senders.aella(WARM + COUNTED))?;
    held &= check(&runtime, opp, || senders.opp(WARM + COUNTED))?;
    held &= check(&runtime, large, || senders.large(WARM + COUNTED, 64 * 1024))?;
    if held { Ok(()) } else { Err("more allocations than are written in benches/allocations/main.rs".into()) }
}

/// The events of the full stack, into a durable inbox. What its writer allocates is not counted, which has its own thread.
fn stored(inbox: &SqliteInbox) -> Result<Router, BoxError> {
    let receiver = Receiver::new("aella", deliveries::aella()?).basic_auth(&apps::basic()?);
    Ok(Router::new().route_service("/", receiver.inbox(inbox)))
}

fn check(
    runtime: &Runtime,
    variants: impl IntoIterator<Item = Variant>,
    mut requests: impl FnMut() -> Result<Vec<Request<Bytes>>, BoxError>,
) -> Result<bool, BoxError> {
    let bare = count(runtime, &apps::bare(), requests()?)?;
    println!("{:10} {:36} {:>12} {:>5} {:>8}", "bare", "axum, `Bytes`", bare.count_total, "", bare.bytes_total);
    let mut held = true;
    for Variant { name, what, app, most } in variants {
        let info = count(runtime, &app, requests()?)?;
        let count = info.count_total.saturating_sub(bare.count_total);
        let bytes = info.bytes_total.saturating_sub(bare.bytes_total);
        let written = most.map(|most| most.to_string()).unwrap_or_default();
        println!("{name:10} {what:36} {count:>12} {written:>5} {bytes:>8}");
        held &= most.is_none_or(|most| count <= most);
    }
    Ok(held)
}

/// What the middle one of the requests allocates.
fn count(runtime: &Runtime, app: &Router, requests: Vec<Request<Bytes>>) -> Result<AllocationInfo, BoxError> {
    // As a server does: what waits for a state is made once, and not for each request.
    let app: Router = app.clone().with_state(());
    let mut counts = Vec::with_capacity(requests.len());
    for request in requests {
        let (request, app) = (request.map(Body::from), app.clone());
        let mut status = None;
        let info = measure(|| status = runtime.block_on(app.oneshot(request)).map(|answer| answer.status()).ok());
        if !status.is_some_and(|status| status.is_success()) {
            return Err(format!("answered {status:?}").into());
        }
        counts.push(info);
    }
    let mut counts = counts.split_off(WARM);
    counts.sort_by_key(|info| info.count_total);
    counts.get(counts.len() / 2).copied().ok_or_else(|| "no requests".into())
}
