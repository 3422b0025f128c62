// SPDX-License-Identifier: MIT OR Apache-2.0
//! The initramfs: the guest's program as `/init`, modules, and files a test wants there.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use cpio::NewcBuilder;
use cpio::newc::{ModeFileType, trailer};
use vespera_guest::boot::{MODULES, MODULES_LIST};

use crate::error::HarnessError;
use crate::modules::module_name;
use crate::payload::unpack;

/// What goes into an initramfs.
#[derive(Debug, Clone, Default)]
pub struct Initramfs {
    /// The static program that becomes `/init`.
    pub init: PathBuf,
    /// Modules in load order, with their parameters; compression is undone here.
    pub modules: Vec<(PathBuf, String)>,
    /// More files: their path in the guest and on the host, and their mode.
    pub files: Vec<(String, PathBuf, u32)>,
}

impl Initramfs {
    /// Writes it as an uncompressed newc archive: the guest would spend longer on unpacking than
    /// the host on reading.
    ///
    /// # Errors
    /// If a file cannot be read or the archive not written.
    pub fn write(&self, target: &Path) -> Result<(), HarnessError> {
        let file = fs::File::create(target).map_err(HarnessError::file("creating", target))?;
        let archive = Archive::new(BufWriter::new(file));
        let written = HarnessError::file("writing", target);
        let mut order = String::new();
        let mut entries = vec![("init".to_owned(), read(&self.init)?, 0o755)];
        for (path, parameters) in &self.modules {
            let content = unpack(&read(path)?).map_err(HarnessError::file("unpacking", path))?;
            let name = format!("{}.ko", module_name(&path.to_string_lossy()));
            order.push_str(format!("{name} {parameters}").trim_end());
            order.push('\n');
            entries.push((format!("{MODULES}/{name}"), content, 0o644));
        }
        entries.push((MODULES_LIST.to_owned(), order.into_bytes(), 0o644));
        for (place, path, mode) in &self.files {
            entries.push((place.clone(), read(path)?, *mode));
        }
        archive.write_all(&entries).map_err(written)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, HarnessError> {
    fs::read(path).map_err(HarnessError::file("reading", path))
}

struct Archive<W: Write> {
    out: W,
    folders: BTreeSet<String>,
    next_inode: u32,
}

impl<W: Write> Archive<W> {
    fn new(out: W) -> Self {
        Self { out, folders: BTreeSet::new(), next_inode: 1 }
    }

    fn write_all(mut self, entries: &[(String, Vec<u8>, u32)]) -> io::Result<()> {
        self.folders_of("dev/console")?;
        // The kernel opens it for /init before anything is mounted.
        let console = self
            .entry("dev/console", 0o600)
            .set_mode_file_type(ModeFileType::Char)
            .rdev_major(5)
            .rdev_minor(1);
        console.write(&mut self.out, 0).finish()?;
        for (name, content, mode) in entries {
            let name = name.trim_start_matches('/');
            self.folders_of(name)?;
            let size = u32::try_from(content.len()).map_err(io::Error::other)?;
            let builder = self.entry(name, *mode).set_mode_file_type(ModeFileType::Regular);
            let mut writer = builder.write(&mut self.out, size);
            writer.write_all(content)?;
            writer.finish()?;
        }
        trailer(&mut self.out)?;
        self.out.flush()
    }

    fn folders_of(&mut self, name: &str) -> io::Result<()> {
        let ends: Vec<usize> = name.match_indices('/').map(|(at, _)| at).collect();
        for end in ends {
            let folder = &name[..end];
            if self.folders.insert(folder.to_owned()) {
                let builder = self.entry(folder, 0o755).set_mode_file_type(ModeFileType::Directory);
                builder.write(&mut self.out, 0).finish()?;
            }
        }
        Ok(())
    }

    fn entry(&mut self, name: &str, mode: u32) -> NewcBuilder {
        self.next_inode += 1;
        NewcBuilder::new(name).ino(self.next_inode).nlink(1).mode(mode)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use cpio::NewcReader;

    use super::*;

    #[test]
    fn the_archive_holds_init_modules_and_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("guest"), b"\x7fELF").unwrap();
        fs::write(path("virtio-ring.ko"), b"ring").unwrap();
        fs::write(path("maccel.ko"), b"driver").unwrap();
        let initramfs = Initramfs {
            init: path("guest"),
            modules: vec![
                (path("virtio-ring.ko"), String::new()),
                (path("maccel.ko"), "MODE=3".into()),
            ],
            files: vec![("/opt/x/data".into(), path("guest"), 0o600)],
        };
        let target = path("initramfs");
        initramfs.write(&target).unwrap();

        let mut source = fs::File::open(&target).unwrap();
        let mut seen = Vec::new();
        loop {
            let mut reader = NewcReader::new(source).unwrap();
            if reader.entry().is_trailer() {
                break;
            }
            let (name, mode) = (reader.entry().name().to_owned(), reader.entry().mode());
            let mut content = Vec::new();
            reader.read_to_end(&mut content).unwrap();
            seen.push((name, mode, content));
            source = reader.finish().unwrap();
        }
        let find = |name: &str| seen.iter().find(|(there, ..)| there == name).unwrap();
        assert_eq!(find("init").1, 0o100_755);
        assert_eq!(find("mods/virtio_ring.ko").2, b"ring");
        assert_eq!(find("mods/order").2, b"virtio_ring.ko\nmaccel.ko MODE=3\n");
        assert_eq!(find("opt/x/data").1, 0o100_600);
        assert_eq!(find("dev/console").1, 0o020_600);
        assert_eq!(find("opt/x").1, 0o040_755);
    }
}
