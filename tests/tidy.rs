//! The rules of the repository that no compiler checks: who may depend on whom, where `unsafe` may
//! stand, how long a file may be, what every file begins with.
//!
//! The table of dependencies is the one in ARCHITECTURE.md: a reader and this test see the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A file longer than this becomes a directory.
const FILE_LINES_MAX: usize = 800;

/// The only places where `unsafe` may stand.
const UNSAFE_ALLOWED: &[&str] = &["engine/runtime/src/uring/"];

/// Marks of unfinished work; spelt so that this file does not contain them.
const UNFINISHED: &[&str] = &[
    "TO\u{44}O",
    "FIX\u{4d}E",
    "XX\u{58}",
    "tod\u{6f}!(",
    "unimpl\u{65}mented!(",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Lists the files under the repository that git would track, with their paths from the root.
fn files(extension: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the repository is readable") {
            let path = entry.expect("the repository is readable").path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            if path.is_dir() {
                if !matches!(name, "target" | ".git" | "riverrun-data") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|found| found == extension) {
                let text = fs::read_to_string(&path).expect("sources are UTF-8");
                found.push((relative(&path), text));
            }
        }
    }
    found.sort();
    assert!(
        !found.is_empty(),
        "no .{extension} file found below {}",
        root().display()
    );
    found
}

fn relative(path: &Path) -> String {
    let path: PathBuf = path.strip_prefix(root()).expect("below the root").into();
    path.to_str().expect("paths are UTF-8").to_owned()
}

fn report(rule: &str, offences: &[String]) {
    assert!(offences.is_empty(), "{rule}:\n  {}", offences.join("\n  "));
}

/// The name in `[package]` and the keys under one kind of dependencies.
fn manifest(text: &str, section: &str) -> (Option<String>, BTreeSet<String>) {
    let (mut name, mut keys, mut here) = (None, BTreeSet::new(), String::new());
    for line in text.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[') {
            header.trim_end_matches(']').clone_into(&mut here);
        } else if let Some((key, value)) = line.split_once('=') {
            let key = key.trim();
            if here == "package" && key == "name" {
                name = Some(value.trim().trim_matches('"').to_owned());
            } else if here == section {
                keys.insert(key.split('.').next().unwrap_or(key).to_owned());
            }
        }
    }
    (name, keys)
}

/// The rows of ARCHITECTURE.md's dependency table: package to the packages it may use.
fn allowed_arrows() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let mut rows = BTreeMap::new();
    let table = text
        .split("<!-- dependencies -->")
        .nth(1)
        .expect("ARCHITECTURE.md marks its table with <!-- dependencies -->");
    for line in table.lines().filter(|line| line.starts_with("| `")) {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let package = cells
            .next()
            .unwrap_or_default()
            .trim_matches('`')
            .to_owned();
        let uses = cells.next().unwrap_or_default();
        let uses = uses
            .split(',')
            .map(|name| name.trim().trim_matches('`').to_owned());
        rows.insert(package, uses.filter(|name| name != "nothing").collect());
    }
    rows
}

#[test]
fn crates_depend_only_along_the_arrows_of_the_architecture() {
    let allowed = allowed_arrows();
    let manifests = files("toml")
        .into_iter()
        .filter(|(path, _)| path.ends_with("Cargo.toml"));
    let mut uses = BTreeMap::new();
    for (_, text) in manifests.filter(|(path, _)| !path.starts_with("tests/fuzz")) {
        let (name, keys) = manifest(&text, "dependencies");
        uses.insert(name.expect("every manifest has a package name"), keys);
    }
    let ours: BTreeSet<String> = uses.keys().cloned().collect();
    assert_eq!(
        ours,
        allowed.keys().cloned().collect(),
        "the packages of the workspace and the rows of ARCHITECTURE.md's table"
    );
    let mut offences = Vec::new();
    for (package, keys) in &uses {
        for key in keys
            .intersection(&ours)
            .filter(|key| !allowed[package].contains(*key))
        {
            offences.push(format!("{package} -> {key}"));
        }
    }
    report("arrows that ARCHITECTURE.md does not draw", &offences);
}

#[test]
fn one_manifest_names_glommio() {
    let offences: Vec<String> = files("toml")
        .into_iter()
        .filter(|(path, text)| {
            path.ends_with("Cargo.toml") && path != "Cargo.toml" && text.contains("glommio")
        })
        .map(|(path, _)| path)
        .filter(|path| path != "engine/runtime/Cargo.toml")
        .collect();
    report(
        "manifests that name glommio besides engine/runtime",
        &offences,
    );
}

#[test]
fn unsafe_stands_only_where_it_is_allowed() {
    let mut offences = Vec::new();
    for (path, text) in files("rs") {
        if UNSAFE_ALLOWED
            .iter()
            .any(|allowed| path.starts_with(allowed))
        {
            continue;
        }
        for (index, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let words = code.split(|c: char| !(c.is_alphanumeric() || c == '_'));
            if words.into_iter().any(|word| word == "unsafe") && !code.contains('"') {
                offences.push(format!("{path}:{}", index + 1));
            }
        }
    }
    report("`unsafe` outside its places", &offences);
}

#[test]
fn files_keep_their_budget() {
    let mut offences = Vec::new();
    for (path, text) in files("rs") {
        let lines = text.lines().count();
        if lines > FILE_LINES_MAX {
            offences.push(format!("{path}: {lines} lines, at most {FILE_LINES_MAX}"));
        }
    }
    report("files over their budget", &offences);
}

#[test]
fn every_module_begins_with_its_documentation() {
    let offences: Vec<String> = files("rs")
        .into_iter()
        .filter(|(_, text)| !text.starts_with("//!"))
        .map(|(path, _)| path)
        .collect();
    report("modules that do not begin with `//!`", &offences);
}

#[test]
fn roots_of_modules_hold_no_logic() {
    let mut offences = Vec::new();
    for (path, text) in files("rs") {
        if (path.ends_with("/lib.rs") || path.ends_with("/mod.rs")) && !path.starts_with("tests/") {
            for (index, line) in text.lines().enumerate() {
                let line = line.trim_start();
                if line.starts_with("fn ")
                    || line.starts_with("pub fn ")
                    || line.starts_with("impl")
                {
                    offences.push(format!("{path}:{}", index + 1));
                }
            }
        }
    }
    report("logic in lib.rs or mod.rs", &offences);
}

#[test]
fn nothing_is_marked_unfinished() {
    let mut offences = Vec::new();
    for (path, text) in files("rs") {
        for (index, line) in text.lines().enumerate() {
            if UNFINISHED.iter().any(|mark| line.contains(mark)) {
                offences.push(format!("{path}:{}", index + 1));
            }
        }
    }
    report("unfinished marks", &offences);
}
