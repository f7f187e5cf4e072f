//! Each check fails on what it is there for, and on nothing else.

use super::arrows::{forbidden, strangers};
use super::circles::circles;
use super::house::House;
use super::source::Source;
use super::too_long;

const PROGRAM: &str = "src/bin/tower-webhook";

fn house(files: &[(&str, &str)]) -> House {
    House::of(files.iter().map(|(path, text)| Source::read(path, text)).collect())
}

/// A house with rooms to use, and these files.
fn furnished(files: &[(&str, &str)]) -> House {
    let rooms = [
        ("src/lib.rs", "pub mod error; pub mod gate; mod observe; pub use error::{Kind, Rejection};"),
        ("src/error.rs", "pub struct Rejection; pub enum Kind { One }"),
        ("src/gate/mod.rs", "mod body; pub use self::body::Body as Bytes; pub use crate::error::Rejection;"),
        ("src/gate/body.rs", "pub struct Body;"),
        ("src/observe/mod.rs", "pub(crate) mod log;"),
        ("src/observe/log.rs", "pub(crate) fn refused() {}"),
    ];
    house(&[&rooms, files].concat())
}

#[test]
fn a_forbidden_arrow_is_found_wherever_it_stands() {
    let gate = "src/scheme/x.rs: scheme may not use gate";
    for text in [
        "use crate::gate;",
        "use crate::gate::Bytes;",
        "use crate::{error::Rejection, gate::Bytes};",
        "use crate::{\n    error::Rejection,\n    gate::{self, Bytes},\n};",
        "pub use crate::gate::Bytes;",
        "use crate::gate as door;",
        "use super::super::gate::Bytes;",
        "use tower_webhook::gate::Bytes;",
        "fn f(bytes: crate::gate::Bytes) {}",
        "fn f() -> Vec<crate::gate::Bytes> { vec![] }",
        "fn f() { assert_eq!(1, crate::gate::size()) }",
        "fn f() { { use crate::gate::Bytes; } }",
        "#[cfg(test)] use crate::gate::Bytes;",
        "#[cfg(test)]\nmod tests {\n    use super::*;\n    use crate::gate::Bytes;\n}",
        "#[cfg(test)]\nmod tests { fn f() { crate::gate::size() } }",
        "mod tests { use super::super::super::gate::Bytes; }",
        "use crate::gate as root; fn f() { root::size() }",
    ] {
        assert_eq!(forbidden(&furnished(&[("src/scheme/x.rs", text)])), [gate], "{text}");
    }
}

#[test]
fn a_name_at_the_root_counts_for_the_room_that_defines_it() {
    let text = "use crate::Rejection; fn f() { crate::Kind::One }";
    assert_eq!(forbidden(&furnished(&[("src/event/x.rs", text)])), ["src/event/x.rs: event may not use error"]);
    assert!(forbidden(&furnished(&[("src/scheme/x.rs", text)])).is_empty());
    let of_the_root = forbidden(&furnished(&[("src/scheme/x.rs", "use crate::Unknown;")]));
    assert_eq!(of_the_root, ["src/scheme/x.rs: scheme uses what the crate's root defines"]);
}

#[test]
fn allowed_arrows_pass_and_so_does_what_only_looks_like_one() {
    for text in [
        "use crate::error::Rejection; use super::Scheme; use self::inner::Name; mod inner { pub struct Name; }",
        "// crate::gate::Bytes\n/// [`crate::gate`]\nfn f() { \"crate::gate::size()\"; }",
        "use gate::Bytes; fn f() { ::gate::size(); self.gate.size(); gate(); }",
        "pub(in crate::scheme) fn f<'a>() -> impl Sized + use<'a> {} ",
    ] {
        assert_eq!(forbidden(&furnished(&[("src/scheme/x.rs", text)])), Vec::<String>::new(), "{text}");
    }
    assert_eq!(forbidden(&house(&[("src/cellar.rs", "")])), ["src/cellar.rs: a room without arrows"]);
}

