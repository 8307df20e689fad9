#!/bin/sh
# SPDX-License-Identifier: MIT
# scripts.sh - shellcheck over the shell scripts.
set -u

cd "$(dirname "$0")/../.." || exit 1
if ! command -v shellcheck >/dev/null 2>&1; then
    echo "lint: shellcheck is missing (Debian: shellcheck)" >&2
    exit 3
fi
# ulimit -n is everywhere that the tests run.
shellcheck -x -S warning -e SC3045 tests/*/*.sh fuzz/*.sh .ci/run
