//! SIGHUP: reads the file again, and serves by it if it has no fault.

use std::sync::Arc;

use super::notify::Notify;
use super::serving::{Serving, Unfit};
use super::stop::Hangups;
use crate::lines::Reloaded;
use crate::reading::File;

/// Answers each signal. It never ends.
pub(super) async fn follow(mut hangups: Hangups, serving: Arc<Serving>, file: File, notify: Arc<Notify>) {
    loop {
        hangups.next().await;
        notify.reloading();
        let reloaded = once(&serving, &file).await;
        serving.ground.voice.say(&Reloaded { reloaded });
        // It serves, by whichever file.
        notify.ready();
    }
}

async fn once(serving: &Serving, file: &File) -> bool {
    let file = file.clone();
    // Files are read and stderr is written here, which may take a while.
    let Ok(Ok(config)) = tokio::task::spawn_blocking(move || file.receiving()).await else { return false };
    let voice = &serving.ground.voice;
    match serving.replace(config).await {
        Ok(()) => return true,
        Err(Unfit::Faults(faults)) => faults.iter().for_each(|fault| voice.warn(fault)),
        Err(Unfit::Store(error)) => voice.warn(error),
    }
    false
}
