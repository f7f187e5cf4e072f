//! One file: what it imports, what it names, and how long it is.

use proc_macro2::{TokenStream, TokenTree};

/// From the crate (`lib` or `program`) inwards.
pub(super) type Module = Vec<String>;

pub(super) struct Source {
    pub(super) path: String,
    pub(super) module: Module,
    /// Modules that are written in the file itself, such as `tests`.
    pub(super) inline: Vec<Module>,
    pub(super) imports: Vec<Import>,
    pub(super) named: Vec<Named>,
    /// Up to the file's tests, without comments and empty lines.
    pub(super) lines: usize,
}

/// One leaf of a `use` tree.
pub(super) struct Import {
    pub(super) within: Module,
    /// What the file calls it; `*` for all that is there.
    pub(super) name: String,
    pub(super) segments: Vec<String>,
    pub(super) is_public: bool,
}

/// A path in the code, `self`, `super` and `crate` included. An empty first segment stands for a leading `::`.
pub(super) struct Named {
    pub(super) within: Module,
    pub(super) segments: Vec<String>,
}

impl Source {
    pub(super) fn read(path: &str, text: &str) -> Self {
        let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{path}: {error}"));
        let (module, path) = (module_of(path), path.to_owned());
        let mut source =
            Self { path, inline: vec![], imports: vec![], named: vec![], lines: lines_of_code(text), module };
        source.walk(tokens, &source.module.clone());
        source
    }

    fn walk(&mut self, tokens: TokenStream, within: &Module) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let rest = &tokens[at..];
            at += match (token, rest.get(1), rest.get(2)) {
                // `pub(super)`, `pub(crate)`.
                (TokenTree::Ident(word), Some(TokenTree::Group(_)), _) if word == "pub" => 2,
                (TokenTree::Group(group), ..) => {
                    self.walk(group.stream(), within);
                    1
                }
                (TokenTree::Ident(word), Some(TokenTree::Ident(name)), Some(body)) if word == "mod" => {
                    if let TokenTree::Group(body) = body {
                        let inner = [&within[..], &[name.to_string()]].concat();
                        self.inline.push(inner.clone());
                        self.walk(body.stream(), &inner);
                    }
                    3
                }
                // `use<'a>` is a bound and no declaration.
                (TokenTree::Ident(word), Some(next), _) if word == "use" && !is(next, '<') => {
                    let tree = rest[1..].split(|token| is(token, ';')).next().unwrap();
                    leaves(tree, &[], &mut |segments, name| {
                        let is_public = is_public(&tokens[..at]);
                        self.imports.push(Import { within: within.clone(), name, segments, is_public });
                    });
                    tree.len() + 2
                }
                (TokenTree::Ident(_), ..) => self.path(&tokens, at, within),
                _ => 1,
            };
        }
    }

    /// Takes the path that begins here, and says how many tokens it is long.
    fn path(&mut self, tokens: &[TokenTree], start: usize, within: &Module) -> usize {
        let before = &tokens[..start];
        let mut segments = match before {
            // A field or a method; or what belongs to a type that was written out.
            [.., dot] if is(dot, '.') && !matches!(before, [.., first, _] if is(first, '.')) => return 1,
            [.., end, first, second] if is(first, ':') && is(second, ':') && is(end, '>') => return 1,
            [.., first, second] if is(first, ':') && is(second, ':') => vec![String::new()],
            _ => vec![],
        };
        segments.push(tokens[start].to_string());
        let mut length = 1;
        while let [first, second, TokenTree::Ident(word), ..] = &tokens[start + length..] {
            if !is(first, ':') || !is(second, ':') {
                break;
            }
            segments.push(word.to_string());
            length += 3;
        }
        self.named.push(Named { within: within.clone(), segments });
        length
    }
}

fn leaves(tree: &[TokenTree], prefix: &[String], found: &mut impl FnMut(Vec<String>, String)) {
    for branch in tree.split(|token| is(token, ',')).filter(|branch| !branch.is_empty()) {
        let mut path = prefix.to_vec();
        let mut name = None;
        if path.is_empty() && is(&branch[0], ':') {
            path.push(String::new());
        }
        for (at, token) in branch.iter().enumerate() {
            match token {
                TokenTree::Group(group) => {
                    leaves(&group.stream().into_iter().collect::<Vec<_>>(), &path, found);
                    path.clear();
                }
                TokenTree::Ident(word) if word == "as" => {
                    name = Some(branch[at + 1].to_string());
                    break;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => {}
                word => path.push(word.to_string()),
            }
        }
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        if let Some(last) = path.last() {
            let name = name.unwrap_or_else(|| last.clone());
            found(path, name);
        }
    }
}

fn is(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

/// Whether what comes before a declaration ends in `pub` or `pub(..)`.
fn is_public(before: &[TokenTree]) -> bool {
    let is_pub = |token: &TokenTree| matches!(token, TokenTree::Ident(word) if word == "pub");
    match before {
        [.., last] if is_pub(last) => true,
        [.., first, TokenTree::Group(_)] => is_pub(first),
        _ => false,
    }
}

fn module_of(path: &str) -> Module {
    let (root, inside) = match path.strip_prefix("src/bin/tower-webhook/") {
        Some(inside) => ("program", inside),
        None => ("lib", path.trim_start_matches("src/")),
    };
    let names = inside.trim_end_matches(".rs").split('/').filter(|name| !["mod", "lib", "main"].contains(name));
    [root].into_iter().chain(names).map(str::to_owned).collect()
}

fn lines_of_code(text: &str) -> usize {
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default().lines().map(str::trim);
    code.filter(|line| !line.is_empty() && !line.starts_with("//")).count()
}
