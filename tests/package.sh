#!/usr/bin/env bash
# What the registry would get of each crate that may be published: no warning, a README, the
# metadata, and a build from the packaged files alone. `bash tests/package.sh --no-verify` leaves
# the build out.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo metadata --format-version 1 --no-deps --locked | python3 -c '
import json, os, sys
wrong = []
for package in json.load(sys.stdin)["packages"]:
    if package["publish"] == []:
        continue
    name, folder = package["name"], os.path.dirname(package["manifest_path"])
    for key in ("description", "license", "repository", "keywords", "categories", "readme", "rust_version"):
        if not package[key]:
            wrong.append(f"{name}: {key} is missing in Cargo.toml, or the file does not exist")
    if len(package["keywords"]) > 5 or len(package["categories"]) > 5:
        wrong.append(f"{name}: the registry takes five keywords and five categories at most")
    if package["readme"] and not os.path.isfile(os.path.join(folder, package["readme"])):
        wrong.append(f"{name}: the readme does not exist")
    for dependency in package["dependencies"]:
        if "path" in dependency and dependency["kind"] != "dev" and dependency["req"] == "*":
            other = dependency["name"]
            wrong.append(f"{name}: the dependency on {other} has no version")
sys.exit("\n".join(wrong) if wrong else 0)
'
mapfile -t published < <(cargo metadata --format-version 1 --no-deps --locked | python3 -c '
import json, sys
for package in json.load(sys.stdin)["packages"]:
    if package["publish"] != []:
        print(package["name"] + "@" + package["version"])
')
log=$(mktemp)
trap 'rm -f "$log"' EXIT
cargo package "${published[@]/#/--package=}" --no-verify --allow-dirty --locked 2>&1 | tee "$log"
if grep -q '^warning' "$log"; then
    echo "cargo package has warnings, see above"
    exit 1
fi
[ "$*" = --no-verify ] && exit 0

# The packages are built together: one by one, each would build its dependencies again.
target="${CARGO_TARGET_DIR:-$PWD/target}"
unpacked="$target/package/unpacked"
rm -rf "$unpacked"
mkdir -p "$unpacked"
cp Cargo.lock "$unpacked"
{
    printf '[workspace]\nresolver = "3"\nmembers = ["*"]\n\n[patch.crates-io]\n'
    for package in "${published[@]}"; do
        tar -xzf "$target/package/${package/@/-}.crate" -C "$unpacked"
        printf '%s = { path = "%s" }\n' "${package%@*}" "${package/@/-}"
    done
} >"$unpacked/Cargo.toml"
cargo check --manifest-path "$unpacked/Cargo.toml" --target-dir "$target" --workspace --offline
