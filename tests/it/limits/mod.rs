//! What a peer can do to the built receiver over a real socket: requests of two meanings, slow ones, endless ones, deep
//! ones, and what they leave behind in memory and time.

mod compressed;
mod expect;
mod floods;
mod framing;
mod heads;
mod large;
mod process;
mod rate;
mod slow;

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use crate::program::child::Listener;
use crate::program::wire::{hex, hmac512};

const KEY: &str = "ae_sk_test_example";

/// How long an answer may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// `/aella`, which prints its events without what they say.
fn listener() -> Listener {
    listener_with("")
}

/// The same with this in the endpoint.
fn listener_with(setting: &str) -> Listener {
    Listener::start(&format!(
        "listen = \"127.0.0.1:0\"\nquiet_payloads = true\n[[endpoint]]\npath = \"/aella\"\nprovider = \"aella\"\n\
         keys = [{{ id = \"k\", value = \"{KEY}\" }}]\n{setting}\n"
    ))
}

fn body(id: &str) -> String {
    format!(r#"{{"event":"transfer.completed","timestamp":"2024-12-06T14:00:00Z","data":{{"id":"{id}"}}}}"#)
}

fn signature(body: &[u8]) -> String {
    hex(&hmac512(KEY.as_bytes(), &[body]))
}

/// A signed delivery with its length, on a connection that ends with it.
fn genuine(id: &str) -> Vec<u8> {
    let body = body(id);
    with_head(&format!("connection: close\r\ncontent-length: {}\r\n", body.len()), body.as_bytes(), body.as_bytes())
}

/// A delivery whose head has these lines and the signature of `signed`, and whose body has these bytes.
fn with_head(lines: &str, signed: &[u8], body: &[u8]) -> Vec<u8> {
    let signature = signature(signed);
    let head = format!("POST /aella HTTP/1.1\r\nhost: receiver\r\nx-aella-signature: {signature}\r\n{lines}\r\n");
    [head.as_bytes(), body].concat()
}

fn chunk(bytes: &str) -> String {
    format!("{:x}\r\n{bytes}\r\n", bytes.len())
}

fn connect(listener: &Listener) -> TcpStream {
    let stream = TcpStream::connect(listener.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Writes all of it and nothing more. What comes back until the connection ends, however it ends.
fn exchange(listener: &Listener, request: &[u8]) -> String {
    let mut stream = connect(listener);
    // The receiver may have closed already, since it has seen enough.
    let _ = stream.write_all(request).and_then(|()| stream.shutdown(Shutdown::Write));
    until_closed(&mut stream)
}

fn until_closed(stream: &mut TcpStream) -> String {
    let (mut all, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => all.extend_from_slice(&piece[..read]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => panic!("not closed: {all:?}"),
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// The statuses of all answers on a connection.
fn statuses(answers: &str) -> Vec<u16> {
    answers.split("HTTP/1.").skip(1).map(|answer| answer.split(' ').nth(1).unwrap().parse().unwrap()).collect()
}

/// Sends a genuine delivery, and returns what was said of events up to its own line.
fn said_until(listener: &Listener, id: &str) -> Vec<String> {
    assert_eq!(statuses(&exchange(listener, &genuine(id))), [200], "{id}");
    let mut accepted = Vec::new();
    loop {
        let line = listener.json();
        if line["verdict"] != "refused" {
            accepted.push(line["key"].as_str().unwrap_or_default().to_owned());
        }
        if line["key"] == format!("transfer.completed|{id}") {
            return accepted;
        }
    }
}
