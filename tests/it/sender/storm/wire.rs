//! The same over sockets: a server by hand that reads requests as it should, but for one flaw.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tower_webhook::sender::storm::{Fault, Storm};
use tower_webhook::sender::{Broken, Conduct, Ledger, Tcp, Transport as _};

use super::wrong::{self, Receiver};

/// What a server does wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Flaw {
    None,
    /// It knows no chunks.
    KnowsLengthsAlone,
    /// It takes what one read brings for the whole body.
    ReadsOnce,
    /// It ends for ever at a request that does not come as it expects.
    DiesOfWhatIsOdd,
    /// It takes a body that is not whole for one that is, whatever proves it.
    TakesWhatCame,
    /// It closes a connection behind a refusal without a word, and what comes on it is refused.
    RefusesBehindARefusal,
    /// It does not know an expectation.
    RefusesToExpect,
    /// It handles every copy.
    ForgetsWhoseAnswerWasLost,
}

/// The flaw that this conduct finds, and the promise that is broken then.
fn found_by(conduct: Conduct) -> (Flaw, Broken) {
    match conduct {
        Conduct::Chunked { .. } => (Flaw::KnowsLengthsAlone, Broken::WronglyRefused),
        Conduct::Slow { .. } => (Flaw::ReadsOnce, Broken::WronglyRefused),
        Conduct::StallsBeforeTheLast | Conduct::Lies(_) => (Flaw::TakesWhatCame, Broken::WronglyAccepted),
        Conduct::BehindRefused => (Flaw::RefusesBehindARefusal, Broken::WronglyRefused),
        Conduct::ExpectsContinue => (Flaw::RefusesToExpect, Broken::WronglyRefused),
        Conduct::Resets(tower_webhook::sender::Cut::BehindBody) => {
            (Flaw::ForgetsWhoseAnswerWasLost, Broken::HandledTwice)
        }
        _ => (Flaw::DiesOfWhatIsOdd, Broken::Unsettled),
    }
}

const DEADLINE: Duration = Duration::from_millis(300);
const MAX_BODY: usize = 1024 * 1024;

struct Server {
    flaw: Flaw,
    receiver: Receiver,
    is_dead: AtomicBool,
}

/// Why a request is none.
enum Odd {
    /// The connection ended.
    Gone,
    /// It was reset.
    Reset,
    /// Answered so.
    Refused(u16),
}

impl From<io::Error> for Odd {
    fn from(_: io::Error) -> Self {
        Self::Reset
    }
}

impl Server {
    async fn serve(self: Arc<Self>, mut stream: TcpStream) {
        let mut read = Vec::new();
        let mut has_refused = false;
        loop {
            let ended = timeout(DEADLINE, self.request(&mut stream, &mut read)).await.unwrap_or(Err(Odd::Refused(408)));
            let status = match ended {
                _ if self.is_dead.load(Ordering::Relaxed) => return,
                Err(Odd::Reset) if self.flaw == Flaw::DiesOfWhatIsOdd => {
                    return self.is_dead.store(true, Ordering::Relaxed);
                }
                Err(_) if self.flaw == Flaw::DiesOfWhatIsOdd && !read.is_empty() => {
                    return self.is_dead.store(true, Ordering::Relaxed);
                }
                Ok(_) if self.flaw == Flaw::DiesOfWhatIsOdd && has_ended(&stream).await => {
                    return self.is_dead.store(true, Ordering::Relaxed);
                }
                Err(Odd::Gone | Odd::Reset) => return,
                Err(Odd::Refused(status)) => status,
                Ok(_) if has_refused && self.flaw == Flaw::RefusesBehindARefusal => 400,
                Ok(request) => match self.receiver.exchange(request).await {
                    Ok(answer) => answer.status.as_u16(),
                    Err(_) => 500,
                },
            };
            has_refused |= status >= 400;
            let closes = matches!(status, 400 | 408 | 413);
            let connection = if closes { "close" } else { "keep-alive" };
            let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: {connection}\r\n\r\n");
            if stream.write_all(answer.as_bytes()).await.is_err() || closes {
                return;
            }
        }
    }

