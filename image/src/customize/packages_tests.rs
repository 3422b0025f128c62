// SPDX-License-Identifier: MIT OR Apache-2.0
use std::cell::RefCell;
use std::rc::Rc;

use super::*;
use crate::customize::fixtures::{FakeTools, Root, failed, ok};

/// dnf5 and rpm over a set of names, with a repository that holds `htop` and `vim`.
fn tools(installed: &[&str]) -> FakeTools {
    let database: Rc<RefCell<BTreeSet<String>>> =
        Rc::new(RefCell::new(installed.iter().map(|&name| name.to_owned()).collect()));
    let names = |args: &[&str]| -> Vec<String> {
        args.iter()
            .filter(|arg| !arg.starts_with('-') && !arg.starts_with('/'))
            .map(|&arg| arg.to_owned())
            .collect()
    };
    let rpm_database = Rc::clone(&database);
    FakeTools::default()
        .with("rpm", move |args| {
            let names = names(args);
            let database = rpm_database.borrow();
            if args.contains(&"-e") && names.contains(&"bash".to_owned()) {
                return failed(
                    "error: Failed dependencies:\n\tbash is needed by (installed) plasma-1.noarch",
                );
            }
            if names.iter().all(|name| database.contains(name)) { ok("") } else { failed("") }
        })
        .with("dnf5", move |args| {
            let mut names = names(args);
            let command = names.remove(0);
            let mut database = database.borrow_mut();
            if command == "remove" {
                database.retain(|name| !names.contains(name));
                return ok("");
            }
            match names.iter().find(|name| !["htop", "vim"].contains(&name.as_str())) {
                Some(unknown) => failed(&format!(
                    "Failed to resolve the transaction:\nNo match for argument: {unknown}"
                )),
                None => {
                    database.extend(names);
                    ok("")
                }
            }
        })
}

fn root() -> Root {
    let root = Root::new();
    root.kernel("6.17.1");
    root
}

fn packages(add: &[&str], remove: &[&str]) -> Packages {
    let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    Packages { add_rpm: owned(add), remove_rpm: owned(remove), ..Packages::default() }
}

fn run(root: &Root, wanted: &Packages, tools: &FakeTools) -> Result<Vec<String>, Error> {
    let mut report = Vec::new();
    apply(root.path(), wanted, tools, &mut report)?;
    Ok(report)
}

#[test]
fn packages_are_removed_then_installed_and_the_second_run_changes_nothing() {
    let (root, tools) = (root(), tools(&["firefox"]));
    let wanted = packages(&["htop"], &["firefox", "thunderbird"]);
    assert_eq!(
        run(&root, &wanted, &tools).unwrap(),
        ["rpm thunderbird: already absent", "rpm firefox: removed", "rpm htop: installed"]
    );
    let dnf: Vec<String> =
        tools.calls().into_iter().filter(|call| call.starts_with("dnf5")).collect();
    let installroot = format!("--installroot={}", root.path());
    assert_eq!(
        dnf,
        [
            format!("dnf5 -y {installroot} remove --no-autoremove firefox"),
            format!("dnf5 -y {installroot} --exclude={KERNELS} install htop"),
        ]
    );
    assert_eq!(
        run(&root, &wanted, &tools).unwrap(),
        [
            "rpm firefox: already absent",
            "rpm thunderbird: already absent",
            "rpm htop: already installed"
        ]
    );
}

#[test]
fn unknown_package_is_named_and_the_others_are_not_blamed() {
    let error = run(&root(), &packages(&["vim", "hotp"], &[]), &tools(&[])).unwrap_err();
    assert!(error.to_string().starts_with("cannot install hotp; "), "{error}");
}

#[test]
fn package_that_others_need_stays_and_they_are_named() {
    let tools = tools(&["bash", "firefox"]);
    let error = run(&root(), &packages(&[], &["firefox", "bash"]), &tools).unwrap_err().to_string();
    assert!(error.starts_with("cannot remove bash: other packages need it"), "{error}");
    assert!(error.contains("plasma-1.noarch"), "{error}");
    assert!(!tools.calls().iter().any(|call| call.starts_with("dnf5")));
}

#[test]
fn configured_repositories_are_on_for_the_transaction_only() {
    let (root, tools) = (root(), tools(&[]));
    let file = "[copr]\nname=x\nenabled=0\n";
    root.file("etc/yum.repos.d/copr.repo", file);
    let wanted = Packages { repositories: vec!["copr".into()], ..packages(&["htop"], &[]) };
    run(&root, &wanted, &tools).unwrap();
    assert!(tools.calls().iter().any(|call| call.contains(" --enable-repo=copr install htop")));
    assert_eq!(root.read("etc/yum.repos.d/copr.repo"), file);
}

