//! `--ready-file`: tells other programs that the sandbox listens, and where. `examples/sandbox.rs` includes this file.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, Value, json};
use wechatpay_chain::sandbox::Sandbox;

/// Larger than any of these files.
const MAX_SIZE: u64 = 1 << 20;

/// A local connection takes microseconds.
const TIMEOUT: Duration = Duration::from_millis(200);

const FIELDS: [&str; 4] = ["base_url", "address", "pid", "variables"];

/// Removed when it is dropped.
pub(crate) struct ReadyFile {
    path: PathBuf,
    content: String,
}

impl ReadyFile {
    /// Removes the file of a sandbox that was killed, so that no other program takes it for this one's. Any other file stays.
    pub(crate) fn prepare(path: &Path) -> io::Result<()> {
        let metadata = match fs::symlink_metadata(path) {
            Ok(metadata) => metadata,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(e),
        };
        let content = match metadata.is_file() && metadata.len() <= MAX_SIZE {
            true => fs::read_to_string(path)?,
            false => String::new(),
        };
        let content: Value = serde_json::from_str(&content).unwrap_or_default();
        // Some other program's JSON may have an address, too.
        let is_ours = FIELDS.iter().all(|name| !content[*name].is_null()) && content["variables"].is_object();
        let address = content["address"].as_str().and_then(|text| text.parse::<SocketAddr>().ok());
        match address.filter(|_| is_ours) {
            None => Err(io::Error::other("it exists, and is not the ready file of a sandbox")),
            // Another program can have the port of a sandbox that was killed.
            Some(address) if has_ended(&content["pid"]) || !listens(address) => fs::remove_file(path),
            Some(_) => Ok(()),
        }
    }

    /// In one step: whoever sees the file sees all of it. Only its owner may read it, since it has the APIv3 key.
    pub(crate) fn write(path: &Path, sandbox: &Sandbox, keys: &Path) -> io::Result<ReadyFile> {
        let path = std::path::absolute(path)?;
        let variables = sandbox.file_variables(keys).map_err(io::Error::other)?;
        let variables: Map<String, Value> =
            variables.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        let values = [
            json!(sandbox.base_url()),
            json!(sandbox.address().to_string()),
            json!(std::process::id()),
            json!(variables),
        ];
        let content: Value = FIELDS.map(str::to_owned).into_iter().zip(values).collect::<Map<_, _>>().into();
        let content = format!("{content:#}\n");
        let mut aside = path.clone().into_os_string();
        aside.push(format!(".{}", std::process::id()));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options.open(&aside).and_then(|mut file| file.write_all(content.as_bytes()));
        if let Err(e) = written.and_then(|()| fs::rename(&aside, &path)) {
            let _ = fs::remove_file(&aside);
            return Err(e);
        }
        Ok(ReadyFile { path, content })
    }
}

impl Drop for ReadyFile {
    fn drop(&mut self) {
        // Another sandbox may have replaced it.
        if fs::read_to_string(&self.path).is_ok_and(|content| content == self.content) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn listens(address: SocketAddr) -> bool {
    TcpStream::connect_timeout(&address, TIMEOUT).is_ok()
}

/// Whether the process with this ID is certainly gone.
#[cfg(unix)]
fn has_ended(pid: &Value) -> bool {
    use rustix::process::{Pid, test_kill_process};
    let pid = pid.as_i64().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
    pid.is_some_and(|pid| test_kill_process(pid) == Err(rustix::io::Errno::SRCH))
}

#[cfg(not(unix))]
fn has_ended(_: &Value) -> bool {
    false
}