    async fn request(&self, stream: &mut TcpStream, read: &mut Vec<u8>) -> Result<Request<Bytes>, Odd> {
        let end = loop {
            match read.windows(4).position(|window| window == b"\r\n\r\n") {
                Some(end) => break end + 4,
                None => more(stream, read).await?,
            }
        };
        let head = String::from_utf8(read[..end].to_vec()).map_err(|_| Odd::Refused(400))?;
        if !head.contains(" HTTP/1.1\r\n") {
            return Err(Odd::Refused(400));
        }
        read.drain(..end);
        let mut lines = head.trim_end().lines();
        let path = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or("/").to_owned();
        let mut headers = HeaderMap::new();
        for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
            headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        }
        if headers.contains_key("expect") && self.flaw == Flaw::RefusesToExpect {
            return Err(Odd::Refused(417));
        }
        let body = self.body(stream, read, &headers).await?;
        let mut request = Request::new(Bytes::from(body));
        *request.uri_mut() = path.parse().map_err(|_| Odd::Refused(400))?;
        *request.headers_mut() = headers;
        Ok(request)
    }

    async fn body(&self, stream: &mut TcpStream, read: &mut Vec<u8>, headers: &HeaderMap) -> Result<Vec<u8>, Odd> {
        if headers.contains_key("transfer-encoding") && self.flaw != Flaw::KnowsLengthsAlone {
            return chunks(stream, read).await;
        }
        let length = headers.get("content-length").and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        let length = length.unwrap_or_default();
        if self.flaw == Flaw::TakesWhatCame {
            let wanted = length.min(MAX_BODY);
            while read.len() < wanted && timeout(DEADLINE / 3, more(stream, read)).await.is_ok_and(|it| it.is_ok()) {}
            return Ok(std::mem::take(read));
        }
        if length > MAX_BODY {
            return Err(Odd::Refused(413));
        }
        while read.len() < length {
            more(stream, read).await?;
            if self.flaw == Flaw::ReadsOnce {
                break;
            }
        }
        let length = length.min(read.len());
        Ok(read.drain(..length).collect())
    }
}

async fn chunks(stream: &mut TcpStream, read: &mut Vec<u8>) -> Result<Vec<u8>, Odd> {
    let mut all = Vec::new();
    loop {
        let line = line(stream, read).await?;
        let size = line.split(';').next().unwrap_or_default();
        let size = usize::from_str_radix(size, 16).map_err(|_| Odd::Refused(400))?;
        if size == 0 {
            // Trailers, and the line behind them.
            while !self::line(stream, read).await?.is_empty() {}
            return Ok(all);
        }
        while read.len() < size + 2 {
            more(stream, read).await?;
        }
        all.extend(read.drain(..size));
        read.drain(..2);
    }
}

async fn line(stream: &mut TcpStream, read: &mut Vec<u8>) -> Result<String, Odd> {
    loop {
        if let Some(end) = read.windows(2).position(|window| window == b"\r\n") {
            let line = String::from_utf8_lossy(&read[..end]).into_owned();
            read.drain(..end + 2);
            return Ok(line);
        }
        more(stream, read).await?;
    }
}

async fn more(stream: &mut TcpStream, read: &mut Vec<u8>) -> Result<(), Odd> {
    match stream.read_buf(read).await? {
        0 => Err(Odd::Gone),
        _ => Ok(()),
    }
}

/// Whether the peer has closed its side.
async fn has_ended(stream: &TcpStream) -> bool {
    let looked = timeout(Duration::from_millis(5), stream.peek(&mut [0])).await;
    looked.is_ok_and(|read| read.is_ok_and(|read| read == 0))
}

/// A run over sockets against a server with this flaw, with these faults.
async fn run(flaw: Flaw, faults: &str) -> (Ledger, String, bool) {
    let ledger = Ledger::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = Tcp::new(listener.local_addr().unwrap()).unwrap();
    let inside = match flaw {
        Flaw::ForgetsWhoseAnswerWasLost => Receiver::that_handles_every_copy(&ledger),
        Flaw::TakesWhatCame => Receiver::that_says_yes(&ledger),
        _ => Receiver::honest(&ledger),
    };
    let routes = inside.routes();
    let server = Arc::new(Server { flaw, receiver: inside, is_dead: AtomicBool::new(false) });
    let accepting = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if !server.is_dead.load(Ordering::Relaxed) {
                tokio::spawn(Arc::clone(&server).serve(stream));
            }
        }
    });
    let storm = Storm::new(routes, target).ledger(&ledger).events(60).seed(7).faults(faults.parse().unwrap());
    let storm = storm.starting_at(wrong::NOW).compressed(10_000).heal(Duration::from_secs(4));
    let report = storm.run().await;
    accepting.abort();
    (ledger, report.to_string(), report.is_happy())
}

#[tokio::test]
async fn without_a_flaw_nothing_is_found() {
    let (_, report, is_happy) = run(Flaw::None, "connections=0.6,duplicates=0.2").await;
    assert!(is_happy, "{report}");
}

#[tokio::test]
async fn every_conduct_finds_a_flaw() {
    for fault in Fault::all() {
        let Fault::Sent(conduct) = fault else { continue };
        let (flaw, broken) = found_by(conduct);
        let (ledger, report, _) = run(flaw, &format!("{}=0.3", fault.name())).await;
        assert!(ledger.close().count(broken) > 0, "{} with {flaw:?}: {report}", fault.name());
    }
}
