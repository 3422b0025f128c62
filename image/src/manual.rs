// SPDX-License-Identifier: MIT OR Apache-2.0
//! Completions and man pages, from the definition of the command line and the schema.

use camino::Utf8Path;
use clap::CommandFactory;
use clap_complete::Shell;
use image::config::FILE_NAME;
use image::keys;
use manual::FileError;
use manual::format::Format;
use manual::program::Program;

use crate::args::Args;

const NAME: &str = "vespera-image";

/// The completions of one shell.
pub(crate) fn completion(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), NAME, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// Writes the man pages below a folder, as `man1/NAME.1` and `man5/vespera-config.yaml.5`.
pub(crate) fn man(folder: &Utf8Path) -> Result<(), FileError> {
    let pages = Program {
        command: Args::command(),
        section: 1,
        description: DESCRIPTION,
        files: FILES,
        see_also: &["vespera-config.yaml(5)", "buildah(1)", "skopeo(1)", "cosign(1)", "bootc(8)"],
    };
    pages.write(folder)?;
    configuration(folder)
}

const DESCRIPTION: &[&str] = &[
    "The whole logic of an image build. `check`, `plan` and `build` are for people; `detect`, \
     `stage` and `publish` are what the workflow calls; `driver` and `customize` run inside the \
     container build.",
    "An image goes to a staging tag first. What the registry then has is verified, signed and \
     tagged; an image with a fault gets no tag.",
];

const FILES: &[(&str, &str)] = &[
    (FILE_NAME, "what the image is made of"),
    ("Containerfile", "the stages of the build; its defaults equal the shipped configuration"),
    ("cosign.pub", "the public key that hosts ask of the next image; optional"),
];

const EXAMPLE: &str = "\
base:
  variant: aurora-dx
  gpu_variant: nvidia-open
packages:
  add_rpm: [htop]
  remove_flatpak: [org.mozilla.Thunderbird]
build:
  image_name: me/my-desktop
";

fn configuration(folder: &Utf8Path) -> Result<(), FileError> {
    let mut format = Format::new(FILE_NAME, "what a Vespera image is made of");
    let page = format.page();
    page.section("Description");
    page.line(
        "A file in YAML. A key that is left out has its default; one that is not known is an \
         error. `vespera-image check` shows every fault with its line.",
    );
    for section in keys::sections() {
        page.section(&section.name);
        page.line(&section.about);
        for key in section.keys {
            let default = match key.default.as_str() {
                "" => String::new(),
                default => format!(" Default: `{default}`."),
            };
            page.entry(&key.name, &format!("{} Value: {}.{default}", key.about, key.value));
        }
    }
    page.section("Example");
    page.literal(EXAMPLE);
    format.write(&["vespera-image(1)"], folder)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use image::config::Config;

    use super::*;

    #[test]
    fn pages_know_commands_and_keys_and_mandoc_has_nothing_to_say() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        man(folder).unwrap();
        let read = |page: &str| std::fs::read_to_string(folder.join(page)).unwrap();
        assert!(read("man1/vespera-image.1").contains("EXIT CODES"));
        let keys = read("man5/vespera-config.yaml.5");
        assert!(
            keys.contains("\\fBgpu_variant\\fR") && keys.contains("Default: \\fBmain\\fR"),
            "{keys}"
        );
        assert!(::manual::lint::pages(folder).unwrap() > 15);
    }

    #[test]
    fn completions_know_the_subcommands() {
        for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
            let script = completion(shell);
            assert!(script.contains("customize") && script.contains("detect"), "{shell}");
        }
        ::manual::lint::bash_completions(&completion(Shell::Bash)).unwrap();
    }

    #[test]
    fn the_example_of_the_page_is_a_configuration() {
        let (config, warnings) = Config::parse(FILE_NAME, EXAMPLE).unwrap();
        assert_eq!((config.name(), warnings.len()), ("my-desktop-dx-nvidia-open".to_owned(), 0));
    }

    #[test]
    fn every_command_in_the_documents_is_one() {
        let shown = ::manual::examples::commands(NAME).unwrap();
        assert!(shown.len() > 10, "{shown:?}");
        let faults = shown.iter().filter_map(|one| one.fault(Args::try_parse_from(&one.words)));
        assert_eq!(faults.collect::<Vec<_>>(), [""; 0]);
    }
}
