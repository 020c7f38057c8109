# The commands for daily work. `just` lists them; each one is plain cargo, so you can also type it yourself.

_default:
    @just --list

# Run all tests: unit, integration, doctests, the code of the documents. `just test conformance` runs some of them.
test *args:
    cargo test --all-features {{args}}

# Check formatting, lints and documentation. Warnings are errors.
check:
    cargo fmt --check
    cargo clippy --locked --all-targets --all-features -- -D warnings
    cargo clippy --locked --lib --no-default-features -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --all-features

# Run an example, such as `just example refund`.
example name="quickstart" *args:
    cargo run --features sandbox --example {{name}} -- {{args}}

# Run the offline platform, such as `just sandbox --port 8080`.
sandbox *args:
    cargo run --features sandbox --example sandbox -- {{args}}

# Run a benchmark: paired, call, files, batch, runtimes, sandbox, catalogue or startup. (`benches/instructions.sh` counts instructions.)
bench name="paired":
    cargo bench --all-features --bench {{name}}
