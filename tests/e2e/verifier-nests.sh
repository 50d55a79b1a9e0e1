#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Random programs of nested loops: what the running kernel accepts, bpfcc does. INLAY_TEST_LONG=1: many of them.
set -eu

if [ "$(id -u)" != 0 ]; then
	echo "skipped: the kernel is asked as root only"
	exit 77
fi
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
export TEMP_DIR=$temp
exec python3 "$INLAY_SOURCE/tests/e2e/verifier-nests/check.py" "$INLAY_BUILD/bin/bpfcc" "$CLANG"
