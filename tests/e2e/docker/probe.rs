//! The program that the suite runs in place of a database, in an image of its own: it claims the
//! resources in its environment and records at every moment what it holds.
//!
//! `/probe` is the member, `/probe plugin` docker's volume plugin. The suite builds it with plain
//! `rustc`, statically and with only `std`. It is not part of the package.
//!
//! Variables: `SERVICE`, `MEMBER`, `ID`, `DATA` (a directory), `PORT`, `GENERATION`; `FAIL` ends it
//! soon after its start. It ignores TERM, because process 1 has no handler for it, so each stop
//! takes the whole grace period.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// The time between two heartbeats.
const BEAT: Duration = Duration::from_millis(10);

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("plugin") => plugin(),
        _ => member(),
    }
}

fn var(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

/// Returns the milliseconds since the machine started: all containers have this clock, and nobody
/// sets it.
fn uptime() -> u128 {
    let text = fs::read_to_string("/proc/uptime").expect("uptime");
    let seconds: f64 = text.split(' ').next().and_then(|s| s.parse().ok()).expect("seconds");
    (seconds * 1000.0) as u128
}

/// Returns what it found in its directory, and writes its identity there.
fn look(data: &str, member: &str) -> &'static str {
    let identity = Path::new(data).join("identity");
    match fs::read_to_string(&identity) {
        Ok(own) if own.trim() == member => "own",
        Ok(_) => "foreign",
        Err(_) => {
            let _ = fs::write(&identity, member);
            "empty"
        }
    }
}

fn member() {
    // The clock of the kernel has a resolution of 10 ms; that of the process is finer.
    let (begin, clock) = (uptime(), Instant::now());
    let now = || begin + clock.elapsed().as_millis();
    let uuid = fs::read_to_string("/proc/sys/kernel/random/uuid").expect("uuid");
    let hostname = fs::read_to_string("/proc/sys/kernel/hostname").expect("hostname");
    let (data, id) = (var("DATA"), var("ID"));
    let member = format!("{}-{}", var("SERVICE"), var("MEMBER"));
    let mut lines = vec![
        format!("service {}", var("SERVICE")),
        format!("member {}", var("MEMBER")),
        format!("revision {}", var("REVISION")),
        format!("generation {}", var("GENERATION")),
        format!("hostname {}", hostname.trim()),
    ];
    if !id.is_empty() {
        lines.push(format!("id {id}"));
    }
    if !data.is_empty() {
        let met = look(&data, &member);
        let at = fs::metadata(&data).expect("data directory");
        lines.push(format!("data {}:{}", at.dev(), at.ino()));
        lines.push(format!("met {met}"));
    }
    lines.push(format!("start {}", now()));
    let head = lines.join("\n") + "\n";
    // `last` and `port` follow the head with a fixed width and are overwritten.
    let name = format!("/trace/{}", uuid.trim());
    let part = format!("{name}.part");
    let trace = File::create(&part).expect("trace");
    let mut beat = Beat { trace, at: head.len() as u64 };
    beat.trace.write_all_at(head.as_bytes(), 0).expect("head");
    beat.write(now(), None);
    fs::rename(&part, &name).expect("rename");
    let own = (!data.is_empty()).then(|| OpenOptions::new().create(true).append(true).open(Path::new(&data).join("writes")).expect("writes"));

    let wanted: Option<u16> = var("PORT").parse().ok();
    let mut listener: Option<TcpListener> = None;
    let mut since = None;
    let mut turn = 0u32;
    loop {
        // If the port is in use, it tries again and uses the data meanwhile. This is the worst
        // case.
        if let (Some(port), None) = (wanted, &listener) {
            listener = TcpListener::bind(("0.0.0.0", port)).ok();
            if let Some(l) = &listener {
                l.set_nonblocking(true).expect("nonblocking");
                since = Some(now());
            }
        }
        if let Some(l) = &listener {
            while let Ok((mut peer, _)) = l.accept() {
                let _ = peer.write_all(b"HTTP/1.0 200 OK\r\n\r\n");
            }
        }
        beat.write(now(), since);
        if turn % 10 == 0 {
            if let Some(mut file) = own.as_ref() {
                let _ = writeln!(file, "{} {member}", now());
            }
        }
        turn += 1;
        if !var("FAIL").is_empty() && turn > 20 {
            std::process::exit(1);
        }
        std::thread::sleep(BEAT);
    }
}

