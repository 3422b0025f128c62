// SPDX-License-Identifier: MIT OR Apache-2.0
//! What publishing refuses, and what it finds after an earlier run was ended, at a registry that is
//! a table. The real one is asked in `tests/real`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use super::*;
use crate::config::{Config, Gpu, Variant};
use crate::customize::fixtures::Root;
use crate::plan::{self, Facts};
use crate::registry::{Policy, Registry};

const REPOSITORY: &str = "ghcr.io/me/vespera";
const NEW: &str = "sha256:new";

/// What each reference names.
#[derive(Debug, Default)]
struct Table(RefCell<BTreeMap<String, Inspected>>);

impl Table {
    /// A registry where a run has staged an image.
    fn staged() -> Self {
        let table = Self::default();
        let new = Inspected { digest: NEW.into(), labels: BTreeMap::new() };
        table.0.borrow_mut().insert(format!("{REPOSITORY}@{NEW}"), new.clone());
        table.0.borrow_mut().insert(tagged("staging-7"), new);
        table
    }

    fn names(&self, tag: &str) -> Option<String> {
        self.0.borrow().get(&tagged(tag)).map(|found| found.digest.clone())
    }
}

fn tagged(tag: &str) -> String {
    format!("{REPOSITORY}:{tag}")
}

impl Registry for Table {
    fn inspect(&self, reference: &str) -> Result<Option<Inspected>, registry::Error> {
        Ok(self.0.borrow().get(reference).cloned())
    }
}

impl Store for Table {
    fn copy(&self, from: &str, to: &str, _: Option<Policy<'_>>) -> Result<(), registry::Error> {
        let found = match from.strip_prefix("oci:") {
            Some(folder) => layout(Utf8Path::new(folder)),
            None => self.0.borrow()[from].clone(),
        };
        let by_digest = format!("{REPOSITORY}@{}", found.digest);
        self.0.borrow_mut().insert(by_digest, found.clone());
        self.0.borrow_mut().insert(to.to_owned(), found);
        Ok(())
    }

    fn delete(&self, reference: &str) -> Result<(), registry::Error> {
        let digest = self.0.borrow()[reference].digest.clone();
        self.0.borrow_mut().retain(|_, found| found.digest != digest);
        Ok(())
    }
}

/// The one image of a layout, with the labels of its configuration.
fn layout(folder: &Utf8Path) -> Inspected {
    let read = |path: String| -> Value {
        serde_json::from_str(&fs::read_to_string(folder.join(path)).unwrap()).unwrap()
    };
    let blob = |digest: &str| read(format!("blobs/{}", digest.replace(':', "/")));
    let index = read("index.json".to_owned());
    let digest = index["manifests"][0]["digest"].as_str().unwrap().to_owned();
    let config = blob(blob(&digest)["config"]["digest"].as_str().unwrap());
    let labels = serde_json::from_value(config["config"]["Labels"].clone()).unwrap();
    Inspected { digest, labels }
}

/// Finds nothing wrong, and this key in the image.
#[derive(Debug)]
struct Finds(Option<&'static str>);

impl Verifier for Finds {
    fn verify(&self, reference: &str) -> Result<Verified, crate::opened::Error> {
        let report =
            verify::Report { format: 1, root: reference.into(), passed: true, findings: vec![] };
        Ok(Verified { report, key: self.0.map(str::to_owned) })
    }
}

/// Signs with the key whose public half this is.
#[derive(Debug)]
struct Holder(&'static str);

impl Signer for Holder {
    fn sign(&self, _: &str) -> Result<(), signing::Error> {
        Ok(())
    }

    fn public_key(&self) -> Result<String, signing::Error> {
        Ok(self.0.to_owned())
    }
}

fn image() -> Image {
    let (config, _) = Config::parse("c.yaml", "").unwrap();
    let facts = Facts {
        owner: Some("me".into()),
        date: Some("2026-11-26T02:00:00Z".into()),
        ..Facts::default()
    };
    plan::image(&config, &facts, Variant::Aurora, Gpu::Main)
}

fn publish(
    store: &Table,
    key: Option<&'static str>,
    signer: Option<&dyn Signer>,
) -> Result<Published, Error> {
    let scratch = Root::new();
    let publisher = Publisher {
        store,
        verifier: &Finds(key),
        signer,
        must_be_signed: false,
        scratch: scratch.path(),
    };
    let digest = staged(store, &image(), "staging-7")?;
    publisher.publish(&image(), &digest, "staging-7", &mut Vec::new())
}

#[test]
fn image_that_makes_hosts_demand_a_signature_is_not_published_without_one() {
    let store = Table::staged();
    let refused = publish(&store, Some("PUBLIC\n"), None).unwrap_err();
    assert!(matches!(refused, Error::Enforced { .. }), "{refused}");
    let another = publish(&store, Some("PUBLIC\n"), Some(&Holder("OTHER"))).unwrap_err();
    assert!(matches!(another, Error::Signing(signing::Error::AnotherKey(_))), "{another}");
    assert_eq!(store.names("latest"), None);
    assert!(publish(&store, Some("PUBLIC\n"), Some(&Holder("PUBLIC"))).unwrap().signed);
    assert_eq!(store.names("latest").as_deref(), Some(NEW));
    // An image that carries no key may go without a signature.
    assert!(!publish(&Table::staged(), None, None).unwrap().signed);
}

#[test]
fn run_that_was_ended_while_it_cleaned_up_is_completed_by_another() {
    let store = Table::staged();
    // As far as the earlier run got: the tags are set, the staging tag is overwritten.
    publish(&store, None, None).unwrap();
    assert_eq!(store.names("staging-7"), None);
    let scratch = Root::new();
    let (layout, _) = neutral::layout(scratch.path(), "staging-7", NEW).unwrap();
    store.copy(&layout, &tagged("staging-7"), None).unwrap();
    assert_ne!(store.names("staging-7").as_deref(), Some(NEW));
    let published = publish(&store, None, None).unwrap();
    assert_eq!((published.digest.as_str(), published.kept_staging), (NEW, None));
    assert_eq!(store.names("staging-7"), None);
    assert_eq!(store.names("latest").as_deref(), Some(NEW));
}

#[test]
fn staging_tag_of_another_image_is_left_alone() {
    let store = Table::staged();
    let other = Inspected { digest: "sha256:other".into(), labels: BTreeMap::new() };
    store.0.borrow_mut().insert(tagged("staging-7"), other);
    let scratch = Root::new();
    let publisher = Publisher {
        store: &store,
        verifier: &Finds(None),
        signer: None,
        must_be_signed: false,
        scratch: scratch.path(),
    };
    publisher.publish(&image(), NEW, "staging-7", &mut Vec::new()).unwrap();
    assert_eq!(store.names("staging-7").as_deref(), Some("sha256:other"));
}
