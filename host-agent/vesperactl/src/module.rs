// SPDX-License-Identifier: MIT OR Apache-2.0
//! `vesperactl module`: the kernel module by itself.

use anyhow::{Context, bail};
use health::{Root, host, module};

use crate::args::Show;
use crate::doctor;
use crate::exit::Outcome;
use crate::screen::Ink;

/// Whether the installed module fits a kernel.
pub(crate) fn check(
    root: &Root,
    kernel: Option<String>,
    show: &Show,
    ink: Ink,
) -> anyhow::Result<Outcome> {
    let kernel = match kernel {
        Some(kernel) => kernel,
        None => default_kernel(root)?,
    };
    doctor::listing(&module::examine(root, &kernel).checks, show, ink)
}

fn default_kernel(root: &Root) -> anyhow::Result<String> {
    if let Some(kernel) = host::kernel(root) {
        return Ok(kernel);
    }
    let mut kernels = module::kernels(root).context("cannot list the kernels")?;
    match kernels.len() {
        0 => bail!("no kernel under {}", root.path()),
        1 => Ok(kernels.remove(0)),
        _ => bail!("several kernels, name one with --kernel: {}", kernels.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use module_check::fixtures::FixtureRoot;

    use super::*;

    #[test]
    fn another_roots_only_kernel_is_taken_and_several_must_be_named() {
        let fixture = FixtureRoot::new();
        let show = Show { json: false };
        let run = |kernel: Option<&str>| {
            check(fixture.root(), kernel.map(str::to_owned), &show, Ink::PLAIN)
        };
        assert!(run(None).unwrap_err().to_string().starts_with("no kernel under"));
        fixture.kernel_with_module("6.1.0");
        assert_eq!(run(None).unwrap().code, 0);
        fixture.kernel("6.2.0");
        assert!(run(None).unwrap_err().to_string().ends_with("6.1.0, 6.2.0"));
        assert_eq!(run(Some("6.2.0")).unwrap().code, 2);
    }
}
