// SPDX-License-Identifier: MIT OR Apache-2.0
//! Users, bus and polkitd.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::mount::{MountFlags, mount, mount_bind};
use tempfile::TempDir;
use zbus::Connection;
use zbus::fdo::DBusProxy;

/// A bound for what must happen at some time; nothing is measured against it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

const PASSWD: &str = "\
root:x:0:0::/root:/bin/sh
polkitd:x:401:401::/:/usr/sbin/nologin
vespera-agent:x:402:402::/:/usr/sbin/nologin
member:x:1001:1001::/:/bin/sh
stranger:x:1002:1002::/:/bin/sh
";
const GROUP: &str = "\
root:x:0:
polkitd:x:401:
vespera-agent:x:402:
maccel:x:403:vespera-agent,member
member:x:1001:
stranger:x:1002:
";
const NSSWITCH: &str = "passwd: files\ngroup: files\n";
/// Names another build of the agent to test.
const OTHER_AGENT: &str = "VESPERA_BUS_AGENT";
/// The agent, this program as a caller, and what the agent has to say, in the folder of the world.
pub(crate) const AGENT: &str = "vespera-agent";
pub(crate) const CALLER: &str = "caller";
pub(crate) const AGENT_LOG: &str = "agent.log";
/// The user of the agent and the group of the driver's files.
pub(crate) const AGENT_UID: u32 = 402;
pub(crate) const MACCEL_GID: u32 = 403;
/// The member of the group maccel.
pub(crate) const MEMBER_UID: u32 = 1001;
/// Root, a member of the group maccel, and someone else; none in a session.
pub(crate) const USERS: [&str; 3] = ["root", "member", "stranger"];

/// The rules of the distributions' system.conf, and the two policies that matter here.
const BUS: &str = r#"<busconfig>
  <type>system</type>
  <listen>unix:path=@SOCKET@</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus"/>
  </policy>
  <include>/usr/share/dbus-1/system.d/org.freedesktop.PolicyKit1.conf</include>
  <include>@POLICY@</include>
</busconfig>
"#;

const POLKITD: [&str; 3] =
    ["/usr/lib/polkit-1/polkitd", "/usr/libexec/polkitd", "/usr/libexec/polkit-1/polkitd"];

/// Everything around the agent.
pub(crate) struct World {
    folder: TempDir,
    address: String,
    children: Vec<Child>,
}

impl World {
    /// Takes over the namespace: from here on it has users, actions and rules of its own.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let at = |name: &str| folder.path().join(name);
        for (name, text) in [("passwd", PASSWD), ("group", GROUP), ("nsswitch.conf", NSSWITCH)] {
            fs::write(at(name), text).unwrap();
            mount_bind(at(name), Path::new("/etc").join(name)).unwrap();
        }
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let packaging = repository.join("packaging/rootfs/usr/share");
        let polkit = Path::new("/usr/share/polkit-1");
        for (name, shipped) in [
            ("actions", packaging.join("polkit-1/actions")),
            ("rules.d", repository.join("image/rootfs/usr/share/polkit-1/rules.d")),
        ] {
            // Copies for polkitd, which is not root.
            copy_files(&shipped, &at(name));
            fs::create_dir_all(polkit.join(name)).unwrap();
            mount_bind(at(name), polkit.join(name)).unwrap();
        }
        if Path::new("/etc/polkit-1").is_dir() {
            mount("none", "/etc/polkit-1", "tmpfs", MountFlags::empty(), None).unwrap();
            fs::create_dir("/etc/polkit-1/rules.d").unwrap();
        }

        // Copies, since the target folder may lie where only its owner can look.
        let agent = std::env::var_os(OTHER_AGENT);
        let agent = agent.unwrap_or_else(|| env!("CARGO_BIN_EXE_vespera-agent").into());
        fs::copy(agent, at(AGENT)).unwrap();
        fs::copy(std::env::current_exe().unwrap(), at(CALLER)).unwrap();

