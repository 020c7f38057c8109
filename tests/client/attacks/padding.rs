//! Signatures made with the platform's private key, but with another padding than RFC 8017 (section 9.2) prescribes. A
//! reader that parses the padding leniently accepts some of them, and then forgeries without the key, too (CVE-2006-4339,
//! CVE-2014-1568). `openssl` computes the raw private-key operation and the digests.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use wechatpay_chain::{Error, VerifyReason};

use super::{NOW, client_with_two_keys};
use crate::support::{PLATFORM_SERIAL, has, key_path, openssl, openssl_verifies};

const SIZE: usize = 256;
const BODY: &[u8] = b"{\"trade_state\":\"SUCCESS\"}";

/// The DER of `AlgorithmIdentifier`'s inner part: an OID of the NIST hash arc, and NULL.
fn algorithm(oid_end: u8) -> Vec<u8> {
    let mut algorithm = b"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02".to_vec();
    algorithm.extend([oid_end, 0x05, 0x00]);
    algorithm
}

/// One element of DER.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    [&[tag, u8::try_from(content.len()).unwrap()], content].concat()
}

fn digest_info(algorithm: &[u8], hash: &[u8]) -> Vec<u8> {
    der(0x30, &[der(0x30, algorithm), der(0x04, hash)].concat())
}

/// `00 01 FF … 00`, then this.
fn padded(info: &[u8]) -> Vec<u8> {
    [&[0, 1], &vec![0xff; SIZE - 3 - info.len()][..], &[0], info].concat()
}

/// The same with so many bytes of padding, filled up at the end.
fn short(padding: usize, info: &[u8], fill: u8) -> Vec<u8> {
    let mut block = [&[0, 1], &vec![0xff; padding][..], &[0], info].concat();
    block.resize(SIZE, fill);
    block
}

fn digest(name: &str, message: &[u8]) -> Vec<u8> {
    openssl(&["dgst", name, "-binary"], message).unwrap_or_else(|| panic!("openssl has no {name}"))
}

