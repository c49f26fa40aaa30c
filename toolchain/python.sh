#!/usr/bin/env bash
# Makes .venv with ippon and its tools in it; does nothing while pyproject.toml is unchanged.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$here/lib.sh"

root=$(cd "$here/.." && pwd)
venv=$root/.venv
stamp=$venv/.pyproject.sha256

exec 9>"$root/.venv.lock"
flock 9
wanted=$(sha256sum <"$root/pyproject.toml")
# Scripts in a venv name its path, so a tree that was moved needs a new one.
made_for=$(cat "$venv/.root" 2>/dev/null || true)
if [[ $made_for == "$root" && -r $stamp && $(<"$stamp") == "$wanted" ]]; then
    exit 0
fi
say "preparing the Python environment in .venv"
if [[ $made_for != "$root" ]] || ! "$venv/bin/python" -c '' 2>/dev/null; then
    python=$(find_python)
    "$python" -m venv --clear "$venv" >&2
fi
cd "$root"
"$venv/bin/pip" install -q --disable-pip-version-check -e '.[dev]' >&2 ||
    die "pip could not install ippon's dependencies: see above"
printf '%s\n' "$root" >"$venv/.root"
printf '%s\n' "$wanted" >"$stamp"
say "Python environment is ready"
