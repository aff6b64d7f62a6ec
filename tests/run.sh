#!/usr/bin/env bash
# Everything that is checked: `bash tests/run.sh [STEP…]`, without arguments all steps but `test`,
# which is a part of `judges`. Needs Rust; tests/needs.sh installs the rest or says how.
#
#   lint      plain words, format, clippy, documentation
#   msrv      no dependency needs a later Rust than a crate states
#   deny      licences, duplicates, sources and advisories of dependencies
#   test      what `cargo test` runs: Rust alone
#   judges    all tests, those that ask EU DSS, OpenSSL, pyHanko and others too
#   counts    instruction counts against committed figures
#   fuzz      a bounded number of runs of each fuzz target
#   package   what the registry would get of each crate, built
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TERM_COLOR=never RUST_BACKTRACE=1
# Nothing is built twice, and a hundred test programs are linked: what a debugger needs beyond line
# numbers, and what the next build would reuse, cost minutes and gigabytes.
export CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=line-tables-only
target="${CARGO_TARGET_DIR:-$PWD/target}"

all=(lint msrv deny judges counts fuzz package)
steps=("$@")
((${#steps[@]})) || steps=("${all[@]}")
for step in "${steps[@]}"; do
    case " ${all[*]} test " in
    *" $step "*) ;;
    *)
        echo "tests/run.sh: \"$step\" is not a step; the steps are: ${all[*]} test" >&2
        exit 2
        ;;
    esac
done

step_lint() {
    bash tests/plain_words.sh
    cargo fmt --all --check
    cargo fmt --manifest-path fuzz/Cargo.toml --all --check
    cargo clippy --workspace --all-targets --all-features --locked -- -D warnings
    RUSTFLAGS="--cfg fuzzing" cargo clippy --manifest-path fuzz/Cargo.toml --locked -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet
}

step_msrv() {
    bash tests/msrv.sh
}

step_deny() {
    cargo deny --offline check bans licenses sources
    if timeout 60 cargo deny fetch db 2>/dev/null; then
        cargo deny --offline check advisories
    else
        note "advisories were not checked: their database cannot be reached; 'cargo deny check advisories' checks them online"
    fi
}

step_test() {
    cargo test --locked
}

step_judges() {
    bash tests/oracles/install.sh
    # Most tests of the command line wait for a signer, not for the processor. The examples of
    # `ades` are built with the tests, which then run them.
    RUST_TEST_THREADS=$((2 * $(nproc))) ADES_EXAMPLES="$target/debug/examples" \
        cargo test --workspace --locked --no-fail-fast \
        --features ades-cli/judges,ades-demo/judges,ades-session/tokio -- --include-ignored
}

step_counts() {
    bash tests/counts.sh
}

step_fuzz() {
    bash fuzz/smoke.sh
}

step_package() {
    bash tests/package.sh
}

notes="$target/test-notes"
state=$(mktemp -d)
trap 'summary $?' EXIT

# Something to say at the end.
note() { echo "$*" | tee -a "$state/notes"; }

# What tests leave in target/test-notes (what ran, what did not and why), the notes of the steps,
# and the time of each step. Runs after a failure too.
summary() {
    printf '\n== summary\n'
    local file missing
    for file in "$notes"/* "$state/notes"; do
        [ -f "$file" ] || continue
        [ "$file" = "$state/notes" ] || printf -- '-- %s\n' "$(basename "$file")"
        sort -u "$file"
        missing=$(grep -c '^did not run' "$file" || true)
        [ "$missing" = 0 ] || echo "NOT CHECKED: $missing tests did not run, see the list above"
    done
    [ ! -f "$state/times" ] || cat "$state/times"
    printf 'total: %d s\n' "$SECONDS"
    if [ "$1" = 0 ]; then
        [ -f "$state/left-out" ] && echo "every step that ran passed" || echo "every step passed"
    else
        echo "FAILED: ${running:-the check of what is needed}"
    fi
    rm -rf "$state"
}

printf '== what is needed\n'
NEEDS_LEFT_OUT="$state/left-out" bash tests/needs.sh "${steps[@]}"
rm -rf "$notes"
mkdir -p "$notes"
printf 'needs: %d s\n' "$SECONDS" >>"$state/times"

for step in "${steps[@]}"; do
    if grep -qsx "$step" "$state/left-out"; then
        note "NOT CHECKED: the step $step was left out; see the list at the start"
        continue
    fi
    printf '\n== %s\n' "$step"
    running=$step
    started=$SECONDS
    "step_$step"
    printf '%s: %d s\n' "$step" "$((SECONDS - started))" | tee -a "$state/times"
done
running=""
