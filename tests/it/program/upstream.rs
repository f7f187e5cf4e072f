//! A service behind the program: what it is sent is seen, and what it answers is told.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use super::wire::{Raw, hex, hmac512};

/// An upstream that reads one request at a time, hands it over, and answers what it is told.
pub(crate) struct Upstream {
    pub(crate) address: String,
    pub(crate) seen: Receiver<String>,
    pub(crate) answers: Sender<&'static str>,
}

impl Upstream {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (saw, seen) = mpsc::channel();
        let (answers, answer) = mpsc::channel::<&'static str>();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                saw.send(request_text(&stream)).unwrap();
                let Ok(answer) = answer.recv() else { return };
                let _ = stream.write_all(format!("HTTP/1.1 {answer}\r\nconnection: close\r\n\r\n").as_bytes());
            }
        });
        Self { address, seen, answers }
    }
}

/// The next request of this connection.
pub(super) fn request_text(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let mut text = String::new();
    while !text.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut text).unwrap() > 0, "the connection ended in the head");
    }
    let length = text.to_ascii_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    text + &String::from_utf8(body).unwrap()
}

pub(crate) fn forwarding(to: &str) -> String {
    format!(
        "listen = \"127.0.0.1:0\"\n[[endpoint]]\npath = \"/aella\"\nprovider = \"aella\"\n\
         keys = [{{ id = \"k\", value = \"ae_sk_test_example\" }}]\nforward_to = \"http://{to}/hooks?a=b\"\n\
         forward_timeout = \"1s\"\n"
    )
}

pub(crate) const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

pub(crate) fn aella(id: &str) -> Raw {
    let body = format!(r#"{{"event":"transfer.completed","timestamp":"2024-12-06T14:00:00Z","data":{{"id":"{id}"}}}}"#);
    let signature = hex(&hmac512(b"ae_sk_test_example", &[body.as_bytes()]));
    let headers = [
        ("x-aella-signature", signature),
        ("cookie", "canary=1".into()),
        ("keep-alive", "canary".into()),
        ("tower-webhook-fence", "99".into()),
        ("x-request-id", "r-1".into()),
        ("traceparent", TRACE.into()),
    ];
    Raw::new("/aella", &headers, body)
}
