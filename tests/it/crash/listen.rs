//! The program `listen`, as the child: its first line is understood, and it comes up again on its port.

use std::fs;
use std::process::Command;

use tower_webhook::provider::Message;
use tower_webhook::sender::{DeliveryProfile, State, Tcp, Webhook};
use tower_webhook::testing::crash::{Crashing, Point};

use crate::deliveries::{TRANSFER, aella};
use crate::program::child::Folder;

#[tokio::test]
async fn the_program_dies_where_it_is_told_and_the_next_try_is_taken() {
    let folder = Folder::new();
    let path = folder.path().join("receiver.toml");
    let crashing = Crashing::new(move |listen| {
        let endpoint = "[[endpoint]]\npath = \"/aella\"\nprovider = \"aella\"\n\
            keys = [{ id = \"k\", value = \"ae_sk_test_example\" }]\n";
        fs::write(&path, format!("listen = \"{listen}\"\n{endpoint}")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_tower-webhook"));
        command.args(["listen", "--config"]).arg(&path);
        command
    });
    let child = crashing.crashes([Point::Opened]).start().await.unwrap();
    let target = format!("http://{}/aella", child.address()).parse().unwrap();
    let webhook = Webhook::new(target, aella(), DeliveryProfile::patient(), Tcp::new(child.address()).unwrap());
    webhook.send(Message::new(TRANSFER)).unwrap();
    webhook.settled().await;
    let [notification] = &webhook.history()[..] else { panic!("one was sent") };
    assert_eq!((notification.state, child.deaths().len()), (State::Sent, 1), "{:?}", notification.attempts);
}
