// SPDX-License-Identifier: MIT OR Apache-2.0
//! Small made-up module files and root folders for tests.
//!
//! Behind the feature `fixtures`; a failure here is a failed test, hence the panics.
#![allow(clippy::unwrap_used, reason = "test support: a panic is the failed test")]

pub mod signing;

use camino::Utf8PathBuf;
use object::write::{Object, StandardSegment};
use object::{Architecture, BinaryFormat, Endianness, SectionKind};

use crate::root::Root;

/// A kernel module in the making: an ELF object with the sections the checks read.
#[derive(Debug, Clone)]
pub struct ModuleBuilder {
    vermagic: String,
    version: Option<String>,
    srcversion: String,
    crcs: Vec<(String, u32)>,
    signature: Vec<u8>,
}

impl ModuleBuilder {
    /// A module made for `release` with Debian's usual flags.
    pub fn new(release: &str) -> Self {
        Self {
            vermagic: format!("{release} SMP preempt mod_unload modversions "),
            version: Some("0.1.0".to_owned()),
            srcversion: "0123456789ABCDEF0123456".to_owned(),
            crcs: Vec::new(),
            signature: Vec::new(),
        }
    }

    /// Replaces the whole version magic.
    #[must_use]
    pub fn vermagic(mut self, vermagic: &str) -> Self {
        vermagic.clone_into(&mut self.vermagic);
        self
    }

    /// Sets `MODULE_VERSION`.
    #[must_use]
    pub fn version(mut self, version: &str) -> Self {
        self.version = Some(version.to_owned());
        self
    }

    /// Sets the hash of the sources.
    #[must_use]
    pub fn srcversion(mut self, srcversion: &str) -> Self {
        srcversion.clone_into(&mut self.srcversion);
        self
    }

    /// Whether a `__versions` table with two symbols is present.
    #[must_use]
    pub fn crcs(mut self, present: bool) -> Self {
        self.crcs.clear();
        if present { self.crc("module_layout", 1).crc("input_event", 2) } else { self }
    }

    /// Adds a symbol to the `__versions` table.
    #[must_use]
    pub fn crc(mut self, symbol: &str, crc: u32) -> Self {
        self.crcs.retain(|(name, _)| name != symbol);
        self.crcs.push((symbol.to_owned(), crc));
        self
    }

    /// Signs the module with the key of this number, whose certificate is
    /// [`signing::certificate`]; nothing may be changed after that.
    #[must_use]
    pub fn signed_by(mut self, key: u8) -> Self {
        self.signature.clear();
        let content = self.bytes();
        self.signature = signing::appended(&[], &signing::message(key, &content));
        self
    }

    /// The ELF file.
    pub fn bytes(&self) -> Vec<u8> {
        let mut elf = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
        let mut info = String::new();
        let version = self.version.as_deref();
        for (key, value) in [
            ("version", version),
            ("license", Some("GPL")),
            ("srcversion", Some(self.srcversion.as_str())),
            ("name", Some("maccel")),
            ("vermagic", Some(self.vermagic.as_str())),
        ] {
            if let Some(value) = value {
                info.push_str(&format!("{key}={value}\0"));
            }
        }
        let segment = elf.segment_name(StandardSegment::Data).to_vec();
        let section =
            elf.add_section(segment.clone(), b".modinfo".to_vec(), SectionKind::ReadOnlyData);
        elf.append_section_data(section, info.as_bytes(), 1);
        if !self.crcs.is_empty() {
            let mut table = Vec::new();
            for (symbol, crc) in &self.crcs {
                let mut entry = [0; 64];
                entry[..4].copy_from_slice(&crc.to_le_bytes());
                entry[8..8 + symbol.len()].copy_from_slice(symbol.as_bytes());
                table.extend(entry);
            }
            let section =
                elf.add_section(segment, b"__versions".to_vec(), SectionKind::ReadOnlyData);
            elf.append_section_data(section, &table, 8);
        }
        let mut bytes = elf.write().unwrap();
        bytes.extend(&self.signature);
        bytes
    }
}

/// A root folder that lives as long as the value.
#[derive(Debug)]
pub struct FixtureRoot {
    _folder: tempfile::TempDir,
    root: Root,
}

impl Default for FixtureRoot {
    fn default() -> Self {
        Self::new()
    }
}

impl FixtureRoot {
    /// An empty root.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        Self { _folder: folder, root: Root::new(path) }
    }

    /// The root.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// Writes a file, with its folders.
    pub fn file(&self, inside: &str, content: &[u8]) -> Utf8PathBuf {
        let path = self.root.at(inside);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Writes depmod's index for `release`, which lists `modules`.
    pub fn index(&self, release: &str, modules: &[&str]) {
        let text: String = modules.iter().map(|module| format!("{module}:\n")).collect();
        self.file(&format!("usr/lib/modules/{release}/modules.dep"), text.as_bytes());
        self.file(&format!("usr/lib/modules/{release}/modules.dep.bin"), b"binary");
    }

    /// Makes a kernel folder with one module of its own, indexed.
    pub fn kernel(&self, release: &str) {
        let own = "kernel/drivers/hid/hid-generic.ko";
        let module = ModuleBuilder::new(release).crcs(true).bytes();
        self.file(&format!("usr/lib/modules/{release}/{own}"), &module);
        self.index(release, &[own]);
    }

    /// Puts `module` at its usual place for `release`, without touching the index.
    pub fn module(&self, release: &str, module: &ModuleBuilder) -> Utf8PathBuf {
        let place = format!("usr/lib/modules/{release}/extra/maccel/maccel.ko");
        self.file(&place, &module.bytes())
    }

    /// A kernel with a fitting, indexed module.
    pub fn kernel_with_module(&self, release: &str) -> Utf8PathBuf {
        self.kernel(release);
        let place = self.module(release, &ModuleBuilder::new(release).crcs(true));
        self.index(release, &["extra/maccel/maccel.ko", "kernel/drivers/hid/hid-generic.ko"]);
        place
    }
}