#[test]
fn repository_that_a_package_brings_is_turned_off() {
    let root = root();
    root.file("etc/yum.repos.d/fedora.repo", "[fedora]\nenabled=1\n");
    let path = root.path().join("etc/yum.repos.d/brought.repo");
    let tools = FakeTools::default().with("rpm", {
        let path = path.clone();
        move |_| if path.exists() { ok("") } else { failed("") }
    });
    let tools = tools.with("dnf5", move |_| {
        fs::write(&path, "[brought]\nname=x\n\n[brought-source]\nenabled=0\n").unwrap();
        ok("")
    });
    let report = run(&root, &packages(&["htop"], &[]), &tools).unwrap();
    assert!(report.contains(&"repository brought: turned off, a package had brought it".into()));
    let text = root.read("etc/yum.repos.d/brought.repo");
    assert_eq!(text, "[brought]\nenabled=0\nname=x\n\n[brought-source]\nenabled=0\n");
    assert_eq!(enabled(root.path()).unwrap(), BTreeSet::from(["fedora".to_owned()]));
}

#[test]
fn second_kernel_is_an_error() {
    let root = root();
    let other = root.path().join("usr/lib/modules/6.18.0");
    let tools = FakeTools::default().with("rpm", |_| failed("")).with("dnf5", move |_| {
        fs::create_dir_all(&other).unwrap();
        fs::write(other.join("vmlinuz"), "").unwrap();
        ok("")
    });
    let error = run(&root, &packages(&["htop"], &[]), &tools).unwrap_err().to_string();
    // rpm of this fake knows nothing, which is noticed first.
    assert!(error.contains("rpm does not know htop"), "{error}");
    let error = run(&root, &packages(&[], &[]), &tools).unwrap_err().to_string();
    assert!(error.starts_with("2 kernels in "), "{error}");
}

#[test]
fn missing_dnf_is_named_and_not_needed_when_there_is_nothing_to_do() {
    run(&root(), &packages(&[], &[]), &FakeTools::default()).unwrap();
    let tools = FakeTools::default().with("rpm", |_| failed(""));
    let error = run(&root(), &packages(&["htop"], &[]), &tools).unwrap_err().to_string();
    assert!(error.contains("`dnf5` is not installed"), "{error}");
}

#[test]
fn blame_takes_versions_but_not_longer_names() {
    let asked = ["vim".to_owned(), "htop".to_owned()];
    assert_eq!(blame(&asked, "package vim-enhanced conflicts"), "vim, htop");
    assert_eq!(blame(&asked, "package vim-9.1-1.x86_64 conflicts"), "vim");
    assert_eq!(blame(&asked, "nothing provides libx needed by htop"), "htop");
}

/// By dnf5.conf(5): three folders, then what was said later, where the last word counts and a file
/// below `/etc` hides the one of the same name.
#[test]
fn repositories_are_read_from_every_folder_and_with_their_overrides() {
    let root = Root::new();
    root.file("etc/yum.repos.d/a.repo", "[a]\nenabled=0\n[b]\nname=b\n");
    root.file("etc/distro.repos.d/c.repo", "[c]\n");
    root.file("usr/share/dnf5/repos.d/d.repo", "[copr:x:d]\nenabled=1\n");
    let on = || enabled(root.path()).unwrap().into_iter().collect::<Vec<_>>();
    assert_eq!(on(), ["b", "c", "copr:x:d"]);
    let etc = "etc/dnf/repos.override.d";
    root.file(&format!("{etc}/99-config_manager.repo"), "[a]\nenabled=1\n[c]\npriority=1\n");
    assert_eq!(on(), ["a", "b", "c", "copr:x:d"]);
    root.file(
        "usr/share/dnf5/repos.override.d/10-off.repo",
        "[copr:*]\nenabled=0\n[?]\nenabled=0\n",
    );
    assert_eq!(on(), ["a"]);
    root.file(&format!("{etc}/10-off.repo"), "");
    assert_eq!(on(), ["a", "b", "c", "copr:x:d"]);
}

#[test]
fn repository_that_a_package_turns_on_by_an_override_is_turned_off_or_refused() {
    for (pattern, refused) in [("brought", false), ("brou*", true)] {
        let root = root();
        let folder = root.path().to_owned();
        let tools = FakeTools::default().with("dnf5", move |_| {
            for (path, text) in [
                ("usr/share/dnf5/repos.d/x.repo", "[brought]\nenabled=0\n".to_owned()),
                ("etc/dnf/repos.override.d/x.repo", format!("[{pattern}]\nenabled=1\n")),
            ] {
                let path = folder.join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            ok("")
        });
        let tools = tools.with("rpm", {
            let asked = RefCell::new(false);
            // Absent before, there afterwards.
            move |_| if asked.replace(true) { ok("") } else { failed("") }
        });
        let result = run(&root, &packages(&["htop"], &[]), &tools);
        assert_eq!(result.is_err(), refused, "{pattern}: {result:?}");
        if let Err(error) = result {
            assert!(error.to_string().contains("keeps it on by a pattern"), "{error}");
        }
    }
}
