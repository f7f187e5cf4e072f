//! Requests that a proxy and a receiver could read in two ways: each is refused, or read in the one way that all share, and
//! never is an event handled that stands where only one of them looks.

use std::collections::BTreeSet;

use super::{body, chunk, exchange, genuine, listener, listener_with, said_until, signature, statuses, with_head};

const CODED: &str = "transfer-encoding: chunked\r\n";

/// A request; the statuses of its answers, of which the first is of the request itself.
type Row = (&'static str, Vec<u8>, &'static [u16]);

/// Each has an event that is signed as it would be read in the wrong way.
fn rows() -> Vec<Row> {
    let event = body("smuggled");
    let (length, bytes) = (event.len(), event.as_bytes());
    let chunked = chunk(&event) + "0\r\n\r\n";
    let twice = chunk(&chunked) + "0\r\n\r\n";
    let plain = |lines: &str| with_head(lines, bytes, bytes);
    let pieces = |lines: &str, pieces: &str| with_head(lines, bytes, pieces.as_bytes());
    let coded = |pieces: &str| with_head(CODED, bytes, pieces.as_bytes());
    let inner = String::from_utf8(genuine("smuggled")).unwrap();
    let other = body("other");
    let trailing = format!(
        "POST /aella HTTP/1.1\r\nhost: a\r\n{CODED}trailer: x-aella-signature\r\n\r\n{}0\r\n\
         x-aella-signature: {}\r\n\r\n",
        chunk(&event),
        signature(bytes)
    );
    vec![
        (
            "a length, then chunked, and a request behind the end of the chunks",
            pieces(&format!("content-length: {}\r\n{CODED}", 5 + inner.len()), &format!("0\r\n\r\n{inner}")),
            &[401],
        ),
        (
            "chunked, then the length of what is no chunk",
            plain(&format!("{CODED}content-length: {length}\r\n")),
            &[400],
        ),
        ("two lengths that differ", plain(&format!("content-length: {length}\r\ncontent-length: 5\r\n")), &[400]),
        ("two lengths in one line", plain(&format!("content-length: {length}, {length}\r\n")), &[400]),
        ("a length with a plus", plain(&format!("content-length: +{length}\r\n")), &[400]),
        ("a length with a minus", plain(&format!("content-length: -{length}\r\n")), &[400]),
        ("a length in hexadecimal", plain(&format!("content-length: 0x{length:x}\r\n")), &[400]),
        ("a length of nothing", plain("content-length: \r\n"), &[400]),
        ("a length beyond 64 bits", plain(&format!("content-length: {}\r\n", (1_u128 << 64) + length as u128)), &[400]),
        (
            "chunked twice, in one line",
            with_head("transfer-encoding: chunked, chunked\r\n", bytes, chunked.as_bytes()),
            &[400],
        ),
        ("chunked twice, in two lines", with_head(&CODED.repeat(2), bytes, twice.as_bytes()), &[400]),
        (
            "compressed, then chunked",
            with_head("transfer-encoding: gzip, chunked\r\n", bytes, chunked.as_bytes()),
            &[400],
        ),
        (
            "identity as transfer coding",
            plain(&format!("transfer-encoding: identity\r\ncontent-length: {length}\r\n")),
            &[400],
        ),
        ("chunked, and not last", plain("transfer-encoding: chunked, identity\r\n"), &[400]),
        (
            "what only begins like chunked",
            pieces(&format!("transfer-encoding: xchunked\r\ncontent-length: {length}\r\n"), &event),
            &[400],
        ),
        ("chunked behind a control", pieces("transfer-encoding: \u{b}chunked\r\n", &chunked), &[400]),
        (
            "chunked in HTTP/1.0",
            String::from_utf8(coded(&chunked)).unwrap().replacen("HTTP/1.1", "HTTP/1.0", 1).into(),
            &[400],
        ),
        ("a space before the colon of a length", plain(&format!("content-length : {length}\r\n")), &[400]),
        ("a space before the colon of a coding", pieces("transfer-encoding : chunked\r\n", &chunked), &[400]),
        ("a coding on a folded line", pieces("transfer-encoding:\r\n chunked\r\n", &chunked), &[400]),
        ("a length on a folded line", plain(&format!("x-a: b\r\n content-length: {length}\r\n")), &[400]),
        ("a coding hidden behind a bare LF", plain(&format!("content-length: {length}\r\nx-a: b\n{CODED}")), &[400]),
        ("a length hidden behind a bare CR", plain(&format!("x-a: b\rcontent-length: {length}\r\n")), &[400]),
        ("a name that is no name", plain(&format!("content-length\0: {length}\r\n")), &[400]),
        ("a line without a colon", plain(&format!("content-length {length}\r\n")), &[400]),
        ("a bare LF behind the size of a chunk", coded(&chunked.replacen("\r\n", "\n", 1)), &[400]),
        ("a bare LF in the extension of a chunk", coded(&chunked.replacen("\r\n", ";a\n", 1)), &[400]),
        ("no line end behind a chunk", coded(&format!("{length:x}\r\n{event}XX0\r\n\r\n")), &[400]),
        ("a chunk of a size with a plus", coded(&format!("+{chunked}")), &[400]),
        ("a chunk of a size in 0x", coded(&format!("0x{chunked}")), &[400]),
        ("a chunk of a size beyond 64 bits", coded(&format!("10000000000000000{chunked}")), &[400]),
        (
            "an extension of a megabyte",
            coded(&chunked.replacen("\r\n", &format!(";a={}\r\n", "b".repeat(1 << 20)), 1)),
            &[400],
        ),
        ("a hundred thousand small extensions", coded(&"1;a=b\r\n \r\n".repeat(100_000)), &[400]),
        ("no last chunk", coded(&chunk(&event)), &[400]),
        ("the signature in the trailers", trailing.into(), &[401]),
        ("a length that is too small", plain("content-length: 5\r\n"), &[401, 400]),
        ("a length that is too large", plain(&format!("content-length: {}\r\n", length + 1)), &[400]),
        (
            "the signature twice",
            plain(&format!("content-length: {length}\r\nX-Aella-Signature: {}\r\n", signature(bytes))),
            &[400],
        ),
        (
            // Its own receiver reads it as a body, whatever stands in it.
            "a request in the body of another",
            with_head(&format!("content-length: {}\r\n", inner.len()), other.as_bytes(), inner.as_bytes()),
            &[401],
        ),
    ]
}

