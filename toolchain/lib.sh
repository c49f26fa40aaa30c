# shellcheck shell=bash
# Shared by the toolchain scripts; sourced, never run.

say() { printf 'toolchain: %s\n' "$*" >&2; }

die() {
    say "$*"
    exit 1
}

cache_dir() { printf '%s\n' "${IPPON_CACHE:-$HOME/.cache/ippon}"; }

# need_package <what for> <package…>: installs Debian packages as root, else says what to run.
need_package() {
    local what=$1
    shift
    command -v apt-get >/dev/null || die "$what is missing and this is no Debian system: install $* by hand, then run this again"
    [[ $(id -u) == 0 ]] || die "$what is missing: run 'sudo apt-get install --no-install-recommends $*', then run this again"
    say "installing $* ($what)"
    if ! DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >&2; then
        # A fresh machine has no package lists yet.
        apt-get update >&2 || die "apt-get update failed: see above"
        DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >&2 ||
            die "apt-get could not install $*: see above"
    fi
}

# find_python: prints a Python of version 3.11 or newer that can make a virtual environment.
find_python() {
    local candidate
    for candidate in "${IPPON_PYTHON:-}" python3.11 python3 python3.12 python3.13; do
        [[ -n $candidate ]] || continue
        "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
        if ! "$candidate" -c 'import ensurepip' 2>/dev/null; then
            # Debian splits ensurepip off its own python3.
            need_package "Python's venv module" python3-venv
        fi
        command -v "$candidate"
        return
    done
    need_package "Python 3.11" python3 python3-venv
    command -v python3
}
