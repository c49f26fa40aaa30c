#!/usr/bin/env bash
# Runs Gradle on a JDK 8 (Corda's quasar runs on no newer one); all arguments are handed on.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$here/lib.sh"

JAVA_HOME=$("$here/jdk8.sh")
export JAVA_HOME
gradle=${IPPON_GRADLE:-gradle}
command -v "$gradle" >/dev/null || need_package Gradle gradle
cd "$here/.."
# Debian's launcher tries a Java 9 option first and lets Java 8's complaint through.
exec "$gradle" "$@" 2> >(grep --line-buffered -v -x -F \
    -e 'Unrecognized option: --add-opens' \
    -e 'Error: Could not create the Java Virtual Machine.' \
    -e 'Error: A fatal exception has occurred. Program will exit.' >&2)
