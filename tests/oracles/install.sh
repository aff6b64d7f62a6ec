#!/usr/bin/env bash
# Installs the judges that the tests ask: Debian packages (tests/needs.sh), then EU DSS and veraPDF
# with Maven, asn1crypto, pyHanko, signxml and certomancer in a Python environment, and axe-core with
# npm. Quick when they are already there.
set -euo pipefail
cd "$(dirname "$0")"
bash ../needs.sh judges

# EU DSS (judge and signer) and veraPDF (judge of PDF/A and PDF/UA): a JVM each, which answers one
# request per line.
for judge in dss verapdf; do
    if [ ! -d $judge/target/lib ] || [ -n "$(find $judge/pom.xml $judge/src -newer $judge/target/lib -print -quit)" ]; then
        mvn -q -B -f $judge/pom.xml package
        touch $judge/target/lib
    fi
done

# asn1crypto, a strict reader of CMS; pyHanko, judge and signer of PDF signatures; signxml, the same
# for XML; certomancer, a PKI with time-stamps, OCSP and CRLs at any time.
if [ ! -x python/venv/bin/python ] || [ python/requirements.txt -nt python/venv/installed ]; then
    python3 -m venv python/venv
    python/venv/bin/pip install --quiet --requirement python/requirements.txt
    touch python/venv/installed
fi

# axe-core, a judge of the accessibility of pages.
if [ axe/package-lock.json -nt axe/node_modules/installed ]; then
    (cd axe && npm ci --silent --ignore-scripts --no-audit --no-fund)
    touch axe/node_modules/installed
fi