#[test]
fn what_can_be_read_in_two_ways_is_never_handled() {
    let listener = listener();
    let rows = rows();
    assert!(rows.len() >= 20);
    let mut wrong = Vec::new();
    for (name, request, expected) in &rows {
        let answers = statuses(&exchange(&listener, request));
        if answers != *expected {
            wrong.push(format!("{name}: {answers:?} and not {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(said_until(&listener, "genuine"), ["transfer.completed|genuine"]);
}

/// Whatever a request is refused for: where its end can be read in two ways, what stands behind it may be no request.
#[test]
fn nothing_follows_a_refusal_whose_end_can_be_read_in_two_ways() {
    const WRONG: &str = "authorization: Basic dTp3cm9uZw==\r\n";
    let strangers = [
        ("sources = [\"192.0.2.0/24\"]", "", "/aella", 403),
        ("basic_auth = [{ username = \"u\", password = { value = \"right\" } }]", WRONG, "/aella", 401),
        ("", "", "/nobody", 404),
    ];
    for (setting, lines, path, status) in strangers {
        let listener = listener_with(setting);
        for (coding, answers) in [("gzip, chunked", 1), ("chunked, chunked", 1), ("chunked", 2)] {
            let head = with_head(&format!("{lines}transfer-encoding: {coding}\r\n"), b"", b"0\r\n\r\n");
            let behind = with_head(&format!("{lines}connection: close\r\ncontent-length: 0\r\n"), b"", b"");
            let both = String::from_utf8([head, behind].concat()).unwrap().replace("/aella", path);
            assert_eq!(statuses(&exchange(&listener, both.as_bytes())), vec![status; answers], "{setting}: {coding}");
        }
    }
}

#[test]
fn what_all_read_in_one_way_is_handled_once_each() {
    let listener = listener();
    let mut ids = BTreeSet::new();
    for (name, lines, of) in [
        ("a length", "content-length: {}\r\n", None),
        ("two lengths that are equal", "content-length: {}\r\nContent-Length: {}\r\n", None),
        ("a length behind spaces", "content-length: \t {} \r\n", None),
        ("lines that end in a bare LF", "x-a: b\ncontent-length: {}\n", None),
        ("one chunk", "transfer-encoding: chunked\r\n", Some(usize::MAX)),
        (
            "one chunk, and a length that does not count",
            "content-length: 5\r\ntransfer-encoding: chunked\r\n",
            Some(1000),
        ),
        ("one chunk, in capitals", "Transfer-Encoding: CHUNKED\r\n", Some(usize::MAX)),
        ("chunks of one byte", "transfer-encoding: chunked\r\n", Some(1)),
    ] {
        let id = format!("n{}", ids.len());
        let event = body(&id);
        let sent = match of {
            None => event.clone(),
            Some(most) => {
                let pieces = event.as_bytes().chunks(most.min(event.len()));
                pieces.map(|piece| chunk(std::str::from_utf8(piece).unwrap())).collect::<String>() + "0\r\n\r\n"
            }
        };
        let lines = lines.replace("{}", &event.len().to_string());
        let request = with_head(&lines, event.as_bytes(), sent.as_bytes());
        assert_eq!(statuses(&exchange(&listener, &request)), [200], "{name}");
        ids.insert(format!("transfer.completed|{id}"));
    }
    let event = body("last");
    let extended = chunk(&event).replacen("\r\n", ";name=\"value\"\r\n", 1) + "0\r\nx-trailer: ignored\r\n\r\n";
    let request = with_head("transfer-encoding: chunked\r\n", event.as_bytes(), extended.as_bytes());
    assert_eq!(statuses(&exchange(&listener, &request)), [200], "an extension and a trailer");
    ids.extend(["transfer.completed|last".to_owned(), "transfer.completed|genuine".to_owned()]);
    let said = said_until(&listener, "genuine");
    assert_eq!((said.len(), said.into_iter().collect::<BTreeSet<_>>()), (ids.len(), ids));
}
