#!/usr/bin/env bash
# Checks what the steps of tests/run.sh need and installs what is missing, before anything runs:
# `bash tests/needs.sh STEP…`. Prints one list: what was found, what was installed, what is missing
# and how to install it. What the lint step needs may be missing unless CI is set: the step is then
# left out, and the list says so. The names of such steps go to the file that NEEDS_LEFT_OUT names.
set -euo pipefail
cd "$(dirname "$0")/.."

steps=" $* "
found=() installed=() missing=() left_out=()
packages=() package_names=()

# Whether one of these steps runs: `runs lint judges`.
runs() {
    local step
    for step in "$@"; do
        [[ $steps == *" $step "* ]] && return 0
    done
    return 1
}

# A Debian package, if a command fails: `debian NAME PACKAGE COMMAND…`. All are installed at once.
debian() {
    local name=$1 package=$2
    shift 2
    if "$@" >/dev/null 2>&1; then
        found+=("$name")
    else
        packages+=("$package")
        package_names+=("$name:$package:$(printf '%q ' "$@")")
    fi
}

install_packages() {
    ((${#packages[@]})) || return 0
    local sudo="" entry name package probe
    [ "$(id -u)" = 0 ] || sudo="sudo"
    if command -v apt-get >/dev/null; then
        echo "installing: ${packages[*]}"
        $sudo apt-get update -qq || true
        $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${packages[@]}" >/dev/null || true
    fi
    hash -r
    for entry in "${package_names[@]}"; do
        IFS=: read -r name package probe <<<"$entry"
        if eval "$probe" >/dev/null 2>&1; then
            installed+=("$name (Debian package $package)")
        else
            missing+=("$name: install the Debian package $package, or that of your system")
        fi
    done
}

# A part of the Rust toolchain: `component NAME COMMAND…`.
component() {
    local name=$1
    shift
    if "$@" >/dev/null 2>&1; then
        found+=("$name")
    elif command -v rustup >/dev/null && rustup component add "$name" >/dev/null 2>&1 && "$@" >/dev/null 2>&1; then
        installed+=("$name (rustup component)")
    else
        left_out+=("$name: rustup component add $name; without rustup, the package of your system that has it")
    fi
}

# A program from the registry: `program NAME VERSION`.
program() {
    local name=$1 version=$2
    if command -v "$name" >/dev/null; then
        found+=("$name")
        return
    fi
    echo "installing: $name $version, which takes a minute or two"
    if cargo install --quiet --debug --locked "$name@$version" && command -v "$name" >/dev/null; then
        installed+=("$name $version")
    else
        missing+=("$name: cargo install --locked $name@$version, and its folder (~/.cargo/bin) in PATH")
    fi
}

# The compiler that the committed instruction counts belong to, and the processor.
counting_compiler() {
    local version
    version=$(sed -n 's/^rustc\t//p' tests/counts/figures.tsv)
    if [ "$(uname -sm)" != "Linux x86_64" ] || ! grep -qw avx2 /proc/cpuinfo; then
        missing+=("Linux on x86-64 with AVX2: instruction counts belong to it; name the other steps to leave out counts")
    elif [ "$(rustc --version | cut -d ' ' -f 2)" = "$version" ] ||
        RUSTUP_TOOLCHAIN=$version rustc --version >/dev/null 2>&1; then
        found+=("rustc $version for instruction counts")
    elif command -v rustup >/dev/null && rustup toolchain install "$version" --profile minimal >/dev/null 2>&1; then
        installed+=("rustc $version for instruction counts (rustup toolchain)")
    else
        missing+=("rustc $version, which instruction counts belong to: rustup toolchain install $version --profile minimal; or renew them: bash tests/counts.sh --renew")
    fi
}

rust_is_new_enough() {
    local needed version
    needed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' crates/ades-cli/Cargo.toml)
    version=$(rustc --version | sed 's/^rustc \([0-9.]*\).*/\1/')
    printf '%s\n%s\n' "$needed" "$version" | sort --check=quiet --version-sort
}

has_python_with_venv() { python3 -c 'import ensurepip, venv'; }
# kill(1), not the shell's builtin. Procps has it on Debian.
has_kill() { type -P kill; }
# In a folder for each version, which is not in PATH.
has_postgresql() { compgen -G '/usr/lib/postgresql/*/bin/initdb'; }
has_libxml2() { python3 -c 'import ctypes.util, sys; sys.exit(ctypes.util.find_library("xml2") is None)'; }

if ! command -v cargo >/dev/null; then
    missing+=("Rust: install rustup from https://rustup.rs, then run this again")
elif ! rust_is_new_enough; then
    missing+=("a newer Rust: $(rustc --version) is too old; rustup update stable")
else
    found+=("$(rustc --version | cut -d ' ' -f 1-2)")
fi

debian "a C compiler" build-essential command -v cc
if runs judges fuzz; then
    debian "a C++ compiler" g++ command -v c++
fi
debian cmake cmake command -v cmake
if runs msrv judges; then
    debian "python3 with venv" python3-venv has_python_with_venv
fi
if runs package; then
    debian git git command -v git
fi
if runs counts; then
    debian valgrind valgrind command -v valgrind
fi
if runs judges; then
    debian kill procps has_kill
    debian openssl openssl command -v openssl
    debian qpdf qpdf command -v qpdf
    debian mutool mupdf-tools command -v mutool
    debian pdfsig poppler-utils command -v pdfsig
    debian pdftoppm poppler-utils command -v pdftoppm
    debian xmlsec1 xmlsec1 command -v xmlsec1
    # What a person sees of the pages of `ades` and of the sandbox.
    debian Chromium chromium command -v chromium
    debian chromedriver chromium-driver command -v chromedriver
    debian npm npm command -v npm
    # Text of visible signatures in Chinese, Japanese and Korean.
    debian "Noto Sans CJK" fonts-noto-cjk test -e /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc
    debian "GNU time" time test -x /usr/bin/time
    debian PostgreSQL postgresql has_postgresql
    debian "a JDK" default-jdk-headless command -v javac
    debian Maven maven command -v mvn
    debian libxml2 libxml2 has_libxml2
fi
install_packages

if command -v cargo >/dev/null; then
    if runs lint; then
        component clippy cargo clippy --version
        component rustfmt cargo fmt --version
    fi
    ! runs counts || counting_compiler
    ! runs deny || program cargo-deny 0.20.2
    ! runs fuzz || program cargo-fuzz 0.13.2
fi

list() {
    local title=$1
    shift
    (($#)) || return 0
    printf '%s:\n' "$title"
    printf '  %s\n' "$@"
}
list "found" "${found[@]}"
list "installed" "${installed[@]}"
if ((${#left_out[@]})) && [ -n "${CI:-}" ]; then
    missing+=("${left_out[@]}")
elif ((${#left_out[@]})); then
    list "missing, so that the step lint is left out (with CI set this is an error)" "${left_out[@]}"
    [ -z "${NEEDS_LEFT_OUT:-}" ] || echo lint >>"$NEEDS_LEFT_OUT"
fi
if ((${#missing[@]})); then
    list "missing" "${missing[@]}"
    exit 1
fi
