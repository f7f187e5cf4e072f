//! `explain` for bodies that come compressed: by the endpoint's policy, and what would be right where the sender signs otherwise.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::child::{Done, Folder, Program};
use super::wire::{Raw, hex, hmac512};

const KEY: &str = "ae_sk_test_canary";
const BODY: &str =
    r#"{"event":"transfer.completed","data":{"id":"7b","narration":"canary of the payload","amount":1}}"#;

fn config() -> String {
    let endpoint = |policy: &str| {
        format!(
            "[[endpoint]]\npath = \"/{policy}\"\nprovider = \"aella\"\ngzip = \"{policy}\"\nmax_body = \"64KiB\"\n\
             keys = [{{ id = \"k\", value = \"{KEY}\" }}]\n"
        )
    };
    ["refuse", "signed_as_sent", "signed_plain"].map(endpoint).concat()
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn explain(policy: &str, codings: &[&str], signed: &[u8], sent: &[u8]) -> Done {
    let mut headers = vec![("x-aella-signature", hex(&hmac512(KEY.as_bytes(), &[signed])))];
    headers.extend(codings.iter().map(|coding| ("content-encoding", (*coding).to_owned())));
    let folder = Folder::new();
    let config = folder.write("receiver.toml", config());
    let program = Program::new(["explain".into(), "--config".into(), config.into_os_string()]);
    let done = program.stdin(Raw::new(&format!("/{policy}"), &headers, sent).bytes()).run();
    assert!(!done.said().contains("canary"), "{}", done.said());
    done
}

#[test]
fn a_compressed_body_is_explained_by_the_endpoint_s_policy() {
    let zipped = gzip(BODY.as_bytes());
    let as_sent = format!("which is taken: what is signed is the {} bytes as they came", zipped.len());
    let plain = format!("which is taken: what is signed is the {} bytes that {} come to", BODY.len(), zipped.len());
    for (policy, signed, said) in
        [("signed_as_sent", &zipped[..], &as_sent[..]), ("signed_plain", BODY.as_bytes(), &plain)]
    {
        for coding in ["gzip", "x-gzip", " GZip"] {
            let done = explain(policy, &[coding], signed, &zipped);
            assert_eq!(done.code, Some(0), "{policy}: {}", done.said());
            for words in
                [said, "it fits the key k", "transfer.completed (key transfer.completed|7b", "accepted: 1 event"]
            {
                assert!(done.said().contains(words), "{policy}: {words} is not in {}", done.said());
            }
        }
    }
    // What is not compressed is explained as ever.
    let done = explain("signed_plain", &[], BODY.as_bytes(), BODY.as_bytes());
    assert_eq!(done.code, Some(0), "{}", done.said());
}

#[test]
fn a_signature_that_fits_by_another_policy_is_found_and_the_policy_named() {
    let zipped = gzip(BODY.as_bytes());
    let (is_plain, is_sent) =
        ("what is signed is what the body is decompressed to", "what is signed is the compressed bytes");
    for (policy, signed, verdict, cause, fix) in [
        ("signed_as_sent", BODY.as_bytes(), "401 signature_mismatch", is_plain, "write gzip = \"signed_plain\""),
        ("signed_plain", &zipped[..], "401 signature_mismatch", is_sent, "write gzip = \"signed_as_sent\""),
        ("refuse", BODY.as_bytes(), "415 content_encoding_unsupported", is_plain, "write gzip = \"signed_plain\""),
        ("refuse", &zipped, "415 content_encoding_unsupported", "the body is compressed", "let the endpoint take gzip"),
    ] {
        let done = explain(policy, &["gzip"], signed, &zipped);
        let said = done.said();
        assert_eq!(done.code, Some(1), "{policy}: {said}");
        for words in [&format!("refused: {verdict}")[..], cause, fix] {
            assert!(said.contains(words), "{policy}: {words} is not in {said}");
        }
    }
    for policy in ["signed_as_sent", "signed_plain"] {
        let done = explain(policy, &["gzip"], b"something else", &zipped);
        let said = done.said();
        assert!(done.code == Some(1) && said.contains("no variation fits"), "{policy}: {said}");
        assert!(!said.contains(is_plain) && !said.contains(is_sent), "{policy}: {said}");
    }
}

#[test]
fn a_body_that_does_not_come_out_is_refused_as_the_gate_refuses_it() {
    let zipped = gzip(BODY.as_bytes());
    let bomb = gzip(&vec![b' '; 1 << 20]);
    let cut = &zipped[..zipped.len() - 1];
    for (policy, sent, verdict, words) in [
        (
            "signed_plain",
            cut,
            "400 body_malformed",
            "the body cannot be decompressed: the body is not gzip, or breaks off",
        ),
        (
            "signed_as_sent",
            cut,
            "400 body_malformed",
            "the body cannot be decompressed: the body is not gzip, or breaks off",
        ),
        ("signed_plain", &bomb, "413 body_too_large", "raise max_body"),
        ("signed_as_sent", &bomb, "413 body_too_large", "raise max_body"),
        (
            "signed_plain",
            BODY.as_bytes(),
            "400 body_malformed",
            "a proxy that decompresses the body and leaves its header",
        ),
    ] {
        let done = explain(policy, &["gzip"], sent, sent);
        let said = done.said();
        assert_eq!(done.code, Some(1), "{policy}: {said}");
        assert!(said.contains(&format!("refused: {verdict}")) && said.contains(words), "{policy}: {said}");
    }
    let done = explain("signed_plain", &["gzip", "gzip"], BODY.as_bytes(), &zipped);
    assert!(
        done.code == Some(1) && done.said().contains("refused: 415 content_encoding_unsupported"),
        "{}",
        done.said()
    );
}
