//! All files together: who uses whom.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::source::{Import, Module, Source};

/// Longer chains of re-exports are imports that name themselves.
const MAX_HOPS: usize = 8;

pub(super) struct House {
    pub(super) sources: Vec<Source>,
    /// All modules, those inside a file too.
    files: BTreeMap<Module, usize>,
}

#[derive(Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Target {
    Module(Module),
    /// A crate, or a name that this file defines itself.
    Outside(String),
}

impl House {
    pub(super) fn ours() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut sources = Vec::new();
        walk(&root.join("src"), &mut |path, text| {
            sources.push(Source::read(path.strip_prefix(root).unwrap().to_str().unwrap(), text));
        });
        assert!(sources.len() > 100, "only {} files: is this the right folder?", sources.len());
        Self::of(sources)
    }

    pub(super) fn of(sources: Vec<Source>) -> Self {
        let mut files = BTreeMap::new();
        for (index, source) in sources.iter().enumerate() {
            let modules = source.inline.iter().chain([&source.module]);
            files.extend(modules.map(|module| (module.clone(), index)));
        }
        Self { sources, files }
    }

    pub(super) fn path_of(&self, module: &Module) -> &str {
        &self.sources[self.files[module]].path
    }

    /// The module of the file that a module is written in.
    pub(super) fn file_of(&self, module: &Module) -> &Module {
        &self.sources[self.files[module]].module
    }

    /// What a file uses. What it only passes on from further in is no use, unless the file speaks of it as well.
    pub(super) fn used_by(&self, source: &Source) -> BTreeSet<Target> {
        let inner = |target: &Target| matches!(target, Target::Module(module) if module.starts_with(&source.module));
        let imports = source.imports.iter().filter_map(|import| {
            let target = self.resolve(&import.within, &import.segments, 0)?;
            (!import.is_public || !inner(&target)).then_some(target)
        });
        let named = source.named.iter().filter_map(|named| self.resolve(&named.within, &named.segments, 0));
        imports.chain(named).collect()
    }

    fn resolve(&self, within: &Module, segments: &[String], hops: usize) -> Option<Target> {
        let (first, rest) = segments.split_first()?;
        let base = match first.as_str() {
            _ if hops > MAX_HOPS => return None,
            "" => return rest.first().cloned().map(Target::Outside),
            "crate" => vec![within[0].clone()],
            "tower_webhook" => vec!["lib".to_owned()],
            // Alone it is a method's receiver.
            "self" if rest.is_empty() => return None,
            "self" => within.clone(),
            "super" => within[..within.len() - 1].to_vec(),
            _ => return self.resolve_bare(within, first, rest, hops),
        };
        let supers = rest.iter().take_while(|segment| *segment == "super").count();
        let base = base[..base.len().saturating_sub(supers).max(1)].to_vec();
        self.descend(base, &rest[supers..], hops)
    }

    /// A path that begins with a name: of an import, or of a module inside this one.
    fn resolve_bare(&self, within: &Module, first: &str, rest: &[String], hops: usize) -> Option<Target> {
        let file = self.files.get(within);
        let scopes = (1..=within.len()).rev().map(|length| within[..length].to_vec());
        for scope in scopes.take_while(|scope| self.files.get(scope) == file) {
            if let Some(import) = self.import(&scope, first) {
                match self.resolve(&import.within, &import.segments, hops + 1) {
                    Some(Target::Module(module)) => return self.descend(module, rest, hops),
                    Some(outside) => return Some(outside),
                    None => {}
                }
            }
            let child = inside(&scope, first);
            if !rest.is_empty() && self.files.contains_key(&child) {
                return self.descend(child, rest, hops);
            }
        }
        // A name alone may be anything.
        (!rest.is_empty() || hops > 0).then(|| Target::Outside(first.to_owned()))
    }

    /// Follows modules, and re-exports as long as they stay in their room.
    fn descend(&self, mut place: Module, rest: &[String], hops: usize) -> Option<Target> {
        for (at, segment) in rest.iter().enumerate() {
            let child = inside(&place, segment);
            if self.files.contains_key(&child) {
                place = child;
                continue;
            }
            if let Some(import) = self.import(&place, segment) {
                let target = self.resolve(&import.within, &import.segments, hops + 1);
                if let Some(Target::Module(module)) = target
                    && (place.len() == 1 || module.get(..2) == place.get(..2))
                {
                    return self.descend(module, &rest[at + 1..], hops + 1);
                }
            }
            break;
        }
        self.files.contains_key(&place).then_some(Target::Module(place))
    }

    fn import(&self, within: &Module, name: &str) -> Option<&Import> {
        let source = &self.sources[*self.files.get(within)?];
        source.imports.iter().find(|import| import.within == *within && import.name == name)
    }
}

fn inside(module: &Module, name: &str) -> Module {
    [&module[..], &[name.to_owned()]].concat()
}

fn walk(folder: &Path, see: &mut impl FnMut(&Path, &str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, see);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            see(&path, &fs::read_to_string(&path).unwrap());
        }
    }
}
