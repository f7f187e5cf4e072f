//! What of a configuration is refused, and what is taken with a warning.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::child::{Folder, Listener, Program};
use super::upstream::aella;

pub(super) fn faults(config: &str) -> Vec<String> {
    let folder = Folder::new();
    let path = folder.write("receiver.toml", config);
    let done = Program::new(["listen".into(), "--config".into(), path.clone().into_os_string()]).run();
    assert_eq!((done.code, done.stdout.len()), (Some(2), 0), "{done:?}");
    let start = format!("tower-webhook: {}: ", path.display());
    done.stderr.lines().map(|line| line.strip_prefix(&start).unwrap_or_else(|| panic!("{line}")).to_owned()).collect()
}

const AELLA: &str = "[[endpoint]]\npath = \"/aella\"\nprovider = \"aella\"\n";
const KEYS: &str = "keys = [{ id = \"k\", value = \"ae_sk_test_example\" }]\n";

/// Starts and stops it, and returns its warnings.
fn warnings(config: &str) -> Vec<String> {
    let done = Listener::start(config).stop();
    assert_eq!(done.code, Some(0), "{done:?}");
    done.stderr.lines().map(str::to_owned).collect()
}

#[test]
fn what_makes_no_sense_as_nothing_is_refused_as_zero() {
    for (key, zero) in [
        ("max_body", "0"),
        ("max_body", "0KiB"),
        ("body_deadline", "0s"),
        ("write_deadline", "0ms"),
        ("drain", "0s"),
        ("endpoint[0].max_body", "0"),
        ("endpoint[0].forward_timeout", "0s"),
        ("endpoint[0].retention", "0d"),
        ("dedupe.lease", "0s"),
        ("dedupe.retention", "0s"),
    ] {
        for zero in [format!("\"{zero}\""), "0".to_owned()] {
            let setting = format!("{} = {zero}\n", key.rsplit('.').next().unwrap());
            let config = match key.split_once('.') {
                None => format!("{setting}{AELLA}{KEYS}"),
                Some(("dedupe", _)) => format!("{AELLA}{KEYS}[dedupe]\n{setting}"),
                Some(_) => format!("{AELLA}{KEYS}forward_to = \"http://127.0.0.1:1\"\n{setting}"),
            };
            let told = faults(&config);
            assert!(told.iter().any(|line| line.starts_with(&format!("{key}: "))), "{key} {zero}: {told:?}");
        }
    }
    let least = format!(
        "max_body = 1\nbody_deadline = \"1ms\"\nwrite_deadline = \"1ms\"\ndrain = \"1ms\"\n{AELLA}{KEYS}\
         forward_to = \"http://127.0.0.1:1\"\nforward_timeout = \"1ms\"\nmax_body = 1\n"
    );
    assert_eq!(warnings(&least), Vec::<String>::new());
}

#[test]
fn a_misspelt_key_of_the_file_itself_is_refused_though_all_else_is_right() {
    let told = faults(&format!("body_deadlin = \"1s\"\n{AELLA}{KEYS}"));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("body_deadlin: is not known here; known are"), "{told:?}");
    assert_eq!(warnings(&format!("body_deadline = \"1s\"\n{AELLA}{KEYS}")), Vec::<String>::new());
}

#[test]
fn keys_that_open_nothing_are_refused_and_one_of_several_is_a_warning() {
    let key = |id: &str, times: &str| format!("{{ id = \"{id}\", value = \"ae_sk_test_example\"{times} }}");
    let config = |keys: &[String]| format!("{AELLA}keys = [{}]\n", keys.join(", "));
    let over = || key("old", ", not_after = \"2020-01-01T00:00:00Z\"");
    let early = || key("new", ", not_before = \"2999-01-01T00:00:00Z\"");
    let good = || key("good", ", not_before = \"2020-01-01T00:00:00Z\", not_after = \"2999-01-01T00:00:00Z\"");

    for (start, end) in
        [("2027-01-01T00:00:00Z", "2026-01-01T00:00:00Z"), ("2027-01-01T00:00:00Z", "2027-01-01T00:00:00Z")]
    {
        let upside_down = key("up", &format!(", not_before = \"{start}\", not_after = \"{end}\""));
        let told = faults(&config(&[good(), upside_down]));
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("endpoint[0].keys[1].not_after: does not lie behind not_before; "), "{told:?}");
    }
    for keys in [vec![over()], vec![over(), over().replace("old", "older")]] {
        let told = faults(&config(&keys));
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("endpoint[0].keys: all are over; "), "{told:?}");
    }
    assert_eq!(warnings(&config(&[good()])), Vec::<String>::new());
    let told = warnings(&config(&[good(), over()]));
    assert_eq!(told, ["tower-webhook: warning: /aella: the key old is over since 2020-01-01T00:00:00Z"]);
    for keys in [vec![early()], vec![over(), early()]] {
        let told = warnings(&config(&keys));
        assert!(
            told.iter().any(|line| line.ends_with("/aella: no key is valid yet: every delivery is refused")),
            "{told:?}"
        );
    }
}

