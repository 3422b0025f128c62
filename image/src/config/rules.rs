// SPDX-License-Identifier: MIT OR Apache-2.0
//! What each value must be. Every refusal says what would be right.

use garde::Error;

use super::choice::{Gpu, RETIRED_GPU, RETIRED_GPU_REASON, Source};

/// Packages that would bring a second kernel into the image.
const KERNEL_PACKAGES: &[&str] = &["kernel", "kernel-core", "kernel-uki-virt"];
/// The same, with any ending.
const KERNEL_PACKAGE_PREFIXES: &[&str] =
    &["kernel-modules", "kernel-debug", "kernel-rt", "kernel-longterm", "kernel-64k"];

const DIGEST_HEX: usize = 64;
const COMMIT_HEX: usize = 40;
/// Longest tag that the distribution specification allows.
const TAG_MAX: usize = 128;

/// Refuses with a message.
fn refuse(message: String) -> garde::Result {
    Err(Error::new(message))
}

/// One of a closed set of words.
pub(super) fn word(words: &'static [&'static str]) -> impl FnOnce(&str, &()) -> garde::Result {
    move |value, &()| {
        if words.contains(&value) {
            return Ok(());
        }
        refuse(format!("`{value}` is not known; allowed: {}", words.join(", ")))
    }
}

/// A graphics variant, with an answer for the one that is gone.
pub(super) fn gpu(value: &str, context: &()) -> garde::Result {
    if value == RETIRED_GPU {
        return refuse(RETIRED_GPU_REASON.to_owned());
    }
    word(Gpu::WORDS)(value, context)
}

/// `host[:port][/path]`, lower case, without a scheme.
pub(super) fn registry(value: &str, (): &()) -> garde::Result {
    let (host, path) = value.split_once('/').map_or((value, None), |(h, p)| (h, Some(p)));
    let host_ok = !host.is_empty()
        && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':'))
        && (host.contains('.') || host.contains(':') || host == "localhost");
    let path_ok = path.is_none_or(|path| path.split('/').all(is_path_component));
    if host_ok && path_ok {
        return Ok(());
    }
    refuse(format!(
        "`{value}` is not a registry; write a host and, where there is one, an owner, in lower \
         case and without `https://`: `ghcr.io` or `ghcr.io/owner`"
    ))
}

/// An image name, with or without an owner.
pub(super) fn image_name(value: &str, (): &()) -> garde::Result {
    if !value.is_empty() && value.split('/').all(is_path_component) {
        return Ok(());
    }
    refuse(format!(
        "`{value}` is not an image name; allowed: lower-case letters and digits with `.`, `_` or \
         `-` between them, as `vespera` or `owner/vespera`"
    ))
}

/// A tag of the distribution specification.
pub(super) fn tag(value: &str, (): &()) -> garde::Result {
    let first_ok = value.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let rest_ok = value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    if first_ok && rest_ok && value.len() <= TAG_MAX {
        return Ok(());
    }
    refuse(format!(
        "`{value}` is not a tag; allowed: letters, digits, `_`, `.` and `-`, at most {TAG_MAX}"
    ))
}

/// A sha256 digest.
pub(super) fn digest(value: &str, (): &()) -> garde::Result {
    if value.strip_prefix("sha256:").is_some_and(|hex| is_hex(hex, DIGEST_HEX)) {
        return Ok(());
    }
    refuse(format!(
        "`{value}` is not a digest; write `sha256:` and {DIGEST_HEX} hexadecimal digits"
    ))
}

/// A full git commit: a tag or a branch can move, a short one can become ambiguous.
pub(super) fn commit(value: &str, (): &()) -> garde::Result {
    if is_hex(value, COMMIT_HEX) {
        return Ok(());
    }
    refuse(format!(
        "`{value}` is not a full commit; write all {COMMIT_HEX} hexadecimal digits, not a branch \
         or a tag, which can move"
    ))
}