struct Beat {
    trace: File,
    at: u64,
}

impl Beat {
    fn write(&mut self, now: u128, port: Option<u128>) {
        let line = format!("last {now:020}\nport {:020}\n", port.unwrap_or(0));
        self.trace.write_all_at(line.as_bytes(), self.at).expect("beat");
    }
}

/// A volume plugin over a directory that all nodes share. `FENCE` decides about a second node:
/// `never` refuses no node, `always` refuses the second node until the first has detached,
/// `connected` refuses it unless the first is disconnected from the storage (a file `cut/NODE`).
fn plugin() {
    let socket = "/run/docker/plugins/plugin.sock";
    let _ = fs::remove_file(socket);
    let listener = UnixListener::bind(socket).expect("socket");
    for stream in listener.incoming() {
        let Ok(mut stream) = stream else { continue };
        // Docker keeps a connection open and sends one request after the other.
        std::thread::spawn(move || {
            let mut reader = BufReader::new(stream.try_clone().expect("clone"));
            while let Some((path, body)) = request(&mut reader) {
                let answer = serve(&path, &body);
                let text = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{answer}",
                    answer.len()
                );
                if stream.write_all(text.as_bytes()).is_err() {
                    break;
                }
            }
        });
    }
}

fn request(reader: &mut impl BufRead) -> Option<(String, String)> {
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|n| *n > 0)?;
    let path = first.split(' ').nth(1)?.to_owned();
    let (mut length, mut chunked) = (0, false);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(n) = line.strip_prefix("content-length:") {
            length = n.trim().parse().ok()?;
        }
        chunked |= line == "transfer-encoding: chunked";
    }
    let mut body = Vec::new();
    if !chunked {
        body.resize(length, 0);
        reader.read_exact(&mut body).ok()?;
    }
    while chunked {
        let mut size = String::new();
        reader.read_line(&mut size).ok()?;
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        let mut part = vec![0; size + 2];
        reader.read_exact(&mut part).ok()?;
        body.extend(&part[..size]);
        chunked = size > 0;
    }
    Some((path, String::from_utf8(body).ok()?))
}

/// Returns the text of a field of a flat JSON object. No name here has an escape.
fn field<'b>(body: &'b str, key: &str) -> &'b str {
    let rest = body.split_once(&format!("\"{key}\":\"")).map_or("", |(_, rest)| rest);
    rest.split('"').next().unwrap_or_default()
}

fn serve(path: &str, body: &str) -> String {
    let (name, caller) = (field(body, "Name"), field(body, "ID"));
    let volume = format!("/storage/volumes/{name}");
    let error = |e: String| format!("{{\"Err\":\"{}\"}}", e.replace(['"', '\\', '\n'], " "));
    let done = |r: Result<(), String>| r.map_or_else(error, |()| "{\"Err\":\"\"}".to_owned());
    let known = |name: &str| format!("{{\"Name\":\"{name}\",\"Mountpoint\":\"/mounts/{name}\"}}");
    match path {
        "/Plugin.Activate" => "{\"Implements\":[\"VolumeDriver\"]}".to_owned(),
        "/VolumeDriver.Capabilities" => "{\"Capabilities\":{\"Scope\":\"global\"}}".to_owned(),
        "/VolumeDriver.Create" => done(fs::create_dir_all(&volume).map_err(|e| e.to_string())),
        "/VolumeDriver.Get" if Path::new(&volume).exists() => {
            format!("{{\"Volume\":{},\"Err\":\"\"}}", known(name))
        }
        "/VolumeDriver.Get" => error(format!("no volume {name}")),
        "/VolumeDriver.List" => {
            let all = fs::read_dir("/storage/volumes").into_iter().flatten().flatten();
            let all: Vec<String> = all.map(|e| known(&e.file_name().to_string_lossy())).collect();
            format!("{{\"Volumes\":[{}],\"Err\":\"\"}}", all.join(","))
        }
        "/VolumeDriver.Path" => format!("{{\"Mountpoint\":\"/mounts/{name}\",\"Err\":\"\"}}"),
        "/VolumeDriver.Mount" => match mount(name, caller) {
            Ok(()) => format!("{{\"Mountpoint\":\"/mounts/{name}\",\"Err\":\"\"}}"),
            Err(e) => error(e),
        },
        "/VolumeDriver.Unmount" => done(unmount(name, caller)),
        _ => "{\"Err\":\"\"}".to_owned(),
    }
}

