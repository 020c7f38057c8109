//! The merchant and the platform whose keys are in `tests/keys`.

pub(crate) const MCHID: &str = "1900000109";
pub(crate) const MERCHANT_SERIAL: &str = "3775B6A45ACD588826D15E583A95F5DD12345678";
pub(crate) const PLATFORM_SERIAL: &str = "7132D72A03E93CDDF8C03BBD1F37EEDF87654321";

/// One of the files in `tests/keys`.
pub(crate) fn key(name: &str) -> String {
    std::fs::read_to_string(key_path(name)).unwrap()
}

pub(crate) fn key_path(name: &str) -> String {
    format!("{}/tests/keys/{name}", env!("CARGO_MANIFEST_DIR"))
}
