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
# The path is part of it: scripts in a venv name it, so a moved tree needs a new one.
wanted=$( (cat "$root/pyproject.toml" && printf '%s' "$root") | sha256sum | cut -d ' ' -f 1)
if [[ -r $stamp && $(<"$stamp") == "$wanted" && -x $venv/bin/python ]]; then
    exit 0
fi
say "preparing the Python environment in .venv"
python=$(find_python)
"$python" -m venv --clear "$venv" >&2
cd "$root"
"$venv/bin/pip" install -q --disable-pip-version-check -e '.[dev]' >&2 ||
    die "pip could not install ippon's dependencies: see above"
printf '%s\n' "$wanted" >"$stamp"
say "Python environment is ready"
