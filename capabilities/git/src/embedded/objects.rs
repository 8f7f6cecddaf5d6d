//! New git objects of one commit: collected in memory, then written to disk so
//! that none is ever there in part and all are flushed before anything refers to
//! them. It moves no ref.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::Stdio;

use base::Ids;
use contracts::git::Error;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use gix::ObjectId;
use gix::objs::{Kind, WriteTo};

use super::bare::Bare;
use super::durable;
use crate::program::Program;

/// So many objects are written one by one; more become one pack.
const LOOSE_OBJECTS: usize = 48;

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
        if !self.ids.contains(&id) && !git.has_object(id) {
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

    /// Writes and flushes all of them.
    pub fn write(self, bare: &Bare, program: &Program, ids: &Ids) -> Result<(), Error> {
        let written = match self.objects.len() {
            0 => Ok(()),
            1..=LOOSE_OBJECTS => self.write_loose(&bare.path.join("objects"), ids),
            _ => self.write_pack(&bare.path, program),
        };
        written.map_err(|error| bare.internal(&error))
    }

    fn write_loose(&self, directory: &Path, ids: &Ids) -> io::Result<()> {
        let mut touched = BTreeSet::new();
        let suffix = ids.token_hex(6);
        for (index, object) in self.objects.iter().enumerate() {
            let hex = object.id.to_string();
            let fan = directory.join(&hex[..2]);
            if !fan.is_dir() {
                fs::create_dir_all(&fan)?;
                touched.insert(directory.to_path_buf());
            }
            let temporary = directory.join(format!("tmp_obj_{suffix}_{index}"));
            let mut encoder = ZlibEncoder::new(fs::File::create(&temporary)?, Compression::fast());
            encoder.write_all(&gix::objs::encode::loose_header(object.kind, object.data.len() as u64))?;
            encoder.write_all(&object.data)?;
            let file = encoder.finish()?;
            file.sync_all()?;
            let mut permissions = file.metadata()?.permissions();
            permissions.set_readonly(true);
            file.set_permissions(permissions)?;
            fs::rename(&temporary, fan.join(&hex[2..]))?;
            touched.insert(fan);
        }
        touched.iter().try_for_each(|directory| durable::sync_directory(directory))
    }

    /// Hands all objects to `git index-pack`, which flushes the pack before it names it.
    fn write_pack(&self, repository: &Path, program: &Program) -> io::Result<()> {
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
        durable::sync_directory(&repository.join("objects/pack"))
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
