#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Programs of every kind, on both sides of each rule: what bpfcc and the running kernel say of them.
set -eu

if [ "$(id -u)" != 0 ]; then
	echo "skipped: the kernel is asked as root only"
	exit 77
fi
exec python3 "$INLAY_SOURCE/tests/e2e/verifier-kinds/check.py" "$INLAY_BUILD/bin/bpfcc" \
	"$INLAY_SOURCE/tests/e2e/verifier-kinds/differences.txt"
