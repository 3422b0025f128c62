// SPDX-License-Identifier: MIT OR Apache-2.0
//! Takes out of a text what tells who and where: names of host and people, serial numbers,
//! addresses.
//!
//! One thing is replaced by one mark throughout, so that a reader still sees what is the same.

mod addresses;
mod disks;
mod serials;

use health::Root;

use self::addresses::addresses;
use self::disks::{disks_by_id, escaped_disks};
use self::serials::{end_of_quoted, serials, without_serial};

/// Users below this number are programs, with names that are everywhere the same.
const FIRST_PERSON: u32 = 1000;
/// `nobody` and beyond.
const LAST_PERSON: u32 = 60_000;
const PASSWD: [&str; 2] = ["etc/passwd", "usr/lib/passwd"];
const NOBODY: u32 = 65_534;
/// Where logind keeps who is logged in, a file for each user's number.
const USERS: &str = "run/systemd/users";
const HOMES: [&str; 2] = ["home", "var/home"];
/// Files that hold one number or name of this machine alone.
const IDENTITIES: [(&str, &str); 7] = [
    ("proc/sys/kernel/hostname", "[host]"),
    ("etc/hostname", "[host]"),
    ("etc/machine-id", "[machine]"),
    ("sys/class/dmi/id/product_serial", "[serial]"),
    ("sys/class/dmi/id/board_serial", "[serial]"),
    ("sys/class/dmi/id/chassis_serial", "[serial]"),
    ("sys/class/dmi/id/product_uuid", "[serial]"),
];

/// The least characters of a serial number that is looked for wherever it stands.
const SHORTEST: usize = 4;

/// What is taken out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Redaction {
    /// Words and their marks, longest first.
    words: Vec<(String, String)>,
}

impl Redaction {
    /// Learns what is to be taken out on this host; `callers` are people who may be in no file,
    /// since they come from a directory.
    pub(crate) fn of_host(root: &Root, callers: &[String]) -> Self {
        let mut redaction = Self::default();
        for (file, mark) in IDENTITIES {
            if let Some(line) = root.line(file) {
                redaction.add(&line, mark);
                if let Some((short, _)) = line.split_once('.') {
                    redaction.add(short, mark);
                }
            }
        }
        let mut people = Vec::new();
        for file in PASSWD {
            people.extend(people_in(&root.read(file).unwrap_or_default()));
        }
        let others = callers.iter().cloned().chain(logged_in(root)).chain(homes(root));
        people.extend(others.filter(|name| name != "root").map(|name| vec![name]));
        redaction.add_people(&people);
        redaction.add_serials(root);
        redaction
    }

    fn add_people(&mut self, people: &[Vec<String>]) {
        for (number, names) in people.iter().enumerate() {
            for name in names {
                self.add(name, &format!("[user-{}]", number + 1));
            }
        }
    }

    /// The serial numbers of mice, as the driver and the input layer tell them.
    fn add_serials(&mut self, root: &Root) {
        let mut number = 0;
        for class in ["sys/class/maccel", "sys/class/input"] {
            for entry in root.at(class).read_dir_utf8().into_iter().flatten().flatten() {
                let uniq = root.line(format!("{class}/{}/uniq", entry.file_name()));
                // One like `0` stands in half of all lines.
                if let Some(serial) = uniq.filter(|serial| serial.trim().len() >= SHORTEST) {
                    number += 1;
                    self.add(&serial, &format!("[serial-{number}]"));
                }
            }
        }
    }

    fn add(&mut self, word: &str, mark: &str) {
        let word = word.trim();
        // What every machine may be called tells nothing, and taking it out spoils the rest.
        let common = ["", "localhost", "localhost.localdomain", "fedora", "None", "Default string"];
        if common.contains(&word) || self.words.iter().any(|(known, _)| known == word) {
            return;
        }
        self.words.push((word.to_owned(), mark.to_owned()));
        self.words.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
    }

