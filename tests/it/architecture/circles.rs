//! No circle: in each folder, its files and its folders (as wholes) use each other one way. A method that is called by
//! a value alone names nobody, and is not seen.

use std::collections::{BTreeMap, BTreeSet};

use super::house::{House, Target};
use super::source::Module;

/// One folder: each of its nodes, and the files by which it uses others.
type Folder = BTreeMap<Module, BTreeMap<Module, BTreeSet<String>>>;

/// The folder and all that is on a circle in it, with the uses that make it one.
pub(super) fn circles(house: &House) -> Vec<String> {
    let folders = folders(house);
    folders.iter().flat_map(|(parent, folder)| circles_in(&parent.join("/"), folder)).collect()
}

fn folders(house: &House) -> BTreeMap<Module, Folder> {
    let mut folders: BTreeMap<Module, Folder> = BTreeMap::new();
    for source in &house.sources {
        for target in house.used_by(source) {
            let Target::Module(target) = target else { continue };
            let (from, to) = (&source.module, house.file_of(&target));
            let Some((parent, from_node, to_node)) = nodes(from, to) else { continue };
            let uses = folders.entry(parent).or_default().entry(from_node).or_default();
            uses.entry(to_node).or_default().insert(format!("{} uses {}", source.path, house.path_of(to)));
        }
    }
    folders
}

/// The folder where two files part, and what stands there for each: a file, a folder, or the folder's own file.
fn nodes(from: &Module, to: &Module) -> Option<(Module, Module, Module)> {
    let common = from.iter().zip(to).take_while(|(one, other)| one == other).count();
    let node = |module: &Module| module[..module.len().min(common + 1)].to_vec();
    (common > 0 && from != to).then(|| (from[..common].to_vec(), node(from), node(to)))
}

fn circles_in(parent: &str, folder: &Folder) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut circles = Vec::new();
    for start in folder.keys() {
        let circle: BTreeSet<_> =
            reach(folder, start).into_iter().filter(|node| reach(folder, node).contains(start)).collect();
        if circle.is_empty() || !seen.insert(circle.clone()) {
            continue;
        }
        let names: Vec<_> = circle.iter().map(|node| node.last().unwrap().as_str()).collect();
        let uses = circle.iter().flat_map(|node| &folder[*node]).filter(|(to, _)| circle.contains(to));
        let uses: Vec<_> = uses.flat_map(|(_, uses)| uses).map(|fault| format!("\n    {fault}")).collect();
        circles.push(format!("{parent}: {}{}", names.join(", "), uses.concat()));
    }
    circles
}

/// All that is used from here, directly or not. The start is among them when it is on a circle.
fn reach<'a>(folder: &'a Folder, start: &Module) -> BTreeSet<&'a Module> {
    let mut reached = BTreeSet::new();
    let mut ahead = vec![start];
    while let Some(node) = ahead.pop() {
        for next in folder.get(node).into_iter().flat_map(BTreeMap::keys) {
            if reached.insert(next) {
                ahead.push(next);
            }
        }
    }
    reached
}
