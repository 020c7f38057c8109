//! What is no RSA key, or no key at all, is named as what it is.

use super::*;

/// Each algorithm of `openssl`: PKCS#8, its own structure, encrypted, the public key, and a certificate.
#[test]
fn other_algorithms_are_named() {
    let keys = Keys::new();
    for (line, name) in [
        ("-algorithm EC -pkeyopt ec_paramgen_curve:SM2", "SM2"),
        ("-algorithm EC -pkeyopt ec_paramgen_curve:P-256", "elliptic-curve"),
        ("-algorithm EC -pkeyopt ec_paramgen_curve:secp521r1", "elliptic-curve"),
        ("-algorithm EC -pkeyopt ec_paramgen_curve:brainpoolP256r1", "elliptic-curve"),
        ("-algorithm EC -pkeyopt ec_paramgen_curve:P-384 -pkeyopt ec_param_enc:explicit", "elliptic-curve"),
        ("-algorithm ED25519", "Ed25519"),
        ("-algorithm ED448", "Ed448"),
        ("-algorithm X25519", "X25519"),
        ("-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048", "RSA-PSS"),
        ("-genparam -algorithm DSA -pkeyopt dsa_paramgen_bits:1024", "DSA"),
    ] {
        let dir = keys.folder.path();
        if name == "DSA" {
            run(dir, &format!("openssl genpkey {line} -out parameters.pem"));
            run(dir, "openssl genpkey -paramfile parameters.pem -out key.pem");
        } else {
            run(dir, &format!("openssl genpkey {line} -out key.pem"));
        }
        let mut texts = vec![("private key", run_text(&keys, "openssl pkey -in key.pem"))];
        // `openssl` writes no SM2 key so.
        if matches!(name, "elliptic-curve" | "DSA") {
            texts.push(("private key", run_text(&keys, "openssl pkey -in key.pem -traditional")));
        }
        if cfg!(feature = "p12") {
            let encrypted = run_text(&keys, "openssl pkcs8 -topk8 -in key.pem -passout pass:secret");
            texts.push(("private key", encrypted));
        }
        texts.push(("public key", run_text(&keys, "openssl pkey -in key.pem -pubout")));
        if name != "X25519" {
            texts.push((
                "X.509 certificate",
                run_text(&keys, "openssl req -x509 -new -key key.pem -subj /CN=x -days 9"),
            ));
            if name != "RSA-PSS" {
                texts.push(("request", run_text(&keys, "openssl req -new -key key.pem -subj /CN=x")));
            }
        }
        for (kind, text) in texts {
            for form in [text.clone(), keys.file("other.pem", text.as_bytes())] {
                let errors = [
                    private_key("k", &form, Some("secret")).err(),
                    public_key("k", &form).err(),
                    certificate("k", &form).err(),
                ];
                for (index, error) in errors.into_iter().enumerate() {
                    let error = error.unwrap_or_else(|| panic!("{name}: a {kind} loads")).to_string();
                    let (_, found) = error.split_once("found ").unwrap();
                    assert!(found.contains(kind), "{name} {kind}: {found}");
                    // Only loading a private key decrypts it.
                    let opened = index == 0 || !text.contains("ENCRYPTED");
                    assert!(!opened || kind == "request" || found.contains(name), "{name} {kind}: {found}");
                    assert!(!found.contains("1.2.840"), "{found}");
                    assert_eq!(found.contains("other.pem"), form.starts_with("file"), "{found}");
                }
                assert_eq!(any_certificate("k", &form).is_ok(), kind == "X.509 certificate", "{name} {kind}");
            }
        }
    }
}

