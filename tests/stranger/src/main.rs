use std::env::var;
use std::time::Duration;

use stranger::{Ledger, Secrets, Stop, app, serve};
use tokio::net::TcpListener;
use tower_webhook::delivery::Drain;
use tower_webhook::idempotency::RedisStore;
use tower_webhook::layers::Credentials;
use tower_webhook::secret::Secret;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let store = RedisStore::connect(&var("REDIS_URL")?).await?;
    println!("{}", store.probe().await?.lenient()?);
    let secrets = Secrets {
        bank_north: Secret::utf8(var("BANK_NORTH_KEY")?)?,
        bank_south: Secret::utf8(var("BANK_SOUTH_KEY")?)?,
        mambu: Credentials::new("mambu", Secret::utf8(var("MAMBU_PASSWORD")?)?)?,
        shop: Secret::utf8(var("SHOP_SECRET")?)?,
    };
    let drain = Drain::new();
    let app = app(secrets, &store, Ledger::default(), &drain).await?;
    let signal = async { tokio::signal::ctrl_c().await.unwrap_or_else(|fault| eprintln!("no signals: {fault}")) };
    let stop = Stop { signal, patience: Duration::from_secs(25) };
    Ok(serve(TcpListener::bind("127.0.0.1:3000").await?, app, drain, stop).await?)
}
