//! Requests as their provider sends them.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request};
use tower_webhook::RejectionKind;
use tower_webhook::clock::Timestamp;
use tower_webhook::config::{self, Endpoint, EndpointSpec, SecretSource};
use tower_webhook::layers::Credentials;
use tower_webhook::provider::opp::{Opp, Wrapper};
use tower_webhook::provider::standard_webhooks::{StandardWebhooks, public_key, secret_key};
use tower_webhook::provider::{AnyProvider, Message, Provider as _};
use tower_webhook::scheme::{Sealing, Tolerance};
use tower_webhook::secret::Secret;

use super::seeded::Seeded;
use super::senders::{Case, Seals, Sender};
use super::{BoxError, SEED};

/// A request, and what must become of it.
pub(crate) struct Made {
    pub(crate) file: String,
    pub(crate) request: Request<Bytes>,
    pub(crate) expected: Expected,
    /// The accepted file that a refused one was made of.
    pub(crate) of: Option<String>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Expected {
    Accepted,
    /// For this reason, or for whichever a receiver finds first.
    Refused(Option<RejectionKind>),
}

/// All that is needed to play one sender.
pub(crate) struct Workshop<'a> {
    pub(crate) sender: &'a Sender,
    pub(crate) now: Timestamp,
    /// The receiving side.
    pub(crate) endpoint: Endpoint,
    /// The sending side, with the right key.
    pub(crate) provider: AnyProvider,
}

impl<'a> Workshop<'a> {
    pub(crate) fn new(sender: &'a Sender, now: Timestamp) -> Result<Self, BoxError> {
        let spec = config::read_text("vectors.toml", sender.toml)?;
        let spec = spec.endpoints.first().ok_or("no endpoint")?;
        let now = match sender.seals {
            Seals::Recorded(second) => Timestamp::from_second(second)?,
            _ => now,
        };
        Ok(Self { sender, now, endpoint: spec.build()?, provider: seals(spec, sender.seals)? })
    }

    /// How far a signed time may be from the receiver's, where requests of another time can be made.
    pub(crate) fn tolerance(&self) -> Option<&Tolerance> {
        self.endpoint.provider.scheme().tolerance().filter(|_| self.can_seal())
    }

    fn can_seal(&self) -> bool {
        !matches!(self.sender.seals, Seals::Recorded(_))
    }

    pub(crate) fn scheme(&self) -> &'static str {
        self.endpoint.provider.scheme().name()
    }

    /// The sending side under a key that the receiver does not know; `None` where a sender has no key, or nothing is sealed.
    pub(crate) fn stranger(&self) -> Result<Option<AnyProvider>, BoxError> {
        let mut spec = self.endpoint.spec.clone();
        let Some(key) = spec.keys.first_mut().filter(|_| self.can_seal()) else { return Ok(None) };
        if let Seals::Privately(_) = self.sender.seals {
            return seals(&spec, Seals::Privately(self.sender.other_key)).map(Some);
        }
        key.secret = SecretSource::value(self.sender.other_key);
        seals(&spec, self.sender.seals).map(Some)
    }

    /// A case as this provider sends it at this time, with the credentials that the receiver asks for.
    pub(crate) fn seal(
        &self,
        file: &str,
        case: &Case,
        provider: &AnyProvider,
        at: Timestamp,
    ) -> Result<Request<Bytes>, BoxError> {
        let message = message(case, provider)?;
        let mut request = match self.can_seal() {
            true => provider.seal(message, &Sealing::new(at, &Seeded::new(SEED, file)))?,
            false => recorded(message)?,
        };
        *request.uri_mut() = self.endpoint.path().parse()?;
        if let Some(method) = &case.method {
            *request.method_mut() = method.clone();
        }
        if let Some(pair) = self.endpoint.spec.basic_auth.first() {
            let password = Secret::utf8(pair.password.text()?.expose())?;
            let credentials = Credentials::new(pair.username.as_str(), password)?;
            request.headers_mut().insert(AUTHORIZATION, credentials.header());
        }
        Ok(request)
    }

    /// The first of its cases, and the file in which it is accepted.
    pub(crate) fn first(&self) -> Result<(&Case, String), BoxError> {
        let case = self.sender.cases.first().ok_or("nothing to send")?;
        Ok((case, self.accepted(case.name)))
    }

    pub(crate) fn accepted(&self, name: &str) -> String {
        format!("{}/accepted/{name}.http", self.sender.name)
    }

    pub(crate) fn refused(&self, name: &str) -> String {
        format!("{}/refused/{name}.http", self.sender.name)
    }
}

/// The sending side of what a receiver is configured for.
fn seals(spec: &EndpointSpec, how: Seals) -> Result<AnyProvider, BoxError> {
    let key = || spec.keys.first().ok_or("no key")?.secret.text().map_err(BoxError::from);
    Ok(match how {
        Seals::AsConfigured | Seals::Recorded(_) => spec.build()?.provider,
        Seals::OppWrapped => AnyProvider::new(Opp::new(Secret::hex(key()?.expose())?)?.sealed_as(Wrapper::Json)?),
        Seals::Privately(private) => {
            let public = StandardWebhooks::asymmetric(public_key(key()?.expose())?)?;
            AnyProvider::new(public.signing_key(secret_key(private)?)?)
        }
    })
}

/// A request as it was recorded.
fn recorded(message: Message) -> Result<Request<Bytes>, BoxError> {
    let mut request = Request::new(message.body);
    *request.method_mut() = Method::POST;
    *request.headers_mut() = message.headers;
    if let Some(content_type) = message.content_type {
        request.headers_mut().insert(CONTENT_TYPE, content_type);
    }
    Ok(request)
}

fn message(case: &Case, provider: &AnyProvider) -> Result<Message, BoxError> {
    let mut message = Message::new(case.body);
    message.idempotency_key = case.key.map(str::to_owned);
    // Where any is taken, none would be sealed.
    let usual = provider.profile().content_types.is_empty().then_some("application/json");
    if let Some(content_type) = case.content_type.or(usual) {
        message = message.content_type(content_type.parse()?);
    }
    for (name, value) in &case.headers {
        message = message.header(name.parse()?, value.parse()?);
    }
    Ok(message)
}

/// Every case, and where a time is signed the first and the last second at which it counts.
pub(crate) fn accepted(workshop: &Workshop<'_>) -> Result<Vec<Made>, BoxError> {
    let made = |file: String, case: &Case, at: Timestamp| {
        let request = workshop.seal(&file, case, &workshop.provider, at)?;
        Ok(Made { file, request, expected: Expected::Accepted, of: None })
    };
    let all = workshop.sender.cases.iter().map(|case| made(workshop.accepted(case.name), case, workshop.now));
    let mut all = all.collect::<Result<Vec<_>, BoxError>>()?;
    if let Some(tolerance) = workshop.tolerance() {
        let (case, _) = workshop.first()?;
        let oldest = workshop.now.checked_sub(tolerance.max_past())?;
        let newest = workshop.now.checked_add(tolerance.max_future())?;
        all.push(made(workshop.accepted("just-fresh"), case, oldest)?);
        all.push(made(workshop.accepted("just-ahead"), case, newest)?);
    }
    Ok(all)
}
