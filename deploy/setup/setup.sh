#!/usr/bin/env bash
# Prepares a fresh machine, one step a function: `setup.sh build` for building and serving, `setup.sh test` for the tests as well,
# `setup.sh lint`, `setup.sh fuzz`, `setup.sh training`, `setup.sh peers`, `setup.sh all`.
#
# Everything lands in the ignored folder `.runtime/`, written aside and renamed, so that an interrupted set-up leaves nothing half-made. A step whose
# result is there does nothing and never touches the network. Nothing is installed into the system but packages of its own package manager,
# and those only as root or with password-less sudo.
set -euo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$project"
here=deploy/setup
runtime=$project/.runtime
# shellcheck source=deploy/setup/lib.sh
. "$here/lib.sh"

ort_version=1.31.1
inferno_version=0.12.8
minimum_rust=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)

check_tools() {
    have cc || have gcc || have clang || install_system_package gcc || fail "a C compiler is needed." "Run: $(mending_command gcc)"
    have cargo || fail "Rust $minimum_rust or newer is needed." "Install it with rustup, then run this again."
    local found
    found=$(rustc --version | sed 's/^rustc \([0-9.]*\).*/\1/')
    [ "$(printf '%s\n' "$minimum_rust" "$found" | sort -V | head -n 1)" = "$minimum_rust" ] ||
        fail "Rust $minimum_rust or newer is needed, found $found." "Run: rustup update stable"
}

check_python() {
    have python3 || install_system_package python3 || fail "Python 3 is needed." "Run: $(mending_command python3)"
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 9))' ||
        fail "Python 3.9 or newer is needed, found $(python3 --version)." "Put a newer python3 first in PATH."
}

# Only a step that has something to fetch asks for pip: a prepared machine may have lost it.
check_pip() {
    check_python
    python3 -m pip --version >/dev/null 2>&1 || install_system_package python3-pip ||
        fail "pip for $(command -v python3) is needed." "Run: $(mending_command python3-pip)"
}

# The library that runs the models.
setup_onnxruntime() {
    local target=$runtime/onnxruntime/$ort_version library=libonnxruntime.so.$ort_version
    [ -f "$target/$library" ] && return
    local machine
    machine=$(uname -m)
    case $(uname -s)-$machine in
        Linux-x86_64 | Linux-aarch64) ;;
        *) fail "no ONNX Runtime is pinned for $(uname -s) on $machine." "Put its library in place and name it in ORT_DYLIB_PATH." ;;
    esac
    check_pip
    say "ONNX Runtime $ort_version: fetching 24 MB"
    local aside=$runtime/aside.onnxruntime
    rm -rf "$aside" && mkdir -p "$aside" "$runtime/onnxruntime"
    pip download --only-binary=:all: --no-deps --require-hashes --python-version 311 --implementation cp --abi cp311 \
        --platform "manylinux_2_28_$machine" --dest "$aside" --requirement "$here/onnxruntime.txt" >&2 ||
        fail "ONNX Runtime could not be fetched." "Check the network and run this again."
    python3 - "$aside" <<'PYTHON'
import pathlib, sys, zipfile

folder = pathlib.Path(sys.argv[1])
(wheel,) = folder.glob("*.whl")
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        wanted = name.startswith("onnxruntime/capi/libonnxruntime") or name in ("onnxruntime/LICENSE", "onnxruntime/ThirdPartyNotices.txt")
        if wanted:
            (folder / pathlib.PurePosixPath(name).name).write_bytes(archive.read(name))
wheel.unlink()
PYTHON
    [ -f "$aside/$library" ] || fail "the ONNX Runtime wheel holds no $library." "Report this: the pinned version and the file name disagree."
    rm -rf "$target" && mv "$aside" "$target"
    note "in $target"
}