#[test]
fn the_program_has_arrows_of_its_own() {
    let file = |name: &str| format!("{PROGRAM}/{name}");
    let (main, plain, send, args) = (file("main.rs"), file("plain.rs"), file("send/mod.rs"), file("send/args.rs"));
    let arrows = |text: &str| {
        forbidden(&furnished(&[(&main, "mod plain; mod send;"), (&send, "mod args;"), (&args, ""), (&plain, text)]))
    };
    assert_eq!(arrows("use crate::send::args::Args;"), [format!("{plain}: plain may not use send")]);
    assert_eq!(arrows("use super::send::args::Args;"), [format!("{plain}: plain may not use send")]);
    assert_eq!(arrows("use tower_webhook::gate::Bytes;"), Vec::<String>::new());
    let strange = file("cellar.rs");
    assert_eq!(forbidden(&house(&[(&strange, "")])), [format!("{strange}: a room without arrows")]);
}

/// The circles in a room of these files, without the uses that make them.
fn circles_of(files: &[(&str, &str)]) -> Vec<String> {
    circles(&house(files)).iter().map(|circle| circle.lines().next().unwrap().to_owned()).collect()
}

#[test]
fn a_circle_of_two_is_found() {
    let one = ("src/gate/one.rs", "pub struct One; fn f(two: super::two::Two) {}");
    for two in [
        "pub struct Two; use super::one::One;",
        "pub struct Two; use super::{one::One};",
        "pub struct Two; use crate::gate::one;",
        "pub struct Two; fn f() { super::one::f() }",
        "pub struct Two; #[cfg(test)] mod tests { use super::super::one::One; }",
        // By way of the parent's re-export, and of its private import.
        "pub struct Two; use super::One;",
        "pub struct Two; use super::Uno;",
    ] {
        let parent = ("src/gate/mod.rs", "mod one; mod two; pub use one::One; use one::One as Uno;");
        assert_eq!(circles_of(&[parent, one, ("src/gate/two.rs", two)]), ["lib/gate: one, two"], "{two}");
    }
    let parent = ("src/gate/mod.rs", "mod one; mod two; pub use one::One; pub(crate) use self::two::Two;");
    assert!(circles_of(&[parent, one, ("src/gate/two.rs", "pub struct Two;")]).is_empty());
}

#[test]
fn a_circle_of_three_is_found_with_the_uses_that_make_it() {
    let files = |last: &'static str| {
        house(&[
            ("src/gate/mod.rs", "mod a; mod b; mod c; mod d;"),
            ("src/gate/a.rs", "use super::b::B;"),
            ("src/gate/b.rs", "use super::c::C; use super::d::D;"),
            ("src/gate/c.rs", last),
            ("src/gate/d.rs", ""),
        ])
    };
    let circle = "lib/gate: a, b, c\n    src/gate/a.rs uses src/gate/b.rs\n    src/gate/b.rs uses src/gate/c.rs\n    \
                  src/gate/c.rs uses src/gate/a.rs";
    assert_eq!(circles(&files("use super::a::A;")), [circle]);
    assert!(circles(&files("use super::d::D;")).is_empty());
}

#[test]
fn a_folders_own_file_passes_on_or_uses_but_not_both_ways() {
    let child = ("src/gate/body.rs", "use super::Limits; pub struct Body;");
    for (text, is_circle) in [
        ("mod body; pub use body::Body; pub struct Limits;", false),
        ("mod body; pub(crate) use self::body::{Body, f}; pub struct Limits;", false),
        ("mod body; use body::Body; pub struct Limits;", true),
        ("mod body; pub use body::Body; pub struct Limits { body: Body }", true),
        ("mod body; pub struct Limits; fn f() { body::f() }", true),
        ("mod body; pub struct Limits; mod tests { use super::body::Body; }", true),
    ] {
        let found = circles_of(&[("src/gate/mod.rs", text), child]);
        assert_eq!(found == ["lib/gate: gate, body"], is_circle, "{text}: {found:?}");
        assert!(is_circle || found.is_empty(), "{text}: {found:?}");
    }
    // A file beside its folder is that folder's own.
    let beside =
        circles_of(&[("src/gate/body.rs", "mod part; use part::Part;"), ("src/gate/body/part.rs", "use super::f;")]);
    assert_eq!(beside, ["lib/gate/body: body, part"]);
}