#[test]
fn a_file_of_a_secret_that_others_may_read_is_a_warning() {
    let folder = Folder::new();
    let file = folder.write("key", "ae_sk_test_example\n");
    let config = format!("{AELLA}keys = [{{ id = \"k\", file = \"{}\" }}]\n", file.display());
    let start = format!("tower-webhook: warning: endpoint[0].keys[0].file: {}", file.display());
    for (mode, warns) in [(0o600, false), (0o400, false), (0o640, true), (0o604, true), (0o644, true)] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let told = warnings(&config);
        assert_eq!(told.len(), usize::from(warns), "{mode:o}: {told:?}");
        assert!(told.iter().all(|line| line.starts_with(&start) && line.contains("others may read")), "{told:?}");
    }

    let public = folder.write("key.pem", include_str!("../../fixtures/asymmetric/rsa-2048.pub.pem"));
    fs::set_permissions(&public, fs::Permissions::from_mode(0o644)).unwrap();
    let config = format!(
        "[[endpoint]]\npath = \"/rsa\"\nprovider = \"custom\"\nkeys = [{{ id = \"k\", file = \"{}\" }}]\n\
         scheme = {{ signature = \"rsa-pkcs1-sha256\", header = \"x-signature\" }}\nkey = {{ json = \"/id\" }}\n",
        public.display()
    );
    assert_eq!(warnings(&config), Vec::<String>::new(), "a public key is no secret");
}

#[test]
fn a_byte_order_mark_and_a_line_end_around_a_secret_in_a_file_are_no_part_of_it() {
    let folder = Folder::new();
    for (around, status) in [(("", ""), 200), (("\u{feff}", "\r\n"), 200), (("\u{feff}\u{feff}", ""), 401)] {
        let key = folder.write("key", format!("{}ae_sk_test_example{}", around.0, around.1));
        let listener = Listener::start(&format!("{AELLA}keys = [{{ id = \"k\", file = \"{}\" }}]\n", key.display()));
        assert_eq!(aella("1").send(listener.address()).status, status, "{around:?}");
    }
}

#[test]
fn a_signature_that_covers_no_body_is_refused_unless_danger_is_named() {
    let config = |proof: &str, value: &str, more: &str| {
        format!(
            "[[endpoint]]\npath = \"/x\"\nprovider = \"custom\"\nkeys = [{{ id = \"k\", value = \"{value}\", encoding = \"hex\" }}]\n\
             scheme = {{ {proof}, header = \"x-signature\", signed = \"{{header:x-id}}\" }}\nkey = {{ header = \"x-id\" }}\n{more}\n"
        )
    };
    let ed25519 = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
    for (proof, value) in [("mac = \"hmac-sha256\"", &ed25519[..32]), ("signature = \"ed25519\"", ed25519)] {
        for more in ["", "dangerous_unsigned_body = false"] {
            let told = faults(&config(proof, value, more));
            assert_eq!(told.len(), 1, "{told:?}");
            assert!(told[0].starts_with("endpoint[0].scheme.signed: "), "{told:?}");
            assert!(told[0].contains("dangerous_unsigned_body = true"), "{told:?}");
        }
        assert_eq!(warnings(&config(proof, value, "dangerous_unsigned_body = true")), Vec::<String>::new());
        let whole = config(proof, value, "").replace("{header:x-id}", "{header:x-id}.{body}");
        assert_eq!(warnings(&whole), Vec::<String>::new());
    }
}

#[test]
fn two_endpoints_of_one_name_and_provider_share_their_keys_and_say_so() {
    let twin = |path: &str, name: &str| {
        format!("{AELLA}{KEYS}name = \"{name}\"\n").replace("\"/aella\"", &format!("\"{path}\""))
    };
    assert_eq!(warnings(&format!("{}{}", twin("/a", "one"), twin("/b", "two"))), Vec::<String>::new());
    let told = warnings(&format!("{}{}", twin("/a", "one"), twin("/b", "one")));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("/a and /b have one name (\"one\") and one provider: "), "{told:?}");
    let other = "[[endpoint]]\npath = \"/b\"\nname = \"one\"\nprovider = \"mambu\"\n\
        basic_auth = [{ username = \"u\", password = { value = \"correct horse\" } }]\n";
    let told = faults(&format!("{}{other}", twin("/a", "one")));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("endpoint[1].name: the name \"one\" belongs to another receiver"), "{told:?}");
}
