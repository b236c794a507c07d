# shellcheck shell=bash
# Words that every set-up step uses: saying what happens, failing with the command that mends it, asking the system's package manager,
# and installing from pinned lists. It knows no step and decides nothing.

bold='' red='' plain=''
[ -t 2 ] && bold=$'\033[1m' red=$'\033[1;31m' plain=$'\033[0m'

say() { echo "$bold==>$plain $*" >&2; }
note() { echo "    $*" >&2; }
fail() {
    echo "${red}error:$plain $1" >&2
    shift
    for line in "$@"; do echo "       $line" >&2; done
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# The words before a command that make it root's, or failure where neither root nor password-less sudo is ours.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif have sudo && sudo -n true >/dev/null 2>&1; then
        sudo -n "$@"
    else
        return 1
    fi
}

# system_package_command NAME... : the one command that installs these packages here; empty where the package manager is unknown.
system_package_command() {
    if have apt-get; then
        echo "apt-get install -y $*"
    elif have dnf; then
        echo "dnf install -y $*"
    elif have zypper; then
        echo "zypper --non-interactive install $*"
    elif have pacman; then
        echo "pacman -S --noconfirm $*"
    elif have apk; then
        echo "apk add $*"
    fi
}

# install_system_package NAME : true when the package manager installed it.
install_system_package() {
    local command
    command=$(system_package_command "$1")
    [ -n "$command" ] || return 1
    # shellcheck disable=SC2086 # the command is words
    as_root env DEBIAN_FRONTEND=noninteractive $command >/dev/null 2>&1 && return 0
    # An image that never fetched its package lists knows no package by name.
    have apt-get || return 1
    as_root apt-get update >/dev/null 2>&1 || return 1
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive $command >/dev/null 2>&1
}

# mending_command NAME : the command to show to a person, with sudo unless they are root.
mending_command() {
    local command
    command=$(system_package_command "$1")
    [ -n "$command" ] || { echo "install the package '$1' with your system's package manager"; return; }
    [ "$(id -u)" = 0 ] || command="sudo $command"
    echo "$command"
}

# in_place FOLDER KEY : true when FOLDER was completed for exactly this KEY.
in_place() { [ -f "$1/.complete" ] && [ "$(cat "$1/.complete")" = "$2" ]; }

# The content hash of some files, as a key for in_place.
key_of() { cat "$@" | python3 -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())'; }

# pip with the progress bar on a terminal only, and no advice about its own version.
pip() {
    local quiet=(--progress-bar off --quiet)
    [ -t 2 ] && quiet=()
    PIP_ROOT_USER_ACTION=ignore python3 -m pip "$1" --disable-pip-version-check --no-input "${quiet[@]}" "${@:2}"
}