#[test]
fn folders_count_as_wholes() {
    let found = circles_of(&[
        ("src/gate/mod.rs", ""),
        ("src/gate/in/a.rs", "use crate::gate::out::b::B;"),
        ("src/gate/in/c.rs", ""),
        ("src/gate/in/mod.rs", ""),
        ("src/gate/out/b.rs", ""),
        ("src/gate/out/mod.rs", "use crate::gate::in::c::C;"),
    ]);
    assert_eq!(found, ["lib/gate: in, out"]);
    let rooms =
        circles_of(&[("src/lib.rs", ""), ("src/clock.rs", "use crate::error;"), ("src/error.rs", "use crate::clock;")]);
    assert_eq!(rooms, ["lib: clock, error"]);
}

#[test]
fn a_circle_in_the_program_is_found() {
    let file = |name: &str| format!("{PROGRAM}/{name}");
    let (main, listen, send, args) =
        (file("main.rs"), file("listen/mod.rs"), file("send/mod.rs"), file("send/args.rs"));
    let files = |main_text, args_text| {
        circles_of(&[
            (&main, main_text),
            (&listen, "use crate::send::args::Args;"),
            (&send, "mod args;"),
            (&args, args_text),
        ])
    };
    assert_eq!(files("", "use crate::listen;"), ["program: listen, send"]);
    assert_eq!(files("mod send; fn f() { send::f() }", "use crate::f;"), ["program: program, send"]);
    assert_eq!(files("mod send; fn f() { send::f() }", "use super::g;"), Vec::<String>::new());
}

#[test]
fn a_crate_is_named_only_where_it_belongs() {
    let main = format!("{PROGRAM}/main.rs");
    for (path, text, is_strange) in [
        ("src/gate/mod.rs", "fn f() { tracing::warn!() }", true),
        ("src/gate/mod.rs", "use tracing;", true),
        ("src/gate/mod.rs", "use {http::Request, tracing::{self, Span}};", true),
        ("src/gate/mod.rs", "fn f() { ::tracing::warn!() }", true),
        ("src/gate/mod.rs", "#[cfg(test)] mod tests { use tracing::Span; }", true),
        ("src/gate/mod.rs", "/// By tracing::warn!\nfn tracing() { self.tracing(\"tracing::warn\") }", false),
        ("src/observe/log.rs", "use tracing::warn;", false),
        ("src/idempotency/lease.rs", "fn f() { redis::cmd(x) }", true),
        ("src/idempotency/store/redis/lines.rs", "fn f() { redis::cmd(x) }", false),
        ("src/idempotency/mod.rs", "pub use self::store::redis::{self, RedisStore};", false),
        (&main, "use tower_webhook::idempotency::redis::Setup;", false),
        (&main, "use redis::cmd;", true),
    ] {
        let store = ("src/idempotency/store/redis/mod.rs", "pub struct RedisStore;");
        let found = strangers(&house(&[store, (path, text)]));
        assert_eq!(found.len(), usize::from(is_strange), "{path} {text}: {found:?}");
    }
}

#[test]
fn a_long_file_is_one_by_its_code_alone() {
    let lines = |line: &str, times| too_long(&house(&[("src/x.rs", &line.repeat(times))]));
    assert_eq!(lines("fn f() {}\n", 301), ["src/x.rs: 301 lines of code"]);
    assert!(lines("fn f() {}\n// why\n\n", 300).is_empty());
    let early = format!("#[cfg(test)]\nuse x::y;\n{}", "fn f() {}\n".repeat(300));
    assert_eq!(too_long(&house(&[("src/x.rs", &early)])).len(), 1);
    let tests = format!("fn f() {{}}\n#[cfg(test)]\nmod tests {{\n{}}}\n", "fn f() {}\n".repeat(400));
    assert!(too_long(&house(&[("src/x.rs", &tests)])).is_empty());
}
