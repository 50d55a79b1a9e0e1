#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Every helper and kernel function of rt/helpers.def is described in docs/helpers.md.
set -eu

missing=0
while read -r name; do
	if ! grep -q "\`$name\`" "$INLAY_SOURCE/docs/helpers.md"; then
		echo "not in docs/helpers.md: $name"
		missing=1
	fi
done < <(sed -n -e 's/^INLAY_HELPER([0-9]*, \([a-z0-9_]*\),.*/bpf_\1/p' \
	-e 's/^INLAY_LOWERED([0-9]*, \([a-z0-9_]*\),.*/bpf_\1/p' \
	-e 's/^INLAY_KFUNC(\([a-z0-9_]*\), [A-Z].*/\1/p' "$INLAY_SOURCE/rt/helpers.def")
exit $missing
