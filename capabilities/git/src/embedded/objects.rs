//! New git objects of one commit: collected in memory, written beside their
//! places, flushed together, then put in place, so that none is ever there in
//! part. It moves no ref.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use base::Ids;
use contracts::git::Error;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use gix::ObjectId;
use gix::objs::{Kind, WriteTo};

use super::bare::Bare;
use crate::program::Program;

/// So many objects are written one by one; more become one pack.
const LOOSE_OBJECTS: usize = 32;

/// Objects that are not on disk yet.
#[derive(Default)]
pub struct NewObjects {
    objects: Vec<NewObject>,
    ids: HashSet<ObjectId>,
}

struct NewObject {
    id: ObjectId,
    kind: Kind,
    data: Vec<u8>,
}

impl NewObjects {
    /// Adds an object unless the repository has it; returns its id.
    pub fn add(&mut self, git: &gix::Repository, kind: Kind, data: Vec<u8>) -> Result<ObjectId, Error> {
        let id = gix::objs::compute_hash(gix::hash::Kind::Sha1, kind, &data).map_err(internal)?;
        // The library knows the empty tree by heart, whether or not it is on disk.
        let is_known = git.has_object(id) && !id.is_empty_tree();
        if !self.ids.contains(&id) && !is_known {
            self.ids.insert(id);
            self.objects.push(NewObject { id, kind, data });
        }
        Ok(id)
    }

    /// Adds a tree or commit; returns its id.
    pub fn add_encoded(&mut self, git: &gix::Repository, object: &dyn WriteTo) -> Result<ObjectId, Error> {
        let mut data = Vec::new();
        object.write_to(&mut data).map_err(internal)?;
        self.add(git, object.kind(), data)
    }

    /// Writes all of them where nobody looks yet.
    pub fn stage(self, bare: &Bare, program: &Program, ids: &Ids) -> Result<Staged, Error> {
        let staged = match self.objects.len() {
            0..=LOOSE_OBJECTS => self.stage_loose(&bare.path.join("objects"), ids),
            _ => self.write_pack(&bare.path, program),
        };
        staged.map_err(|error| bare.internal(&error))
    }

    fn stage_loose(&self, directory: &Path, ids: &Ids) -> io::Result<Staged> {
        let mut staged = Staged::default();
        let suffix = ids.token_hex(6);
        for (index, object) in self.objects.iter().enumerate() {
            let hex = object.id.to_string();
            let temporary = directory.join(format!("tmp_obj_{suffix}_{index}"));
            let file = fs::File::create(&temporary)?;
            staged.moves.push((temporary, directory.join(&hex[..2]), hex[2..].to_owned()));
            let mut encoder = ZlibEncoder::new(file, Compression::fast());
            encoder.write_all(&gix::objs::encode::loose_header(object.kind, object.data.len() as u64))?;
            encoder.write_all(&object.data)?;
            let file = encoder.finish()?;
            let mut permissions = file.metadata()?.permissions();
            permissions.set_readonly(true);
            file.set_permissions(permissions)?;
            staged.files.push(file);
        }
        Ok(staged)
    }

    /// Hands all objects to `git index-pack`, which flushes the pack before it names it.
    fn write_pack(&self, repository: &Path, program: &Program) -> io::Result<Staged> {
        let pack = self.encode_pack()?;
        let mut command = program.blocking_command(repository, &[]);
        command.args(["index-pack", "--stdin"]).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.spawn()?;
        let mut input = child.stdin.take().ok_or_else(|| io::Error::other("a pipe was asked for"))?;
        let fed = input.write_all(&pack);
        drop(input);
        let output = child.wait_with_output()?;
        if !output.status.success() {
            return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
        }
        fed?;
        let mut staged = Staged::default();
        staged.touched.insert(repository.join("objects/pack"));
        Ok(staged)
    }

    fn encode_pack(&self) -> io::Result<Vec<u8>> {
        let count = u32::try_from(self.objects.len()).map_err(io::Error::other)?;
        let mut pack = Vec::with_capacity(self.objects.iter().map(|object| object.data.len() / 2 + 32).sum());
        pack.extend_from_slice(b"PACK");
        pack.extend_from_slice(&2u32.to_be_bytes());
        pack.extend_from_slice(&count.to_be_bytes());
        for object in &self.objects {
            write_entry_header(&mut pack, object);
            let mut encoder = ZlibEncoder::new(&mut pack, Compression::fast());
            encoder.write_all(&object.data)?;
            encoder.finish()?;
        }
        let mut hasher = gix::hash::hasher(gix::hash::Kind::Sha1);
        hasher.update(&pack);
        let digest = hasher.try_finalize().map_err(io::Error::other)?;
        pack.extend_from_slice(digest.as_slice());
        Ok(pack)
    }
}

/// Objects on disk, not yet in their places; those that never get there are removed.
#[derive(Default)]
pub struct Staged {
    /// What has to be flushed before [`Staged::place`].
    pub files: Vec<fs::File>,
    /// Directories whose names have to be flushed after it.
    pub touched: BTreeSet<PathBuf>,
    /// From where, into which directory, under which name.
    moves: Vec<(PathBuf, PathBuf, String)>,
}

impl Staged {
    /// Puts the objects in their places.
    pub fn place(&mut self) -> io::Result<()> {
        while let Some((temporary, fan, name)) = self.moves.last() {
            if !fan.is_dir() {
                fs::create_dir_all(fan)?;
                self.touched.extend(fan.parent().map(Path::to_path_buf));
            }
            fs::rename(temporary, fan.join(name))?;
            self.touched.insert(fan.clone());
            self.moves.pop();
        }
        Ok(())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        for (temporary, _, _) in &self.moves {
            // What stays behind is cleared at the next start.
            let _ = fs::remove_file(temporary);
        }
    }
}

/// Kind and size of a pack entry: four bits of the size beside the kind, then seven at a time.
fn write_entry_header(pack: &mut Vec<u8>, object: &NewObject) {
    let kind: u8 = match object.kind {
        Kind::Commit => 1,
        Kind::Tree => 2,
        Kind::Blob => 3,
        Kind::Tag => 4,
    };
    let size = object.data.len();
    let low = |bits: usize, mask: usize| u8::try_from(bits & mask).unwrap_or_default();
    let mut byte = kind << 4 | low(size, 0x0f);
    let mut rest = size >> 4;
    while rest > 0 {
        pack.push(byte | 0x80);
        byte = low(rest, 0x7f);
        rest >>= 7;
    }
    pack.push(byte);
}

fn internal(error: impl std::fmt::Display) -> Error {
    Error::Internal(format!("an object cannot be encoded: {error}"))
}
