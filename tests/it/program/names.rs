//! Providers have one name each, in the file, in `send` and in lines; `-` is taken for `_`.

use serde_json::json;

use super::child::{Listener, Program};

const BANK: &str = "sim-bc-notification-key-32-chars";

#[test]
fn a_hyphen_is_taken_for_an_underscore_and_lines_have_the_one_name() {
    for name in ["banking_circle", "banking-circle"] {
        let config = format!(
            "listen = \"127.0.0.1:0\"\n[[endpoint]]\npath = \"/bank\"\nprovider = \"{name}\"\n\
             keys = [{{ id = \"k\", value = \"{BANK}\" }}]\n"
        );
        let listener = Listener::start(&config);
        for event in ["banking_circle/outgoing-payment-booked", "banking-circle/outgoing-payment-booked"] {
            for who in [["--config", listener.config().to_str().unwrap()], ["--provider", name]] {
                let url = listener.url("/bank");
                let mut arguments = vec!["send", event, "--to", &url];
                arguments.extend(who);
                if who[0] == "--provider" {
                    arguments.extend(["--key-env", "KEY"]);
                }
                let done = Program::new(arguments.iter().copied()).env("KEY", BANK).run();
                assert_eq!(done.code, Some(0), "{arguments:?}: {done:?}");
                assert!(done.stderr.contains(" as banking_circle"), "{done:?}");
                assert!(!done.stderr.contains("sent as"), "its own event: {done:?}");
            }
        }
        assert_eq!(listener.json()["provider"], json!("banking_circle"));
    }
}

#[test]
fn the_names_of_events_begin_with_those_of_providers_and_no_others_are_known() {
    let list = Program::new(["send", "--list"]).run().stdout;
    let known = ["aella", "banking_circle", "mambu", "opp", "sibs", "standard_webhooks"];
    for name in &list {
        assert!(known.iter().any(|known| name.starts_with(&format!("{known}/"))), "{name}");
    }
    for wrong in ["bankingcircle/batch", "banking circle/batch", "batch", "banking_circle/batch/"] {
        let done =
            Program::new(["send", wrong, "--provider", "aella", "--key-env", "K", "--to", "http://[::1]:1"]).run();
        assert_eq!(done.code, Some(2), "{wrong}: {done:?}");
    }
}
