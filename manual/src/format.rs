// SPDX-License-Identifier: MIT OR Apache-2.0
//! The man page of a file's format, section 5.

use camino::Utf8Path;

use crate::roff::{DATE, MANUAL, Page, SOURCE};
use crate::{FileError, write};

/// A page in the making: [`Page`] with its head.
#[derive(Debug)]
pub struct Format {
    name: String,
    page: Page,
}

impl Format {
    /// Begins the page of the file `name`, with one line that says what it is.
    pub fn new(name: &str, about: &str) -> Self {
        let mut page = Page::default();
        page.append(&format!(".TH {} 5 {DATE} \"{SOURCE}\" {MANUAL}\n", name.to_uppercase()));
        page.section("Name");
        page.line(&format!("{name} - {about}"));
        Self { name: name.to_owned(), page }
    }

    /// What is written on.
    pub fn page(&mut self) -> &mut Page {
        &mut self.page
    }

    /// Ends it with other pages, and writes it below a folder of man pages as `man5/NAME.5`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(mut self, see_also: &[&str], folder: &Utf8Path) -> Result<(), FileError> {
        self.page.see_also(see_also);
        write(&folder.join(format!("man5/{}.5", self.name)), &self.page.render())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_a_file_is_in_section_5_and_mandoc_likes_it() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        let mut format = Format::new("thing.toml", "settings of things");
        format.page().section("Description");
        format.page().line("A file with `keys`.");
        format.page().entry("key", "What it does: a 'word' or -5.");
        format.page().literal("[table]\n\nkey = 1");
        format.write(&["thing(1)"], folder).unwrap();
        let page = crate::read(&folder.join("man5/thing.toml.5")).unwrap();
        assert!(page.contains(".TH THING.TOML 5 "), "{page}");
        assert_eq!(crate::lint::pages(folder).unwrap(), 1);
    }
}
