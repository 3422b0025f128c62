// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask`: the one door to set-up, build, boot and test.
//!
//! Reading order: [`up`] and [`test`] are the two stories; each strings together
//! steps of [`setup`] (what the machine must have), [`workshop`] (the tool root),
//! [`kernels`], [`driver`], [`standin`] (what the build calls Aurora here), [`image`] and
//! [`guest`]. [`packages`] for other distributions are tried ([`installed`], and in a guest that is
//! [`plain`]) and are part of a [`release`]. [`soak`] tests for longer, on a [`debug_kernel`] too,
//! and makes the packages [`from_source`]; [`bench`] prints figures; for the agent both go
//! through [`bus`], for `maccel` see [`command_costs`]. [`dock`] holds the registry that images
//! are published to in the tests, and [`shells`] that read completions. [`fuzz`] tries readers with
//! random files. [`cache`] keeps
//! every result under the hash of what it was made of, [`progress`] shows and times each step,
//! [`process`] runs other programs.

mod arithmetic;
mod artifacts;
mod bench;
mod bus;
mod cache;
mod ci;
mod command_costs;
mod compilers;
mod debug_kernel;
mod deny;
mod dock;
mod documented;
mod driver;
mod enter;
mod from_source;
mod fuzz;
mod generate;
mod guest;
mod headers;
mod image;
mod images;
mod installed;
mod kernels;
mod links;
mod lint;
mod mirror;
mod packages;
mod plain;
mod privilege;
mod process;
mod progress;
mod release;
mod setup;
mod shells;
mod soak;
mod source;
mod standin;
mod test;
mod up;
mod workflow;
mod workshop;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Build, boot and test Vespera.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check what this machine needs and install what is missing
    Setup(setup::Args),
    /// Build everything, boot the image in QEMU and show its status
    Up(up::Args),
    /// Build everything that `up` boots, without booting it
    Build(setup::Args),
    /// Run every test of the repository
    Test(test::Args),
    /// Run the steps of the build workflow here, against a registry on loopback
    Ci(setup::Args),
    /// Run the long tests: more of everything, on a kernel that watches
    Soak(soak::Args),
    /// Measure and print the figures
    Bench(bench::Args),
    /// Check, build and publish a release
    Release(release::Args),
    /// Write the generated files anew, or check that they are current
    Generate(generate::Args),
    /// Show where cached results are kept and how large they are, or remove them
    Cache(cache::Args),
    /// Run a command inside a root folder, in a mount namespace of its own
    #[command(hide = true)]
    Enter(enter::Args),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Setup(args) => setup::main(&args),
        Command::Up(args) => up::main(&args),
        Command::Build(args) => up::build(args),
        Command::Test(args) => test::main(&args),
        Command::Ci(args) => ci::main(args),
        Command::Soak(args) => soak::main(&args),
        Command::Bench(args) => bench::main(&args),
        Command::Release(args) => release::main(&args),
        Command::Generate(args) => generate::main(&args),
        Command::Cache(args) => cache::main(&args),
        Command::Enter(args) => enter::main(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }

    #[test]
    fn every_command_in_the_documents_is_one() {
        let shown = manual::examples::commands("cargo").unwrap();
        let ours = |words: &&[String]| words.first().is_some_and(|word| word == "xtask");
        let shown: Vec<_> =
            shown.iter().filter_map(|one| Some((one, one.words.get(1..).filter(ours)?))).collect();
        assert!(shown.len() > 10, "{shown:?}");
        let parse = |words: &[String]| super::Cli::try_parse_from(words);
        let faults = shown.iter().filter_map(|(one, words)| one.fault(parse(words)));
        assert_eq!(faults.collect::<Vec<_>>(), [""; 0]);
    }
}
