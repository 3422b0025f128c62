// SPDX-License-Identifier: MIT OR Apache-2.0
//! What an image says of itself: `image.json`, os-release, Universal Blue's own file.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::{Error, Report, file_error, files};
use crate::config::Config;
use crate::modinfo::Modinfo;

/// Image facts, for the agent and for people.
pub const IMAGE_JSON: &str = "usr/share/vespera/image.json";
/// Where a root says which system it is.
pub const OS_RELEASE: &str = "usr/lib/os-release";
const UBLUE_INFO: &str = "usr/share/ublue-os/image-info.json";
/// Version of the form of `image.json`.
const FORMAT: u32 = 1;

/// Facts about a build that only whoever started it knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuildFacts {
    /// Name of the image, as `vespera-dx`.
    pub name: String,
    /// Reference under which it is published, without a tag.
    pub reference: Option<String>,
    /// Whether hosts with it take later ones only with a signature.
    pub enforced: bool,
    /// Version of the image.
    pub version: Option<String>,
    /// Reference of the base.
    pub base: Option<String>,
    /// Digest of the base.
    pub base_digest: Option<String>,
    /// Git revision of the repository.
    pub revision: Option<String>,
    /// When it was built, RFC 3339.
    pub date: Option<String>,
    /// Paths of the programs and files that were installed.
    pub payload: Vec<Utf8PathBuf>,
}

/// Writes who the image is.
///
/// # Errors
///
/// When a file cannot be read or written, or the base has no os-release.
pub fn write(
    root: &Utf8Path,
    config: &Config,
    kernel: &str,
    facts: &BuildFacts,
    report: &mut dyn Report,
) -> Result<(), Error> {
    let path = root.join(IMAGE_JSON);
    // What other stages wrote stays as it is: the driver, and the list of the payload.
    let mut before = read_object(&path)?;
    let driver = before.remove("driver").unwrap_or(Value::Null);
    let payload = before.remove("payload").filter(|_| facts.payload.is_empty());
    let image = json!({
        "format": FORMAT,
        "name": facts.name,
        "reference": facts.reference,
        "version": facts.version,
        "config": config,
        "base": { "reference": facts.base, "digest": facts.base_digest },
        "kernel": kernel,
        "payload": payload.unwrap_or_else(|| json!(facts.payload)),
        "driver": driver,
        "build": { "date": facts.date, "revision": facts.revision },
    });
    write_json(&path, &image)?;
    report.line(&format!("identity: {path}"));

    let path = root.join(OS_RELEASE);
    let text = fs::read_to_string(&path).map_err(file_error("read", &path))?;
    files::write(&path, os_release(&text, facts).as_bytes(), files::PLAIN)?;
    report.line(&format!("identity: {path} names {}", facts.name));

    let path = root.join(UBLUE_INFO);
    if path.exists() {
        let mut info = read_object(&path)?;
        info.insert("image-name".into(), json!(facts.name));
        info.insert("image-vendor".into(), json!("vespera"));
        if let Some(reference) = &facts.reference {
            // What Universal Blue's own tools rebase to: without a policy, no host takes the
            // strict form.
            let transport = if facts.enforced {
                "ostree-image-signed:docker://"
            } else {
                "ostree-unverified-registry:"
            };
            info.insert("image-ref".into(), json!(format!("{transport}{reference}")));
        }
        write_json(&path, &Value::Object(info))?;
        report.line(&format!("identity: {path} names {}", facts.name));
    }
    Ok(())
}

/// Adds to `image.json` what the installed module says of itself, and the fingerprint of the
/// certificate that belongs to its signature.
///
/// # Errors
///
/// When the file cannot be read or written.
pub fn record_driver(
    root: &Utf8Path,
    info: &Modinfo,
    certificate: Option<&[u8]>,
    report: &mut dyn Report,
) -> Result<(), Error> {
    let path = root.join(IMAGE_JSON);
    if !path.exists() {
        return Ok(());
    }
    let mut image = read_object(&path)?;
    let mut driver = json!(info);
    if let Some(certificate) = certificate {
        let sum = Sha256::digest(certificate);
        let fingerprint: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
        driver["certificate"] = json!({ "sha256": fingerprint });
    }
    image.insert("driver".into(), driver);
    write_json(&path, &Value::Object(image))?;
    report.line(&format!("identity: driver recorded in {path}"));
    Ok(())
}