/// A place that git clones from.
pub(super) fn git_url(value: &str, (): &()) -> garde::Result {
    let known = ["https://", "http://", "ssh://", "git://", "file://", "git@", "/"];
    let clean = !value.chars().any(|c| c.is_whitespace() || c.is_control());
    if clean && known.iter().any(|start| value.starts_with(start)) {
        return Ok(());
    }
    refuse(format!("`{value}` is not a git repository; write `https://host/owner/name`"))
}

/// Without it, `source: git` has nothing to clone.
pub(super) fn needed_for_git<'a>(
    source: &'a str,
    key: &'static str,
) -> impl FnOnce(&Option<String>, &()) -> garde::Result + 'a {
    move |value, &()| {
        if source == Source::Git.word() && value.is_none() {
            return refuse(format!("`source: git` needs `{key}`"));
        }
        Ok(())
    }
}

/// A package name as dnf takes it, and not a kernel.
pub(super) fn rpm(value: &str, (): &()) -> garde::Result {
    let first_ok = value.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '@');
    let rest_ok = value
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '+' | '-' | '@' | ':'));
    if !first_ok || !rest_ok {
        return refuse(format!(
            "`{value}` is not a package name; allowed: letters, digits and `.`, `_`, `+`, `-`"
        ));
    }
    let kernel = KERNEL_PACKAGES.contains(&value)
        || KERNEL_PACKAGE_PREFIXES.iter().any(|prefix| value.starts_with(prefix));
    if kernel {
        return refuse(format!(
            "`{value}` cannot be changed: an image with a second kernel, or without one, does not \
             boot; choose the kernel by `base.stream`"
        ));
    }
    Ok(())
}

/// A name that is wanted and unwanted at once.
pub(super) fn apart_from<'a>(
    key: &'static str,
    others: &'a [String],
) -> impl FnOnce(&Vec<String>, &()) -> garde::Result + 'a {
    move |values, &()| {
        let both: Vec<&str> =
            values.iter().filter(|v| others.contains(v)).map(String::as_str).collect();
        if both.is_empty() {
            return Ok(());
        }
        refuse(format!("also in `{key}`: {}; keep each name in one list", both.join(", ")))
    }
}

/// A Flatpak application identifier.
pub(super) fn flatpak(value: &str, (): &()) -> garde::Result {
    let parts: Vec<&str> = value.split('.').collect();
    let part_ok = |part: &&str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
    };
    if parts.len() >= 3 && value.len() <= 255 && parts.iter().all(part_ok) {
        return Ok(());
    }
    refuse(format!(
        "`{value}` is not a Flatpak application identifier; write it as Flathub does: \
         `org.mozilla.firefox`"
    ))
}

/// The identifier of a package repository.
pub(super) fn repository_id(value: &str, (): &()) -> garde::Result {
    let ok = value.starts_with(|c: char| c.is_ascii_alphanumeric())
        && value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':'));
    if ok {
        return Ok(());
    }
    refuse(format!(
        "`{value}` is not a repository identifier; write what stands in brackets in its .repo file"
    ))
}

/// The name of a profile.
pub(super) fn profile(value: &str, (): &()) -> garde::Result {
    if is_path_component(value) {
        return Ok(());
    }
    refuse(format!("`{value}` is not a profile name; allowed: lower-case letters, digits, `-`"))
}

/// `linux/amd64` and its like.
pub(super) fn platform(value: &str, context: &()) -> garde::Result {
    word(super::PLATFORMS)(value, context)
}

/// One of them: an image is built, verified and tagged as one manifest.
pub(super) fn one_platform(values: &[String], (): &()) -> garde::Result {
    if values.len() == 1 {
        return Ok(());
    }
    refuse(format!(
        "{} platforms; write exactly one: an image for another platform has a base and a kernel of \
         its own, so give it a configuration, with an `image_name`, of its own",
        values.len()
    ))
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
}

/// One component of a repository path in the distribution specification.
fn is_path_component(part: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    part.starts_with(plain)
        && part.ends_with(plain)
        && part.chars().all(|c| plain(c) || matches!(c, '.' | '_' | '-'))
}
