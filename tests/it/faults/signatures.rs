//! How a signature is read and compared.

use http::{HeaderMap, HeaderValue};
use serde_json::Value;
use tower_webhook::clock::Timestamp;
use tower_webhook::encoding::Encoding;
use tower_webhook::scheme::{self, MacAlgorithm, Scheme as _, Signed};
use tower_webhook::secret::Secret;

use super::{BODY, Judge, KEY, Kept, SIGNATURE, good, must, ours, sha1, sha256, signed, text};

fn prefixes_prove_nothing(judge: Judge<'_>) -> Kept {
    let good = good();
    must(judge(&signed(&good), BODY), "the whole is refused")?;
    for length in 0..good.len() {
        must(!judge(&signed(&good[..length]), BODY), format!("{length} letters are enough"))?;
    }
    must(!judge(&signed(&format!("{good}00")), BODY), "more letters are none too many")
}

#[test]
fn a_bare_prefix_of_a_signature_proves_nothing() {
    assert_eq!(prefixes_prove_nothing(&ours), Ok(()));
    let up_to_the_shorter =
        |headers: &HeaderMap, _: &[u8]| text(headers).bytes().zip(good().bytes()).all(|(a, b)| a == b);
    assert_eq!(prefixes_prove_nothing(&up_to_the_shorter), Err("0 letters are enough".into()));
}

fn blanks_prove_nothing(judge: Judge<'_>) -> Kept {
    must(judge(&signed(&good()), BODY), "a signature is refused")?;
    must(!judge(&HeaderMap::new(), BODY), "no header is enough")?;
    for blank in ["", " ", "\t ", "sha256=", "sha256= "] {
        must(!judge(&signed(blank), BODY), format!("{blank:?} is enough"))?;
    }
    let mut twice = signed(&good());
    twice.append(SIGNATURE, HeaderValue::from_static("sha256=00"));
    must(!judge(&twice, BODY), "two headers are enough")
}

#[test]
fn a_missing_or_blank_header_proves_nothing() {
    assert_eq!(blanks_prove_nothing(&ours), Ok(()));
    let only_if_there = |headers: &HeaderMap, _: &[u8]| !headers.contains_key(SIGNATURE) || text(headers) == good();
    assert_eq!(blanks_prove_nothing(&only_if_there), Err("no header is enough".into()));
    let only_if_some = |headers: &HeaderMap, body: &[u8]| {
        headers.contains_key(SIGNATURE) && (text(headers).is_empty() || ours(headers, body))
    };
    assert_eq!(blanks_prove_nothing(&only_if_some), Err("\"\" is enough".into()));
    let the_first = |headers: &HeaderMap, _: &[u8]| text(headers) == good();
    assert_eq!(blanks_prove_nothing(&the_first), Err("two headers are enough".into()));
}

fn the_message_chooses_nothing(judge: Judge<'_>) -> Kept {
    must(judge(&signed(&good()), BODY), "the algorithm of the configuration is refused")?;
    let weaker = sha1(KEY.as_bytes(), BODY);
    let strong = sha256(KEY.as_bytes(), BODY);
    for other in
        [format!("sha1={weaker}"), format!("sha256={weaker}"), format!("none={strong}"), "none=".to_owned(), strong]
    {
        must(!judge(&signed(&other), BODY), format!("{} is taken", other.split('=').next().unwrap_or_default()))?;
    }
    Ok(())
}

#[test]
fn an_algorithm_that_the_message_names_is_not_the_one_that_is_used() {
    assert_eq!(the_message_chooses_nothing(&ours), Ok(()));
    let by_its_name = |headers: &HeaderMap, body: &[u8]| match text(headers).split_once('=') {
        Some(("sha1", given)) => given == sha1(KEY.as_bytes(), body),
        Some(("sha256", given)) => given == sha256(KEY.as_bytes(), body),
        _ => false,
    };
    assert_eq!(the_message_chooses_nothing(&by_its_name), Err("sha1 is taken".into()));
}

