#!/usr/bin/env bash
# The workspace states its minimum Rust version. No dependency may need a later
# one; where that toolchain is installed the workspace is built with it too
# (clippy's incompatible_msrv lint checks our own use of std in any case).
set -euo pipefail
cd "$(dirname "$0")/.."
stated=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
cargo metadata --format-version 1 --locked | python3 -c '
import json, sys
stated = tuple(int(n) for n in sys.argv[1].split("."))
late = []
for package in json.load(sys.stdin)["packages"]:
    needed = package.get("rust_version")
    if needed and tuple(int(n) for n in needed.split("."))[:2] > stated[:2]:
        late.append("{} {} needs Rust {}".format(package["name"], package["version"], needed))
if late:
    sys.exit("later than the stated minimum:\n  " + "\n  ".join(late))
' "$stated"
if rustup toolchain list 2>/dev/null | grep -q "^$stated"; then
    cargo "+$stated" check --workspace --locked
    echo "built with Rust $stated"
else
    echo "dependencies fit Rust $stated; that toolchain is not installed, so nothing was built with it"
fi
