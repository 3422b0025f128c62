// SPDX-License-Identifier: MIT OR Apache-2.0
//! The words of the kernel command line which steer the guest's init, and its places.

/// What the guest is to become: `vespera.flavour=`.
pub const FLAVOUR: &str = "vespera.flavour";
/// Serial number and file system of the disk to mount at `/var`: `vespera.var=SERIAL:FSTYPE`.
pub const VAR: &str = "vespera.var";
/// Serial number of the disk that holds the root of an image guest.
pub const ROOT_SERIAL: &str = "vespera-root";
/// Folder of the modules in the initramfs, and the list that gives their order.
pub const MODULES: &str = "/mods";
/// One module a line, `NAME.ko [PARAMETERS]`, in load order.
pub const MODULES_LIST: &str = "/mods/order";
/// The line by which the accelerator probe proves that user space ran.
pub const PROBE_LINE: &str = "vespera-guest: the probe reached user space";

/// What the guest is to become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flavour {
    /// The agent alone on a distribution kernel, in the initramfs.
    Driver,
    /// A whole system: the image's root under systemd, with the agent as one more unit.
    Image,
    /// Print [`PROBE_LINE`] and power off.
    Probe,
}

impl Flavour {
    /// The word on the kernel command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Driver => "driver",
            Self::Image => "image",
            Self::Probe => "probe",
        }
    }

    /// The flavour a kernel command line asks for; none is [`Flavour::Driver`].
    #[must_use]
    pub fn of_command_line(line: &str) -> Self {
        match value(line, FLAVOUR) {
            Some("image") => Self::Image,
            Some("probe") => Self::Probe,
            _ => Self::Driver,
        }
    }
}

/// The value of `key=value` on a kernel command line.
#[must_use]
pub fn value<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    line.split_ascii_whitespace().find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flavour_survives_the_command_line() {
        for flavour in [Flavour::Driver, Flavour::Image, Flavour::Probe] {
            let line = format!("console=ttyS0 {FLAVOUR}={} panic=-1", flavour.word());
            assert_eq!(Flavour::of_command_line(&line), flavour);
        }
        assert_eq!(Flavour::of_command_line("console=ttyS0"), Flavour::Driver);
    }

    #[test]
    fn a_key_is_not_found_inside_another() {
        assert_eq!(value("xvespera.var=a vespera.variant=b", VAR), None);
        assert_eq!(value("x vespera.var=disk:ext4", VAR), Some("disk:ext4"));
    }
}
