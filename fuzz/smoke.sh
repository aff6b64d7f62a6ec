#!/usr/bin/env bash
# Each fuzz target for a bounded number of runs, from the committed seeds:
# `fuzz/smoke.sh [RUNS]`. Longer: cargo +nightly fuzz run TARGET -- -max_total_time=600
set -euo pipefail
cd "$(dirname "$0")"
runs="${1:-20000}"
for target in cms_parse pending_state certificate_chain itsme_json c14n pdf_read pdf_sign \
    pdf_verify xml_verify; do
    # Those for PDFs have their seeds in common.
    seeds="seeds/${target/#pdf_*/pdf}"
    mkdir -p "corpus/$target"
    cargo +nightly fuzz run --fuzz-dir . "$target" "corpus/$target" "$seeds" -- \
        -runs="$runs" -max_len=16384 -timeout=10 -rss_limit_mb=2048 -verbosity=0
    echo "fuzzed: $target, $runs runs, no finding"
done
