#!/usr/bin/env bash
# Installs the judges that the tests ask: OpenSSL, EU DSS, asn1crypto, pyHanko, and
# the fuzzing and licence tools. Quick when they are there already.
set -euo pipefail
cd "$(dirname "$0")"

missing=()
command -v openssl >/dev/null || missing+=(openssl)
command -v mvn >/dev/null || missing+=(maven)
command -v javac >/dev/null || missing+=(default-jdk-headless)
python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3 python3-venv)
command -v cc >/dev/null || missing+=(build-essential)
command -v c++ >/dev/null || missing+=(g++)
command -v cmake >/dev/null || missing+=(cmake)
if ((${#missing[@]})); then
    sudo=""
    [ "$(id -u)" = 0 ] || sudo="sudo"
    $sudo apt-get update -qq
    $sudo apt-get install -y -qq "${missing[@]}"
fi

# EU DSS: judge and signer, one JVM that answers line by line.
if [ ! -d dss/target/lib ] || [ -n "$(find dss/pom.xml dss/src -newer dss/target/lib -print -quit)" ]; then
    mvn -q -B -f dss/pom.xml package
    touch dss/target/lib
fi

# asn1crypto, a strict reader of another make, and pyHanko, the judge of PAdES.
if [ ! -x python/venv/bin/python ] || [ python/requirements.txt -nt python/venv/installed ]; then
    python3 -m venv python/venv
    python/venv/bin/pip install --quiet --requirement python/requirements.txt
    touch python/venv/installed
fi

command -v cargo-fuzz >/dev/null || cargo install --quiet --locked cargo-fuzz@0.13.2
