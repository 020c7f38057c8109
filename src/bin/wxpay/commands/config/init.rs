//! `wxpay config init`: asks for the settings of a profile, checks them, and writes them.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use tempfile::NamedTempFile;

use super::questions::{Questions, existing_file};
use crate::commands::doctor;
use crate::config::{profile, variables};
use crate::failure::{Failure, print, usage_error};
use crate::global::GlobalArgs;
use crate::input;
use crate::text::{Excerpt, ShownPath};

/// Ask for the settings of a profile, check them with doctor, and write them to config.toml
///
/// The file has the mode 0600. Other profiles of the file stay as they are. Without a terminal, each line of stdin is
/// an answer.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wxpay config init\n  \
    wxpay config init --profile hongkong")]
pub(super) struct InitArgs {
    /// Do not run doctor before the file is written
    #[arg(long)]
    no_check: bool,
}

pub(super) fn run(global: &GlobalArgs, args: &InitArgs) -> Result<(), Failure> {
    let file = super::file(global)?;
    // A link stays a link.
    let file = std::fs::canonicalize(&file).unwrap_or(file);
    let name = global.profile.as_deref().unwrap_or(profile::DEFAULT);
    let before = if file.exists() { input::configuration(&file)? } else { String::new() };
    if file.exists() && profile::load(&file)?.contains_key(name) {
        let text = format!("{} has the profile {} already", ShownPath(&file), Excerpt(name));
        return Err(usage_error(text).with_hint("name another one with --profile, or edit the file"));
    }
    let questions = Questions::new();
    let settings = ask(&questions)?;
    let temporary = write(&file, &before, name, &settings)?;
    if !args.no_check {
        let checked = GlobalArgs {
            config: Some(temporary.path().to_owned()),
            profile: Some(name.to_owned()),
            ..global.clone()
        };
        if let Err(failure) = doctor::run(&checked) {
            let keep = questions.on_terminal()
                && questions
                    .ask("Some checks failed. Write the file all the same? (y/N)")?
                    .eq_ignore_ascii_case("y");
            if !keep {
                print("error", "some checks failed: nothing was written");
                print("hint", "fix the value that failed, or use --no-check");
                return Err(failure);
            }
        }
    }
    temporary.persist(&file).map_err(|e| cannot_write(&file, &e.error))?;
    print("written", &format!("{}, profile {}", ShownPath(&file), Excerpt(name)));
    Ok(())
}

/// The settings by the names of their variables, in the order of the file.
fn ask(questions: &Questions) -> Result<Vec<(&'static str, String)>, Failure> {
    let filled = |answer: &str| match answer {
        "" => Err("expected a value".to_owned()),
        text => Ok(text.to_owned()),
    };
    let ask = Questions::ask;
    let url = |path: PathBuf| format!("file://{}", path.display());
    let mut settings = Vec::new();
    settings.push((variables::MCHID, questions.ask_until("Merchant number", ask, filled)?));
    let key = questions.ask_until("Path of apiclient_key.pem or apiclient_cert.p12", ask, existing_file)?;
    if key.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("p12")) {
        settings.push((variables::P12, url(key)));
        let passphrase = questions.ask_secret("Passphrase of the .p12 file [the merchant number]")?;
        if !passphrase.is_empty() {
            settings.push((variables::PASSPHRASE, passphrase));
        }
    } else {
        settings.push((variables::PRIVATE_KEY, url(key)));
        let serial = questions.ask_until(
            "Serial of the merchant API certificate, or the path of apiclient_cert.pem",
            ask,
            |answer| match existing_file(answer) {
                Ok(path) => Ok((variables::CERTIFICATE, url(path))),
                Err(_) => filled(answer).map(|serial| (variables::SERIAL, serial)),
            },
        )?;
        settings.push(serial);
    }
    let id = questions.ask("ID of the WeChat Pay public key (PUB_KEY_ID_…) [none: platform certificates]")?;
    let automatic = id.is_empty();
    if automatic {
        settings.push((variables::AUTOMATIC_CERTIFICATES, "1".to_owned()));
    } else {
        settings.push((variables::PUBLIC_KEY_ID, id));
        let key = questions.ask_until("Path of pub_key.pem", ask, existing_file)?;
        settings.push((variables::PUBLIC_KEY, url(key)));
    }
    let question = if automatic { "APIv3 key" } else { "APIv3 key [none: no notifications]" };
    let apiv3_key = questions.ask_until(question, Questions::ask_secret, |answer| match answer.len() {
        32 => Ok(Some(answer.to_owned())),
        0 if !automatic => Ok(None),
        length => Err(format!("expected 32 bytes, found {length}")),
    })?;
    settings.extend(apiv3_key.map(|key| (variables::APIV3_KEY, key)));
    let base_url = questions.ask("Base URL [https://api.mch.weixin.qq.com/]")?;
    if !base_url.is_empty() {
        settings.push((variables::BASE_URL, base_url));
    }
    Ok(settings)
}

/// The new content of the file, in a temporary file beside it, which only its owner can read.
fn write(
    file: &Path,
    before: &str,
    name: &str,
    settings: &[(&'static str, String)],
) -> Result<NamedTempFile, Failure> {
    let failed = |e: io::Error| cannot_write(file, &e);
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    create_private(folder).map_err(failed)?;
    let mut text = before.to_owned();
    if !text.is_empty() {
        text.push_str(if text.ends_with('\n') { "\n" } else { "\n\n" });
    }
    let is_bare = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    let name = if name.chars().all(is_bare) { name.to_owned() } else { quoted(name) };
    text.push_str(&format!("[{name}]\n"));
    for (variable, value) in settings {
        text.push_str(&format!("{} = {}\n", variables::key_of(variable), quoted(value)));
    }
    let mut temporary =
        tempfile::Builder::new().prefix(".config-").suffix(".toml").tempfile_in(folder).map_err(failed)?;
    temporary.write_all(text.as_bytes()).map_err(failed)?;
    temporary.as_file().sync_all().map_err(failed)?;
    Ok(temporary)
}

/// A basic string of TOML, which has the escapes of JSON; DEL needs one, too.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

#[cfg(unix)]
fn create_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn create_private(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)
}

fn cannot_write(file: &Path, error: &io::Error) -> Failure {
    usage_error(format!("config init: cannot write {}: {error}", ShownPath(file)))
}
