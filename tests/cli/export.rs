//! `wxpay endpoints export`: the pages, their links, and the directory that they are written into.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::OnceLock;

use wechatpay_chain::catalogue::{Catalogue, Spelling};

use crate::program::{Done, wxpay};

fn export(home: &Path, folder: &str) -> Done {
    Done::of(wxpay(home).args(["endpoints", "export", "--html", folder]))
}

/// All files of a folder.
fn files(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for path in fs::read_dir(next).unwrap().map(|entry| entry.unwrap().path()) {
            match path.is_dir() {
                true => folders.push(path),
                false => {
                    let name = path.strip_prefix(folder).unwrap().to_owned();
                    found.insert(name, fs::read_to_string(path).unwrap());
                }
            }
        }
    }
    found
}

/// An export into a new directory, and what the program says about it.
fn exported() -> &'static (serde_json::Value, BTreeMap<PathBuf, String>) {
    static EXPORTED: OnceLock<(serde_json::Value, BTreeMap<PathBuf, String>)> = OnceLock::new();
    EXPORTED.get_or_init(|| {
        let home = tempfile::tempdir().unwrap();
        let done = export(home.path(), "new/site");
        (serde_json::from_str(done.ok()).unwrap(), files(&home.path().join("new/site")))
    })
}

/// The values of `href` and `src`.
fn links(page: &str) -> impl Iterator<Item = &str> {
    [" href=\"", " src=\""]
        .into_iter()
        .flat_map(|attribute| page.split(attribute).skip(1).map(|rest| rest.split('"').next().unwrap()))
}

/// What a relative link of a page leads to.
fn target(page: &Path, link: &str) -> PathBuf {
    let mut target = PathBuf::new();
    for part in page.parent().unwrap().join(link).components() {
        match part {
            Component::ParentDir => assert!(target.pop(), "{link} of {} leaves the export", page.display()),
            part => target.push(part),
        }
    }
    target
}

#[test]
fn every_link_leads_to_a_page_and_every_page_is_in_the_index() {
    let (summary, files) = exported();
    // Their list is one more.
    assert_eq!(summary["files"], files.len() - 1);
    let pages = || files.iter().filter(|(name, _)| name.extension().is_some_and(|kind| kind == "html"));
    let one_language = 1 + Catalogue::operations().len() + Catalogue::notifications().len();
    assert_eq!(pages().count(), 2 * one_language);
    let mut names = BTreeSet::new();
    for (name, page) in pages() {
        // A file system may not tell letter cases apart.
        assert!(names.insert(name.to_str().unwrap().to_lowercase()), "{}", name.display());
        assert!(name.to_str().unwrap().bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-".contains(&b)));
        for link in links(page) {
            match link {
                link if link.starts_with("https://") || link.starts_with("http://") => {}
                link if link.starts_with('#') => {
                    assert!(page.contains(&format!("id=\"{}\"", &link[1..])), "{}: {link}", name.display());
                }
                link => {
                    assert!(files.contains_key(&target(name, link)), "{}: {link}", name.display());
                }
            }
        }
    }
    for tree in ["", "zh/"] {
        let index = PathBuf::from(format!("{tree}index.html"));
        let linked: BTreeSet<_> = links(&files[&index])
            .filter(|link| !link.starts_with('#'))
            .map(|link| target(&index, link))
            .collect();
        for (name, _) in pages().filter(|(name, _)| name.starts_with("zh") != tree.is_empty()) {
            assert!(
                linked.contains(name) || name.ends_with("index.html"),
                "{} is not in the index",
                name.display()
            );
        }
    }
}

#[test]
fn a_page_has_the_fields_the_addresses_and_the_call_in_all_spellings() {
    let read = |name: &str| exported().1[Path::new(name)].as_str();
    let refund = Catalogue::find("POST", "v3/refund/domestic/refunds").unwrap();
    let (english, chinese) = (
        read("endpoints/v3/refund/domestic/refunds/post.html"),
        read("zh/endpoints/v3/refund/domestic/refunds/post.html"),
    );
    for page in [english, chinese] {
        for address in refund.docs() {
            assert!(page.contains(&format!("href=\"{address}\"")), "{address}");
        }
        for spelling in Spelling::ALL {
            let example = refund.example(spelling, Default::default()).unwrap();
            let escaped = example
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
                .replace('"', "&quot;");
            assert!(page.contains(&escaped), "{spelling:?}: {escaped}");
        }
        assert!(page.contains("<td style=\"--depth:1\"><code>total</code></td><td>integer</td>"), "{page}");
        assert!(page.contains("<code>AVAILABLE</code>"));
    }
    assert!(
        english.starts_with("<!DOCTYPE html><html lang=\"en\">") && english.contains("<td>required</td>")
    );
    assert!(chinese.starts_with("<!DOCTYPE html><html lang=\"zh\">") && chinese.contains("<td>必填</td>"));
    assert!(read("endpoints/v3/applyment4sub/applyment/post.html").contains("encrypted"));
    let paid = read("zh/notifications/v3/TRANSACTION.SUCCESS.html");
    assert!(paid.contains("解密后的资源") && paid.contains("<code>trade_state</code>"));
}

#[test]
fn an_export_can_be_repeated_and_nothing_else_is_touched() {
    let home = tempfile::tempdir().unwrap();
    let site = home.path().join("site");
    export(home.path(), "site").ok();
    let (_, first) = exported();
    assert!(*first == files(&site), "two exports are equal");
    let index = || fs::metadata(site.join("index.html")).unwrap().modified().unwrap();
    let time = index();
    // A file of the user's, one of an endpoint that is gone, and names in the list that lead elsewhere.
    fs::write(site.join("CNAME"), "example.com").unwrap();
    fs::create_dir_all(site.join("endpoints/v3/gone")).unwrap();
    fs::write(site.join("endpoints/v3/gone/get.html"), "").unwrap();
    fs::write(home.path().join("other"), "").unwrap();
    let list = fs::read_to_string(site.join("export.txt")).unwrap();
    let other = home.path().join("other");
    fs::write(
        site.join("export.txt"),
        format!("{list}endpoints/v3/gone/get.html\n../other\n{}\n", other.display()),
    )
    .unwrap();
    // An export that was interrupted: the index is the last.
    fs::remove_file(site.join("zh/index.html")).unwrap();
    fs::write(site.join("notifications/v3/REFUND.SUCCESS.html"), "half").unwrap();
    export(home.path(), "site").ok();
    assert_eq!(fs::read_to_string(site.join("CNAME")).unwrap(), "example.com");
    fs::remove_file(site.join("CNAME")).unwrap();
    assert!(*first == files(&site), "the same files");
    assert!(!site.join("endpoints/v3/gone").exists() && other.exists());
    assert_eq!(index(), time, "a file that is the same keeps its time");
}

#[test]
fn a_directory_with_other_things_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("folder");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("mine"), "1").unwrap();
    export(home.path(), "folder").fails(1, "`folder` is not empty, and not an earlier export");
    // A list of another kind.
    fs::write(folder.join("export.txt"), "mine\n").unwrap();
    export(home.path(), "folder").fails(1, "not an earlier export");
    assert_eq!(files(&folder).len(), 2);
    export(home.path(), "folder/mine").fails(1, "`folder/mine` is not a directory");
    export(home.path(), "folder/mine/site").fails(1, "--html: ");
    let missing = Done::of(wxpay(home.path()).args(["endpoints", "export"]));
    missing.fails(1, "--html <DIR>");
}