    /// The text without them. JSON, as a whole or in lines of its own, stays what it is.
    pub(crate) fn apply(&self, text: &str) -> String {
        if is_json(text) {
            return self.apply_to_json(text);
        }
        let line = |line| if is_json(line) { self.apply_to_json(line) } else { self.plain(line) };
        text.split_inclusive('\n').map(line).collect()
    }

    /// What people would read: within the text of JSON, quotes of a string are none.
    fn apply_to_json(&self, json: &str) -> String {
        let mut out = String::with_capacity(json.len());
        let mut rest = json;
        while let Some(start) = rest.find('"') {
            let length = 1 + end_of_quoted(&rest[start + 1..], '"', false);
            let end = (start + length + 1).min(rest.len());
            let literal = &rest[start..end];
            out.push_str(&rest[..start]);
            rest = &rest[end..];
            let redacted = serde_json::from_str::<String>(literal).ok().and_then(|text| {
                let redacted = without_serial(&text).unwrap_or_else(|| text.clone());
                let redacted = self.plain(&redacted);
                (redacted != text).then(|| serde_json::Value::from(redacted).to_string())
            });
            out.push_str(redacted.as_deref().unwrap_or(literal));
        }
        out.push_str(rest);
        out
    }

    fn plain(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (word, mark) in &self.words {
            text = replace_word(&text, word, mark);
        }
        text.split_inclusive('\n')
            .map(|line| addresses(&serials(&escaped_disks(&disks_by_id(line)))))
            .collect()
    }
}

/// Whether a text is an object or a list in JSON.
fn is_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '['])
        && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// People whom logind knows, from wherever they are.
fn logged_in(root: &Root) -> Vec<String> {
    let users = root.at(USERS).read_dir_utf8().into_iter().flatten().flatten();
    users
        .filter(|file| {
            let uid = file.file_name().parse::<u32>();
            uid.is_ok_and(|uid| uid >= FIRST_PERSON && uid != NOBODY)
        })
        .filter_map(|file| {
            let text = std::fs::read_to_string(file.path()).ok()?;
            text.lines().find_map(|line| line.strip_prefix("NAME=").map(str::to_owned))
        })
        .collect()
}

/// People who have a home here; that of systemd-homed is a file or folder with an ending.
fn homes(root: &Root) -> Vec<String> {
    let homes = HOMES.iter().flat_map(|folder| root.at(folder).read_dir_utf8());
    homes
        .flat_map(Iterator::flatten)
        .map(|entry| {
            let name = entry.file_name();
            let name = name.strip_suffix(".homedir").or_else(|| name.strip_suffix(".home"));
            name.unwrap_or(entry.file_name()).to_owned()
        })
        .filter(|name| !["lost+found", "linuxbrew"].contains(&name.as_str()))
        .collect()
}