/// What a command that an error shows makes of the key: it loads.
#[test]
fn the_commands_for_openssh_keys_work() {
    let keys = Keys::new();
    let dir = keys.folder.path();
    for (line, algorithm) in [("-t rsa -b 2048", "RSA"), ("-t ed25519", "Ed25519"), ("-t ecdsa", "curve")] {
        run(dir, &format!("ssh-keygen -q {line} -N  -C someone@example.com -f {algorithm}"));
        let (private, public) = (
            format!("file://{}", keys.path(algorithm).display()),
            keys.path(algorithm).with_extension("pub"),
        );
        let public_text = std::fs::read_to_string(&public).unwrap();
        for (what, error) in [
            ("an OpenSSH private key", private_key("k", &private, None).err().unwrap()),
            (
                "an OpenSSH private key",
                private_key("k", &std::fs::read_to_string(keys.path(algorithm)).unwrap(), None)
                    .err()
                    .unwrap(),
            ),
            (
                "an OpenSSH public key",
                public_key("k", &format!("file://{}", public.display())).err().unwrap(),
            ),
            ("an OpenSSH public key", public_key("k", &public_text).err().unwrap()),
        ] {
            let error = error.to_string();
            assert!(error.contains(&format!("found {what}")) && error.contains(algorithm), "{error}");
            let Some((_, command)) =
                error.split_once("convert it: `").or(error.split_once("convert a copy of it: `"))
            else {
                assert_ne!(algorithm, "RSA", "{error}");
                continue;
            };
            assert_eq!(algorithm, "RSA", "{error}");
            let command = command.trim_end_matches('`').replace("old.pub", "RSA.pub").replace("old ", "RSA ");
            let command = command.replace("ssh-keygen -p", "ssh-keygen -p -P '' -N ''");
            let status = Command::new("sh")
                .args(["-c", &command])
                .current_dir(dir)
                .stdout(Stdio::null())
                .status()
                .unwrap();
            assert!(status.success(), "{command}");
            let new = format!("file://{}", keys.path("new.pem").display());
            match what.contains("private") {
                true => drop(private_key("k", &new, None).unwrap_or_else(|e| panic!("{command}: {e}"))),
                false => drop(public_key("k", &new).unwrap_or_else(|e| panic!("{command}: {e}"))),
            }
        }
    }
    // What OpenSSH writes for other programs.
    run(dir, "ssh-keygen -q -t rsa -b 2048 -m PEM -N  -f pem");
    assert!(private_key("k", &format!("file://{}", keys.path("pem").display()), None).is_ok());
    let rfc4716 = run_text(&keys, "ssh-keygen -e -m RFC4716 -f RSA.pub");
    let error = public_key("k", &rfc4716).err().unwrap().to_string();
    assert!(error.contains("found an SSH2 key") && error.contains("ssh-keygen -i"), "{error}");
}

