// SPDX-License-Identifier: MIT OR Apache-2.0
//! Symbol versions: the CRCs a module was built with, and those of a kernel.
//!
//! With MODVERSIONS this table, not the release, decides whether a module fits.

use std::collections::BTreeMap;
use std::io;

use camino::Utf8PathBuf;

use crate::compression::unpack;
use crate::module_file::ModuleFile;
use crate::root::Root;
use crate::tree::KernelTree;

/// `struct modversion_info` on 64-bit machines: the CRC in a long, the name in the rest.
const ENTRY_BYTES: usize = 64;
const NAME_AT: usize = 8;

/// Names of symbols and their CRCs.
pub type Crcs = BTreeMap<String, u32>;

/// Reads a `__versions` section. A table cut short ends where it is cut.
pub fn parse_versions(section: &[u8]) -> Crcs {
    section
        .chunks_exact(ENTRY_BYTES)
        .filter_map(|entry| {
            // The CRC fills the low half of the long; both machines are little-endian.
            let crc = u32::from_le_bytes(entry.first_chunk().copied()?);
            Some((name(&entry[NAME_AT..])?, crc))
        })
        .collect()
}

/// Reads the pair of sections newer kernels write for long names.
pub fn parse_extended(crcs: &[u8], names: &[u8]) -> Crcs {
    let crcs = crcs.chunks_exact(4).filter_map(|crc| crc.first_chunk().copied());
    names
        .split(|byte| *byte == 0)
        .filter_map(name)
        .zip(crcs)
        .map(|(name, crc)| (name, u32::from_le_bytes(crc)))
        .collect()
}

fn name(bytes: &[u8]) -> Option<String> {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let name = std::str::from_utf8(&bytes[..end]).ok()?;
    (!name.is_empty()).then(|| name.to_owned())
}

/// Reads the symbols `wanted` from `Module.symvers`: CRC, symbol, where it lives, how it is
/// exported, separated by tabs. A kernel lists tens of thousands, a module uses a few dozen.
pub fn parse_symvers(text: &str, wanted: &Crcs) -> Crcs {
    text.lines()
        .filter_map(|line| {
            let mut fields = line.split('\t');
            let crc = fields.next()?.strip_prefix("0x")?;
            let name = fields.next().filter(|name| wanted.contains_key(*name))?;
            // A CRC of genksyms has 32 bits, whatever the width of the column.
            let crc = u32::try_from(u64::from_str_radix(crc, 16).ok()?).ok()?;
            Some((name.to_owned(), crc))
        })
        .collect()
}

/// What is known about a kernel's symbols.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KernelSymbols {
    /// The CRCs.
    pub crcs: Crcs,
    /// Whether a symbol not among them is one the kernel does not export.
    pub complete: bool,
    /// Where they come from, for people.
    pub source: String,
}

/// How a module's symbols compare with a kernel's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comparison {
    /// Symbols with the same CRC.
    pub same: usize,
    /// Symbols whose CRC differs: the kernel refuses the module (EINVAL).
    pub differing: Vec<String>,
    /// Symbols the kernel does not have: the kernel refuses the module (ENOENT).
    pub missing: Vec<String>,
    /// Symbols nothing could be learnt about.
    pub unknown: usize,
}

/// Compares `module` with what is known about the kernel.
pub fn compare(module: &Crcs, kernel: &KernelSymbols) -> Comparison {
    let mut comparison = Comparison::default();
    for (name, crc) in module {
        match kernel.crcs.get(name) {
            Some(own) if own == crc => comparison.same += 1,
            Some(_) => comparison.differing.push(name.clone()),
            // The layout of `struct module` is listed as a symbol, but it is not always exported.
            None if kernel.complete && name != "module_layout" => {
                comparison.missing.push(name.clone());
            }
            None => comparison.unknown += 1,
        }
    }
    comparison
}

/// Finds the CRCs of a kernel for the symbols `wanted`.
///
/// The kernel's list is best; distributions put it beside the modules (Fedora) or with the headers
/// (Debian). Without one, the kernel's own modules tell the CRCs of the symbols they use.
pub fn of_kernel(root: &Root, tree: &KernelTree, wanted: &Crcs) -> Option<KernelSymbols> {
    list_of_kernel(root, tree, wanted).or_else(|| gathered_from_modules(root, tree, wanted))
}

fn list_of_kernel(root: &Root, tree: &KernelTree, wanted: &Crcs) -> Option<KernelSymbols> {
    let release = tree.release();
    let folder = tree.folder();
    let places = [
        folder.join("symvers.xz"),
        folder.join("symvers.gz"),
        folder.join("symvers.zst"),
        folder.join("symvers"),
        folder.join("Module.symvers"),
        root.at(format!("usr/src/kernels/{release}/Module.symvers")),
        root.at(format!("usr/src/linux-headers-{release}/Module.symvers")),
        root.at(format!("boot/symvers-{release}.gz")),
    ];
    places.into_iter().find_map(|path| {
        let crcs = read_symvers(&path, wanted).ok()?;
        let source = root.inside(&path).into_string();
        (!crcs.is_empty()).then_some(KernelSymbols { crcs, complete: true, source })
    })
}