# CMake, for libjpeg-turbo. A cmake that cannot start (a version manager's empty shim) is as good as none.
setup_cmake() {
    [ -x "$runtime/bin/cmake" ] && "$runtime/bin/cmake" --version >/dev/null 2>&1 && return
    cmake --version >/dev/null 2>&1 && return
    check_pip
    say "CMake: fetching 30 MB"
    local aside=$runtime/aside.cmake
    rm -rf "$aside" && mkdir -p "$aside" "$runtime/bin"
    pip install --no-deps --only-binary=:all: --require-hashes --target "$aside" --requirement "$here/cmake.txt" >&2 ||
        fail "CMake could not be fetched." "Check the network and run this again, or install it: $(mending_command cmake)"
    rm -rf "$runtime/cmake" && mv "$aside" "$runtime/cmake"
    ln -sfn ../cmake/cmake/data/bin/cmake "$runtime/bin/cmake"
    "$runtime/bin/cmake" --version >/dev/null || fail "the fetched CMake does not start." "Install it instead: $(mending_command cmake)"
}

# The assembler, for the SIMD code of libjpeg-turbo on x86-64. Without it JPEGs decode to the same pixels, slower, so its absence stops nothing.
setup_nasm() {
    [ "$(uname -m)" = x86_64 ] || return 0
    local tried=$runtime/nasm-not-available
    if ! have nasm && [ ! -f "$tried" ]; then
        say "nasm: asking the system's package manager"
        install_system_package nasm || { mkdir -p "$runtime" && touch "$tried"; }
        hash -r
    fi
    if have nasm; then
        rm -f "$tried"
        forget_slow_jpeg
    elif ! jpeg_is_built; then
        say "nasm is not here: JPEG decoding is built without SIMD code (same pixels, slower)"
        note "To mend it: $(mending_command nasm)   then run make again"
    fi
}

jpeg_build_logs() { ls target/release/build/turbojpeg-sys-*/output 2>/dev/null || true; }
jpeg_is_built() { [ -n "$(jpeg_build_logs)" ]; }

# Cargo does not see that an assembler has come; the build script's own words tell that it built without one.
forget_slow_jpeg() {
    local logs
    logs=$(jpeg_build_logs)
    [ -n "$logs" ] || return 0
    # shellcheck disable=SC2086 # one path a word
    if grep -qs "NASM does not seem to be installed" $logs; then
        say "nasm has come: libjpeg-turbo is built again, with SIMD code"
        cargo clean --quiet --release --locked --offline --target-dir target --package turbojpeg-sys
    fi
}

# Sources of the Rust dependencies. Cargo itself is asked whether they are here, so a cleared cache is noticed.
setup_crates() {
    local host
    host=$(rustc -vV | sed -n 's/^host: //p')
    cargo metadata --quiet --locked --offline --format-version 1 --filter-platform "$host" >/dev/null 2>&1 && return
    say "Rust dependencies: fetching"
    cargo fetch --locked --target "$host" ||
        fail "the Rust dependencies could not be fetched." "Check the network and run this again."
}

