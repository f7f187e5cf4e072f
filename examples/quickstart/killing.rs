//! The receiver is killed while a hundred transfers are under way, and started again on the same file.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tower_webhook::error::BoxError;
use tower_webhook::sender::{Tcp, Transport as _};

use crate::child::Receiver;
use crate::common::Who::Aella;
use crate::keys::Which;
use crate::ledger::Ledger;
use crate::messages::{self, fresh};
use crate::outcome::Answers;
use crate::report::Report;
use crate::sabotage::Sabotage;
use crate::script::Case;
use crate::sender::seal;

const TRANSFERS: usize = 100;
/// So many are answered before it is killed.
const BEFORE: usize = 40;
/// How long a provider waits before it comes again, and how often it does. Theirs are minutes.
const PAUSE: Duration = Duration::from_millis(50);
const TRIES: usize = 100;

/// Sends them all at once, kills the receiver among them, starts it again, and waits until all are answered and handled.
pub(crate) async fn act(
    receiver: Receiver,
    ledger: &Ledger,
    sabotage: Option<Sabotage>,
    folder: &Path,
    report: &mut Report,
) -> Result<Receiver, BoxError> {
    let address = receiver.address;
    let to = Tcp::new(address)?;
    let before = ledger.mark();
    let (mut events, mut senders) = (Vec::new(), JoinSet::new());
    for number in 0..TRANSFERS {
        let message = fresh(Aella, &format!("killed-{number}"));
        events.extend(messages::events(Aella, &message)?);
        senders.spawn(until_taken(to.clone(), seal(Aella, Which::Current, message)?));
    }

    let mut answers = Answers::default();
    let mut answered = async |answers: &mut Answers, count| -> Result<(), BoxError> {
        for _ in 0..count {
            answers.add(senders.join_next().await.ok_or("all are answered")???, false);
        }
        Ok(())
    };
    answered(&mut answers, BEFORE).await?;
    receiver.kill()?;
    if sabotage == Some(Sabotage::Disk) {
        std::fs::remove_dir_all(folder)?;
        std::fs::create_dir_all(folder)?;
    }
    let receiver = Receiver::start(ledger, sabotage, folder, address.port()).await?;
    answered(&mut answers, TRANSFERS - BEFORE).await?;

    let mut case = Case::new(
        Aella,
        "100 transfers, the receiver killed",
        seal(Aella, Which::Current, fresh(Aella, "killed"))?,
        Answers::several(200, TRANSFERS),
    );
    case.events = events;
    let seen = ledger.since(before, TRANSFERS).await;
    report.note_killed(case, &answers, &seen);
    Ok(receiver)
}

/// As a provider does: again, until it is answered 2xx.
async fn until_taken(to: Tcp, request: Request<Bytes>) -> Result<u16, BoxError> {
    for _ in 0..TRIES {
        match to.exchange(request.clone()).await {
            Ok(answer) if answer.status.is_success() => return Ok(answer.status.as_u16()),
            // Nobody is there, or it broke off half-way: nobody knows whether it was stored.
            Ok(_) | Err(_) => sleep(PAUSE).await,
        }
    }
    Err("a transfer was not taken".into())
}
