//! Imports go down (docs/architecture.md): a file uses its own layer and lower ones, never a higher one. Each layer is
//! one module, so there is no circle either.

use std::fs;
use std::path::{Path, PathBuf};

/// `src/`, from the top down. `lib` stands for the public types at the root.
const SRC: &[&str] = &[
    "guide",
    "lib",
    "sandbox",
    "client",
    "chain",
    "request",
    "context",
    "v3",
    "v2",
    "catalogue",
    "transport",
    "runtime",
    "response",
    "sensitive",
    "signer",
    "crypto",
    "path",
    "json",
    "clock",
    "error",
    "files",
    "conformance",
];

/// Stand beside each other: neither imports the other.
const BESIDE: [&str; 2] = ["v2", "v3"];

/// The modules that use the client through the public types at the root, as its users do.
const USERS: &[&str] = &["sandbox"];

/// Crates of their own, in which `crate::` means something else. The program uses the public API only.
const OTHER_CRATES: &[&str] = &["bin"];

/// `src/sandbox/`, from the top down.
const SANDBOX: &[&str] =
    &["mod", "api", "admin", "server", "notify", "model", "store", "auth", "faults", "keys", "http"];

#[test]
fn imports_of_src_go_down() {
    check("src", "crate::", SRC);
}

#[test]
fn imports_of_the_sandbox_go_down() {
    check("src/sandbox", "crate::sandbox::", SANDBOX);
}

/// Reports each path that begins with `prefix` and leads to a higher layer than its file's.
fn check(folder: &str, prefix: &str, layers: &[&str]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let layer_of = |module: &str| layers.iter().position(|layer| *layer == module);
    let (mut climbing, mut imports) = (Vec::new(), 0);
    for file in rust_files(&root) {
        let inside = file.strip_prefix(&root).unwrap();
        let first = inside.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs");
        if OTHER_CRATES.contains(&first) {
            continue;
        }
        let own = layer_of(first).unwrap_or_else(|| panic!("{}: `{first}` is not a layer", file.display()));
        let text = code(&file);
        let mut report = |at: usize, target: &str| {
            let line = text[..at].matches('\n').count() + 1;
            climbing.push(format!("{}:{line}: {target}", file.display()));
        };
        for (at, module) in targets(&text, prefix) {
            imports += 1;
            let beside = BESIDE.contains(&first) && BESIDE.contains(&module) && first != module;
            let public = module.starts_with(|c: char| c.is_uppercase()) && USERS.contains(&first);
            if beside || !public && layer_of(module).is_none_or(|layer| layer < own) {
                report(at, &format!("{prefix}{module}"));
            }
        }
        // A chain of `super::` must not leave the layer, where its target could not be seen.
        let depth = inside.components().count() - usize::from(inside.ends_with("mod.rs"));
        let up = "super::".repeat(depth);
        for (at, _) in text.match_indices(&up).filter(|_| inside.components().count() > 1) {
            report(at, &up);
        }
    }
    assert!(imports > 20, "only {imports} imports found in {folder}");
    assert!(climbing.is_empty(), "{} imports climb:\n{}", climbing.len(), climbing.join("\n"));
}

/// The modules that paths with this prefix lead to, each branch of a `{…}` list on its own; and where.
fn targets<'t>(text: &'t str, prefix: &str) -> Vec<(usize, &'t str)> {
    let name = |from: usize| {
        let rest = &text[from..];
        rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default()
    };
    let mut found = Vec::new();
    for (at, _) in text.match_indices(prefix) {
        let after = at + prefix.len();
        if text[..at].ends_with(|c: char| c.is_alphanumeric() || "_:$".contains(c)) {
            continue;
        }
        if !text[after..].starts_with('{') {
            found.push((at, name(after)));
            continue;
        }
        let (mut depth, mut begins) = (0, false);
        for (offset, c) in text[after..].char_indices() {
            match c {
                '{' => (depth, begins) = (depth + 1, depth == 0),
                '}' if depth == 1 => break,
                '}' => depth -= 1,
                ',' if depth == 1 => begins = true,
                c if begins && !c.is_whitespace() => {
                    found.push((after + offset, name(after + offset)));
                    begins = false;
                }
                _ => {}
            }
        }
    }
    found
}

/// The file without its line comments, the lines kept.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let lines = text.lines().map(|line| if line.trim_start().starts_with("//") { "" } else { line });
    lines.collect::<Vec<_>>().join("\n")
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        match path.is_dir() {
            true => files.extend(rust_files(&path)),
            false if path.extension().is_some_and(|extension| extension == "rs") => files.push(path),
            false => {}
        }
    }
    files
}