/// The people of a user file: their names, and what they are called in full.
fn people_in(passwd: &str) -> Vec<Vec<String>> {
    passwd
        .lines()
        .filter_map(|line| {
            let fields: Vec<_> = line.split(':').collect();
            let [name, _, uid, _, full, ..] = fields.as_slice() else { return None };
            let uid: u32 = uid.parse().ok()?;
            let full = full.split(',').next().unwrap_or_default();
            let is_person = (FIRST_PERSON..LAST_PERSON).contains(&uid);
            is_person.then(|| vec![(*name).to_owned(), full.to_owned()])
        })
        .collect()
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Replaces `word` wherever it stands by itself, in any case of its letters. A serial number is part
/// of longer names as well: `usb-Logitech_G502_LZ42AB12-event-mouse`.
fn replace_word(text: &str, word: &str, mark: &str) -> String {
    let lower = word.to_ascii_lowercase();
    // ASCII only, so that places in both texts are the same.
    let haystack = text.to_ascii_lowercase();
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (at, _) in haystack.match_indices(&lower) {
        let end = at + word.len();
        let before = text[..at].chars().next_back();
        let after = text[end..].chars().next();
        let joins = |c: char| if mark.starts_with("[serial") { c != '_' } else { true };
        let joined = |edge: Option<char>, own: Option<char>| {
            edge.is_some_and(|c| is_word(c) && joins(c)) && own.is_some_and(is_word)
        };
        if joined(before, word.chars().next()) || joined(after, word.chars().next_back()) {
            continue;
        }
        out.push_str(&text[done..at]);
        out.push_str(mark);
        done = end;
    }
    out.push_str(&text[done..]);
    out
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};
    use std::sync::LazyLock;

    use module_check::fixtures::FixtureRoot;
    use proptest::prelude::*;

    use super::*;

    fn host() -> FixtureRoot {
        let fixture = FixtureRoot::new();
        fixture.file("proc/sys/kernel/hostname", b"annas-desk.example.org\n");
        fixture.file("etc/machine-id", b"0123456789abcdef0123456789abcdef\n");
        fixture.file(
            "etc/passwd",
            b"root:x:0:0::/root:/bin/sh\nmail:x:8:8::/:/x\n\
              anna:x:1000:1000:Anna B\xc3\xb6hm,,,:/home/anna:/bin/bash\n\
              nobody:x:65534:65534::/:/x\n",
        );
        fixture.file("sys/class/maccel/input5/uniq", b"LZ42-77\n");
        fixture.file("sys/class/maccel/input6/uniq", b"1\n");
        fixture.file("run/systemd/users/60077", b"# private\nNAME=bert\nSTATE=active\n");
        fixture.file("run/systemd/users/42", b"NAME=gdm\n");
        fixture.file("home/carl.homedir/.identity", b"{}");
        fixture.file("home/lost+found/x", b"");
        fixture.file("var/home/dora/x", b"");
        fixture
    }

    #[test]
    fn names_serials_and_addresses_are_gone_and_the_rest_stays() {
        let fixture = host();
        let redaction = Redaction::of_host(fixture.root(), &[]);
        for (text, expected) in [
            ("annas-desk kernel: x", "[host] kernel: x"),
            ("at annas-desk.example.org.", "at [host]."),
            (
                "/home/anna/.config and /var/home/ANNA",
                "/home/[user-1]/.config and /var/home/[user-1]",
            ),
            ("Anna Böhm writes", "[user-1] writes"),
            ("annabel and mail stay", "annabel and mail stay"),
            ("id 0123456789abcdef0123456789abcdef", "id [machine]"),
            ("uniq=LZ42-77 name=\"M\"", "uniq=[serial] name=\"M\""),
            ("mouse LZ42-77 came", "mouse [serial-1] came"),
            (
                "by-id/usb-Maker_G502_LZ42-77-event-mouse",
                "by-id/usb-Maker_G502_[serial-1]-event-mouse",
            ),
            ("root=/dev/disk/by-id/nvme-Maker_980_S649-part2 ro", "root=/dev/disk/by-id/[disk] ro"),
            ("usb 1-1: SerialNumber: 0012AB\n", "usb 1-1: SerialNumber: [serial]\n"),
            ("match = \"046d:c08b:XY 1\"", "match = \"046d:c08b:[serial]\""),
            ("match = \"046d:c08b\"", "match = \"046d:c08b\""),
            ("match = '046d:c08b:XY 1' # \"", "match = '046d:c08b:[serial]' # \""),
            ("match = \"046d:c08b:O'Hara 1\"", "match = \"046d:c08b:[serial]\""),
            ("match = \"046d:c08b:a\\\"b\"", "match = \"046d:c08b:[serial]\""),
            ("'046D:C08B:XY1' is not vvvv:pppp", "'046D:C08B:[serial]' is not vvvv:pppp"),
            ("isn't \"046d:c08b:XY 1\"", "isn't \"046d:c08b:[serial]\""),
            ("match = \"046d:c08b:aa:bb\"", "match = \"046d:c08b:[serial]\""),
            ("says \\\"046d:c08b:XY1\\\"", "says \\\"046d:c08b:[serial]\\\""),
            ("uniq=\"XY 1\", phys", "uniq=\"[serial]\", phys"),
            ("uniq='XY 1', phys", "uniq='[serial]', phys"),
            ("uniq=\\\"XY1\\\" phys", "uniq=\\\"[serial]\\\" phys"),
            ("from 192.168.1.17: up", "from [address]: up"),
            ("to 192.168.1.17:22 and 10.0.0.1-10.0.0.9", "to [address]:22 and [address]-[address]"),
            (
                "ip=192.168.1.5::192.168.1.1:255.255.255.0:desk:eth0:off",
                "ip=[address]::[address]:[address]:desk:eth0:off",
            ),
            (
                "mac:00:1a:7d:da:71:13, device:00:1a:7d:da:71:13:",
                "mac:[address], device:[address]:",
            ),
            (
                "in vesperactl::doctor and std::fs of v1.2.3.4-5",
                "in vesperactl::doctor and std::fs of v1.2.3.4-5",
            ),
            ("route 2001:db8:1:2::/64, fe80::1-fe80::9", "route [address]/64, [address]-[address]"),
            (
                "bert, carl and dora of a directory",
                "[user-2], [user-3] and [user-4] of a directory",
            ),
            ("on 127.0.0.1 and ::1", "on 127.0.0.1 and ::1"),
            ("inet6 fe80::1ff:fe23:4567:890a%eth0", "inet6 [address]%eth0"),
            ("mac 00:1A:7d:da:71:13, 00-1a-7d-da-71-13", "mac [address], [address]"),
            ("root=UUID=0a1b2c3d-0000-1111-2222-333344445555 rw", "root=UUID=[disk] rw"),
            (
                "rd.luks.uuid=luks-0a1b2c3d-0000-1111-2222-333344445555 quiet",
                "rd.luks.uuid=luks-[disk] quiet",
            ),
            ("rd.luks.name=0a1b2c3d-0000-1111-2222-333344445555=root", "rd.luks.name=[disk]=root"),
            (
                "luks.options=0a1b2c3d-0000-1111-2222-333344445555=discard",
                "luks.options=[disk]=discard",
            ),
            (
                "on /dev/mapper/luks-0a1b2c3d-0000-1111-2222-333344445555.",
                "on /dev/mapper/luks-[disk].",
            ),
            ("PARTUUID=\"1a2b3c4d-02\" and UUID=0A1B-2C3D", "PARTUUID=\"[disk]\" and UUID=[disk]"),
            ("rd.md.uuid=0a1b2c3d:00001111:22223333:44445555", "rd.md.uuid=[disk]"),
            ("uuid=default stays", "uuid=default stays"),
            (
                r"dev-disk-by\x2duuid-0a1b2c3d\x2d0000\x2d1111\x2d2222\x2d333344445555.device: x",
                r"dev-disk-by\x2duuid-[disk].device: x",
            ),
            (
                r"systemd-cryptsetup@luks\x2d0a1b2c3d\x2d0000\x2d1111\x2d2222\x2d333344445555.service",
                r"systemd-cryptsetup@luks\x2d[disk].service",
            ),
            (
                r"of dev-mapper-luks\\x2d0a1b2c3d\\x2d0000\\x2d1111\\x2d2222\\x2d333344445555\\x2dd",
                r"of dev-mapper-luks\\x2d[disk]\\x2dd",
            ),
            (
                r"fsck@dev-disk-by\x2duuid-0A1B\x2d2C3D.service by\x2dpartuuid-1a2b3c4d\x2d02.swap",
                r"fsck@dev-disk-by\x2duuid-[disk].service by\x2dpartuuid-[disk].swap",
            ),
            (
                r"by\x2did-md\x2duuid\x2d0a1b2c3d:00001111:22223333:44445555.device",
                r"by\x2did-md\x2duuid\x2d[disk].device",
            ),
            ("device 046d:c08b:LZ42AB12 is gone", "device 046d:c08b:[serial] is gone"),
            ("046D:C08B:AB-1/2.", "046D:C08B:[serial]."),
            (
                "(usb:046d:c08b:12:34:56), 1532:0084:1",
                "(usb:046d:c08b:[serial]), 1532:0084:[serial]",
            ),
            ("046d:c08b:LZ42-77: lost", "046d:c08b:[serial-1]: lost"),
            ("046d:b023:00:1a:7d:da:71:13 came", "046d:b023:[serial] came"),
            ("isn't 046d:c08b:XY1, but 046d:c08b.", "isn't 046d:c08b:[serial], but 046d:c08b."),
            ("says `046d:c08b:XY1`", "says `046d:c08b:[serial]`"),
            ("2001:0db8:0001:0002:0003:0004:0005:0006%eth0", "[address]%eth0"),
            ("to 2001:0db8::1: refused", "to [address]: refused"),
            ("\"2001:0db8:85a3::1\"", "\"[address]\""),
            (
                "\"boot_id\": 0a1b2c3d-0000-1111-2222-333344445555",
                "\"boot_id\": 0a1b2c3d-0000-1111-2222-333344445555",
            ),
            ("at 12:34:56 on 2026-01-01T00:00:05Z", "at 12:34:56 on 2026-01-01T00:00:05Z"),
            ("kernel 6.17.1-300.fc43.x86_64", "kernel 6.17.1-300.fc43.x86_64"),
            ("key AB:01:02:03:04:05:06:07:08", "key AB:01:02:03:04:05:06:07:08"),
        ] {
            assert_eq!(redaction.apply(text), expected, "{text}");
        }
    }

    /// What looks like `vvvv:pppp:serial` or like the number of a disk, and is none.
    #[test]
    fn what_tells_of_nobody_stays() {
        for text in [
            "usb 1-1: New USB device found, idVendor=046d, idProduct=c08b, bcdDevice=27.03",
            "usb 1-1: New USB device strings: Mfr=1, Product=2, SerialNumber=0",
            "hid-generic 0003:046D:C08B.0001: input,hidraw0: USB HID v1.11 Mouse [Logitech G502] on \
             usb-0000:00:14.0-1/input0",
            "input: Logitech G502 as /devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1:1.0/\
             0003:046D:C08B.0001/input/input5",
            "logitech-hidpp-device 0003:046D:4051.0005: HID++ 4.2 device connected.",
            "\"0005:046D:B023.10004\" and 0018:06CB:CE2D: no serial",
            "pci 0000:00:02.0: [8086:3e92] type 00 class 0x030000",
            "pci_bus 0000:00: resource 4 [io  0x0000-0x0cf7 window]",
            "RIP: 0010:clear_page_erms+0x7/0x10, RSP: 0018:ffffa0e8c0b5fdf8 EFLAGS: 00010246",
            "steam[1234]: [1234:5678:1130/200559.123456:ERROR:gl_factory.cc(1)] no GL",
            "12:34:56 046d:c08b: 2 mice, 046d:c08b:* and vvvv:pppp:serial",
            "Bus 001 Device 002: ID 046d:c08b Logitech, Inc.",
            r"dev-disk-by\x2dlabel-EFI\x2dSYSTEM.device, system-systemd\x2dfsck.slice",
            r"dev-disk-by\x2dpath-pci\x2d0000:00:17.0\x2data\x2d1.device",
        ] {
            assert_eq!(HOST.apply(text), text);
            let json = serde_json::json!({ "line": text }).to_string();
            assert_eq!(HOST.apply(&json), json);
        }
    }

    /// Each piece of a line looked through all before it, and a report of a long one never ended.
    #[test]
    fn a_long_line_is_taken() {
        let redaction = Redaction::default();
        for piece in ["ab:z", "\\", "-", "0123:", "0003:046D:C08B.0001-", "a\\x2d", "'\"", "\\'"] {
            let line = format!("ab:{}", piece.repeat((1 << 18) / piece.len()));
            assert_eq!(redaction.apply(&line), line);
        }
    }

    #[test]
    fn json_stays_json() {
        let redaction = Redaction::of_host(host().root(), &["cleo".to_owned()]);
        let text = r#"{"a":"annas-desk","b":"anna","c":["192.168.1.1"],"d":"UUID=\"x\""}"#;
        let json: serde_json::Value = serde_json::from_str(&redaction.apply(text)).unwrap();
        assert_eq!(json["a"], "[host]");
        assert_eq!(json["c"][0], "[address]");
    }

    /// Quotes within a string are escaped in JSON: the redaction took the escapes with the serial,
    /// or did not find it at all.
    #[test]
    fn what_is_quoted_within_json_is_found_and_json_stays_json() {
        let details = [
            ("4 | match = \"046D:C08B:XY1\"\n  |  ^", "4 | match = \"046D:C08B:[serial]\"\n  |  ^"),
            ("'046D:C08B:XY1' is not vvvv:pppp", "'046D:C08B:[serial]' is not vvvv:pppp"),
            ("uniq=\"XY1\"", "uniq=\"[serial]\""),
            ("uniq=XY1", "uniq=[serial]"),
            ("a backslash\\", "a backslash\\"),
            ("046d:c08b:XY 1", "046d:c08b:[serial]"),
            ("device 046d:c08b:XY1 is gone", "device 046d:c08b:[serial] is gone"),
            (
                r"luks\x2d0a1b2c3d\x2d0000\x2d1111\x2d2222\x2d333344445555.service",
                r"luks\x2d[disk].service",
            ),
        ];
        for (detail, expected) in details {
            let json = serde_json::json!({ "root": "/", "detail": [detail], detail: 1 });
            let line = format!("MODE=2\n{json}\n");
            let expected = serde_json::json!({ "root": "/", "detail": [expected], expected: 1 });
            for text in [json.to_string(), serde_json::to_string_pretty(&json).unwrap()] {
                let redacted: serde_json::Value = serde_json::from_str(&HOST.apply(&text)).unwrap();
                assert_eq!(redacted, expected, "{text}");
            }
            let redacted = HOST.apply(&line);
            let redacted = redacted.strip_prefix("MODE=2\n").unwrap();
            let redacted: serde_json::Value = serde_json::from_str(redacted).unwrap();
            assert_eq!(redacted, expected, "{line}");
        }
    }

    fn secret() -> impl Strategy<Value = String> {
        prop_oneof![
            Just("annas-desk".to_owned()),
            Just("annas-desk.example.org".to_owned()),
            Just("anna".to_owned()),
            Just("cleo".to_owned()),
            Just("LZ42-77".to_owned()),
            any::<[u8; 4]>()
                .prop_filter("told apart", |b| b[0] != 127 && b[0] != 0)
                .prop_map(|b| Ipv4Addr::from(b).to_string()),
            any::<[u8; 16]>()
                .prop_filter("not loopback", |b| b[..15] != [0; 15])
                .prop_map(|b| Ipv6Addr::from(b).to_string()),
            any::<[u8; 6]>().prop_map(|b| { b.map(|byte| format!("{byte:02x}")).join(":") }),
        ]
    }

    static HOST: LazyLock<Redaction> =
        LazyLock::new(|| Redaction::of_host(host().root(), &["cleo".to_owned()]));

    proptest! {
        #[test]
        fn no_secret_survives_wherever_it_stands(
            before in "[ \\t\"'(=/,;<\\[:-]?",
            after in "[ \\t\"'),;>\\]\\n:/-]?",
            words in "[a-zA-Z ,;()]{0,40}",
            secret in secret(),
        ) {
            let text = format!("{words} {before}{secret}{after} {words}");
            let redacted = HOST.apply(&text).to_lowercase();
            prop_assert!(!redacted.contains(&secret.to_lowercase()), "{text:?} -> {redacted:?}");
        }

        #[test]
        fn any_json_stays_json(words in "[a-f0-9:'\"\\\\= \n-]{0,60}", secret in secret()) {
            let detail = format!("{words} {secret} 'uniq={words}\" {words}");
            let json = serde_json::json!({ "detail": detail, "words": words }).to_string();
            let redacted = HOST.apply(&json);
            let value = serde_json::from_str::<serde_json::Value>(&redacted);
            prop_assert!(value.is_ok(), "{json} -> {redacted}");
            prop_assert_eq!(HOST.apply(&redacted), redacted);
        }

        #[test]
        fn any_text_is_taken(text in "\\PC{0,200}") {
            let once = HOST.apply(&text);
            prop_assert_eq!(HOST.apply(&once), once);
        }
    }
}