        let socket = at("bus");
        let policy = packaging.join("dbus-1/system.d/org.vespera.Agent1.conf");
        let configuration = BUS
            .replace("@SOCKET@", &socket.to_string_lossy())
            .replace("@POLICY@", &policy.to_string_lossy());
        fs::write(at("bus.conf"), configuration).unwrap();
        let address = format!("unix:path={}", socket.display());
        let mut world = World { folder, address, children: Vec::new() };

        let bus = world.root_command("dbus-daemon", "dbus-daemon.log");
        world.start(bus, &["--nofork", "--nopidfile", "--config-file"], Some("bus.conf"));
        world.wait_until("dbus-daemon listens", || {
            std::os::unix::net::UnixStream::connect(&socket).is_ok()
        });
        let polkitd = POLKITD.iter().find(|path| Path::new(path).is_file());
        let polkitd = polkitd.expect("polkitd is what these tests need (package polkitd, polkit)");
        let polkitd = world.root_command(polkitd, "polkitd.log");
        world.start(polkitd, &["--no-debug"], None);
        world.wait_for_owner("org.freedesktop.PolicyKit1");
        world
    }

    fn start(&mut self, mut command: Command, words: &[&str], file: Option<&str>) {
        command.args(words).args(file.map(|name| self.folder.path().join(name)));
        self.children.push(command.spawn().unwrap());
    }

    fn root_command(&self, program: &str, log: &str) -> Command {
        // Not to outlive the tests, however they end.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig=KILL", "--", program]);
        let log = File::create(self.path(log)).unwrap();
        command.env("DBUS_SYSTEM_BUS_ADDRESS", &self.address).stdin(Stdio::null());
        command.stdout(log.try_clone().unwrap()).stderr(log);
        command
    }

    /// A command that a user runs, with the groups of the user.
    pub(crate) fn command_of(&self, user: &str, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("setpriv");
        command.arg(format!("--reuid={user}")).args(["--init-groups", "--pdeathsig=KILL"]);
        let group = if user == "vespera-agent" { "maccel" } else { user };
        command.arg(format!("--regid={group}")).arg("--").arg(program);
        command.env("DBUS_SYSTEM_BUS_ADDRESS", &self.address).stdin(Stdio::null());
        command
    }

    /// A file in the folder of the world.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where the bus listens.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// A connection as root.
    pub(crate) async fn connect(&self) -> Connection {
        let address = self.address.as_str();
        zbus::connection::Builder::address(address).build().await.unwrap()
    }

    /// Waits until someone has a name.
    pub(crate) fn wait_for_owner(&self, name: &str) {
        self.wait_until(&format!("{name} has an owner"), || {
            zbus::block_on(async {
                let connection = self.connect().await;
                let bus = DBusProxy::new(&connection).await.unwrap();
                bus.name_has_owner(name.try_into().unwrap()).await.unwrap()
            })
        });
    }

    /// Waits until something is so.
    pub(crate) fn wait_until(&self, what: &str, is_so: impl Fn() -> bool) {
        let start = Instant::now();
        while !is_so() {
            assert!(start.elapsed() < PATIENCE, "not so in {PATIENCE:?}: {what}\n{}", self.logs());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// What everyone around has said.
    pub(crate) fn logs(&self) -> String {
        let read = |name| fs::read_to_string(self.path(name)).unwrap_or_default();
        ["dbus-daemon.log", "polkitd.log", AGENT_LOG]
            .map(|name| format!("--- {name}\n{}", read(name)))
            .concat()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for child in &mut self.children {
            // It may be gone already; then there is nothing to end.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn copy_files(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let copy = to.join(path.file_name().unwrap());
        fs::copy(&path, &copy).unwrap();
        fs::set_permissions(&copy, Permissions::from_mode(0o644)).unwrap();
    }
    fs::set_permissions(to, Permissions::from_mode(0o755)).unwrap();
}
