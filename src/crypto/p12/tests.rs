use std::io::Write as _;
use std::process::Command;

use x509_cert::der::asn1::Any;
use x509_cert::der::{Encode as _, Tag, TagNumber};

use super::*;

const PASSPHRASE: &str = "1900000109";

fn path(name: &str) -> String {
    format!("{}/tests/keys/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// The merchant's key and certificate as `openssl` writes them; `None` where that program, or the scheme, is
/// missing. One iteration unless `arguments` says more, so that a file can be read thousands of times.
fn written(arguments: &str, passphrase: &str) -> Option<Vec<u8>> {
    let output = Command::new("openssl")
        .args(["pkcs12", "-export", "-inkey", &path("merchant_key.pem"), "-in", &path("merchant_cert.pem")])
        .args(["-passout", &format!("pass:{passphrase}"), "-noiter", "-nomaciter"])
        .args(arguments.split_whitespace())
        .output();
    let skip = |reason: &str| {
        // Not `println!`, which libtest hides for a passing test.
        let _ = writeln!(std::io::stderr(), "skipped: openssl pkcs12 {arguments}: {reason}");
        None
    };
    match output {
        Ok(output) if output.status.success() => Some(output.stdout),
        Ok(output) => skip(&String::from_utf8_lossy(&output.stderr)),
        Err(e) => {
            assert!(
                std::env::var("CI").as_deref() != Ok("true"),
                "openssl: {e}; with CI=true, this test must run"
            );
            skip(&e.to_string())
        }
    }
}

fn plain_key() -> Vec<u8> {
    pem::parse(std::fs::read(path("merchant_key.pem")).unwrap()).unwrap().into_contents()
}

#[test]
fn files_written_by_openssl_are_read() {
    let own = plain_key();
    for arguments in [
        "",
        "-legacy",
        "-nomac",
        "-legacy -nomac",
        "-iter 3",
        "-certpbe PBE-SHA1-RC2-40 -keypbe PBE-SHA1-RC2-128 -legacy",
        "-certpbe PBE-SHA1-RC2-128 -keypbe PBE-SHA1-RC2-40 -legacy -macalg sha256",
        "-certpbe PBE-SHA1-3DES -keypbe PBE-SHA1-2DES -legacy",
        "-certpbe aes-128-cbc -keypbe aes-192-cbc -macalg sha1",
        "-certpbe aes-256-cbc -keypbe NONE -macalg sha384",
        "-certpbe NONE -keypbe aes-256-cbc -macalg sha512",
        "-certpbe NONE -keypbe NONE -nomac",
        "-keyex -name 商户 -caname x -certfile CHAIN",
    ] {
        let arguments = arguments.replace("CHAIN", &path("platform_cert.pem"));
        let certificates = if arguments.contains("-certfile") { 2 } else { 1 };
        // Outside the BMP, and with an `é` in two characters, it is UTF-16 all the same.
        for passphrase in [PASSPHRASE, "", "密码🔑e\u{301}", &"x".repeat(900)] {
            let Some(file) = written(&arguments, passphrase) else { continue };
            let what = format!("{arguments} `{passphrase}`");
            let contents = read(&file, passphrase).unwrap_or_else(|e| panic!("{what}: {e:?}"));
            let keys: Vec<_> = contents.keys.iter().map(|key| rsa_key(key)).collect();
            assert_eq!(keys, [rsa_key(&own)], "{what}");
            assert_eq!(contents.certificates.len(), certificates, "{what}");
            let encrypted = !arguments.contains("-keypbe NONE") || !arguments.contains("-nomac");
            for wrong in ["wrong", "1900000108", "1900000109 "] {
                let outcome = read(&file, wrong).err();
                assert_eq!(
                    outcome,
                    encrypted.then_some(P12Error::WrongPassphrase),
                    "{what}, opened with `{wrong}`"
                );
            }
        }
    }
}

/// The `RSAPrivateKey` inside; the structure around it differs (`-keyex` adds an attribute).
fn rsa_key(pkcs8: &[u8]) -> Vec<u8> {
    rsa::pkcs8::PrivateKeyInfoRef::from_der(pkcs8).unwrap().private_key.as_bytes().to_vec()
}

#[test]
fn other_schemes_are_named_as_such() {
    for (arguments, error) in [
        ("-keypbe PBE-SHA1-RC4-128 -legacy", P12Error::Unsupported),
        ("-keypbe PBE-MD5-DES -legacy", P12Error::Unsupported),
        ("-keypbe camellia-256-cbc", P12Error::Unsupported),
        ("-keypbe des-ede3-cbc", P12Error::Unsupported),
        ("-macalg sha224", P12Error::Unsupported),
    ] {
        let Some(file) = written(arguments, PASSPHRASE) else { continue };
        assert_eq!(read(&file, PASSPHRASE).err(), Some(error), "{arguments}");
    }
}

/// Each byte changed in two ways, and the file cut at each byte: with a MAC, the contents are the same or an error.
#[test]
fn a_damaged_file_never_yields_other_contents() {
    for (arguments, authentic) in [("", true), ("-nomac", false), ("-legacy -nomac", false)] {
        let Some(file) = written(arguments, PASSPHRASE) else { continue };
        let whole = read(&file, PASSPHRASE).unwrap();
        let check = |damaged: &[u8], what: &str| {
            let Ok(contents) = read(damaged, PASSPHRASE) else { return };
            let same = contents.keys == whole.keys && contents.certificates == whole.certificates;
            assert!(same || !authentic, "{arguments}: {what}");
        };
        for at in 0..file.len() {
            assert!(read(&file[..at], PASSPHRASE).is_err(), "{arguments}: cut at {at}");
            for mask in [0x01, 0x80] {
                let mut damaged = file.clone();
                damaged[at] ^= mask;
                check(&damaged, &format!("byte {at} changed by {mask:#x}"));
            }
        }
        assert_eq!(read(&[&file[..], b"\0"].concat(), PASSPHRASE).err(), Some(P12Error::Damaged));
    }
}

/// Without a MAC only the padding shows a wrong passphrase, and one in 256 gives valid padding.
#[test]
fn a_wrong_passphrase_is_recognised_without_a_mac() {
    for arguments in ["-nomac", "-legacy -certpbe NONE -nomac"] {
        let Some(file) = written(arguments, PASSPHRASE) else { continue };
        for wrong in 0..1_500 {
            assert_eq!(
                read(&file, &format!("{wrong}")).err(),
                Some(P12Error::WrongPassphrase),
                "{arguments}: {wrong}"
            );
        }
    }
}

fn der(tag: Tag, parts: &[&[u8]]) -> Vec<u8> {
    Any::new(tag, parts.concat()).unwrap().to_der().unwrap()
}

fn explicit(value: &[u8]) -> Vec<u8> {
    der(Tag::ContextSpecific { constructed: true, number: TagNumber(0) }, &[value])
}

fn bag(id: ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    der(Tag::Sequence, &[&id.to_der().unwrap(), &explicit(value)])
}

fn bags(bags: &[Vec<u8>]) -> Vec<u8> {
    der(Tag::Sequence, &bags.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// A file without a MAC that holds `contents` as it is, in one safe.
fn file_of(contents: &[u8]) -> Vec<u8> {
    let data = |contents: &[u8]| bag(ID_DATA, &der(Tag::OctetString, &[contents]));
    let safes = der(Tag::Sequence, &[&data(contents)]);
    der(Tag::Sequence, &[&[0x02, 1, 3], &data(&safes)])
}

#[test]
fn a_file_must_not_cost_minutes() {
    let key = pem::parse(std::fs::read(path("merchant_key.pbes1.pem")).unwrap()).unwrap();
    let key = bag(pkcs12::PKCS_12_PKCS8_KEY_BAG_OID, key.contents());
    let many = |count| read(&file_of(&bags(&vec![key.clone(); count])), "secret");
    assert_eq!(many(MAX_ENCRYPTED_PARTS).unwrap().keys.len(), MAX_ENCRYPTED_PARTS);
    assert_eq!(many(MAX_ENCRYPTED_PARTS + 1).err(), Some(P12Error::TooManyParts));

    // Iterations: none, fewer than none, 16,777,215.
    for (count, error) in [
        (&[0x02, 1, 0][..], P12Error::Unsupported),
        (&[0x02, 1, 0xff], P12Error::Unsupported),
        (&[0x02, 4, 0x00, 0xff, 0xff, 0xff], P12Error::TooCostly),
    ] {
        let parameters = der(Tag::Sequence, &[&der(Tag::OctetString, &[b"12345678"]), count]);
        let scheme = pkcs12::PKCS_12_PBE_WITH_SHAAND3_KEY_TRIPLE_DES_CBC.to_der().unwrap();
        let algorithm = der(Tag::Sequence, &[&scheme, &parameters]);
        let key = der(Tag::Sequence, &[&algorithm, &der(Tag::OctetString, &[&[0; 8]])]);
        let file = file_of(&bags(&[bag(pkcs12::PKCS_12_PKCS8_KEY_BAG_OID, &key)]));
        assert_eq!(read(&file, "secret").err(), Some(error), "{count:?}");
    }
}

/// Each part is within the limits of one derivation; it is the sum that is too much. Written by `openssl`.
#[test]
fn the_parts_of_a_file_share_the_cost() {
    let scrypt = |p: &str| {
        let output = Command::new("openssl")
            .args([
                "pkcs8",
                "-topk8",
                "-outform",
                "DER",
                "-in",
                &path("merchant_key.pem"),
                "-passout",
                "pass:secret",
            ])
            .args(["-scrypt", "-scrypt_p", p])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        bag(pkcs12::PKCS_12_PKCS8_KEY_BAG_OID, &output.stdout)
    };
    let usual = file_of(&bags(&vec![scrypt("1"); 8]));
    assert_eq!(read(&usual, "secret").unwrap().keys.len(), 8, "openssl's default");
    // 6 times 131,072 blocks each: five of them are within the limit.
    let heavy = scrypt("6");
    assert_eq!(read(&file_of(&bags(&vec![heavy.clone(); 5])), "secret").unwrap().keys.len(), 5);
    assert_eq!(read(&file_of(&bags(&vec![heavy; 6])), "secret").err(), Some(P12Error::TooCostly));

    // The MAC and two parts, with as many iterations each.
    for (iterations, allowed) in [("500000", true), ("3000000", false)] {
        let Some(file) = written(&format!("-iter {iterations}"), PASSPHRASE) else { continue };
        let outcome = read(&file, PASSPHRASE).err();
        assert_eq!(outcome, (!allowed).then_some(P12Error::TooCostly), "{iterations}");
    }
}

#[test]
fn bags_of_every_kind() {
    let key = bag(pkcs12::PKCS_12_KEY_BAG_OID, &plain_key());
    let within = |contents: Vec<u8>| bag(pkcs12::PKCS_12_SAFE_CONTENTS_BAG_OID, &bags(&[contents]));
    let crl = bag(ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.4"), &[0x05, 0]);
    let sdsi = der(Tag::OctetString, &[b"not X.509"]);
    let sdsi = der(
        Tag::Sequence,
        &[&ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.22.2").to_der().unwrap(), &explicit(&sdsi)],
    );
    let sdsi = bag(pkcs12::PKCS_12_CERT_BAG_OID, &sdsi);
    let contents = read(&file_of(&bags(&[crl, within(key.clone()), sdsi, key.clone()])), "").unwrap();
    assert_eq!((contents.keys.len(), contents.certificates.len()), (2, 0));
    assert_eq!(read(&file_of(&bags(&[])), "").unwrap().keys.len(), 0);

    let nested = |depth| (0..depth).fold(key.clone(), |inner, _| within(inner));
    assert!(read(&file_of(&bags(&[nested(MAX_NESTING)])), "").is_ok());
    assert_eq!(read(&file_of(&bags(&[nested(MAX_NESTING + 1)])), "").err(), Some(P12Error::Damaged));
    assert_eq!(read(&file_of(&bags(&[nested(5_000)])), "").err(), Some(P12Error::Damaged));

    let trailing = [bags(&[key]), vec![0]].concat();
    assert_eq!(read(&file_of(&trailing), "").err(), Some(P12Error::Damaged));
    for nothing in [&[][..], &[0x30], &[0x30, 0x80], &[0x04, 0], &[0x30, 2, 0x30, 0]] {
        assert_eq!(read(&file_of(nothing), "").err(), Some(P12Error::Damaged), "{nothing:?}");
    }
}
