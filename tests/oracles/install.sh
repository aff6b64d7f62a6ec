#!/usr/bin/env bash
# Installs the judges that the tests ask: OpenSSL, EU DSS, veraPDF, asn1crypto,
# pyHanko, signxml, qpdf, mutool, poppler, libxml2, xmlsec1, a font for Chinese,
# Japanese and Korean, and GNU time, and the fuzzing and licence tools.
# Quick when they are there already.
set -euo pipefail
cd "$(dirname "$0")"

missing=()
command -v openssl >/dev/null || missing+=(openssl)
command -v qpdf >/dev/null || missing+=(qpdf)
command -v mutool >/dev/null || missing+=(mupdf-tools)
{ command -v pdfsig && command -v pdftoppm; } >/dev/null || missing+=(poppler-utils)
command -v xmlsec1 >/dev/null || missing+=(xmlsec1)
[ -e /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc ] || missing+=(fonts-noto-cjk)
[ -x /usr/bin/time ] || missing+=(time)
command -v mvn >/dev/null || missing+=(maven)
command -v javac >/dev/null || missing+=(default-jdk-headless)
python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3 python3-venv)
python3 -c 'import ctypes.util, sys; sys.exit(ctypes.util.find_library("xml2") is None)' 2>/dev/null || missing+=(libxml2)
command -v cc >/dev/null || missing+=(build-essential)
command -v c++ >/dev/null || missing+=(g++)
command -v cmake >/dev/null || missing+=(cmake)
if ((${#missing[@]})); then
    sudo=""
    [ "$(id -u)" = 0 ] || sudo="sudo"
    $sudo apt-get update -qq
    $sudo apt-get install -y -qq "${missing[@]}"
fi

# EU DSS, judge and signer, and veraPDF, judge of PDF/A and PDF/UA: a JVM each, that
# answers line by line.
for judge in dss verapdf; do
    if [ ! -d $judge/target/lib ] || [ -n "$(find $judge/pom.xml $judge/src -newer $judge/target/lib -print -quit)" ]; then
        mvn -q -B -f $judge/pom.xml package
        touch $judge/target/lib
    fi
done

# asn1crypto, a strict reader of another make, pyHanko, judge and signer of PDF
# signatures, and signxml, the same for XML.
if [ ! -x python/venv/bin/python ] || [ python/requirements.txt -nt python/venv/installed ]; then
    python3 -m venv python/venv
    python/venv/bin/pip install --quiet --requirement python/requirements.txt
    touch python/venv/installed
fi

command -v cargo-fuzz >/dev/null || cargo install --quiet --locked cargo-fuzz@0.13.2
