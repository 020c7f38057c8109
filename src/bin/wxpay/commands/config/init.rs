//! `wxpay config init`: asks for the settings of a profile, checks them, and writes them.

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use super::questions::{Questions, existing_file};
use crate::commands::doctor;
use crate::complete_file::{Access, CompleteFile, folder_of};
use crate::config::profile::{self, Profile};
use crate::config::{SettingsSource, variables};
use crate::failure::{Failure, print, usage_error};
use crate::global::GlobalArgs;
use crate::input;
use crate::text::{Excerpt, ShownPath, creation_text};

/// For errors.
const COMMAND: &str = "config init";

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
    // Before the questions, as far as it shows by then.
    if folder_of(&file).exists() {
        CompleteFile::new(COMMAND, &file, Access::Owner)?;
    }
    let questions = Questions::new();
    let text = with_profile(&before, name, &ask(&questions)?);
    if !args.no_check {
        let checked =
            GlobalArgs { config: Some(file.clone()), profile: Some(name.to_owned()), ..global.clone() };
        // In memory: a file with keys that is not wanted must not be left anywhere.
        let profile = Profile::of(&file, &profile::parse(&file, &text)?, name)?;
        if let Err(failure) = doctor::check_new(&checked, SettingsSource::of_new_profile(profile, &checked)) {
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
    let folder = folder_of(&file);
    create_private(folder).map_err(|e| {
        usage_error(format!(
            "{COMMAND}: cannot create the folder {}: {}",
            ShownPath(folder),
            creation_text(&e)
        ))
    })?;
    CompleteFile::new(COMMAND, &file, Access::Owner)?.write(text.as_bytes())?;
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

/// The content of the file with another profile at its end.
fn with_profile(before: &str, name: &str, settings: &[(&'static str, String)]) -> String {
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
    text
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
