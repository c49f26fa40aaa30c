#!/usr/bin/env bash
# Finds or installs iptables, with which the tests cut links between processes of this machine.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$here/lib.sh"

command -v iptables >/dev/null || need_package "the packet filter that cuts links in tests" iptables