# setup_environment NAME LABEL LIST... : a virtual environment in .runtime/NAME with what the lists pin.
# Made without pip inside: Debian's bare Python has no ensurepip, and the pip that installs into it is the caller's.
setup_environment() {
    local name=$1 label=$2 key
    shift 2
    key="$(key_of "$@") $(python3 -c 'import sys; print(sys.version)')"
    local target=$runtime/$name lists=() packages
    in_place "$target" "$key" && "$target/bin/python" -c '' 2>/dev/null && return
    check_pip
    say "$label: fetching"
    for list in "$@"; do lists+=(--requirement "$list"); done
    rm -rf "$target"
    python3 -m venv --without-pip "$target" || fail "a virtual environment cannot be made." "Run: $(mending_command python3-venv)"
    packages=$("$target/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    pip install --only-binary=:all: --target "$packages" "${lists[@]}" >&2 ||
        fail "$label could not be fetched." "Check the network and run this again."
    printf '%s\n' "$key" >"$target/.complete"
}

# A PostgreSQL server's programs, for the tests that start one of their own; nothing is done with a server that runs here already.
setup_postgres() {
    local folder
    for folder in "${VIGIE_TEST_POSTGRES_BIN:-}" ${PATH//:/ } /usr/lib/postgresql/*/bin; do
        [ -x "$folder/initdb" ] && [ -x "$folder/pg_ctl" ] && return
    done
    local package=postgresql
    if have dnf || have zypper; then package=postgresql-server; fi
    say "PostgreSQL: asking the system's package manager"
    install_system_package "$package" ||
        fail "a PostgreSQL server's programs are needed by the tests." "Run: $(mending_command "$package")" \
            "or name the folder of initdb and pg_ctl in VIGIE_TEST_POSTGRES_BIN."
}

check_lint_tools() {
    { cargo fmt --version && cargo clippy --version; } >/dev/null 2>&1 ||
        fail "rustfmt and clippy are needed." "Run: rustup component add rustfmt clippy"
}

for_build() {
    check_tools
    setup_crates
    setup_cmake
    setup_nasm
    setup_onnxruntime
}

for_test() {
    for_build
    check_python
    setup_postgres
    setup_environment python "Python packages of the tests" "$here/test.txt"
}

# libFuzzer is C++.
for_fuzz() {
    for_build
    have c++ || have g++ || have clang++ || install_system_package g++ || fail "a C++ compiler is needed." "Run: $(mending_command g++)"
}

# What draws flame graphs. perf, which takes the samples, belongs to the system's kernel and is asked for by the script that needs it.
for_flame() {
    for_test
    local target=$runtime/inferno
    in_place "$target" "$inferno_version" && return
    say "inferno $inferno_version: fetching and building"
    rm -rf "$target"
    cargo install --quiet --locked --version "$inferno_version" --root "$target" --target-dir target/inferno inferno ||
        fail "inferno could not be had." "Check the network and run this again."
    printf '%s\n' "$inferno_version" >"$target/.complete"
}

for_training() {
    check_python
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "the training needs Python 3.11 or newer, found $(python3 --version)." "Put a newer python3 first in PATH."
    setup_environment training "PyTorch and what the training needs (about 3 GB)" models/adsafety/training/requirements.txt
}

# for_peer NAME : one server to compare with, or `load`, which asks them all.
for_peer() {
    local list=$here/peers-$1.txt
    [ -f "$list" ] || fail "there is no peer '$1'." "There are: $(peers | tr '\n' ' ')"
    check_python
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "the peers need Python 3.11 or newer, found $(python3 --version)." "Put a newer python3 first in PATH."
    # The lists are whole, so pip need not look for more, nor compare with what the caller has.
    PIP_NO_DEPS=1 setup_environment "peers/$1" "$1, for comparing" "$list"
}

peers() { find "$here" -name 'peers-*.txt' | sed 's/.*peers-\(.*\)\.txt/\1/' | sort; }

# A peer that cannot be had is left out of the comparison, which says what was said here. Each is a run of this script: bash would carry on after a
# failed command of a function whose outcome is asked for.
for_peers() {
    for_peer load
    local name
    for name in $(peers | grep -v '^load$'); do
        "$project/$here/setup.sh" peer "$name" 2>&1 | tee "$runtime/peers/$name.log" >&2 || note "$name is left out"
    done
}

# Plain sequences, not `a && b`: in a chain of conditions bash would carry on after a failed command.
case ${1:-} in
    build) for_build ;;
    test) for_test ;;
    fuzz) for_fuzz ;;
    flame) for_flame ;;
    training) for_training ;;
    peers) for_peers ;;
    peer) for_peer "${2:-}" ;;
    lint)
        for_build
        check_lint_tools
        ;;
    all)
        rm -f "$runtime/nasm-not-available"
        for_test
        check_lint_tools
        say "ready: make run"
        ;;
    *) fail "what to prepare?" "Run: deploy/setup/setup.sh build | lint | test | fuzz | flame | training | peers | all" ;;
esac
