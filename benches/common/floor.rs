//! The floor: the same work, written by hand on `reqwest` and `aws-lc-rs`, for one endpoint.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs1::EncodeRsaPublicKey as _;
use rsa::pkcs8::DecodePublicKey as _;
use serde_json::Value;

use super::{MCHID, MERCHANT_SERIAL, PLATFORM_SERIAL, key};

pub struct Floor {
    http: reqwest::Client,
    key: KeyPair,
    platform: ParsedPublicKey,
    url: String,
}

impl Floor {
    pub fn new(base: &str) -> Floor {
        let key_pem = pem::parse(key("merchant_key.pem")).unwrap();
        let public =
            rsa::PublicKey::from_public_key_der(pem::parse(key("platform_pub.pem")).unwrap().contents())
                .unwrap()
                .to_pkcs1_der()
                .unwrap();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(30))
            .pool_idle_timeout(Duration::from_secs(7))
            .tcp_nodelay(true)
            .no_proxy()
            .build()
            .unwrap();
        Floor {
            http,
            key: KeyPair::from_pkcs8(key_pem.contents()).unwrap(),
            platform: ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public.as_bytes()).unwrap(),
            url: format!("{base}v3/pay/transactions/native"),
        }
    }

    /// The bare signature of `message`.
    pub fn sign(&self, message: &[u8]) -> String {
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
        STANDARD.encode(signature)
    }

    /// Body, nonce, message, signature, header.
    pub fn authorization(&self, body: &str) -> String {
        const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let timestamp = now();
        let mut random = [0; 32];
        SystemRandom::new().fill(&mut random).unwrap();
        let nonce: String = random.iter().map(|b| ALPHABET[usize::from(*b) % 62] as char).collect();
        let message = format!("POST\n/v3/pay/transactions/native\n{timestamp}\n{nonce}\n{body}\n");
        let signature = self.sign(message.as_bytes());
        format!(
            "WECHATPAY2-SHA256-RSA2048 mchid=\"{MCHID}\",serial_no=\"{MERCHANT_SERIAL}\",timestamp=\"{timestamp}\",\
             nonce_str=\"{nonce}\",signature=\"{signature}\""
        )
    }

    /// The bare verification.
    pub fn verify(&self, message: &[u8], signature: &str) {
        self.platform.verify_sig(message, &STANDARD.decode(signature).unwrap()).unwrap();
    }

    pub async fn call(&self, body: &Value) -> Value {
        let body = body.to_string();
        let authorization = self.authorization(&body);
        let response = self
            .http
            .post(&self.url)
            .header("Accept", "application/json")
            .header("User-Agent", "floor")
            .header("Content-Type", "application/json")
            .header("Authorization", authorization)
            .body(body)
            .send()
            .await
            .unwrap();
        assert!(response.status().is_success());
        let header = |name| response.headers()[name].to_str().unwrap().to_owned();
        let (timestamp, nonce) = (header("Wechatpay-Timestamp"), header("Wechatpay-Nonce"));
        let (serial, signature) = (header("Wechatpay-Serial"), header("Wechatpay-Signature"));
        assert_eq!(serial, PLATFORM_SERIAL);
        assert!(timestamp.parse::<u64>().unwrap().abs_diff(now()) <= 300);
        let body = response.bytes().await.unwrap();
        let message = [timestamp.as_bytes(), b"\n", nonce.as_bytes(), b"\n", &body, b"\n"].concat();
        self.verify(&message, &signature);
        serde_json::from_slice(&body).unwrap()
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
