#!/usr/bin/env bash
# Everything that is checked, on a machine that has the toolchains (Rust,
# Java with Maven, Python) and may install the rest. Fails if a judge is missing.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TERM_COLOR=never RUST_BACKTRACE=1

step() { printf '\n== %s\n' "$*"; }

step "judges"
bash tests/oracles/install.sh

step "format, lints, documentation"
cargo fmt --all --check
cargo clippy --workspace --all-targets --locked -- -D warnings
cargo fmt --manifest-path fuzz/Cargo.toml --all --check
RUSTFLAGS="--cfg fuzzing" cargo clippy --manifest-path fuzz/Cargo.toml --locked -- -D warnings
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet

step "minimum Rust version"
bash tests/msrv.sh

step "dependencies: licences, duplicates, sources, advisories where the database can be reached"
command -v cargo-deny >/dev/null || cargo install --locked cargo-deny@0.20.2
cargo deny --offline check bans licenses sources
if timeout 60 cargo deny fetch db 2>/dev/null; then
    cargo deny --offline check advisories
else
    echo "advisories: the database is out of reach; run 'cargo deny check advisories' online"
fi

step "the program with optimisation, whose memory is measured"
# Without what makes it smaller still, and takes half of the time.
CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
    cargo build --release --locked -p ades-cli
export ADES_RELEASE="$PWD/target/release/ades"

step "tests"
notes="${CARGO_TARGET_DIR:-target}/test-notes"
rm -rf "$notes"
cargo test --workspace --locked

step "fuzzing, a bounded number of runs each"
bash fuzz/smoke.sh

step "files of others: what ran, and what did not run and why"
if [ -f "$notes/corpora.txt" ]; then
    sort "$notes/corpora.txt"
    echo "$(grep -c '^ran ' "$notes/corpora.txt" || true) tests read such files," \
        "$(grep -c '^did not run' "$notes/corpora.txt" || true) did not run"
else
    echo "no test has said anything"
fi
