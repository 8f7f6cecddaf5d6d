//! The YAML documents of one file, and where in the file something is wrong.
//! Pure; it knows nothing of what the documents mean.

use base::Diagnostic;
use serde_json::Value;

/// A file of a package: its name for people, and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Path on this machine, or in the repository.
    pub path: String,
    /// Content.
    pub text: String,
}

/// Every object of a file: empty documents are left out, lists taken apart.
pub fn documents(file: &SourceFile) -> Result<Vec<Value>, Diagnostic> {
    machinery::yaml::documents(&file.text).map_err(|error| broken(file, &error))
}

fn broken(file: &SourceFile, error: &machinery::yaml::Error) -> Diagnostic {
    let place = match error.line {
        0 => file.path.clone(),
        line => format!("{}:{line}:{}", file.path, error.column),
    };
    let detail =
        if error.snippet.is_empty() { error.message.clone() } else { format!("{}\n{}", error.message, error.snippet) };
    Diagnostic::new("broken-yaml", format!("{place} is not valid YAML"))
        .detail(detail)
        .hint("mend the file; nothing of its package was applied")
}
