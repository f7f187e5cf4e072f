//! From a message to the requests that are sent: sealed, with credentials and headers, and with the fault asked for.

use std::time::Duration;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue, Method, Request};
use tower_webhook::clock::{Clock as _, OsEntropy, SystemClock, Timestamp};
use tower_webhook::provider::{Message, Provider as _};
use tower_webhook::scheme::{ProofRole, Sealing};
use tower_webhook::sender::forge::{flip, flip_header};

use super::args::Tamper;
use super::needs::Lack;
use super::sending::Sending;

/// Longer ago than any tolerance reaches.
const STALE: Duration = Duration::from_hours(31 * 24);

/// Seals one message as often as it is asked to.
pub(crate) struct Sealer {
    pub(crate) sending: Sending,
    pub(crate) message: Message,
    pub(crate) method: Option<Method>,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) tamper: Option<Tamper>,
    pub(crate) stale: bool,
}

impl Sealer {
    /// One delivery, as it goes over the wire.
    pub(crate) fn seal(&self) -> Result<Request<Bytes>, String> {
        if let Some(lack) = self.sending.needs.lacking(&self.message) {
            return Err(self.cannot(&lack));
        }
        let now = now()?;
        let time = if self.stale { now - STALE } else { now };
        let sealed = self.sending.provider.seal(self.message.clone(), &Sealing::new(time, &OsEntropy));
        let mut request =
            sealed.map_err(|error| format!("{} cannot seal this event: {error}", self.sending.provider_name))?;
        if let Some(method) = &self.method {
            *request.method_mut() = method.clone();
        }
        if let Some(pair) = &self.sending.credentials {
            request.headers_mut().insert(AUTHORIZATION, pair.header.clone());
        }
        for (name, _) in &self.headers {
            request.headers_mut().remove(name);
        }
        for (name, value) in &self.headers {
            request.headers_mut().append(name, value.clone());
        }
        if let Some(what) = self.tamper {
            self.damage(&mut request, what)?;
        }
        Ok(request)
    }

    /// What keeps it from sealing, and what would be right.
    fn cannot(&self, lack: &Lack) -> String {
        let right = match lack {
            Lack::PrivateKey => "send to an endpoint with a secret of both sides".to_owned(),
            Lack::Header(name) => format!("give --header {name}=VALUE"),
            Lack::Param(_) => "send to an endpoint whose template signs no parameter but the time".to_owned(),
        };
        format!("{} cannot seal this event: {lack}; {right}", self.sending.provider_name)
    }

    fn damage(&self, request: &mut Request<Bytes>, what: Tamper) -> Result<(), String> {
        if what == Tamper::Body {
            let mut body = request.body().to_vec();
            let flipped = flip(&mut body);
            *request.body_mut() = body.into();
            return if flipped { Ok(()) } else { Err("--tamper body: the body is empty".into()) };
        }
        let name = self.damaged(what)?;
        let value = request.headers().get(&name).and_then(flip_header);
        let value = value.ok_or_else(|| format!("--tamper: no bit of header {name} can be flipped"))?;
        request.headers_mut().insert(name, value);
        Ok(())
    }

    /// The header that is damaged.
    pub(crate) fn damaged(&self, what: Tamper) -> Result<HeaderName, String> {
        let provider = &self.sending.provider_name;
        let basic = self.sending.credentials.as_ref().map(|_| AUTHORIZATION);
        let proofs = self.sending.provider.scheme().proofs();
        let first = |roles: &[ProofRole]| roles.iter().find_map(|role| Some(proofs.with_role(*role)?.name.clone()));
        match what {
            Tamper::Signature => {
                first(&[ProofRole::Signature, ProofRole::Tag, ProofRole::Token]).or(basic).ok_or_else(|| {
                    format!("--tamper signature: no header of {provider} proves its sender; take --tamper body")
                })
            }
            Tamper::Body | Tamper::Header => {
                first(&[ProofRole::Nonce, ProofRole::Signed, ProofRole::Time]).ok_or_else(|| {
                    format!(
                        "--tamper header: {provider} proves no header beside the signature; take --tamper signature"
                    )
                })
            }
        }
    }
}

fn now() -> Result<Timestamp, String> {
    SystemClock.now().ok_or_else(|| "the clock cannot be read".to_owned())
}
