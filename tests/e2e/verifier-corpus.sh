#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The verifier against a corpus of programs with a kernel's verdicts, INLAY_VERIFIER_CORPUS.
set -eu

if [ ! -r "${INLAY_VERIFIER_CORPUS:-}" ]; then
	echo "skipped: INLAY_VERIFIER_CORPUS names no file"
	exit 77
fi
exec python3 "$INLAY_SOURCE/tests/e2e/verifier-corpus/check.py" "$INLAY_BUILD/bin/bpfcc" \
	"$INLAY_VERIFIER_CORPUS" "$INLAY_SOURCE/tests/e2e/verifier-corpus/triage.txt"
