//! The store in Redis.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use tokio::task::JoinSet;
use tower_webhook::error::BoxError;
use tower_webhook::idempotency::{Claim, DedupeStore as _, Held, RedisStore, StoredResponse, Terms};

use crate::rates::{Rounds, real};
use crate::server::{Server, stay_on_core};
use crate::{Plan, event, key, token};

/// Tasks, claims in a round, and the ratio to `redis-benchmark` to reach.
const LOADS: [(u64, u64, &str); 4] =
    [(1, 10_000, ">= 0.85"), (16, 50_000, ""), (64, 80_000, ">= 2"), (256, 80_000, "")];
const KEYS: u64 = 1_000_000;
const RETENTION: Duration = Duration::from_secs(28 * 24 * 3600);

pub(crate) fn print(plan: Plan) -> Result<(), BoxError> {
    let server = Server::start()?;
    if std::thread::available_parallelism().map_or(1, usize::from) > 1 {
        stay_on_core(1)?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    println!("Redis: claims a second, and as ratios of two references in the same round (median, middle half)\n");
    println!(
        "{:>5} {:11} {:>9}  {:19} {:>7}  {:19}",
        "tasks", "what", "a second", "of redis-benchmark", "reach", "of SET NX PX alone"
    );
    for (tasks, claims, reach) in LOADS {
        let figures = runtime.block_on(load(&server, plan, tasks, claims / plan.part))?;
        for (what, rates, reach) in [
            ("benchmark", &figures.benchmark, ""),
            ("SET NX PX", &figures.plain, ""),
            ("claim", &figures.claim, reach),
            ("repeat", &figures.repeat, ""),
            ("completion", &figures.completion, ""),
        ] {
            let (of_benchmark, of_plain) = (rates.of(&figures.benchmark), rates.of(&figures.plain));
            let rate = rates.median();
            println!("{tasks:5} {what:11} {rate:9.0}  {of_benchmark:19} {reach:>7}  {of_plain:19}");
        }
    }
    runtime.block_on(sizes(&server, KEYS / plan.part))
}

#[derive(Default)]
struct Figures {
    benchmark: Rounds,
    plain: Rounds,
    claim: Rounds,
    repeat: Rounds,
    completion: Rounds,
}

async fn load(server: &Server, plan: Plan, tasks: u64, claims: u64) -> Result<Figures, BoxError> {
    let store = Arc::new(RedisStore::connect(&server.url()).await?);
    let plain = server.client()?.get_multiplexed_async_connection().await?;
    let mut figures = Figures::default();
    for round in 0..=plan.rounds {
        let mut told = [0.0; 5];
        for turn in 0..3 {
            server.empty()?;
            match (round + turn) % 3 {
                0 => told[0] = server.benchmark(tasks, claims)?,
                1 => {
                    let plain = plain.clone();
                    told[1] = rate(tasks, claims, move |number| set(plain.clone(), number)).await?;
                }
                _ => {
                    let [claim, completion, repeat] = [&store; 3].map(Arc::clone);
                    told[2] = rate(tasks, claims, move |number| first(Arc::clone(&claim), number)).await?;
                    told[4] = rate(tasks, claims, move |number| done(Arc::clone(&completion), number)).await?;
                    told[3] = rate(tasks, claims, move |number| again(Arc::clone(&repeat), number)).await?;
                }
            }
        }
        // The first round is for connections and page faults.
        if round > 0 {
            let Figures { benchmark, plain, claim, repeat, completion } = &mut figures;
            for (rounds, told) in [benchmark, plain, claim, repeat, completion].into_iter().zip(told) {
                rounds.0.push(told);
            }
        }
    }
    Ok(figures)
}

/// How often a second so many tasks do it, each number once.
async fn rate<F>(tasks: u64, times: u64, run: impl Fn(u64) -> F + Send + Clone + 'static) -> Result<f64, BoxError>
where
    F: Future<Output = Result<(), BoxError>> + Send,
{
    let next = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let mut set = JoinSet::new();
    for _ in 0..tasks {
        let (next, run) = (Arc::clone(&next), run.clone());
        set.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= times {
                    return Ok::<(), BoxError>(());
                }
                run(number).await?;
            }
        });
    }
    while let Some(ended) = set.join_next().await {
        ended??;
    }
    Ok(real(times)? / start.elapsed().as_secs_f64())
}

async fn set(mut connection: MultiplexedConnection, number: u64) -> Result<(), BoxError> {
    let key = format!("whd1:{{{number:043}}}");
    let record = format!("P{number:016}{number:016}1;90a3e3d0");
    let set = redis::cmd("SET").arg(key).arg(record).arg("NX").arg("PX").arg(2_419_200_000_u64).to_owned();
    match set.query_async(&mut connection).await? {
        redis::Value::Okay => Ok(()),
        other => Err(format!("SET NX of a new key said {other:?}").into()),
    }
}

async fn claim(store: &RedisStore, number: u64, by: u64) -> Result<Claim, BoxError> {
    Ok(store.claim(&key(number), &token(by), &event(), &Terms::new(RETENTION)).await?)
}

async fn first(store: Arc<RedisStore>, number: u64) -> Result<(), BoxError> {
    match claim(&store, number, number).await? {
        Claim::Acquired { fence: 1, other_payload: false } => Ok(()),
        other => Err(format!("a new key: {other:?}").into()),
    }
}

async fn again(store: Arc<RedisStore>, number: u64) -> Result<(), BoxError> {
    match claim(&store, number, u64::MAX).await? {
        Claim::Done { fence: 1, .. } => Ok(()),
        other => Err(format!("a done key: {other:?}").into()),
    }
}

async fn done(store: Arc<RedisStore>, number: u64) -> Result<(), BoxError> {
    let response = StoredResponse::new(http::StatusCode::OK, None, bytes::Bytes::new());
    match store.complete(&key(number), &token(number), &response, RETENTION).await? {
        Held::Ok => Ok(()),
        lost => Err(format!("a completion: {lost:?}").into()),
    }
}

/// Bytes a key that the server uses.
async fn sizes(server: &Server, keys: u64) -> Result<(), BoxError> {
    println!("\nRedis: bytes a key at {keys} keys\n");
    let plain = server.client()?.get_multiplexed_async_connection().await?;
    let store = Arc::new(RedisStore::connect(&server.url()).await?);
    server.empty()?;
    let empty = server.used()?;
    let bytes = |server: &Server| Ok::<_, BoxError>((server.used()?.saturating_sub(empty)) / keys);
    rate(256, keys, move |number| bare(plain.clone(), number)).await?;
    let bare = bytes(server)?;
    server.empty()?;
    let claim = Arc::clone(&store);
    rate(256, keys, move |number| first(Arc::clone(&claim), number)).await?;
    let held = bytes(server)?;
    rate(256, keys, move |number| done(Arc::clone(&store), number)).await?;
    let done = bytes(server)?;
    for (what, bytes) in [("a key of 36 bytes, SET NX PX, value 1", bare), ("held", held), ("done, empty 200", done)] {
        println!("{what:38} {bytes:5}  {:.2}", real(bytes)? / real(bare)?);
    }
    Ok(())
}

async fn bare(mut connection: MultiplexedConnection, number: u64) -> Result<(), BoxError> {
    let key = format!("{number:036}");
    Ok(redis::cmd("SET").arg(key).arg(1).arg("NX").arg("PX").arg(2_419_200_000_u64).exec_async(&mut connection).await?)
}
