//! Bounds of what a package may be. Packages have no settings of their own yet:
//! what is installed stands in Localbuild objects.

/// Files directly in a package's directory that are read as manifests.
pub const MANIFEST_FILES: usize = 1_000;
/// Size of one manifest file.
pub const MANIFEST_BYTES: u64 = 4 * 1024 * 1024;
/// Files in one directory that `cnoe://` names.
pub const TREE_FILES: usize = 20_000;
/// Size of one file in it.
pub const TREE_FILE_BYTES: u64 = 50 * 1024 * 1024;
/// Size of all its files.
pub const TREE_BYTES: u64 = 256 * 1024 * 1024;
/// Nesting of its directories.
pub const TREE_DEPTH: usize = 64;
