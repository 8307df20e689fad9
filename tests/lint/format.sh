#!/bin/sh
# SPDX-License-Identifier: MIT
# format.sh - the sources are as `make format` would write them.
set -u

cd "$(dirname "$0")/../.." || exit 1
if ! command -v clang-format >/dev/null 2>&1; then
    echo "lint: clang-format is missing (Debian: clang-format)" >&2
    exit 3
fi
# Other versions break lines elsewhere.
version=$(clang-format --version | sed 's/.*version \([0-9]*\).*/\1/')
if [ "$version" != 14 ]; then
    echo "lint: clang-format is version $version, the sources are written with 14" >&2
    exit 3
fi
find include src tests docs/examples fuzz -name '*.[ch]' -not -path '*/node_modules/*' -exec \
    clang-format --dry-run -Werror {} + 2>"${BUILD:-build}/lint/format.txt" && exit 0
grep -E '(error|warning):' "${BUILD:-build}/lint/format.txt" | head -n 40
echo "format: $(grep -c 'error:' "${BUILD:-build}/lint/format.txt") places; run make format"
exit 1
