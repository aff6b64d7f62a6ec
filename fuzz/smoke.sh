#!/usr/bin/env bash
# Runs each fuzz target a bounded number of times, for at most ten seconds, from the
# committed seeds, the same in every run, and from the documents of others where the corpora are
# (ADES_CORPORA, else ../shared/corpora): `fuzz/smoke.sh [RUNS [SECONDS]]`; -1 runs until the time
# is over.
set -euo pipefail
cd "$(dirname "$0")"
runs="${1:-5000}"
seconds="${2:-10}"
corpora="${ADES_CORPORA:-../../shared/corpora}"
for target in cms_extend cms_parse pending_state certificate_chain itsme_json c14n pdf_extend pdf_read pdf_sign \
    pdf_verify recipients xml_encodings xml_extend xml_verify ocsp crl token trusted_list; do
    # The targets for PDFs share their seeds, as those for signed XML do, which is longer.
    folder="${target/#pdf_*/pdf}"
    seeds=("seeds/${folder/#xml_extend/xml_verify}")
    longest=16384
    others=()
    case "$target" in
        xml_extend | xml_verify) others=("$corpora/signed" "$corpora/more/tests/fixtures/xades"); longest=65536 ;;
        c14n) others=("$corpora/xml" "$corpora/c14n") ;;
        pdf_*) others=("$corpora/pdf") ;;
        cms_extend) seeds+=(seeds/cms_parse); others=("$corpora/signed") ;;
        cms_parse) others=("$corpora/signed") ;;
        crl) others=("$corpora/pkits/crls") ;;
    esac
    for folder in "${others[@]}"; do
        if [ -d "$folder" ]; then
            seeds+=("$folder")
        else
            echo "fuzzing $target: without the seeds of $folder, which does not exist"
        fi
    done
    mkdir -p "corpus/$target"
    # No code of ours is unsafe: without sanitizers it builds and runs in half the time, and a
    # stable toolchain is enough.
    cargo fuzz run --fuzz-dir . --sanitizer none --codegen-units 16 "$target" "corpus/$target" "${seeds[@]}" -- \
        -seed=1 -runs="$runs" -max_total_time="$seconds" -max_len="$longest" -timeout=10 -rss_limit_mb=2048 -verbosity=0
    echo "fuzzed: $target, no finding"
done