/// Sets the fields that tell this image from its base, and leaves `ID` and `NAME` alone: scripts
/// of the base and package repositories go by them.
fn os_release(text: &str, facts: &BuildFacts) -> String {
    let version = facts.version.as_deref();
    let pretty = match version {
        Some(version) => format!("Vespera {version}"),
        None => "Vespera".to_owned(),
    };
    let mut fields = [
        ("PRETTY_NAME", Some(pretty)),
        ("VARIANT", Some("Vespera".to_owned())),
        ("VARIANT_ID", Some(facts.name.clone())),
        ("IMAGE_ID", Some(facts.name.clone())),
        ("IMAGE_VERSION", version.map(str::to_owned)),
    ];
    let mut lines = Vec::new();
    for line in text.lines() {
        let key = line.split('=').next().unwrap_or_default();
        match fields.iter_mut().find(|(name, _)| *name == key) {
            // A field without a value now is dropped: the base's own would be a false one.
            Some((name, value)) => {
                lines.extend(value.take().map(|value| format!("{name}=\"{value}\"")));
            }
            None => lines.push(line.to_owned()),
        }
    }
    lines.extend(
        fields.iter().filter_map(|(name, value)| Some(format!("{name}=\"{}\"", value.as_ref()?))),
    );
    lines.join("\n") + "\n"
}

fn read_object(path: &Utf8Path) -> Result<Map<String, Value>, Error> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Map::new()),
        Err(error) => return Err(file_error("read", path)(error)),
    };
    serde_json::from_str(&text)
        .map_err(|error| Error::Refused(format!("{path} is not a JSON object: {error}")))
}

fn write_json(path: &Utf8Path, value: &Value) -> Result<bool, Error> {
    files::write(path, format!("{value:#}\n").as_bytes(), files::PLAIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ConfigFile;
    use crate::customize::fixtures::Root;

    fn facts() -> BuildFacts {
        BuildFacts {
            name: "vespera-dx".into(),
            reference: Some("ghcr.io/me/vespera-dx".into()),
            version: Some("20261122".into()),
            ..BuildFacts::default()
        }
    }

    #[test]
    fn os_release_names_the_image_and_keeps_the_bases_id() {
        let text = "NAME=\"Aurora\"\nID=aurora\nPRETTY_NAME=\"Aurora 44\"\nIMAGE_ID=\"aurora\"\n";
        let once = os_release(text, &facts());
        assert_eq!(
            once,
            "NAME=\"Aurora\"\nID=aurora\nPRETTY_NAME=\"Vespera 20261122\"\n\
             IMAGE_ID=\"vespera-dx\"\nVARIANT=\"Vespera\"\nVARIANT_ID=\"vespera-dx\"\n\
             IMAGE_VERSION=\"20261122\"\n"
        );
        assert_eq!(os_release(&once, &facts()), once);
    }

    #[test]
    fn version_of_the_base_is_not_passed_off_as_our_own() {
        let facts = BuildFacts { version: None, ..facts() };
        let text = os_release("IMAGE_VERSION=\"44.20260819.1\"\n", &facts);
        assert!(!text.contains("44.2026"), "{text}");
    }

    #[test]
    fn image_json_holds_the_facts_and_keeps_the_driver() {
        let root = Root::new();
        root.file(OS_RELEASE, "ID=aurora\n");
        root.file(UBLUE_INFO, r#"{"image-name": "aurora-dx", "fedora-version": "44"}"#);
        let config = Config::from(&ConfigFile::default());
        let mut report: Vec<String> = Vec::new();
        write(root.path(), &config, "6.17.1", &facts(), &mut report).unwrap();
        let info = Modinfo {
            name: "maccel".into(),
            version: None,
            srcversion: Some("ABC".into()),
            vermagic: "6.17.1 SMP".into(),
            signature: None,
        };
        record_driver(root.path(), &info, Some(b"der"), &mut report).unwrap();
        write(root.path(), &config, "6.17.1", &facts(), &mut report).unwrap();
        let image: Value = serde_json::from_str(&root.read(IMAGE_JSON)).unwrap();
        assert_eq!(image["format"], 1);
        assert_eq!(image["kernel"], "6.17.1");
        assert_eq!(image["config"]["base"]["variant"], "aurora");
        assert_eq!(image["driver"]["srcversion"], "ABC");
        assert_eq!(image["driver"]["certificate"]["sha256"].as_str().map(str::len), Some(64));
        let ublue: Value = serde_json::from_str(&root.read(UBLUE_INFO)).unwrap();
        assert_eq!(ublue["image-name"], "vespera-dx");
        assert_eq!(ublue["image-ref"], "ostree-unverified-registry:ghcr.io/me/vespera-dx");
        let enforced = BuildFacts { enforced: true, ..facts() };
        write(root.path(), &config, "6.17.1", &enforced, &mut report).unwrap();
        let ublue: Value = serde_json::from_str(&root.read(UBLUE_INFO)).unwrap();
        assert_eq!(ublue["image-ref"], "ostree-image-signed:docker://ghcr.io/me/vespera-dx");
        assert_eq!(ublue["fedora-version"], "44");
    }
}