/// A list of signatures, as senders have it that change their keys.
fn ours_of_a_list(headers: &HeaderMap, body: &[u8]) -> bool {
    let signed = Signed::new(SIGNATURE, Encoding::Hex).list(" ").prefix("v1,");
    let scheme = scheme::Hmac::new(MacAlgorithm::HmacSha256, signed, Secret::utf8(KEY).unwrap()).unwrap();
    scheme.open(headers, body.to_vec().into(), Timestamp::UNIX_EPOCH).is_ok()
}

fn only_one_that_fits_counts(judge: Judge<'_>) -> Kept {
    let (fits, other) = (sha256(KEY.as_bytes(), BODY), sha256(b"another key, which is not ours", BODY));
    for list in [
        format!("v1,{fits}"),
        format!("v1,{other} v1,{fits}"),
        format!("v1,{fits} v1,{other}"),
        format!("v2,x v1,{fits}"),
    ] {
        must(judge(&signed(&list), BODY), format!("refused: {list}"))?;
    }
    let (front, back) = fits.split_at(32);
    for list in [
        format!("v1,{other}"),
        format!("v1,{other} v1,{other}"),
        format!("v2,{fits}"),
        format!("v1,{other} v1a,{fits}"),
        fits.clone(),
        format!("v1{fits}"),
        format!("v1,{other},{fits}"),
        format!("v1,{front} {back}"),
        format!("v1,{front} v1,{back}"),
        format!("v1, {fits}"),
        "v1,".to_owned(),
        "v1, v1,".to_owned(),
        format!("{}v1,{fits}", "v1,00 ".repeat(16)),
    ] {
        must(!judge(&signed(&list), BODY), format!("accepted: {list}"))?;
    }
    Ok(())
}

#[test]
fn of_several_signatures_one_must_fit_whole_and_under_its_own_version() {
    assert_eq!(only_one_that_fits_counts(&ours_of_a_list), Ok(()));
    let said = |judge: Judge<'_>| only_one_that_fits_counts(judge).unwrap_err();
    let anywhere = |headers: &HeaderMap, body: &[u8]| text(headers).contains(&sha256(KEY.as_bytes(), body));
    assert!(said(&anywhere).starts_with("accepted: v2,"));
    let the_first = |headers: &HeaderMap, body: &[u8]| {
        text(headers).split(' ').next() == Some(format!("v1,{}", sha256(KEY.as_bytes(), body)).as_str())
    };
    assert!(said(&the_first).starts_with("refused: v1,"));
    let of_any_version = |headers: &HeaderMap, body: &[u8]| {
        let good = sha256(KEY.as_bytes(), body);
        text(headers).split(' ').any(|item| item.rsplit(',').next() == Some(good.as_str()))
    };
    assert!(said(&of_any_version).starts_with("accepted: v2,"));
}

/// Parsed and written anew, the same document has other bytes.
fn bytes_are_signed(judge: Judge<'_>) -> Kept {
    must(judge(&signed(&good()), BODY), "what was signed is refused")?;
    let anew = serde_json::to_vec(&serde_json::from_slice::<Value>(BODY).unwrap()).unwrap();
    assert_ne!(anew, BODY);
    must(!judge(&signed(&good()), &anew), "what was written anew is taken")?;
    let twice = b"{\"id\": \"8\", \"id\": \"7\", \"amount\": 100.50}";
    must(!judge(&signed(&good()), twice), "a name that stands twice is taken")
}

#[test]
fn a_signature_is_over_the_bytes_that_came_and_not_over_what_they_say() {
    assert_eq!(bytes_are_signed(&ours), Ok(()));
    let written = |body: &[u8]| serde_json::to_vec(&serde_json::from_slice::<Value>(body).unwrap()).unwrap();
    // Whoever signs what it has parsed refuses what its sender signed,
    let over_json = |headers: &HeaderMap, body: &[u8]| {
        text(headers) == format!("sha256={}", sha256(KEY.as_bytes(), &written(body)))
    };
    assert_eq!(bytes_are_signed(&over_json), Err("what was signed is refused".into()));
    // and whoever compares documents takes what nobody signed.
    let same_document = |headers: &HeaderMap, body: &[u8]| text(headers) == good() && written(body) == written(BODY);
    assert_eq!(bytes_are_signed(&same_document), Err("what was written anew is taken".into()));
}
