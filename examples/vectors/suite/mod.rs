//! The vectors, as files: what is sent, how it is forged, and what our own receiver makes of each.

mod http1;
mod index;
mod judge;
mod made;
mod refused;
mod seeded;
mod senders;

use std::collections::BTreeMap;
use std::error::Error;

use tower_webhook::clock::Timestamp;

use self::index::{Configuration, Index, Vector};
use self::judge::Judge;
use self::made::{Expected, Made, Workshop};
use self::senders::Sender;

pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// By their names within the folder.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// The time at which all of them are received.
const TIME: &str = "2026-11-21T14:00:00Z";

/// All that is random in them comes from this.
const SEED: u64 = 20_261_121;

/// Makes all of them, and the index. The same on every machine.
pub(crate) async fn files() -> Result<Files, BoxError> {
    let now: Timestamp = TIME.parse()?;
    let mut files = Files::new();
    let mut index = Index::new(SEED, TIME);
    for sender in senders::all() {
        let workshop = Workshop::new(&sender, now)?;
        index.configurations.insert(sender.name, Configuration::of(&sender, &workshop.endpoint)?);
        let judge = Judge::new(sender.toml, workshop.now)?;
        for made in made::accepted(&workshop)?.into_iter().chain(refused::all(&workshop)?) {
            let raw = http1::write(&made.request);
            index.vectors.push(vector(&sender, &workshop, &judge, &made, &raw).await?);
            if files.insert(made.file.clone(), raw).is_some() {
                return Err(format!("{} is made twice", made.file).into());
            }
        }
    }
    let mut text = serde_json::to_vec_pretty(&index)?;
    text.push(b'\n');
    files.insert("index.json".to_owned(), text);
    Ok(files)
}

/// Our receiver's verdict, which must be the one that it was made for.
async fn vector(
    sender: &Sender,
    workshop: &Workshop<'_>,
    judge: &Judge,
    made: &Made,
    raw: &[u8],
) -> Result<Vector, BoxError> {
    let found = judge.judge(raw).await?;
    let why = found.why.map(|kind| kind.as_str());
    let is_as_made = match made.expected {
        Expected::Accepted => (200..300).contains(&found.status) && !found.events.is_empty(),
        Expected::Refused(kind) => {
            (400..500).contains(&found.status) && kind.is_none_or(|kind| found.why == Some(kind))
        }
    };
    if !is_as_made {
        return Err(format!("{}: {:?}, and is answered {} ({why:?})", made.file, made.expected, found.status).into());
    }
    Ok(Vector {
        file: made.file.clone(),
        configuration: sender.name,
        provider: workshop.endpoint.provider_name(),
        scheme: workshop.scheme(),
        received_at: workshop.now.as_second(),
        verdict: if why.is_none() { "accepted" } else { "refused" },
        status: found.status,
        events: found.events,
        why,
        of: made.of.clone(),
    })
}
