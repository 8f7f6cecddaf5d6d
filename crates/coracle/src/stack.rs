//! The stack we ship, `stacks/basic`, held in the binary so that it is there
//! without a network and from any directory.

use std::fs;
use std::path::{Path, PathBuf};

use base::Diagnostic;

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../../../stacks/basic/", $path)))),*]
    };
}

/// Every file of the stack with its content. A test compares the list with the directory.
pub const FILES: &[(&str, &str)] = files![
    "README.md",
    "platform-basics.yaml",
    "platform-basics/access.yaml",
    "platform-basics/facts.yaml",
    "platform-basics/priority-classes.yaml",
    "platform-guide.yaml",
    "platform-guide/next-steps.yaml",
    "platform-guide/welcome.yaml",
    "team-workspace.yaml",
    "team-workspace/access.yaml",
    "team-workspace/network.yaml",
    "team-workspace/quota.yaml",
];

/// Writes the stack below a platform's directory, as this binary has it, and returns where.
pub fn unpack(root: &Path) -> Result<PathBuf, Diagnostic> {
    let stack = root.join("stacks").join("basic");
    write(&stack).map_err(|error| {
        Diagnostic::new("unusable-directory", format!("{} cannot be written", stack.display()))
            .detail(error)
            .hint("check free space, owner and permissions, or name another directory with --data-dir")
    })?;
    Ok(stack)
}

fn write(stack: &Path) -> std::io::Result<()> {
    if stack.exists() {
        fs::remove_dir_all(stack)?;
    }
    for (path, content) in FILES {
        let file = stack.join(path);
        fs::create_dir_all(file.parent().unwrap_or(stack))?;
        fs::write(file, content)?;
    }
    Ok(())
}
