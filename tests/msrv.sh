#!/usr/bin/env bash
# Each crate states its minimum Rust version. No dependency of a crate may need a later one; where
# a stated toolchain is installed, the crates that state it are checked with it too. (Clippy's lint
# incompatible_msrv checks our own use of std in any case.)
set -euo pipefail
cd "$(dirname "$0")/.."
stated=$(cargo metadata --format-version 1 --locked | python3 -c '
import json, sys
metadata = json.load(sys.stdin)
packages = {package["id"]: package for package in metadata["packages"]}
nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}


def version(package):
    stated = package.get("rust_version")
    return tuple(int(part) for part in stated.split("."))[:2] if stated else (0, 0)


def needed(root):
    """What a user of the crate builds: everything but dev-dependencies."""
    seen, open_ids = set(), [root]
    while open_ids:
        current = open_ids.pop()
        if current not in seen:
            seen.add(current)
            open_ids += [
                dependency["pkg"]
                for dependency in nodes[current]["deps"]
                if any(kind["kind"] != "dev" for kind in dependency["dep_kinds"])
            ]
    return seen


late = []
for member in metadata["workspace_members"]:
    package = packages[member]
    if not package.get("rust_version"):
        late.append("{} states no rust-version".format(package["name"]))
        continue
    for dependency in map(packages.get, needed(member)):
        if version(dependency) > version(package):
            late.append("{} states Rust {}, its dependency {} {} needs {}".format(
                package["name"], package["rust_version"],
                dependency["name"], dependency["version"], dependency["rust_version"]))
    print(package["rust_version"], package["name"])
if late:
    sys.exit("\n".join(sorted(late)))
')
sort <<<"$stated" | awk '{ of[$1] = of[$1] " " $2 } END { for (v in of) print "Rust " v ":" of[v] }'
for version in $(cut -d ' ' -f 1 <<<"$stated" | sort -u); do
    if rustup toolchain list 2>/dev/null | grep -q "^$version"; then
        mapfile -t crates < <(sed -n "s/^$version \(.*\)/--package=\1/p" <<<"$stated")
        cargo "+$version" check --locked "${crates[@]}"
        echo "checked with Rust $version"
    else
        echo "dependencies fit Rust $version; that toolchain is not installed, so nothing was built with it"
    fi
done
