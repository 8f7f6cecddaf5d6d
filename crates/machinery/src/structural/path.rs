//! Where in an object or a schema a check stands, as Kubernetes writes it in
//! causes. A path is a chain on the stack that costs nothing until something is
//! wrong; it must never be kept.

use std::fmt;

/// A place: the one above it, and the step from there.
#[derive(Clone, Copy)]
pub(super) struct Path<'a> {
    above: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root(&'a str),
    Child(&'a str),
    Key(&'a str),
    Index(usize),
}

/// Bytes of one step that are shown.
const STEP_BYTES: usize = 1024;

fn cut(name: &str) -> &str {
    &name[..name.floor_char_boundary(STEP_BYTES)]
}

impl<'a> Path<'a> {
    /// Where a path begins; empty for the object itself.
    pub(super) fn root(text: &'a str) -> Self {
        Path { above: None, step: Step::Root(text) }
    }

    /// `path.name`.
    pub(super) fn child<'b>(&'b self, name: &'b str) -> Path<'b> {
        Path { above: Some(self), step: Step::Child(name) }
    }

    /// `path[key]`.
    pub(super) fn key<'b>(&'b self, key: &'b str) -> Path<'b> {
        Path { above: Some(self), step: Step::Key(key) }
    }

    /// `path[3]`.
    pub(super) fn index<'b>(&'b self, index: usize) -> Path<'b> {
        Path { above: Some(self), step: Step::Index(index) }
    }

    /// Whether this is the object itself.
    pub(super) fn is_root(&self) -> bool {
        self.above.is_none()
    }

    /// No name of a field is as long as what is cut here; keys may be as long as a request, and
    /// a path is told of each of many places below one.
    fn write(&self, out: &mut String) {
        if let Some(above) = self.above {
            above.write(out);
        }
        match self.step {
            Step::Root(text) => out.push_str(text),
            Step::Child(name) => {
                if !out.is_empty() {
                    out.push('.');
                }
                out.push_str(cut(name));
            }
            Step::Key(key) => {
                out.push('[');
                out.push_str(cut(key));
                out.push(']');
            }
            Step::Index(index) => out.push_str(&format!("[{index}]")),
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.write(&mut text);
        out.write_str(&text)
    }
}
