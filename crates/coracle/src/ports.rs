//! Whether a port is free and, if not, who holds it. It binds for an instant and
//! must never keep a port.

use std::fs;
use std::net::{IpAddr, SocketAddr, TcpListener};

use base::Diagnostic;

/// Checks that a port can be had.
pub fn check(bind: IpAddr, port: u16, flag: &str) -> Result<(), Diagnostic> {
    let address = SocketAddr::new(bind, port);
    let error = match TcpListener::bind(address) {
        Ok(_) => return Ok(()),
        Err(error) => error,
    };
    if error.kind() == std::io::ErrorKind::PermissionDenied {
        return Err(Diagnostic::new("port-unusable", format!("port {port} may not be used"))
            .detail(error)
            .hint(format!("name a port above 1023 with {flag}")));
    }
    let holder = holder(port).map_or_else(String::new, |(pid, name)| format!(" by {name} (process {pid})"));
    Err(Diagnostic::new("port-in-use", format!("port {port} is in use{holder}"))
        .detail(format!("{address}: {error}"))
        .hint(format!("stop what holds it, or name another port with {flag}")))
}

/// The process that listens on a port, where the operating system lets us see it.
pub fn holder(port: u16) -> Option<(u32, String)> {
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .find_map(|table| listening_inode(&table, port))?;
    let link = format!("socket:[{inode}]");
    let processes = fs::read_dir("/proc").ok()?.flatten();
    for process in processes {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let Ok(open) = fs::read_dir(process.path().join("fd")) else { continue };
        let holds =
            open.flatten().any(|file| fs::read_link(file.path()).is_ok_and(|to| to.as_os_str() == link.as_str()));
        if holds {
            let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some((pid, name.trim().to_owned()));
        }
    }
    None
}

/// The socket that listens on a port, from a table of `/proc/net`.
pub fn listening_inode(table: &str, port: u16) -> Option<u64> {
    const LISTEN: &str = "0A";
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (_, local_port) = fields.get(1)?.rsplit_once(':')?;
        let same = u16::from_str_radix(local_port, 16).ok()? == port;
        if same && *fields.get(3)? == LISTEN { fields.get(9)?.parse().ok() } else { None }
    })
}
