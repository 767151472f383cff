# `just check`, `just test`, `just bench`, `just generate`: what CI runs, and what makes the files that are kept.

check:
    cargo fmt --check
    cargo clippy --locked --all-targets --all-features -- -D warnings

test:
    cargo test --locked --all-features

# Times on one million simulated sessions; see benches/README.md
bench:
    benches/million.sh

# The sample data and the report that is kept under reports/
generate:
    cargo run --locked --release -- simulate --sample-data --out sample_data
    cargo run --locked --release -- run pipelines/pih_by_skin_tone.toml

deny:
    cargo deny check
