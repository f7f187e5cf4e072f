//! `healthcheck`: asks a running `listen` whether it takes deliveries, for whoever starts and stops it.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::{lines, reading};

/// For all of it: longer than `listen` asks its store.
const PATIENCE: Duration = Duration::from_secs(4);
/// No head of ours is as long.
const LONGEST: usize = 4096;

/// No secret of the file is looked up.
pub(crate) fn run(path: &Path) -> ExitCode {
    let spec = match reading::read(path) {
        Ok(spec) => spec,
        Err(faults) => {
            faults.iter().for_each(lines::say);
            return ExitCode::from(2);
        }
    };
    let wrong = match spec.admin {
        Some(admin) if admin.port() != 0 => return asked(admin),
        Some(_) => "has port 0, and nobody knows which that becomes",
        None => "is missing",
    };
    let path = path.display();
    lines::say(format_args!("{path}: admin: {wrong}; write an address and a port, such as \"127.0.0.1:9090\""));
    ExitCode::from(2)
}

fn asked(admin: SocketAddr) -> ExitCode {
    let admin = SocketAddr::new(reachable(admin.ip()), admin.port());
    match ask(admin) {
        Ok(head) if head.starts_with("HTTP/1.1 200 ") => return ExitCode::SUCCESS,
        Ok(head) => {
            let (head, why) = head.split_once("\r\n\r\n").unwrap_or((&head, ""));
            let status = head.split(' ').nth(1).unwrap_or("nothing that is HTTP");
            lines::say(format_args!("not ready: {admin} answered {status} {}", why.trim()).to_string().trim_end());
        }
        Err(error) => lines::say(format_args!("not ready: {admin}: {error}")),
    }
    ExitCode::FAILURE
}

/// Who listens everywhere listens here too.
fn reachable(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    }
}

fn ask(admin: SocketAddr) -> io::Result<String> {
    let end = Instant::now() + PATIENCE;
    let mut stream = TcpStream::connect_timeout(&admin, PATIENCE)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(format!("GET /ready HTTP/1.1\r\nhost: {admin}\r\nconnection: close\r\n\r\n").as_bytes())?;
    let (mut answer, mut piece) = (Vec::new(), [0; 512]);
    while !is_whole(&answer) && answer.len() < LONGEST {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut piece)? {
            0 => break,
            read => answer.extend_from_slice(piece.get(..read).unwrap_or_default()),
        }
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Whether the head is there, and as much behind it as it says.
fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    body.len() >= length.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everywhere_is_here_and_any_other_address_is_itself() {
        for (ip, asked) in [("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("192.0.2.7", "192.0.2.7"), ("::1", "::1")] {
            assert_eq!(reachable(ip.parse().unwrap()).to_string(), asked);
        }
    }
}
