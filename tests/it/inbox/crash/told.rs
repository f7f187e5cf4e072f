//! A signal to stop while handlers are at work: what they have in hand is given back. The control is a kill.

use std::process::Command;
use std::time::Duration;

use tower_webhook::inbox::{Filter, InboxStore as _};

use super::place::{Kind, for_each_engine};
use super::scene::{HANGING, How, send, start};
use crate::crash::ledger::Ledger;

for_each_engine!(what_is_in_hand_is_given_back_uncounted_to_the_next_process);

async fn what_is_in_hand_is_given_back_uncounted_to_the_next_process(kind: Kind) {
    for (signal, attempts, step) in [("-TERM", 1, "given back"), ("-KILL", 2, "lease ended")] {
        let (ledger, place) = (Ledger::new(), kind.place().await);
        let child = start(&ledger, &place, How::Hanging, vec![]).await;
        let count = usize::try_from(HANGING).unwrap();
        let (keys, _) = send(&child, count).await;
        while ledger.judge(&keys).calls.len() < count {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let id = child.id().unwrap().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        tokio::time::timeout(Duration::from_secs(10), child.risen(1)).await.expect("it ends in time").unwrap();

        let stats = place.settled().await;
        assert_eq!((stats.done, stats.ready + stats.running + stats.dead), (HANGING, 0), "{signal}: {stats:?}");
        assert_eq!(child.deaths()[0].status.success(), signal == "-TERM");
        let judged = ledger.judge(&keys);
        assert!(
            judged.is_exactly_once() && judged.calls.values().all(|calls| calls.len() == 2),
            "{signal}: {judged:?}"
        );
        let inbox = place.visit().await;
        for stored in inbox.list(&Filter::default(), 100).await.unwrap() {
            let steps = inbox.show(stored.id).await.unwrap().unwrap().steps;
            assert_eq!(stored.attempts, attempts, "{signal}: {stored:?}");
            assert!(steps.iter().any(|(_, what, _)| what == step), "{signal}: {steps:?}");
        }
    }
}
