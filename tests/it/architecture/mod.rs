//! The house keeps its shape: arrows between rooms point one way, nothing inside a room goes in a circle, and no file
//! grows past its stop. Whatever a file says counts, its tests too.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use self::arrows::{LIBRARY, PROGRAM, forbidden, strangers};
use self::circles::circles;
use self::house::House;

mod arrows;
mod circles;
mod faults;
mod house;
mod source;

const MAX_LINES: usize = 300;

static OURS: LazyLock<House> = LazyLock::new(House::ours);

/// Folders in which a circle is still open.
const STILL_OPEN: &[&str] = &["lib/json", "lib/provider", "lib/provider/banking_circle", "lib/scheme"];

fn too_long(house: &House) -> Vec<String> {
    let long = house.sources.iter().filter(|source| source.lines > MAX_LINES);
    long.map(|source| format!("{}: {} lines of code", source.path, source.lines)).collect()
}

#[test]
fn arrows_point_one_way() {
    assert_eq!(forbidden(&OURS), Vec::<String>::new());
}

#[test]
fn nothing_goes_in_a_circle() {
    let circles = circles(&OURS);
    let is_open = |circle: &&String| STILL_OPEN.iter().any(|folder| circle.starts_with(&format!("{folder}: ")));
    let new: Vec<_> = circles.iter().filter(|circle| !is_open(circle)).map(String::as_str).collect();
    assert!(new.is_empty(), "{}", new.join("\n"));
    assert_eq!(circles.len(), STILL_OPEN.len(), "strike out what is no circle any more");
}

#[test]
fn outside_crates_are_named_where_they_belong() {
    assert_eq!(strangers(&OURS), Vec::<String>::new());
}

#[test]
fn no_file_grows_past_its_stop() {
    assert_eq!(too_long(&OURS), Vec::<String>::new());
}

#[test]
fn the_tables_of_arrows_have_no_circle() {
    for table in [LIBRARY, PROGRAM] {
        let mut done: BTreeSet<&str> = BTreeSet::new();
        while let Some((room, _)) =
            table.iter().find(|(room, uses)| !done.contains(room) && uses.iter().all(|used| done.contains(used)))
        {
            done.insert(room);
        }
        assert_eq!(done.len(), table.len(), "in a circle or unknown: all but {done:?}");
    }
}
