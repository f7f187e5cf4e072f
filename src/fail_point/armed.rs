//! What is armed: the process by its environment, or this thread by a test.

use std::cell::RefCell;
use std::env;
use std::fmt;
use std::io::{Write as _, stderr};
use std::marker::PhantomData;
use std::panic::resume_unwind;
use std::rc::Rc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::point::{Crash, Point};

/// The variable of the environment that arms a process, such as `claimed:3`. It is read once.
pub const VARIABLE: &str = "TOWER_WEBHOOK_CRASH";

static PROCESS: OnceLock<Option<Armed>> = OnceLock::new();
/// Whether any thread was ever armed, so that those of others look at no more than this.
static ARE_THREADS: AtomicBool = AtomicBool::new(false);

thread_local! {
    static HERE: RefCell<Option<Armed>> = const { RefCell::new(None) };
}

struct Armed {
    at: Point,
    left: AtomicU32,
}

impl Armed {
    fn with(crash: Crash) -> Self {
        Self { at: crash.point(), left: AtomicU32::new(crash.times().get()) }
    }

    fn is_due(&self, point: Point) -> bool {
        point == self.at && self.left.fetch_sub(1, Ordering::Relaxed) == 1
    }
}

pub(crate) fn reached(point: Point) {
    if process().is_some_and(|armed| armed.is_due(point)) {
        std::process::abort();
    }
    if ARE_THREADS.load(Ordering::Relaxed) && HERE.with(|here| is_due_here(&mut here.borrow_mut(), point)) {
        resume_unwind(Box::new("a fail point"));
    }
}

/// It is disarmed by its crash.
fn is_due_here(here: &mut Option<Armed>, point: Point) -> bool {
    let is_due = here.as_ref().is_some_and(|armed| armed.is_due(point));
    if is_due {
        *here = None;
    }
    is_due
}

pub(crate) fn read_environment() {
    process();
}

fn process() -> Option<&'static Armed> {
    PROCESS.get_or_init(from_environment).as_ref()
}

fn from_environment() -> Option<Armed> {
    let value = env::var_os(VARIABLE)?;
    match value.to_string_lossy().parse() {
        Ok(crash) => Some(Armed::with(crash)),
        Err(no_crash) => {
            // It ends all the same where nobody listens.
            drop(stderr().write_all(format!("{VARIABLE}: {no_crash}\n").as_bytes()));
            std::process::exit(2)
        }
    }
}

/// Lets the delivery that reaches the point on this thread end there, once, as if the process had died: what comes behind is
/// not done, and what it had claimed stays claimed until the lease ends. For tests that run no child, on a runtime of one
/// thread; under a paused clock the lease takes no time.
///
/// It ends by a panic that prints nothing. From [`Point::Claimed`] to [`Point::Completed`] the delivery is answered 500; at the
/// others the panic goes up to whoever called the receiver. A body of more than 256 KiB is opened on another thread.
///
/// A thread is armed with one at a time.
pub fn arm_here(crash: impl Into<Crash>) -> ArmedHere {
    ARE_THREADS.store(true, Ordering::Relaxed);
    HERE.set(Some(Armed::with(crash.into())));
    ArmedHere(PhantomData)
}

/// A thread that is armed, until this is dropped.
#[must_use = "dropped, it disarms the thread"]
pub struct ArmedHere(PhantomData<Rc<()>>);

impl ArmedHere {
    /// Whether a delivery has ended there.
    #[must_use]
    pub fn has_crashed(&self) -> bool {
        HERE.with_borrow(Option::is_none)
    }
}

impl Drop for ArmedHere {
    fn drop(&mut self) {
        HERE.set(None);
    }
}

impl fmt::Debug for ArmedHere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArmedHere").field("has_crashed", &self.has_crashed()).finish()
    }
}
