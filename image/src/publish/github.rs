// SPDX-License-Identifier: MIT OR Apache-2.0
//! Deleting at GitHub's registry, which refuses what the distribution specification asks for: a
//! manifest goes as a *version* of a package, by GitHub's own interface and its program `gh`.

use crate::registry::{Error, Inspected, Policy, Registry, Skopeo, Store};

/// The registry's host.
const HOST: &str = "ghcr.io/";
/// Packages of a person and of an organisation have different addresses.
const OWNERS: &[&str] = &["users", "orgs"];

/// A registry reached by skopeo, where deleting at GitHub's goes by `gh`.
#[derive(Debug, Clone, Copy)]
pub struct GitHub<'a>(pub Skopeo<'a>);

impl Registry for GitHub<'_> {
    fn inspect(&self, reference: &str) -> Result<Option<Inspected>, Error> {
        self.0.inspect(reference)
    }
}

impl Store for GitHub<'_> {
    fn copy(&self, from: &str, to: &str, policy: Option<Policy<'_>>) -> Result<(), Error> {
        self.0.copy(from, to, policy)
    }

    fn delete(&self, reference: &str) -> Result<(), Error> {
        let Some((owner, package, digest)) = package(reference) else {
            return self.0.delete(reference);
        };
        let refused = |reason: String| Error::Refused { reference: reference.to_owned(), reason };
        // Only ever a digest that no final tag names: a version goes with all its tags.
        let select = format!(".[] | select(.name == \"{digest}\") | .id");
        let mut said = Vec::new();
        for kind in OWNERS {
            let versions = format!("/{kind}/{owner}/packages/container/{package}/versions");
            let args = ["api", "--paginate", &versions, "--jq", &select];
            let found = self.0.tools.outcome("gh", &args, "find a version of a package")?;
            let Some(id) = found.stdout.split_whitespace().next().filter(|_| found.success())
            else {
                said.push(found.output());
                continue;
            };
            let version = format!("{versions}/{id}");
            let args = ["api", "--method", "DELETE", &version];
            let deleted = self.0.tools.outcome("gh", &args, "delete a version of a package")?;
            if deleted.success() {
                return Ok(());
            }
            said.push(deleted.output());
        }
        Err(refused(said.join("\n")))
    }
}

/// Owner, package and digest of a reference at GitHub's registry. A package may have slashes in
/// its name, which its address must not.
fn package(reference: &str) -> Option<(&str, String, &str)> {
    let (path, digest) = reference.strip_prefix(HOST)?.split_once('@')?;
    let (owner, package) = path.split_once('/')?;
    Some((owner, package.replace('/', "%2F"), digest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customize::fixtures::{FakeTools, failed, ok};

    #[test]
    fn version_with_the_digest_is_deleted_for_whichever_kind_of_owner() {
        let tools = FakeTools::default().with("gh", |args| match args {
            ["api", "--paginate", path, ..] if path.starts_with("/orgs/") => ok("42\n"),
            ["api", "--method", "DELETE", "/orgs/me/packages/container/vespera-dx/versions/42"] => {
                ok("")
            }
            _ => failed("Not Found (HTTP 404)"),
        });
        let store = GitHub(Skopeo { tools: &tools, insecure: false });
        store.delete("ghcr.io/me/vespera-dx@sha256:1").unwrap();
        assert!(tools.calls()[0].contains("select(.name == \"sha256:1\")"), "{:?}", tools.calls());
    }

    #[test]
    fn refusal_is_told_and_other_registries_are_asked_themselves() {
        let tools = FakeTools::default()
            .with("gh", |_| failed("Must have admin rights (HTTP 403)"))
            .with("skopeo", |_| ok(""));
        let store = GitHub(Skopeo { tools: &tools, insecure: false });
        let error = store.delete("ghcr.io/me/vespera@sha256:1").unwrap_err();
        assert!(matches!(&error, Error::Refused { reason, .. } if reason.contains("admin")));
        store.delete("quay.io/me/vespera@sha256:1").unwrap();
        let last = tools.calls().pop().unwrap();
        assert_eq!(last, "skopeo delete docker://quay.io/me/vespera@sha256:1");
    }

    #[test]
    fn package_with_a_slash_has_one_in_its_name_and_none_in_its_address() {
        assert_eq!(package("ghcr.io/me/a/b@sha256:1"), Some(("me", "a%2Fb".into(), "sha256:1")));
        assert_eq!(package("quay.io/me/a@sha256:1"), None);
    }
}
