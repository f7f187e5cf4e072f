//! Tells the service manager how it is, where that wants to know: `sd_notify(3)`.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use rustix::time::{ClockId, clock_gettime};

/// The way to the service manager. Without one all of it does nothing.
pub(super) struct Notify(Option<UnixDatagram>);

impl Notify {
    /// By `NOTIFY_SOCKET`. An error: it is there and leads nowhere.
    pub(super) fn of_the_environment() -> io::Result<Self> {
        Self::to(std::env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()))
            .map_err(|error| io::Error::new(error.kind(), format!("NOTIFY_SOCKET leads nowhere: {error}")))
    }

    pub(super) fn nobody() -> Self {
        Self(None)
    }

    fn to(name: Option<OsString>) -> io::Result<Self> {
        let Some(name) = name else { return Ok(Self(None)) };
        let socket = UnixDatagram::unbound()?;
        socket.connect_addr(&address(&name)?)?;
        // A manager that does not read must not hold anybody.
        socket.set_nonblocking(true)?;
        Ok(Self(Some(socket)))
    }

    /// It listens, or has read its file again.
    pub(super) fn ready(&self) {
        self.say("READY=1");
    }

    /// It reads its file again.
    pub(super) fn reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        let micros = i128::from(now.tv_sec) * 1_000_000 + i128::from(now.tv_nsec) / 1000;
        self.say(&format!("RELOADING=1\nMONOTONIC_USEC={micros}"));
    }

    /// It drains.
    pub(super) fn stopping(&self) {
        self.say("STOPPING=1");
    }

    fn say(&self, words: &str) {
        if let Some(socket) = &self.0 {
            // There is nobody else to tell.
            let _ = socket.send(words.as_bytes());
        }
    }
}

/// A path, or after `@` a name that no file has, which Linux alone knows.
fn address(name: &OsStr) -> io::Result<SocketAddr> {
    #[cfg(target_os = "linux")]
    if let [b'@', rest @ ..] = std::os::unix::ffi::OsStrExt::as_bytes(name) {
        return <SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(rest);
    }
    SocketAddr::from_pathname(name)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::linux::net::SocketAddrExt as _;

    use super::*;

    #[test]
    fn an_abstract_name_and_a_path_are_reached_and_no_name_is_no_error() {
        let name = format!("tower-webhook-notify-{}", std::process::id());
        let socket = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        let path = std::env::temp_dir().join(&name);
        let other = UnixDatagram::bind(&path).unwrap();
        for (socket, name) in [(socket, format!("@{name}").into()), (other, path.clone().into_os_string())] {
            Notify::to(Some(name)).unwrap().ready();
            let mut words = [0; 64];
            let count = socket.recv(&mut words).unwrap();
            assert_eq!(words.get(..count), Some(&b"READY=1"[..]));
        }
        std::fs::remove_file(&path).unwrap();
        Notify::to(None).unwrap().ready();
        assert!(Notify::to(Some("/nowhere/at/all".into())).is_err());
    }
}
