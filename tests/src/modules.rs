// SPDX-License-Identifier: MIT OR Apache-2.0
//! The modules of a kernel on the host: which exist, and in which order they load.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::HarnessError;

/// A module wanted in a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    name: &'static str,
    optional: bool,
}

/// The boot cannot do without it (it may be built in).
#[must_use]
pub const fn needed(name: &'static str) -> Wanted {
    Wanted { name, optional: false }
}

/// Some kernels have it, others do without.
#[must_use]
pub const fn optional(name: &'static str) -> Wanted {
    Wanted { name, optional: true }
}

/// For every guest: the channel, and mice.
pub const EVERY_GUEST: &[Wanted] = &[
    needed("virtio_pci"),
    needed("virtio_console"),
    needed("evdev"),
    needed("uinput"),
    optional("virtio_rng"),
];

/// For the root of an image. erofs asks for crc32c through libcrc32c, which fails if no
/// implementation is there yet; newer kernels have neither.
pub const IMAGE_ROOT: &[Wanted] = &[
    needed("virtio_blk"),
    optional("crc32c_generic"),
    optional("libcrc32c"),
    needed("erofs"),
    needed("overlay"),
];

/// For a persistent disk.
pub const EXT4: &[Wanted] = &[needed("virtio_blk"), optional("crc32c_generic"), needed("ext4")];

/// For a guest without a root: disks are attached to it later, and it has a PS/2 mouse, whose
/// reports come in an interrupt, while those of virtual mice come from a write.
pub const DRIVER_GUEST: &[Wanted] = &[needed("virtio_blk"), optional("psmouse")];

/// A folder of modules with its index.
#[derive(Debug, Clone)]
pub struct ModuleTree {
    folder: PathBuf,
    /// Name -> the module's path and those it depends on, nearest last, as in `modules.dep`.
    index: HashMap<String, (String, Vec<String>)>,
    builtin: BTreeSet<String>,
}

impl ModuleTree {
    /// Reads `modules.dep` and `modules.builtin` of a folder.
    ///
    /// # Errors
    /// If `modules.dep` cannot be read (`depmod` makes it).
    pub fn read(folder: &Path) -> Result<Self, HarnessError> {
        let path = folder.join("modules.dep");
        let text = fs::read_to_string(&path).map_err(HarnessError::file("reading", &path))?;
        let mut index = HashMap::new();
        for line in text.lines() {
            let Some((file, dependencies)) = line.split_once(':') else { continue };
            let dependencies = dependencies.split_whitespace().map(str::to_owned).collect();
            index.insert(module_name(file), (file.to_owned(), dependencies));
        }
        // Absent where a kernel has none.
        let builtin = fs::read_to_string(folder.join("modules.builtin")).unwrap_or_default();
        let builtin = builtin.lines().map(module_name).collect();
        Ok(Self { folder: folder.to_owned(), index, builtin })
    }

    /// The files of the wanted modules with all they depend on, in load order, each once.
    ///
    /// # Errors
    /// If a needed one is neither there nor built in.
    pub fn resolve(&self, wanted: &[Wanted]) -> Result<Vec<PathBuf>, HarnessError> {
        let mut files: Vec<PathBuf> = Vec::new();
        for want in wanted {
            let Some((file, dependencies)) = self.index.get(want.name) else {
                if want.optional || self.builtin.contains(want.name) {
                    continue;
                }
                return Err(HarnessError::Missing {
                    what: format!("module {} in {}", want.name, self.folder.display()),
                    there: format!("{} modules", self.index.len()),
                });
            };
            // modules.dep lists what is to be loaded first last.
            for file in dependencies.iter().rev().chain([file]) {
                let path = self.folder.join(file);
                if !files.contains(&path) {
                    files.push(path);
                }
            }
        }
        Ok(files)
    }
}

/// The kernel's name of a module: the file's, without `.ko*`, with `_` for `-`.
#[must_use]
pub fn module_name(path: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    let stem = file.split_once(".ko").map_or(file, |(stem, _)| stem);
    stem.replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> ModuleTree {
        let folder = tempfile::tempdir().unwrap();
        let dep = "kernel/fs/erofs/erofs.ko.xz: kernel/lib/libcrc32c.ko.xz\n\
                   kernel/lib/libcrc32c.ko.xz:\n\
                   kernel/v/virtio_pci.ko: kernel/v/legacy.ko kernel/v/virtio-ring.ko\n\
                   kernel/v/virtio-ring.ko:\nkernel/v/legacy.ko: kernel/v/virtio-ring.ko\n";
        fs::write(folder.path().join("modules.dep"), dep).unwrap();
        fs::write(folder.path().join("modules.builtin"), "kernel/e/overlay.ko\n").unwrap();
        ModuleTree::read(folder.path()).unwrap()
    }

    fn names(files: &[PathBuf]) -> Vec<String> {
        files.iter().map(|file| module_name(&file.to_string_lossy())).collect()
    }

    #[test]
    fn what_a_module_needs_comes_before_it_and_once() {
        let files = tree()
            .resolve(&[needed("virtio_pci"), needed("virtio_ring"), needed("erofs")])
            .unwrap();
        assert_eq!(names(&files), ["virtio_ring", "legacy", "virtio_pci", "libcrc32c", "erofs"]);
    }

    #[test]
    fn built_in_and_optional_modules_may_be_absent_others_not() {
        let files = tree().resolve(&[needed("overlay"), optional("crc32c_generic")]).unwrap();
        assert!(files.is_empty());
        let error = tree().resolve(&[needed("uinput")]).unwrap_err();
        assert!(error.to_string().contains("module uinput"), "{error}");
    }
}
