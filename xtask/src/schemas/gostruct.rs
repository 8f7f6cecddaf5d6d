//! Reads Go struct declarations as far as schemas need them: JSON and protobuf
//! tags, whether a field is a pointer, embedded structs, enumerations. It is no
//! Go parser: it relies on gofmt's layout and on the conventions of Kubernetes'
//! API types.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context;

use super::fetch::Sources;

/// The declarations of one Go package.
#[derive(Debug, Default)]
pub struct Package {
    /// Structs by name.
    pub structs: BTreeMap<String, Vec<GoField>>,
    /// Names of text types marked `+enum`, with their values in order.
    pub enums: BTreeMap<String, Vec<String>>,
}

/// One field of a Go struct.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GoField {
    /// JSON name; empty if embedded.
    pub json: String,
    /// Type without pointers, lists and maps around it, as full package path and name.
    pub base: (String, String),
    /// The type as Go's reflection names it, without a pointer before it.
    pub declared: String,
    /// Whether the field is `*T`, or an interface.
    pub pointer: bool,
    /// `omitempty` or `omitzero`.
    pub omit: bool,
    /// `omitzero`, which also leaves out empty structs.
    pub omit_struct: bool,
    /// `json:",inline"`.
    pub inline: bool,
    /// Protobuf tag; 0 for none.
    pub tag: u32,
}

/// Packages, read when first asked for.
pub struct Structs<'a> {
    sources: &'a Sources,
    packages: BTreeMap<String, Package>,
}

impl<'a> Structs<'a> {
    /// Nothing read yet.
    pub fn new(sources: &'a Sources) -> Self {
        Structs { sources, packages: BTreeMap::new() }
    }

    /// A package by its path below `k8s.io/`, for example `api/core/v1`.
    pub fn package(&mut self, path: &str) -> anyhow::Result<&Package> {
        if !self.packages.contains_key(path) {
            let package = self.read(path).with_context(|| format!("reading Go package {path}"))?;
            self.packages.insert(path.to_owned(), package);
        }
        Ok(&self.packages[path])
    }

    fn read(&self, path: &str) -> anyhow::Result<Package> {
        let Some(dir) = self.directory(path) else { return Ok(Package::default()) };
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(&dir)?.map(|entry| Ok(entry?.path())).collect::<Result<_, std::io::Error>>()?;
        files.sort();
        let mut package = Package::default();
        for file in files {
            let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let generated = name.starts_with("zz_") || name.contains("generated") || name.ends_with("_test.go");
            if name.ends_with(".go") && !generated {
                parse_file(&std::fs::read_to_string(&file)?, path, &mut package);
            }
        }
        Ok(package)
    }

    fn directory(&self, path: &str) -> Option<PathBuf> {
        let (module, rest) = path.split_once('/')?;
        Some(self.sources.staging.get(module)?.join(rest))
    }
}

/// Adds the declarations of one file of package `path`.
pub fn parse_file(text: &str, path: &str, package: &mut Package) {
    let imports = imports(text);
    let mut comment_marks_enum = false;
    let mut current: Option<(String, Vec<GoField>)> = None;
    for line in text.lines() {
        let trimmed = line.trim();
        if let Some((name, mut fields)) = current.take() {
            if line == "}" {
                package.structs.insert(name, fields);
            } else {
                fields.extend(field(trimmed, path, &imports));
                current = Some((name, fields));
            }
            continue;
        }
        if let Some(comment) = trimmed.strip_prefix("//") {
            comment_marks_enum |= comment.trim() == "+enum";
            continue;
        }
        if let Some(declared) = line.strip_prefix("type ") {
            if let Some(name) = declared.strip_suffix(" struct {") {
                current = Some((name.to_owned(), Vec::new()));
            } else if let (true, Some(name)) = (comment_marks_enum, declared.strip_suffix(" string")) {
                package.enums.entry(name.to_owned()).or_default();
            }
        }
        comment_marks_enum = false;
    }
    constants(text, package);
}

/// Aliases of imported Kubernetes packages, with paths below `k8s.io/`.
fn imports(text: &str) -> BTreeMap<String, String> {
    let mut imports = BTreeMap::new();
    for line in text.lines().map(str::trim).take_while(|line| !line.starts_with("type ")) {
        let Some((alias, quoted)) = line.trim_start_matches("import ").split_once('"') else { continue };
        let Some(path) = quoted.trim_end_matches('"').strip_prefix("k8s.io/") else { continue };
        let last = path.rsplit('/').next().unwrap_or(path);
        let alias = if alias.trim().is_empty() { last } else { alias.trim() };
        imports.insert(alias.to_owned(), path.to_owned());
    }
    imports
}

