// SPDX-License-Identifier: MIT OR Apache-2.0
//! From `vespera-config.yaml` to a verified image.
//!
//! The library holds what the `vespera-image` program can do; the program only parses its
//! command line, calls in here and prints. Everything that touches a file system takes a root
//! folder, so that `/` inside a build, an unpacked image and a test's temporary folder are one
//! and the same to it. Other programs (`dnf5`, `depmod`, `systemctl`) are reached through
//! [`tool::Tools`] only.
//!
//! - [`config`]: the configuration, its rules, its errors with line and caret, its JSON schema
//! - [`keys`]: its keys, for people
//! - [`kernel`]: the one kernel release of a root
//! - [`modinfo`]: what a module file says of itself, and its compressed form
//! - [`schema`]: the JSON schema of the configuration
//! - [`driver`]: the stage that builds and signs the module
//! - [`customize`]: the stages that run inside the container build
//! - [`plan`]: names, tags, labels and build arguments of what would be built
//! - [`detect`]: whether there must be a build, and why
//! - [`survey`]: the same question for every image of a plan, with the registry's answers
//! - [`inspect`]: kernel and Fedora release of a base, from its labels
//! - [`registry`], [`git`]: what registries and git repositories know
//! - [`source`]: which version of the driver, and of all that is copied, would be built
//! - [`explain`]: known failures in a build's log
//! - [`build`]: an image built by buildah or podman
//! - [`summary`]: what was built, with the commands that get it onto a machine
//! - [`clock`]: the date of a build
//! - [`diff`]: what differs between two images, and what a host would download
//! - [`opened`]: an image as a folder, wherever it is
//! - [`publish`]: from a built image to its final tags
//! - [`verify`]: whether a root is what the configuration says
//! - [`tool`], [`version`]: running other programs, new enough ones

pub mod build;
pub mod clock;
pub mod config;
pub mod customize;
pub mod detect;
pub mod diff;
pub mod driver;
pub mod explain;
pub mod git;
pub mod inspect;
pub mod kernel;
pub mod keys;
pub mod modinfo;
pub mod opened;
pub mod plan;
pub mod publish;
pub mod registry;
pub mod schema;
pub mod source;
pub mod summary;
pub mod survey;
pub mod tool;
mod tree;
pub mod verify;
pub mod version;
