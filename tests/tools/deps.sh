#!/bin/sh
# SPDX-License-Identifier: MIT
# deps.sh check|test|interop - what the tests need beside cc and make.
#
# check     is cmocka there? If not, says how to get it and fails.
# test      installs cmocka with the system's package manager.
# interop   installs the peers that tests/interop tries the programs with.
set -u

CC=${CC:-cc}

# Linkers for Windows do not write to /dev/null.
have_cmocka() {
    probe=$(mktemp) || return 1
    code=0
    # shellcheck disable=SC2046,SC2086 # lists of flags, and CC may have some
    printf '%s\n' '#include <setjmp.h>' '#include <stdarg.h>' '#include <stddef.h>' '#include <stdint.h>' \
        '#include <cmocka.h>' 'int main(void) { return 0; }' |
        $CC -x c - -o "$probe" $(pkg-config --cflags --libs cmocka 2>/dev/null || echo -lcmocka) 2>/dev/null ||
        code=1
    rm -f "$probe" "$probe.exe"
    return $code
}

# The command that installs, for the first package manager found: sets `command` and `update`.
find_manager() {
    purpose=$1
    update=:
    for manager in apt-get dnf pacman apk zypper brew pkg ''; do
        if [ -z "$manager" ] || command -v "$manager" >/dev/null 2>&1; then
            break
        fi
    done
    case $purpose:$manager in
    *:apt-get) update='apt-get update' command='apt-get install -y --no-install-recommends' ;;
    *:dnf) command='dnf install -y' ;;
    *:pacman) command='pacman -S --needed --noconfirm' ;;
    *:apk) command='apk add' ;;
    *:zypper) command='zypper --non-interactive install' ;;
    *:brew) command='brew install' ;;
    *:pkg) command='pkg install -y' ;;
    esac
    case $purpose:$manager in
    test:apt-get) packages=libcmocka-dev ;;
    test:dnf | test:zypper) packages=libcmocka-devel ;;
    test:apk) packages=cmocka-dev ;;
    test:?*) packages=cmocka ;;
    interop:apt-get)
        packages='python3-websockets python3-aiohttp nginx curl chromium fonts-noto-cjk fonts-noto-color-emoji'
        # Whoever has node from elsewhere keeps it.
        command -v node >/dev/null 2>&1 || packages="$packages nodejs"
        command -v npm >/dev/null 2>&1 || packages="$packages npm"
        ;;
    interop:*)
        echo "deps.sh: install Python 3 with 'websockets' and 'aiohttp', node with npm, curl, nginx, Chromium" >&2
        return 1
        ;;
    *)
        echo "deps.sh: no package manager known here; install cmocka (https://cmocka.org) and its header" >&2
        return 1
        ;;
    esac
    command="$command $packages"
}

# As root, by sudo, or not at all: then the command is printed for somebody who may.
install_packages() {
    find_manager "$1" || return 1
    as=
    if [ "$(id -u)" != 0 ] && [ "$manager" != brew ]; then
        if command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
            as=sudo
        else
            echo "deps.sh: needs root. Run: $command" >&2
            return 1
        fi
    fi
    [ "$manager" != apt-get ] || export DEBIAN_FRONTEND=noninteractive
    echo "deps.sh: ${as:+$as }$command"
    # shellcheck disable=SC2086 # command lines
    $as $update </dev/null && $as $command </dev/null && return 0
    echo "deps.sh: failed: $command" >&2
    return 1
}

case ${1:-} in
check)
    have_cmocka && exit 0
    find_manager test || exit 1
    echo "cmocka is missing: run 'make deps', which does: $command" >&2
    exit 1
    ;;
test)
    if have_cmocka; then
        echo "deps.sh: cmocka is there"
        exit 0
    fi
    install_packages test || exit 1
    have_cmocka && exit 0
    echo "deps.sh: the package is installed, but $CC finds no cmocka" >&2
    exit 1
    ;;
interop) install_packages interop ;;
*)
    echo "usage: deps.sh check|test|interop" >&2
    exit 2
    ;;
esac