fn field(line: &str, path: &str, imports: &BTreeMap<String, String>) -> Option<GoField> {
    if line.starts_with("//") {
        return None;
    }
    let (declared, rest) = line.split_once('`')?;
    let tags = rest.split_once('`')?.0;
    let json = quoted(tags, "json:\"")?;
    let protobuf = quoted(tags, "protobuf:\"").unwrap_or_default();
    let mut options = json.split(',');
    let name = options.next().unwrap_or_default();
    let options: Vec<&str> = options.collect();
    let go_type = declared.split_once(char::is_whitespace).map_or(declared, |(_, rest)| rest).trim();
    // An embedded struct has no name before its type.
    let go_type = if go_type.is_empty() { declared.trim() } else { go_type };
    let omit_struct = options.contains(&"omitzero");
    Some(GoField {
        json: name.to_owned(),
        base: base_type(go_type, path, imports),
        declared: reflected(go_type.trim_start_matches('*'), path, imports),
        pointer: go_type.starts_with('*'),
        omit: omit_struct || options.contains(&"omitempty"),
        omit_struct,
        inline: options.contains(&"inline"),
        tag: protobuf.split(',').nth(1).and_then(|tag| tag.parse().ok()).unwrap_or(0),
    })
}

fn quoted<'a>(tags: &'a str, key: &str) -> Option<&'a str> {
    tags.split_once(key)?.1.split_once('"').map(|(value, _)| value)
}

fn base_type(go_type: &str, path: &str, imports: &BTreeMap<String, String>) -> (String, String) {
    let mut base = go_type;
    loop {
        let stripped = base.trim_start_matches('*');
        let stripped = stripped.strip_prefix("[]").unwrap_or(stripped);
        let stripped = match stripped.strip_prefix("map[") {
            Some(map) => map.split_once(']').map_or(stripped, |(_, value)| value),
            None => stripped,
        };
        if stripped == base {
            break;
        }
        base = stripped;
    }
    match base.split_once('.') {
        Some((alias, name)) => (imports.get(alias).cloned().unwrap_or_default(), name.to_owned()),
        None => (path.to_owned(), base.to_owned()),
    }
}

/// A type with the names of packages in place of their aliases.
fn reflected(go_type: &str, path: &str, imports: &BTreeMap<String, String>) -> String {
    const PREDECLARED: &[&str] =
        &["string", "bool", "int", "int32", "int64", "uint8", "uint32", "uint64", "float32", "float64"];
    let last = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    if let Some(inner) = go_type.strip_prefix("[]") {
        return format!("[]{}", reflected(inner, path, imports));
    }
    if let Some(inner) = go_type.strip_prefix('*') {
        return format!("*{}", reflected(inner, path, imports));
    }
    if let Some((key, value)) = go_type.strip_prefix("map[").and_then(|map| map.split_once(']')) {
        return format!("map[{}]{}", reflected(key, path, imports), reflected(value, path, imports));
    }
    match go_type.split_once('.') {
        Some((alias, name)) => {
            format!("{}.{name}", imports.get(alias).map_or_else(|| alias.to_owned(), |path| last(path)))
        }
        None if go_type == "byte" => "uint8".to_owned(),
        None if PREDECLARED.contains(&go_type) => go_type.to_owned(),
        None => format!("{}.{go_type}", last(path)),
    }
}

/// Collects `Name Type = "value"` of the types marked `+enum`.
fn constants(text: &str, package: &mut Package) {
    for line in text.lines() {
        let line = line.trim();
        let line = line.strip_prefix("const ").unwrap_or(line);
        let Some((left, right)) = line.split_once(" = \"") else { continue };
        let mut words = left.split_whitespace();
        let (Some(_), Some(kind), None) = (words.next(), words.next(), words.next()) else { continue };
        let Some(values) = package.enums.get_mut(kind) else { continue };
        let value = right.split('"').next().unwrap_or_default().to_owned();
        if !values.contains(&value) {
            values.push(value);
        }
    }
}
