//! Compresses the catalogue for the binary; `src/catalogue/data/` is the source.

fn main() {
    println!("cargo::rerun-if-changed=src/catalogue/data");
    #[cfg(feature = "catalogue")]
    for name in ["operations", "notifications"] {
        compress(name);
    }
}

#[cfg(feature = "catalogue")]
fn compress(name: &str) {
    use std::io::Write as _;

    let source = format!("src/catalogue/data/{name}.txt");
    let text = std::fs::read(&source).unwrap_or_else(|e| panic!("{source}: {e}"));
    let folder = std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    let target = std::path::Path::new(&folder).join(format!("{name}.gz"));
    let file = std::fs::File::create(target).expect("OUT_DIR can be written");
    // `GzBuilder` without a time: two builds are equal.
    let mut encoder = flate2::GzBuilder::new().write(file, flate2::Compression::best());
    encoder.write_all(&text).and_then(|()| encoder.finish().map(drop)).expect("OUT_DIR can be written");
}
