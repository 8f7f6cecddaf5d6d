//! The pages themselves: strings made of constant markup and escaped text.

use std::fmt::Write;
use std::sync::Arc;

use gix::objs::tree::EntryKind;

use crate::address::Address;
use crate::embedded::bare::Bare;
use crate::embedded::lookup::Found;
use crate::escape::{self, text};

const STYLE: &str = include_str!("style.css");

/// A file or directory to be shown.
pub struct View<'a> {
    /// Where the server is.
    pub address: &'a Address,
    /// The repository.
    pub bare: &'a Bare,
    /// `branch`, `tag` or `commit`.
    pub kind: &'a str,
    /// Which one.
    pub revision: &'a str,
    /// What is there.
    pub found: &'a Found,
    /// Text of the directory's README.
    pub readme: Option<String>,
}

impl View<'_> {
    fn link(&self, what: &str, path: &str) -> String {
        let id = &self.bare.id;
        let (base, revision) = (self.address.base_path(), self.revision.trim_start_matches("refs/tags/"));
        let url = format!("{base}/{}/{}/{what}/{}/{}", id.owner, id.name, self.kind, escape::path(revision));
        let url = if path.is_empty() { url } else { format!("{url}/{}", escape::path(path)) };
        text(&url)
    }
}

fn frame(address: &Address, title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <title>{} · Git</title><style>{STYLE}</style></head><body>\
         <header><a class=\"home\" href=\"{}/\">Git</a></header><main>{body}</main></body></html>\n",
        text(title),
        text(address.base_path()),
    )
}

/// A page that says one thing.
pub fn message(address: &Address, title: &str, sentence: &str) -> String {
    frame(address, title, &format!("<h1>{}</h1><p>{}</p>", text(title), text(sentence)))
}

/// A list of repositories.
pub fn repositories(address: &Address, owner: Option<&str>, all: &[Arc<Bare>]) -> String {
    let title = owner.unwrap_or("Repositories");
    let mut body = format!("<h1>{}</h1>", text(title));
    if all.is_empty() {
        body.push_str("<p class=\"quiet\">There are no repositories that you may read.</p>");
    }
    body.push_str("<ul class=\"list\">");
    for bare in all {
        let facts = bare.facts();
        let private = if facts.private { "<span class=\"tag\">private</span>" } else { "" };
        let _ = write!(
            body,
            "<li><a href=\"{}/{}/{}\">{}/<b>{}</b></a>{private}<span class=\"quiet\">{}</span></li>",
            text(address.base_path()),
            text(&bare.id.owner),
            text(&bare.id.name),
            text(&bare.id.owner),
            text(&bare.id.name),
            text(&facts.description),
        );
    }
    body.push_str("</ul>");
    frame(address, title, &body)
}

fn heading(address: &Address, bare: &Bare) -> String {
    let facts = bare.facts();
    let base = text(address.base_path());
    let (owner, name) = (text(&bare.id.owner), text(&bare.id.name));
    let private = if facts.private { "<span class=\"tag\">private</span>" } else { "" };
    format!(
        "<h1><a href=\"{base}/{owner}\">{owner}</a> / <a href=\"{base}/{owner}/{name}\"><b>{name}</b></a>{private}</h1>\
         <p class=\"quiet\">{}</p><p class=\"clone\"><code>git clone {}</code></p>",
        text(&facts.description),
        text(&address.clone_url(&bare.id)),
    )
}

/// A repository without commits.
pub fn empty(address: &Address, bare: &Bare) -> String {
    let branch = bare.default_branch();
    let push = format!("git remote add origin {}\ngit push -u origin HEAD:{branch}", address.clone_url(&bare.id));
    let body = format!(
        "{}<p>This repository is empty. Push to it:</p><pre class=\"file\">{}</pre>",
        heading(address, bare),
        text(&push)
    );
    frame(address, &format!("{}/{}", bare.id.owner, bare.id.name), &body)
}

