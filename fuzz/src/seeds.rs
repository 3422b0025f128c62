// SPDX-License-Identifier: MIT OR Apache-2.0
//! The corpora to begin with, one folder per target: the committed texts of `corpus/`, and what is
//! binary, made here from committed hexadecimal digits and builders.

use std::fs;
use std::path::Path;

use module_check::fixtures::ModuleBuilder;
use module_check::fixtures::signing::{self, openssl};

use crate::readers::TARGETS;

const NAMES: [&str; 6] =
    ["rsa-sha256", "rsa-sha512-keyid", "p256-sha256", "p384-sha384", "p521-sha512", "attributes"];
/// `EFI_CERT_X509_GUID`, as it lies in memory.
const X509: [u8; 16] = [
    0xa1, 0x59, 0xc0, 0xa5, 0xe4, 0x94, 0xa7, 0x4a, 0x87, 0xb5, 0xab, 0x15, 0x5c, 0x2b, 0xf0, 0x72,
];

/// Writes them into `folder` and prints the names of the targets.
pub(crate) fn write(folder: &Path) {
    let write = |target: &str, name: &str, bytes: &[u8]| {
        let place = folder.join(target);
        fs::create_dir_all(&place).unwrap();
        fs::write(place.join(name), bytes).unwrap();
    };
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for target in fs::read_dir(&committed).unwrap() {
        let target = target.unwrap();
        for seed in fs::read_dir(target.path()).unwrap() {
            let seed = seed.unwrap();
            let (target, name) = (target.file_name(), seed.file_name());
            let bytes = fs::read(seed.path()).unwrap();
            write(&target.to_string_lossy(), &name.to_string_lossy(), &bytes);
        }
    }
    for name in NAMES {
        write("signature", name, &openssl::message(name));
        write("certificate", name, &openssl::certificate(name));
        let certificate = openssl::certificate(name);
        let entry = u32::try_from(16 + certificate.len()).unwrap();
        let mut list = X509.to_vec();
        for number in [28 + entry, 0, entry] {
            list.extend(number.to_le_bytes());
        }
        list.extend([0; 16]);
        list.extend(certificate);
        write("key-lists", name, &list);
    }
    let module = ModuleBuilder::new("6.1.0").crcs(true);
    write("module", "plain", &module.bytes());
    write("module", "signed", &module.clone().signed_by(7).bytes());
    write("module", "damaged", &signing::appended(&module.bytes(), b"noise"));
    for (target, _) in TARGETS {
        assert!(folder.join(target).is_dir(), "there are no seeds for {target}");
        println!("{target}");
    }
}
