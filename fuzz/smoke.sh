#!/usr/bin/env bash
# Each fuzz target for a bounded number of runs and a quarter of a minute at most, from
# the committed seeds, and from the documents that others made where they are
# (ADES_CORPORA, else ../shared/corpora): `fuzz/smoke.sh [RUNS [SECONDS]]`.
set -euo pipefail
cd "$(dirname "$0")"
runs="${1:-20000}"
seconds="${2:-15}"
corpora="${ADES_CORPORA:-../../shared/corpora}"
for target in cms_parse pending_state certificate_chain itsme_json c14n pdf_read pdf_sign \
    pdf_verify xml_verify; do
    # Those for PDFs have their seeds in common; signed XML is longer.
    seeds=("seeds/${target/#pdf_*/pdf}")
    longest=16384
    others=()
    case "$target" in
        xml_verify) others=("$corpora/signed" "$corpora/more/tests/fixtures/xades"); longest=65536 ;;
        c14n) others=("$corpora/xml" "$corpora/c14n") ;;
        pdf_*) others=("$corpora/pdf") ;;
        cms_parse) others=("$corpora/signed") ;;
    esac
    for folder in "${others[@]}"; do
        if [ -d "$folder" ]; then
            seeds+=("$folder")
        else
            echo "fuzzing $target: without the seeds of $folder, which does not exist"
        fi
    done
    mkdir -p "corpus/$target"
    # No code of ours is unsafe: without sanitizers it is built and run in half the time.
    cargo +nightly fuzz run --fuzz-dir . --sanitizer none --codegen-units 16 "$target" "corpus/$target" "${seeds[@]}" -- \
        -seed=1 -runs="$runs" -max_total_time="$seconds" -max_len="$longest" -timeout=10 -rss_limit_mb=2048 -verbosity=0
    echo "fuzzed: $target, no finding"
done