fn read_symvers(path: &Utf8PathBuf, wanted: &Crcs) -> io::Result<Crcs> {
    let bytes = unpack(std::fs::read(path)?).map_err(io::Error::other)?;
    Ok(parse_symvers(&String::from_utf8_lossy(&bytes), wanted))
}

fn gathered_from_modules(root: &Root, tree: &KernelTree, wanted: &Crcs) -> Option<KernelSymbols> {
    // Input and HID modules use what a mouse driver uses, so few files tell nearly all.
    const MOST_MODULES: usize = 60;
    const NEAREST: [&str; 2] = ["kernel/drivers/hid/", "kernel/drivers/input/"];
    let mut paths = tree.own_modules();
    paths.sort_by_key(|path| !NEAREST.iter().any(|near| path.contains(near)));
    let mut crcs = Crcs::new();
    for path in paths.iter().take(MOST_MODULES) {
        // One file that cannot be read takes nothing from what the others tell.
        if let Ok(module) = ModuleFile::read(&tree.folder().join(path)) {
            let known = module.crcs.into_iter().filter(|(name, _)| wanted.contains_key(name));
            crcs.extend(known);
        }
        if wanted.keys().all(|name| crcs.contains_key(name)) {
            break;
        }
    }
    let source = format!("the modules of {}", root.inside(tree.folder()));
    (!crcs.is_empty()).then_some(KernelSymbols { crcs, complete: false, source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{FixtureRoot, ModuleBuilder};

    fn crcs(pairs: &[(&str, u32)]) -> Crcs {
        pairs.iter().map(|(name, crc)| ((*name).to_owned(), *crc)).collect()
    }

    #[test]
    fn symvers_lines_are_read_and_damaged_ones_passed_over() {
        let text = "0x0000002a\tinput_event\tvmlinux\tEXPORT_SYMBOL\t\n\
                    0xffffffff\tinput_free\tdrivers/input/x\tEXPORT_SYMBOL_GPL\tNS\n\
                    42\tno_prefix\n0xzz\tno_number\n0x1\n";
        let expected = crcs(&[("input_event", 42), ("input_free", u32::MAX)]);
        let wanted = crcs(&[("input_event", 0), ("input_free", 0), ("no_prefix", 0)]);
        assert_eq!(parse_symvers(text, &wanted), expected);
        assert_eq!(parse_symvers(text, &crcs(&[])), crcs(&[]), "others are passed over");
    }

    #[test]
    fn the_two_forms_of_a_modules_table_are_read() {
        let mut table = vec![0; 2 * ENTRY_BYTES];
        table[0] = 42;
        table[NAME_AT..NAME_AT + 3].copy_from_slice(b"abs");
        table[ENTRY_BYTES] = 7;
        assert_eq!(parse_versions(&table), crcs(&[("abs", 42)]), "an empty name is padding");
        assert_eq!(parse_versions(&table[..40]), crcs(&[]));
        let extended = parse_extended(&[42, 0, 0, 0, 7, 0, 0, 0, 9], b"abs\0long\0");
        assert_eq!(extended, crcs(&[("abs", 42), ("long", 7)]));
    }

    #[test]
    fn symbols_that_differ_or_lack_are_told_from_unknown_ones() {
        let module = crcs(&[("same", 1), ("other", 2), ("gone", 3), ("module_layout", 4)]);
        let known = crcs(&[("same", 1), ("other", 9)]);
        let mut kernel = KernelSymbols { crcs: known, complete: true, source: "list".to_owned() };
        let complete = compare(&module, &kernel);
        assert_eq!(complete.same, 1);
        assert_eq!(complete.differing, ["other"]);
        assert_eq!(complete.missing, ["gone"]);
        assert_eq!(complete.unknown, 1);
        kernel.complete = false;
        assert_eq!(compare(&module, &kernel).unknown, 2);
    }

    #[test]
    fn a_kernel_without_a_list_is_known_by_its_own_modules() {
        let fixture = FixtureRoot::new();
        fixture.kernel("6.1.0");
        let tree = KernelTree::new(fixture.root(), "6.1.0");
        let wanted = ModuleFile::parse(&ModuleBuilder::new("x").crcs(true).bytes()).unwrap().crcs;
        let gathered = of_kernel(fixture.root(), &tree, &wanted).unwrap();
        assert!(!gathered.complete);
        assert_eq!(gathered.crcs, wanted);
        fixture.file("usr/lib/modules/6.1.0/symvers", b"0x01\tinput_event\tvmlinux\tX\n");
        let listed = of_kernel(fixture.root(), &tree, &wanted).unwrap();
        assert!(listed.complete);
        assert_eq!(listed.source, "/usr/lib/modules/6.1.0/symvers");
        let nothing = KernelTree::new(fixture.root(), "6.9.0");
        assert_eq!(of_kernel(fixture.root(), &nothing, &wanted), None);
    }
}
