//! The way of a request into the app, with somebody who looks on.

use std::sync::Arc;

use bytes::Bytes;
use http::{Extensions, Request, StatusCode};

use super::app::App;
use super::book::{Book, Way};
use super::party::Marks;
use super::sent::Sent;
use super::words;
use crate::sender::judge::judge;
use crate::sender::{Answer, Came, DeliveryProfile, NoAnswer, Transport};

/// The way into the app of a [`Harness`](super::Harness), which notes what comes of each request.
#[derive(Clone, Debug)]
pub struct Line {
    pub(super) app: App,
    pub(super) book: Arc<Book>,
    /// What a server would have put into each request.
    pub(super) extensions: Extensions,
}

impl Line {
    pub(super) async fn deliver(&self, mut request: Request<Bytes>, way: Way) -> Sent {
        let book = &self.book;
        let marks = request.extensions_mut().remove::<Marks>().unwrap_or_default();
        let profile = marks.profile.clone().unwrap_or_else(DeliveryProfile::strict);
        let numbers = book.numbers(marks.party, &marks.keys);
        let names: Vec<_> = marks.keys.iter().map(ToString::to_string).collect();
        let is_forged = matches!(way, Way::Forged(_));
        if !is_forged {
            numbers.iter().for_each(|number| book.ledger.sent(*number));
        }
        let entry = book.begin(&marks.path, &names, &way);
        request.extensions_mut().extend(self.extensions.clone());
        request.extensions_mut().insert(book.witness(marks.party, entry, &way));
        let answer = self.app.call(request).await;
        let came = judge(&profile, marks.expected.as_ref().filter(|_| !is_forged), in_short(&answer));
        let words = words::of_answer(&answer);
        book.answered(entry, &words);
        let sent = Sent { book: Arc::clone(book), entry, path: marks.path.clone(), numbers, came, answer };
        sent.enter(&marks, &way, &words);
        sent
    }
}

impl Sent {
    /// What the answer means for the events.
    fn enter(&self, marks: &Marks, way: &Way, words: &str) {
        let (book, numbers) = (&self.book, &self.numbers);
        let taken = |what: &str| {
            let nameless = [book.number_of(marks.party, "without a key")];
            let numbers = if numbers.is_empty() { &nameless[..] } else { numbers };
            book.taken(self.entry, numbers, &format_args!("{what}: answered {words}"));
        };
        let is_yes = self.status().is_some_and(|status| status.is_success());
        match (way, &marks.unusable, self.came) {
            (Way::Forged(how), ..) if is_yes => taken(how),
            (Way::Forged(_), ..) => {}
            (_, Some(why), _) if is_yes => taken(&format!("what cannot be read, {why}")),
            (_, None, Came::Delivered(_)) => numbers.iter().for_each(|number| book.ledger.accepted(*number)),
            (Way::Genuine, None, came) => {
                let comes_again = !matches!(came, Came::Refused(status) if is_final(status));
                let words = format!("{}{}", self.outcome(), words::hint(&self.answer));
                book.refused(self.entry, numbers, words, comes_again);
            }
            (_, Some(_), _) | (Way::Free(_), ..) => {}
        }
    }
}

/// Whether nobody is asked to come again.
fn is_final(status: StatusCode) -> bool {
    let again = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS];
    !status.is_server_error() && !again.contains(&status)
}

type Full = Result<http::Response<Bytes>, crate::testing::deliver::DeliverError>;

pub(super) fn in_short(answer: &Full) -> Result<Answer, NoAnswer> {
    let response = answer.as_ref().map_err(|_| NoAnswer::Broken)?;
    Ok(Answer { status: response.status(), headers: response.headers().clone(), body: response.body().clone() })
}

impl Transport for Line {
    async fn exchange(&self, request: Request<Bytes>) -> Result<Answer, NoAnswer> {
        in_short(&self.deliver(request, Way::Genuine).await.answer)
    }
}
