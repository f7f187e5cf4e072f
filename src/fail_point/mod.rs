//! Fail points: places on a delivery's way at which a test lets the process die. Compiled in with the feature `testing`
//! alone; without it they leave nothing behind.
//!
//! A new one is a line in `point.rs`, and a `reach!` where it is.

#[cfg(feature = "testing")]
mod armed;
#[cfg(feature = "testing")]
mod point;

#[cfg(feature = "testing")]
pub use armed::{ArmedHere, VARIABLE, arm_here};
#[cfg(feature = "testing")]
pub(crate) use armed::{reached, read_environment};
#[cfg(feature = "testing")]
pub use point::{Crash, NoCrash, Point};

/// The delivery is at this point now.
#[cfg(feature = "testing")]
macro_rules! reach {
    ($point:ident) => {
        $crate::fail_point::reached($crate::fail_point::Point::$point)
    };
}

#[cfg(not(feature = "testing"))]
macro_rules! reach {
    ($point:ident) => {};
}

/// Reads by which variable the process is armed, so that a wrong one ends it before it serves anybody.
#[cfg(feature = "testing")]
macro_rules! arm {
    () => {
        $crate::fail_point::read_environment()
    };
}

#[cfg(not(feature = "testing"))]
macro_rules! arm {
    () => {};
}

pub(crate) use {arm, reach};