#[test]
fn what_is_something_else_is_named() {
    let keys = Keys::new();
    let key = keys.pem("PRIVATE KEY", "pkcs8");
    let base64 = |name: &str| STANDARD.encode(&keys.der[name]);
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let utf16: Vec<u8> = [0xfeff].into_iter().chain(key.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let latin1: String = keys.der["pkcs8"].iter().map(|byte| char::from(*byte)).collect();
    let lossy = String::from_utf8_lossy(&keys.der["pkcs8"]).into_owned();
    let crlf = keys.der["pkcs8"]
        .iter()
        .flat_map(|byte| if *byte == b'\n' { vec![b'\r', b'\n'] } else { vec![*byte] });
    let crlf: Vec<u8> = crlf.collect();
    assert!(crlf.len() > keys.der["pkcs8"].len() + 1, "a key without line feeds");
    let ascii: Vec<u8> =
        keys.der["pkcs8"].iter().map(|byte| if byte.is_ascii() { *byte } else { b'?' }).collect();
    for (content, found) in [
        (Vec::new(), "0 bytes"),
        (b"\n \r\n".to_vec(), "4 bytes"),
        (utf16, "text in UTF-16"),
        (latin1.into_bytes(), "converted to UTF-8"),
        (lossy.into_bytes(), "replaced by U+FFFD"),
        (ascii, "replaced by ASCII"),
        (crlf, "converts line endings"),
        (keys.der["pkcs8"][..700].to_vec(), "is cut: 700 bytes of"),
        (base64("pkcs8").into_bytes(), "write `private.pkcs8://` before it"),
        (base64("pkcs1").into_bytes(), "write `private.pkcs1://` before it"),
        (base64("spki").into_bytes(), "write `public.spki://` before it"),
        (base64("pkcs1public").into_bytes(), "write `public.pkcs1://` before it"),
        (base64("certificate").into_bytes(), "between the BEGIN and END lines of `CERTIFICATE`"),
        (base64("encrypted").into_bytes(), "the BEGIN and END lines of `ENCRYPTED PRIVATE KEY`"),
        (STANDARD.encode(&key).into_bytes(), "base64 of a PEM text"),
        (hex(&keys.der["pkcs8"]).into_bytes(), "hex of a private key"),
        (hex(key.as_bytes()).to_uppercase().into_bytes(), "hex of a PEM text"),
        (key.replace("-----", "—").into_bytes(), "without a proper BEGIN line"),
        (key.replace("BEGIN ", "BEGIN\u{a0}").into_bytes(), "without a proper BEGIN line"),
        (key.replacen("-----", "----", 1).into_bytes(), "without a proper BEGIN line"),
        (key.replace("MII", "MII\u{200b}").into_bytes(), "the character U+200B"),
        (key.replace("MII", "MI").into_bytes(), "cut or damaged"),
        (key[..900].into(), "cut or damaged"),
        (b"PuTTY-User-Key-File-2: ssh-rsa\r\nEncryption: none\r\n".to_vec(), "puttygen"),
        (b"PuTTY-User-Key-File-3: ssh-rsa\nEncryption: none\n".to_vec(), "puttygen"),
        (b"PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n".to_vec(), "for Ed25519, not RSA"),
        (b"{\"kty\":\"RSA\",\"n\":\"AQAB\"}".to_vec(), "a JSON Web Key"),
        (b"{\"code\": \"NO_AUTH\"}".to_vec(), "JSON"),
        (b"<!DOCTYPE html><title>404</title>".to_vec(), "HTML or XML"),
        (b"<RSAKeyValue><Modulus>AQAB".to_vec(), "an XML key of .NET"),
        (b"PK\x03\x04\x14\0\0\0".to_vec(), "a zip file"),
        (b"\xfe\xed\xfe\xed\0\0\0\x02".to_vec(), "a Java keystore"),
        (pem_of("PGP PRIVATE KEY BLOCK", b"anything").into_bytes(), "another label, `PGP PRIVATE KEY BLOCK`"),
        (pem_of("PKCS12", &[1]).into_bytes(), "a PKCS#12 file in PEM"),
        (b"\x30\x80\x02\x01\x03\x30\x80\x06\x09".to_vec(), "a PKCS#12 file in"), // BER
        (vec![0xff, 0xfe - 1, 0x00, 0x80], "4 bytes that are neither PEM nor DER"),
        (b"hello".to_vec(), "5 characters without a PEM header"),
    ] {
        let file = keys.file("something.pem", &content);
        for error in [private_key("k", &file, Some("secret")).err(), public_key("k", &file).err()] {
            let error = error.unwrap_or_else(|| panic!("{found}: it loads")).to_string();
            let (_, found_there) = error.split_once("found ").unwrap();
            assert!(
                found_there.contains(found) && found_there.contains("something.pem"),
                "{found}: {found_there}"
            );
            assert!(!error.contains("write a path"), "{error}");
            shows_nothing_of(&error, &content);
        }
        // The same as a text; it has no NUL and is UTF-8.
        if let Ok(text) = String::from_utf8(content.clone())
            && !text.trim().is_empty()
            && private_key("k", &text, Some("secret")).is_err()
        {
            let error = private_key("k", &text, None).err().unwrap().to_string();
            assert!(error.contains(found), "{found}: {error}");
            shows_nothing_of(&error, &content);
        }
    }
}

/// No 12 bytes of the content in a row, except words that the message has anyway.
fn shows_nothing_of(error: &str, content: &[u8]) {
    for window in content.windows(12) {
        if let Ok(part) = str::from_utf8(window)
            && error.contains(part)
        {
            assert!(
                ["PRIVATE KEY", "CERTIFICATE", "-----BEGIN"].iter().any(|word| part.contains(word)
                    || word.contains(part.trim())
                    || "PGP PRIVATE KEY BLOCK".contains(part)),
                "{part}: {error}"
            );
        }
    }
}