/// The node to which a volume is attached, and the callers that use it there.
struct Attachment {
    file: String,
    words: Vec<String>,
    lock: String,
}

impl Attachment {
    /// Waits for the lock: only one node at a time reads the state of a volume.
    fn of(name: &str) -> Self {
        let lock = format!("/storage/attached/{name}.lock");
        while fs::create_dir(&lock).is_err() {
            std::thread::sleep(Duration::from_millis(2));
        }
        let file = format!("/storage/attached/{name}");
        let text = fs::read_to_string(&file).unwrap_or_default();
        Self { file, words: text.split_whitespace().map(str::to_owned).collect(), lock }
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        let _ = fs::write(&self.file, self.words.join(" "));
        let _ = fs::remove_dir(&self.lock);
    }
}

fn mount(name: &str, caller: &str) -> Result<(), String> {
    let (fence, node) = (var("FENCE"), var("NODE"));
    // A node that restarted has no attached volumes.
    let boot = fs::read_to_string(format!("/storage/boot/{node}")).unwrap_or_default();
    let node = format!("{node}:{}", boot.trim());
    let mut attachment = Attachment::of(name);
    if let Some(holder) = attachment.words.first().filter(|h| **h != node) {
        let (other, booted) = holder.split_once(':').unwrap_or((holder, ""));
        let gone = fs::read_to_string(format!("/storage/boot/{other}")).is_ok_and(|b| b.trim() != booted);
        let cut = Path::new(&format!("/storage/cut/{other}")).exists();
        if !(gone || fence == "never" || fence == "connected" && cut) {
            return Err(format!("{name} is attached to {other}"));
        }
        attachment.words.clear();
    }
    if attachment.words.is_empty() {
        attachment.words.push(node);
    }
    attachment.words.push(caller.to_owned());
    let target = format!("/mounts/{name}");
    if !fs::read_to_string("/proc/self/mountinfo").is_ok_and(|m| m.contains(&format!(" {target} "))) {
        fs::create_dir_all(&target).map_err(|e| e.to_string())?;
        run(&["mount", "--bind", &format!("/storage/volumes/{name}"), &target])?;
    }
    Ok(())
}

fn unmount(name: &str, caller: &str) -> Result<(), String> {
    let node = format!("{}:", var("NODE"));
    let mut attachment = Attachment::of(name);
    if attachment.words.first().is_some_and(|h| !h.starts_with(&node)) {
        // Another node has the volume now, so only the mount of this node remains to be removed.
        return run(&["umount", &format!("/mounts/{name}")]).or(Ok(()));
    }
    attachment.words.retain(|w| w != caller);
    if attachment.words.len() <= 1 {
        attachment.words.clear();
        return run(&["umount", &format!("/mounts/{name}")]);
    }
    Ok(())
}

fn run(words: &[&str]) -> Result<(), String> {
    let done = Command::new("/bin/busybox").args(words).output().map_err(|e| e.to_string())?;
    if done.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&done.stderr).into_owned()) }
}