/// A directory or a file.
pub fn source(view: &View<'_>, shown_bytes: usize) -> String {
    let mut body = heading(view.address, view.bare);
    body.push_str(&branches(view));
    body.push_str(&crumbs(view));
    match &view.found.content {
        None => body.push_str(&directory(view)),
        Some(content) => body.push_str(&file(view, content, shown_bytes)),
    }
    if let Some(readme) = &view.readme {
        let _ = write!(body, "<pre class=\"file readme\">{}</pre>", text(readme));
    }
    let id = &view.bare.id;
    frame(view.address, &format!("{}/{} {}", id.owner, id.name, view.found.entry.path), &body)
}

fn branches(view: &View<'_>) -> String {
    let base = text(view.address.base_path());
    let mut list = String::from("<nav class=\"branches\">");
    for (name, _) in view.bare.branches().iter().take(50) {
        let current = if view.kind == "branch" && name == view.revision { " class=\"current\"" } else { "" };
        let _ = write!(
            list,
            "<a{current} href=\"{base}/{}/{}/src/branch/{}\">{}</a>",
            text(&view.bare.id.owner),
            text(&view.bare.id.name),
            text(&escape::path(name)),
            text(name)
        );
    }
    let commit = view.found.commit.to_string();
    let _ = write!(list, "<code class=\"quiet\">{}</code></nav>", &commit[..10]);
    list
}

fn crumbs(view: &View<'_>) -> String {
    let path = &view.found.entry.path;
    if path.is_empty() {
        return String::new();
    }
    let mut crumbs =
        format!("<p class=\"crumbs\"><a href=\"{}\">{}</a>", view.link("src", ""), text(&view.bare.id.name));
    let mut so_far = String::new();
    for component in path.split('/') {
        if !so_far.is_empty() {
            so_far.push('/');
        }
        so_far.push_str(component);
        let _ = write!(crumbs, " / <a href=\"{}\">{}</a>", view.link("src", &so_far), text(component));
    }
    crumbs.push_str("</p>");
    crumbs
}

fn directory(view: &View<'_>) -> String {
    let mut entries: Vec<_> = view.found.entries.iter().collect();
    entries.sort_by_key(|(entry, _)| (entry.kind != EntryKind::Tree, entry.path.clone()));
    let mut table = String::from("<table class=\"files\">");
    for (entry, size) in entries {
        let name = entry.path.rsplit('/').next().unwrap_or_default();
        let (mark, size) = match entry.kind {
            EntryKind::Tree => ("▸", String::new()),
            EntryKind::Link => ("↪", String::new()),
            EntryKind::Commit => ("◆", String::new()),
            _ => ("", human(*size)),
        };
        let _ = write!(
            table,
            "<tr><td class=\"mark\">{mark}</td><td><a href=\"{}\">{}</a></td><td class=\"size\">{size}</td></tr>",
            view.link("src", &entry.path),
            text(name)
        );
    }
    table.push_str("</table>");
    table
}

fn file(view: &View<'_>, content: &[u8], shown_bytes: usize) -> String {
    let raw = view.link("raw", &view.found.entry.path);
    let bar = format!("<p class=\"bar\"><span>{}</span><a href=\"{raw}\">Raw</a></p>", human(content.len() as u64));
    match std::str::from_utf8(content) {
        Ok(content) if content.len() <= shown_bytes => {
            let mut lines = String::new();
            for (index, line) in content.lines().enumerate() {
                let number = index + 1;
                let _ =
                    write!(lines, "<span class=\"line\" id=\"L{number}\" data-n=\"{number}\">{}\n</span>", text(line));
            }
            format!("{bar}<pre class=\"file\">{lines}</pre>")
        }
        Ok(_) => format!("{bar}<p class=\"quiet\">This file is too large to be shown here.</p>"),
        Err(_) => format!("{bar}<p class=\"quiet\">This file is not text.</p>"),
    }
}

fn human(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{} KiB", bytes.div_ceil(1024)),
        _ => format!("{} MiB", bytes.div_ceil(1_048_576)),
    }
}
