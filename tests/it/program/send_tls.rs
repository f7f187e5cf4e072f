//! `send` over https, to our own `listen`: to whom the receiver proves itself, and to nobody else.

use std::path::Path;

use super::certificates::Authority;
use super::child::{Done, Folder, Listener, Program};
use super::tls::with_tls;

/// Sends an event there, with these arguments more.
fn send(to: &str, more: &[&str]) -> Done {
    let event = ["send", "aella/transfer.completed", "--provider", "aella", "--key-env", "KEY", "--to", to];
    Program::new(event.iter().chain(more).copied()).env("KEY", "ae_sk_test_example").run()
}

fn of(folder: &Folder, name: &str) -> String {
    folder.path().join(name).display().to_string()
}

fn port(listener: &Listener) -> &str {
    listener.address().rsplit(':').next().unwrap()
}

#[test]
fn a_receiver_that_proves_itself_is_sent_to_and_one_that_does_not_gets_nothing() {
    let folder = Folder::new();
    let ca = Authority::new(&folder, "ca");
    let _other = Authority::new(&folder, "other");
    let (pem, key) = ca.signs("server", "server");
    let listener = Listener::start(&with_tls(&pem, &key, ""));
    let (ours, others) = (of(&folder, "ca.pem"), of(&folder, "other.pem"));
    for host in ["localhost", "127.0.0.1"] {
        let to = format!("https://{host}:{}/aella", port(&listener));
        let done = send(&to, &["--ca", &ours, "--times", "2"]);
        assert_eq!(done.code, Some(0), "{done:?}");
        assert_eq!(done.json().iter().map(|line| line["status"].clone()).collect::<Vec<_>>(), [200, 200], "{done:?}");
        // The key of an event is in its body.
        let verdict = if host == "localhost" { "accepted" } else { "duplicate" };
        assert_eq!(listener.json()["verdict"], verdict, "{host}");
        assert_eq!(listener.json()["verdict"], "duplicate", "{host}");
        let forged = send(&to, &["--ca", &ours, "--tamper"]);
        assert_eq!((forged.code, &forged.json()[0]["status"]), (Some(0), &401.into()), "{forged:?}");
        assert_eq!(listener.json()["status"], 401, "{host}");

        for more in [&["--ca", others.as_str()][..], &[]] {
            // Where nothing is named, a machine that has other roots, or none.
            let done = send(&to, more);
            let line = done.json().first().map(|line| line["error"].to_string()).unwrap_or_default();
            match done.code {
                Some(2) => assert!(
                    more.is_empty() && done.stderr.contains("--to: is https, and this machine believes no"),
                    "{done:?}"
                ),
                code => {
                    assert_eq!(code, Some(1), "{done:?}");
                    assert!(line.contains("the receiver is not believed: invalid peer certificate"), "{done:?}");
                    let told: Vec<_> = done.stderr.lines().filter(|line| line.contains("not delivered")).collect();
                    assert!(told.len() == 1 && told[0].contains("give the PEM file"), "{done:?}");
                }
            }
            assert_eq!(listener.json()["kind"], "tls_handshake", "{host}: nothing came");
        }
    }
    let plain = send(&format!("http://{}/aella", listener.address()), &[]);
    assert_eq!(plain.code, Some(1), "{plain:?}");
}

#[test]
fn a_receiver_of_another_name_is_not_believed() {
    let folder = Folder::new();
    let ca = Authority::new(&folder, "ca");
    let (pem, key) = ca.signs("elsewhere", "elsewhere");
    let listener = Listener::start(&with_tls(&pem, &key, ""));
    let done = send(&format!("https://localhost:{}/aella", port(&listener)), &["--ca", &of(&folder, "ca.pem")]);
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(!done.stderr.contains("--ca"), "it would not help: {done:?}");
    assert!(done.stderr.contains("is not believed: ") && done.stderr.contains("not valid for name"), "{done:?}");
}

#[test]
fn a_receiver_that_wants_a_certificate_gets_the_one_that_is_named() {
    let folder = Folder::new();
    let (ca, senders, others) =
        (Authority::new(&folder, "ca"), Authority::new(&folder, "senders"), Authority::new(&folder, "others"));
    let (pem, key) = ca.signs("server", "server");
    let more = format!(", client_ca = \"{}\"", senders.pem().display());
    let listener = Listener::start(&with_tls(&pem, &key, &more));
    let to = format!("https://localhost:{}/aella", port(&listener));
    let by = |(certificate, key): (&Path, &Path)| {
        let (certificate, key) = (certificate.display().to_string(), key.display().to_string());
        send(&to, &["--ca", &of(&folder, "ca.pem"), "--cert", &certificate, "--cert-key", &key])
    };
    let (own, strange) = (senders.signs("sender", "client"), others.signs("stranger", "client"));
    let done = by((&own.0, &own.1));
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(listener.json()["verdict"], "accepted");
    assert_eq!(by((&strange.0, &strange.1)).code, Some(1));
    assert_eq!(send(&to, &["--ca", &of(&folder, "ca.pem")]).code, Some(1), "without one");
    let mixed = by((&own.0, &strange.1));
    assert_eq!(mixed.code, Some(2), "{mixed:?}");
    assert!(mixed.stderr.contains("--cert-key: does not belong to the certificate"), "{mixed:?}");
}

#[test]
fn a_file_that_listens_with_a_certificate_is_sent_to_by_https() {
    let folder = Folder::new();
    let ca = Authority::new(&folder, "ca");
    let (pem, key) = ca.signs("server", "server");
    let listener = Listener::start(&with_tls(&pem, &key, ""));
    let file = folder.write("sender.toml", with_tls(&pem, &key, "").replace("127.0.0.1:0", listener.address()));
    let by_file = ["send", "aella/transfer.completed", "--config", file.to_str().unwrap()];
    let done = Program::new(by_file.iter().copied().chain(["--ca", &of(&folder, "ca.pem")])).run();
    assert_eq!(done.code, Some(0), "{done:?}");
    let line = Program::new(by_file.iter().copied().chain(["--ca", &of(&folder, "ca.pem"), "--dry-run"])).run();
    assert!(line.stdout[0].contains(&format!("--cacert '{}'", of(&folder, "ca.pem"))), "{line:?}");
    let done = Program::other("sh", ["-c", &line.stdout.join("\n")]).run();
    assert!(done.stdout.iter().any(|line| line.contains(" 200")), "{done:?}");
}