fn blocks(message: &[u8]) -> Vec<(String, Vec<u8>)> {
    let hash = digest("-sha256", message);
    let sha256 = algorithm(1);
    let info = digest_info(&sha256, &hash);
    let mut blocks: Vec<(String, Vec<u8>)> = Vec::new();
    let mut add = |name: &str, block: Vec<u8>| {
        assert_eq!(block.len(), SIZE, "{name}");
        blocks.push((name.to_owned(), block));
    };
    let changed = |at: usize, byte: u8| {
        let mut block = padded(&info);
        block[at] = byte;
        block
    };
    let separator = SIZE - info.len() - 1;
    for (name, at, byte) in [
        ("first byte 1", 0, 1),
        ("block type 0", 1, 0),
        ("block type 2", 1, 2),
        ("first padding byte FE", 2, 0xfe),
        ("padding byte FE in the middle", 100, 0xfe),
        ("padding byte 0 in the middle", 100, 0),
        ("last padding byte FE", separator - 1, 0xfe),
        ("last padding byte 0", separator - 1, 0),
        ("no separator", separator, 0xff),
        ("separator 1", separator, 1),
        ("SET instead of SEQUENCE", separator + 1, 0x31),
        ("outer length one less", separator + 2, 0x30),
        ("outer length one more", separator + 2, 0x32),
        ("inner length one less", separator + 4, 0x0c),
        ("OID tag 05", separator + 5, 0x05),
        ("NULL with a length", separator + 17, 1),
        ("NULL as OCTET STRING", separator + 16, 4),
        ("BIT STRING instead of OCTET STRING", separator + 18, 3),
        ("hash length one less", separator + 19, 0x1f),
        ("last bit of the hash", SIZE - 1, padded(&info)[SIZE - 1] ^ 1),
        ("first bit of the hash", separator + 20, padded(&info)[separator + 20] ^ 0x80),
    ] {
        add(name, changed(at, byte));
    }
    for (padding, fill) in [(0, 0), (1, 0xff), (7, 0), (8, 0), (8, 0xff), (100, 0), (201, 0xff)] {
        add(&format!("{padding} bytes of padding, {fill:02x} after the hash"), short(padding, &info, fill));
    }
    add("one byte less padding, one more hash byte", short(SIZE - 4 - info.len(), &info, 0));
    add("padding twice", padded(&padded(&info)[SIZE - info.len() - 20..]));
    // BER that is not DER.
    let inner = [der(0x30, &sha256), der(0x04, &hash)].concat();
    let long = |bytes: &[u8]| [&[0x30, 0x81, u8::try_from(bytes.len()).unwrap()], bytes].concat();
    add("long form of the outer length", padded(&long(&inner)));
    add("outer length in two bytes", padded(&[&[0x30, 0x82, 0, 0x31], &inner[..]].concat()));
    add("long form of the algorithm's length", padded(&der(0x30, &[long(&sha256), der(4, &hash)].concat())));
    let hash_long = [&[0x04, 0x81, 0x20], &hash[..]].concat();
    add("long form of the hash's length", padded(&der(0x30, &[der(0x30, &sha256), hash_long].concat())));
    add("indefinite length", padded(&[&[0x30, 0x80], &inner[..], &[0, 0]].concat()));
    let pieces = [&[0x24, 0x80], &der(4, &hash[..16])[..], &der(4, &hash[16..]), &[0, 0]].concat();
    add("hash in pieces", padded(&der(0x30, &[der(0x30, &sha256), pieces].concat())));
    let oid_long = [&[0x06, 0x81, 0x09], &sha256[2..]].concat();
    add("long form of the OID's length", padded(&digest_info(&oid_long, &hash)));
    // Parameters.
    add("no parameters", padded(&digest_info(&sha256[..11], &hash)));
    add(
        "parameters of 8 bytes",
        padded(&digest_info(&[&sha256[..11], &der(5, &[7; 8])[..]].concat(), &hash)),
    );
    add("an element after NULL", padded(&digest_info(&[&sha256[..], &der(4, &[7; 8])[..]].concat(), &hash)));
    let much = der(4, &[7; 64]);
    add("an element after the hash", padded(&der(0x30, &[inner.clone(), much].concat())));
    add("a sequence around it", padded(&der(0x30, &info)));
    add("garbage after the sequence", padded(&[&info[..], &[7; 20]].concat()));
    add("garbage before the sequence", padded(&[&[7; 20], &info[..]].concat()));
    // Other hashes, and none.
    for (name, oid_end) in
        [("-sha384", 2), ("-sha512", 3), ("-sha224", 4), ("-sha512-256", 6), ("-sha3-256", 8)]
    {
        add(name, padded(&digest_info(&algorithm(oid_end), &digest(name, message))));
        add(&format!("{name} with the SHA-256"), padded(&digest_info(&algorithm(oid_end), &hash)));
        add(&format!("the {name} as SHA-256"), padded(&digest_info(&sha256, &digest(name, message))));
    }
    let sha1 = b"\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00";
    add("SHA-1", padded(&digest_info(sha1, &digest("-sha1", message))));
    add("SHA-1's OID with the SHA-256", padded(&digest_info(sha1, &hash)));
    let md5 = b"\x06\x08\x2a\x86\x48\x86\xf7\x0d\x02\x05\x05\x00";
    add("MD5", padded(&digest_info(md5, &digest("-md5", message))));
    add("the hash alone", padded(&hash));
    add("the hash in an OCTET STRING alone", padded(&der(4, &hash)));
    add("half of the hash", padded(&digest_info(&sha256, &hash[..16])));
    add("no hash", padded(&digest_info(&sha256, &[])));
    add("the hash in hex", padded(&digest_info(&sha256, hex(&hash).as_bytes())));
    add("the hash of the hash", padded(&digest_info(&sha256, &digest("-sha256", &hash))));
    add("the message itself", padded(message));
    let crlf = String::from_utf8_lossy(message).replace('\n', "\r\n");
    add("lines that end in CR LF", padded(&digest_info(&sha256, &digest("-sha256", crlf.as_bytes()))));
    let unended = &message[..message.len() - 1];
    add("no end of the last line", padded(&digest_info(&sha256, &digest("-sha256", unended))));
    add("the body alone", padded(&digest_info(&sha256, &digest("-sha256", BODY))));
    blocks
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Big-endian addition.
fn plus(a: &[u8], b: &[u8]) -> Vec<u8> {
    let (mut sum, mut carry) = (vec![0], 0_u16);
    sum.extend_from_slice(a);
    for at in (0..sum.len()).rev() {
        let added = at.checked_sub(sum.len() - b.len()).map_or(0, |at| b[at]);
        carry += u16::from(sum[at]) + u16::from(added);
        sum[at] = carry as u8;
        carry >>= 8;
    }
    sum
}

#[test]
fn no_other_padding_is_accepted() {
    if !has("openssl") {
        return;
    }
    let key = key_path("platform_key.pem");
    // Decryption without padding is the bare private-key operation.
    let raw = |block: &[u8]| {
        openssl(&["pkeyutl", "-decrypt", "-inkey", &key, "-pkeyopt", "rsa_padding_mode:none"], block)
    };
    let message = [NOW.to_string().as_bytes(), b"\nNONCE\n", BODY, b"\n"].concat();
    let (wx, _) = client_with_two_keys();
    let verify = |signature: &[u8]| {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("Wechatpay-Timestamp", NOW.to_string()),
            ("Wechatpay-Nonce", "NONCE".to_owned()),
            ("Wechatpay-Serial", PLATFORM_SERIAL.to_owned()),
            ("Wechatpay-Signature", STANDARD.encode(signature)),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        wx.verify(&headers, BODY)
    };
    let refused = |name: &str, signature: &[u8]| match verify(signature) {
        Err(Error::Verify(e)) if matches!(e.reason, VerifyReason::BadSignature { .. }) => {}
        other => panic!("{name}: {other:?}"),
    };

    // The right block by the same way is accepted, here and by `openssl`.
    let right = padded(&digest_info(&algorithm(1), &digest("-sha256", &message)));
    let signature = raw(&right).unwrap();
    assert!(verify(&signature).is_ok());
    assert!(openssl_verifies(key_path("platform_pub.pem").as_ref(), &message, &STANDARD.encode(&signature)));

    let mut tried = 0;
    for (name, block) in blocks(&message) {
        assert_ne!(block, right, "{name}");
        refused(&name, &raw(&block).unwrap_or_else(|| panic!("{name}: openssl cannot sign this block")));
        tried += 1;
    }
    for options in [&["-sigopt", "rsa_padding_mode:pss"][..], &["-sigopt", "rsa_padding_mode:x931"]] {
        let arguments = [&["dgst", "-sha256", "-sign", &key][..], options].concat();
        if let Some(signature) = openssl(&arguments, &message) {
            refused(&format!("{options:?}"), &signature);
            tried += 1;
        }
    }
    // The right signature as another number, or in other bytes.
    let public = openssl(&["rsa", "-in", &key, "-noout", "-modulus"], b"").unwrap();
    let modulus = String::from_utf8(public).unwrap();
    let modulus: Vec<u8> = modulus
        .trim()
        .trim_start_matches("Modulus=")
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    let sum = plus(&signature, &modulus);
    let one = [vec![0; SIZE - 1], vec![1]].concat();
    let minus_one = [&modulus[..SIZE - 1], &[modulus[SIZE - 1] - 1]].concat();
    for (name, number) in [
        ("signature plus modulus", sum.clone()),
        ("signature plus modulus, without its carry", sum[1..].to_vec()),
        ("a zero in front", [&[0], &signature[..]].concat()),
        ("a zero at the end", [&signature[..], &[0]].concat()),
        ("without its first byte", signature[1..].to_vec()),
        ("without its last byte", signature[..SIZE - 1].to_vec()),
        ("twice", signature.repeat(2)),
        ("reversed", signature.iter().rev().copied().collect()),
        ("zero", vec![0; SIZE]),
        ("one", one),
        ("the modulus", modulus.clone()),
        ("the modulus minus one", minus_one),
        ("all ones", vec![0xff; SIZE]),
        ("the block itself", right.clone()),
        ("nothing", Vec::new()),
        ("1,024 bytes", vec![1; 1024]),
        ("100,000 bytes", vec![1; 100_000]),
    ] {
        refused(name, &number);
        tried += 1;
    }
    assert!(tried > 80, "{tried}");
}
