//! What this crate tells `tracing` on one thread: lines, and spans.

use std::cell::{Cell, RefCell};
use std::fmt::{Debug, Write as _};
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::field::Field;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

thread_local! {
    static LOG: RefCell<Option<String>> = const { RefCell::new(None) };
    static SPANS: RefCell<Option<Vec<Span>>> = const { RefCell::new(None) };
    static ENTERED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
    static OPEN: Cell<usize> = const { Cell::new(0) };
}

struct Span {
    id: u64,
    /// Its name, and its fields as they were recorded.
    text: String,
}

/// What this crate logs on this thread while it lives, at every level, one event a line.
///
/// One subscriber serves the whole process: with one per test, `tracing` may remember on a thread without one that
/// nobody is interested.
pub(crate) struct Log(());

fn set() {
    static SET: Once = Once::new();
    SET.call_once(|| tracing::subscriber::set_global_default(ToThread).unwrap());
}

impl Log {
    pub(crate) fn capture() -> Self {
        set();
        LOG.set(Some(String::new()));
        Self(())
    }

    pub(crate) fn text(&self) -> String {
        LOG.with_borrow(|log| log.clone().unwrap())
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        LOG.set(None);
    }
}

/// The spans that are made on this thread while it lives, with what they are in and what they say.
pub(crate) struct Spans(());

impl Spans {
    pub(crate) fn capture() -> Self {
        set();
        SPANS.set(Some(Vec::new()));
        OPEN.set(0);
        Self(())
    }

    /// Each as text, in the order in which they were made.
    pub(crate) fn texts(&self) -> Vec<String> {
        SPANS.with_borrow(|spans| spans.iter().flatten().map(|span| span.text.clone()).collect())
    }

    /// How many have not ended.
    pub(crate) fn open(&self) -> usize {
        OPEN.get()
    }

    /// The span that this thread is in now, as it says by now.
    pub(crate) fn here() -> String {
        let id = ENTERED.with_borrow(|entered| entered.last().copied());
        SPANS.with_borrow(|spans| {
            let span = spans.iter().flatten().find(|span| Some(span.id) == id);
            span.map(|span| span.text.clone()).unwrap_or_default()
        })
    }
}

impl Drop for Spans {
    fn drop(&mut self) {
        SPANS.set(None);
    }
}

struct ToThread;

fn written(into: &mut String) -> impl FnMut(&Field, &dyn Debug) {
    move |field, value| write!(into, " {field}={value:?}").unwrap()
}

impl Subscriber for ToThread {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("tower_webhook")
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = event.metadata().level().to_string();
        event.record(&mut written(&mut line));
        LOG.with_borrow_mut(|log| log.iter_mut().for_each(|log| *log += &format!("{line}\n")));
    }

    fn new_span(&self, made: &Attributes<'_>) -> Id {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        SPANS.with_borrow_mut(|spans| {
            let Some(spans) = spans else { return };
            let inside = ENTERED.with_borrow(|entered| made.is_contextual().then(|| entered.last().copied()).flatten());
            let parent = inside.and_then(|inside| spans.iter().find(|span| span.id == inside));
            let parent = parent.map(|span| format!("{} > ", span.text.split(' ').next().unwrap())).unwrap_or_default();
            let mut text = format!("{parent}{}", made.metadata().name());
            made.record(&mut written(&mut text));
            spans.push(Span { id, text });
            OPEN.set(OPEN.get() + 1);
        });
        Id::from_u64(id)
    }

    fn record(&self, id: &Id, record: &Record<'_>) {
        SPANS.with_borrow_mut(|spans| {
            let span = spans.iter_mut().flatten().find(|span| span.id == id.into_u64());
            if let Some(span) = span {
                record.record(&mut written(&mut span.text));
            }
        });
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, id: &Id) {
        ENTERED.with_borrow_mut(|entered| entered.push(id.into_u64()));
    }

    fn exit(&self, id: &Id) {
        ENTERED.with_borrow_mut(|entered| {
            let at = entered.iter().rposition(|entered| *entered == id.into_u64());
            at.map(|at| entered.remove(at));
        });
    }

    fn try_close(&self, id: Id) -> bool {
        let is_known = SPANS.with_borrow(|spans| spans.iter().flatten().any(|span| span.id == id.into_u64()));
        OPEN.set(OPEN.get().saturating_sub(is_known.into()));
        true
    }
}
