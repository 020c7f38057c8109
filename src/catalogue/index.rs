//! Finds the operation of a path: a tree of segments, built when it is first used.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::operation::{BASE, Operation};
use super::text::{self, Record};

pub(super) static OPERATIONS: LazyLock<Vec<Record>> = LazyLock::new(text::operations);
static TREE: LazyLock<Node> = LazyLock::new(|| {
    let mut tree = Node::default();
    for operation in operations() {
        tree.insert(operation);
    }
    tree
});

/// All base URLs of the documents.
pub(super) fn bases() -> impl Iterator<Item = &'static str> {
    static BASES: LazyLock<Vec<&str>> = LazyLock::new(|| {
        let mut bases: Vec<_> = operations().flat_map(|operation| operation.bases()).collect();
        bases.sort_unstable();
        bases.dedup();
        bases
    });
    BASES.iter().copied()
}

/// All of them, in the order of the file.
pub(super) fn operations() -> impl ExactSizeIterator<Item = Operation> {
    OPERATIONS.iter().map(|record| Operation { record })
}

#[derive(Default)]
struct Node {
    literals: HashMap<&'static str, Node>,
    /// A segment that is a variable.
    variable: Option<Box<Node>>,
    /// Those whose template ends here.
    operations: Vec<Operation>,
}

impl Node {
    fn insert(&mut self, operation: Operation) {
        let mut node = self;
        for segment in operation.template().split('/') {
            node = match segment.starts_with('{') {
                true => node.variable.get_or_insert_default(),
                false => node.literals.entry(segment).or_default(),
            };
        }
        node.operations.push(operation);
    }

    /// The nodes of a path, the most literal one first.
    fn find<'a>(&'a self, segments: &[&str], found: &mut Vec<&'a Node>) {
        let Some((first, rest)) = segments.split_first() else {
            if !self.operations.is_empty() {
                found.push(self);
            }
            return;
        };
        if let Some(node) = self.literals.get(*first) {
            node.find(rest, found);
        }
        if let Some(node) = self.variable.as_deref().filter(|_| !first.is_empty()) {
            node.find(rest, found);
        }
    }
}

/// The segments of a path, and the base URL if the path has one: `v3/…`, `/v3/…`, `https://host/prefix/v3/…?query`.
pub(super) struct Parsed<'a> {
    pub(super) base: Option<&'a str>,
    pub(super) path: &'a str,
}

impl Parsed<'_> {
    pub(super) fn new(path: &str) -> Parsed<'_> {
        let end = path.find(['?', '#']).unwrap_or(path.len());
        // A variable may hold `?`: `{?a,b}`.
        let path = match path[..end].ends_with('{') {
            true => &path[..end - 1],
            false => &path[..end],
        };
        let authority = ["https://", "http://"].iter().find_map(|scheme| path.strip_prefix(scheme));
        // A host may stand there without its scheme.
        let host = authority.or(Some(path)).and_then(|rest| rest.split('/').next()).unwrap_or_default();
        if authority.is_none() && !host.ends_with(".qq.com") {
            return Parsed { base: None, path: path.trim_start_matches('/') };
        }
        let origin = path.len() - authority.unwrap_or(path).len() + host.len();
        let version = ["/v3/", "/v2/"].iter().find_map(|version| path[origin..].find(version));
        let base = path.len().min(origin + version.unwrap_or(0) + 1);
        Parsed { base: authority.map(|_| &path[..base]), path: &path[base..] }
    }
}

/// The operations of a path: those of the verb, at the base URL if one is given, the most literal template first.
pub(super) fn find(verb: &str, path: &str, base: Option<&str>) -> Option<Operation> {
    let parsed = Parsed::new(path);
    let base = parsed.base.or(base);
    let mut fallback = None;
    for operation in at(parsed.path).filter(|operation| operation.verb().eq_ignore_ascii_case(verb)) {
        let base = base.unwrap_or(BASE);
        if operation.bases().any(|known| known == base) && is_named(operation, parsed.path) {
            return Some(operation);
        }
        fallback = fallback.or(Some(operation));
    }
    fallback
}

/// Tells templates apart that differ in a variable only: by its name, or by its one value (`addInstitutionsub`).
fn is_named(operation: Operation, path: &str) -> bool {
    operation.template().split('/').zip(path.split('/')).all(|(expected, found)| {
        let Some(name) = expected.strip_prefix('{').and_then(|name| name.strip_suffix('}')) else {
            return true;
        };
        if found.starts_with('{') {
            return expected == found;
        }
        let mut values = operation.path_variables().get(name).into_iter().flat_map(|field| field.values());
        values.next().is_none_or(|first| first == found || values.any(|value| value == found))
    })
}

/// The operations of a path, with any verb and base URL.
pub(super) fn at(path: &str) -> impl Iterator<Item = Operation> {
    let segments: Vec<&str> = path.split('/').collect();
    let mut nodes = Vec::new();
    TREE.find(&segments, &mut nodes);
    nodes.into_iter().flat_map(|node| node.operations.iter().copied())
}
