//! `Expect: 100-continue`: the body is asked for once the head is admitted, and of a refused head never.

use std::io::{BufRead as _, BufReader, Write as _};

use super::{body, connect, listener, signature, statuses, until_closed};

fn head(path: &str, method: &str, lines: &str, length: usize) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\nexpect: 100-continue\r\ncontent-length: {length}\r\n\
         {lines}\r\n"
    )
}

#[test]
fn an_admitted_head_is_asked_for_its_body_and_then_answered() {
    let listener = listener();
    let event = body("1");
    for (signed, status) in [(event.as_bytes(), 200), (b"another", 401)] {
        let mut stream = connect(&listener);
        let lines = format!("x-aella-signature: {}\r\n", signature(signed));
        stream.write_all(head("/aella", "POST", &lines, event.len()).as_bytes()).unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let (mut asked, mut blank) = (String::new(), String::new());
        reader.read_line(&mut asked).unwrap();
        reader.read_line(&mut blank).unwrap();
        assert_eq!((asked.as_str(), blank.as_str()), ("HTTP/1.1 100 Continue\r\n", "\r\n"));
        stream.write_all(event.as_bytes()).unwrap();
        assert_eq!(statuses(&until_closed(&mut stream)), [status]);
    }
}

#[test]
fn a_refused_head_is_answered_at_once_and_never_asked_for_its_body() {
    let listener = listener();
    let event = body("1");
    let signed = format!("x-aella-signature: {}\r\n", signature(event.as_bytes()));
    for (name, path, method, lines, length, status) in [
        ("no signature", "/aella", "POST", String::new(), event.len(), 401),
        ("a signature that is none", "/aella", "POST", "x-aella-signature: zz\r\n".to_owned(), event.len(), 400),
        ("a signature twice", "/aella", "POST", signed.repeat(2), event.len(), 400),
        ("another method", "/aella", "PUT", signed.clone(), event.len(), 405),
        ("compressed", "/aella", "POST", format!("content-encoding: gzip\r\n{signed}"), event.len(), 415),
        ("no endpoint", "/nowhere", "POST", signed.clone(), event.len(), 404),
        ("too long", "/aella", "POST", signed.clone(), 1 << 40, 413),
    ] {
        let mut stream = connect(&listener);
        stream.write_all(head(path, method, &lines, length).as_bytes()).unwrap();
        // The receiver waits for a while for a body that may come after all.
        let mut first = String::new();
        BufReader::new(stream).read_line(&mut first).unwrap();
        assert_eq!(statuses(&first), [status], "{name}");
    }
}
