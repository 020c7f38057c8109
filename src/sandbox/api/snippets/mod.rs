//! Code that points an SDK at the sandbox, to paste: a template for each language, with the values of this sandbox.

/// The SDK of a [snippet](crate::sandbox::Sandbox::snippet).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SnippetLanguage {
    /// `wechatpay/wechatpay`.
    Php,
    /// `wechatpay-axios-plugin`.
    Node,
    /// `wechatpay-go`.
    Go,
    /// `wechatpay-java`.
    Java,
    /// `wechatpayv3`.
    Python,
    /// This crate.
    Rust,
}

/// The values of a snippet. `PUBLIC_KEY` is a path, `PUBLIC_KEY_URL` the same as `file://…`.
pub(super) struct Values {
    pub(super) base_url: String,
    pub(super) mchid: String,
    pub(super) serial: String,
    pub(super) apiv3_key: String,
    /// The path of the merchant's private key.
    pub(super) private_key: String,
    /// The ID and the path of the platform's public key.
    pub(super) public_key: Option<(String, String)>,
    /// The serial and the path of the platform's certificate.
    pub(super) certificate: Option<(String, String)>,
}

impl SnippetLanguage {
    fn template(self) -> &'static str {
        match self {
            SnippetLanguage::Php => include_str!("php.txt"),
            SnippetLanguage::Node => include_str!("node.txt"),
            SnippetLanguage::Go => include_str!("go.txt"),
            SnippetLanguage::Java => include_str!("java.txt"),
            SnippetLanguage::Python => include_str!("python.txt"),
            SnippetLanguage::Rust => include_str!("rust.txt"),
        }
    }

    /// A string literal.
    fn quoted(self, text: &str) -> String {
        let escaped = text.replace('\\', r"\\");
        match self {
            SnippetLanguage::Php | SnippetLanguage::Node => format!("'{}'", escaped.replace('\'', r"\'")),
            _ => format!("\"{}\"", escaped.replace('"', r#"\""#)),
        }
    }
}

impl Values {
    /// A value of the sandbox. `None` if it has no such key.
    fn get(&self, name: &str) -> Option<String> {
        let part = |key: &Option<(String, String)>, which: fn(&(String, String)) -> &String| {
            key.as_ref().map(|key| which(key).clone())
        };
        let path = match name.strip_suffix("_URL").unwrap_or(name) {
            "PRIVATE_KEY" => Some(self.private_key.clone()),
            "PUBLIC_KEY" => part(&self.public_key, |(_, path)| path),
            "CERTIFICATE" => part(&self.certificate, |(_, path)| path),
            _ => None,
        };
        match name {
            "BASE_URL" => Some(self.base_url.clone()),
            "MCHID" => Some(self.mchid.clone()),
            "SERIAL" => Some(self.serial.clone()),
            "APIV3_KEY" => Some(self.apiv3_key.clone()),
            "PUBLIC_KEY_ID" => part(&self.public_key, |(id, _)| id),
            "PLATFORM_SERIAL" => part(&self.certificate, |(serial, _)| serial),
            // PHP and this crate accept `file://` and the path without percent-encoding.
            name if name.ends_with("_URL") => path.map(|path| format!("file://{path}")),
            _ => path,
        }
    }

    /// The snippet. Lines with `P|` are for a public key, those with `C|` for a sandbox that has only certificates; a
    /// line with a value that does not exist is omitted.
    pub(super) fn fill(&self, language: SnippetLanguage) -> String {
        let mut text = String::new();
        for line in language.template().lines() {
            let line = match (line.split_at_checked(2), self.public_key.is_some()) {
                (Some(("P|", rest)), true) | (Some(("C|", rest)), false) => rest,
                (Some(("P|" | "C|", _)), _) => continue,
                _ => line,
            };
            if let Some(line) = self.fill_line(language, line) {
                text += &line;
                text.push('\n');
            }
        }
        text
    }

    fn fill_line(&self, language: SnippetLanguage, line: &str) -> Option<String> {
        let mut pieces = line.split("{{");
        let mut filled = pieces.next()?.to_owned();
        for piece in pieces {
            let (name, rest) = piece.split_once("}}")?;
            filled += &language.quoted(&self.get(name)?);
            filled += rest;
        }
        Some(filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [SnippetLanguage; 6] = [
        SnippetLanguage::Php,
        SnippetLanguage::Node,
        SnippetLanguage::Go,
        SnippetLanguage::Java,
        SnippetLanguage::Python,
        SnippetLanguage::Rust,
    ];

    fn values(public_key: bool, certificate: bool) -> Values {
        let pair = |name: &str| (format!("{name}_ID"), format!("/keys/{name}.pem"));
        Values {
            base_url: "http://127.0.0.1:1/".into(),
            mchid: "1900000109".into(),
            serial: "5157".into(),
            apiv3_key: "{{MCHID}}'\"\\".into(),
            private_key: "/keys/private.pem".into(),
            public_key: public_key.then(|| pair("public")),
            certificate: certificate.then(|| pair("certificate")),
        }
    }

    #[test]
    fn every_value_of_a_template_exists_and_is_quoted() {
        for language in ALL {
            let text = values(true, true).fill(language);
            let lines = language.template().lines().filter(|line| !line.starts_with("C|")).count();
            assert_eq!(text.lines().count(), lines, "{text}");
            for part in ["http://127.0.0.1:1/", "1900000109", "5157", "/keys/private.pem", "/keys/public.pem"]
            {
                assert!(text.contains(part), "{language:?} {part}: {text}");
            }
            let secret = match language {
                SnippetLanguage::Php | SnippetLanguage::Node => r#"'{{MCHID}}\'"\\'"#,
                _ => r#""{{MCHID}}'\"\\""#,
            };
            // The key is needed for notifications; Go's SDK takes it there.
            assert!(text.contains(secret) || language == SnippetLanguage::Go, "{language:?}: {text}");
        }
    }

    #[test]
    fn a_key_that_does_not_exist_is_not_named() {
        for language in ALL {
            let text = values(false, true).fill(language);
            assert!(!text.contains("public.pem") && !text.contains("|\t"), "{text}");
            let text = values(true, false).fill(language);
            assert!(text.contains("public.pem") && !text.contains("certificate.pem"), "{text}");
        }
        assert!(values(false, true).fill(SnippetLanguage::Java).contains("RSAAutoCertificateConfig"));
        assert!(values(false, true).fill(SnippetLanguage::Go).contains("WithWechatPayAutoAuthCipher"));
    }
}
