#!/usr/bin/env bash
# Counts the instructions of signing and verifying with callgrind, and compares them with the
# committed figures: `bash tests/counts.sh`. A figure that has grown by more than 5 % is a failure.
# `bash tests/counts.sh --renew` replaces the figures: commit them with the change that explains them.
#
# Figures belong to the compiler that they name, so comparing uses that one, through rustup if it is
# not the default. Renewing uses the default compiler, and names it.
set -euo pipefail
cd "$(dirname "$0")/.."
figures=tests/counts/figures.tsv

case "$*" in
"")
    compiler=$(sed -n 's/^rustc\t//p' "$figures")
    if [ "$(rustc --version | cut -d ' ' -f 2)" != "$compiler" ]; then
        export RUSTUP_TOOLCHAIN="$compiler"
        if ! rustc --version >/dev/null 2>&1; then
            echo "tests/counts.sh: the figures belong to rustc $compiler, which is not installed:" \
                "rustup toolchain install $compiler --profile minimal; or renew the figures with" \
                "bash tests/counts.sh --renew" >&2
            exit 1
        fi
    fi
    ;;
--renew) ;;
*)
    echo "tests/counts.sh: \"$*\" is not an argument; --renew is the only one" >&2
    exit 2
    ;;
esac
cargo run --quiet --profile counts --locked -p instruction-counts -- "$@" "$figures"
