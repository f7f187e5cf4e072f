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
    assert!(circles.is_empty(), "{}", circles.join("\n"));
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
