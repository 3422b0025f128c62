// SPDX-License-Identifier: MIT OR Apache-2.0
//! The comparison of version magics, made as the kernel makes it.
//!
//! `kernel/module/version.c`, `same_magic()`: a kernel built with MODVERSIONS skips the release
//! (everything up to the first space) of both texts when the module brings a `__versions` table,
//! because the symbol CRCs then decide. So a differing release alone proves nothing there.

/// Outcome of the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// The texts are equal.
    Same,
    /// The release differs, but the kernel will look at the symbol CRCs instead.
    SymbolsDecide,
    /// The kernel refuses the module (ENOEXEC).
    Differs,
}

/// The release a version magic was made for: its first word.
pub fn release(vermagic: &str) -> &str {
    vermagic.split(' ').next().unwrap_or_default()
}

fn flags(vermagic: &str) -> &str {
    vermagic.find(' ').map_or("", |space| &vermagic[space..])
}

fn has_modversions(vermagic: &str) -> bool {
    flags(vermagic).split(' ').any(|flag| flag == "modversions")
}

/// Compares a module's magic with its kernel's; `has_crcs` says whether the module brings
/// `__versions`.
pub fn compare(module: &str, kernel: &str, has_crcs: bool) -> Fit {
    if module == kernel {
        Fit::Same
    } else if has_crcs && has_modversions(kernel) && flags(module) == flags(kernel) {
        Fit::SymbolsDecide
    } else {
        Fit::Differs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_rule_is_followed() {
        let plain = "6.1.0-49-amd64 SMP preempt mod_unload ";
        let crcs = "6.1.0-49-amd64 SMP preempt mod_unload modversions ";
        let other = "6.1.0-50-amd64 SMP preempt mod_unload modversions ";
        let realtime = "6.1.0-50-amd64 SMP preempt_rt mod_unload modversions ";
        let table = [
            (plain, plain, false, Fit::Same),
            (crcs, crcs, true, Fit::Same),
            (crcs, other, true, Fit::SymbolsDecide),
            (crcs, other, false, Fit::Differs),
            (crcs, realtime, true, Fit::Differs),
            (plain, crcs, true, Fit::Differs),
            ("6.1.0 SMP ", "6.2.0 SMP ", true, Fit::Differs),
            ("", crcs, true, Fit::Differs),
        ];
        for (module, kernel, has_crcs, fit) in table {
            assert_eq!(compare(module, kernel, has_crcs), fit, "{module:?} on {kernel:?}");
        }
        assert_eq!(release(crcs), "6.1.0-49-amd64");
    }
}
