#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Who may know whom (docs/DESIGN.md, "Parts"): each part's quoted includes against what it is allowed,
# and LLVM's headers only where code is made.
set -eu

cd "${INLAY_SOURCE:-$(dirname "${BASH_SOURCE[0]}")/..}"
status=0

# part <name> <allowed headers, as one regular expression> <file>...
part() {
	local name=$1 allowed=$2 file line header found
	shift 2
	found=0
	for file in "$@"; do
		[ -e "$file" ] || continue
		found=1
		while IFS= read -r line; do
			[[ $line =~ [\<\"]([^\>\"]*)[\>\"] ]]
			header=${BASH_REMATCH[1]}
			case $line in
			*'<'*) [[ $header =~ ^(llvm|llvm-c|clang)/ ]] || continue ;;
			esac
			if ! [[ $header =~ ^($allowed)$ ]]; then
				echo "$file: $name must not include $header"
				status=1
			fi
		done < <(grep -E '^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"]' "$file")
	done
	[ $found = 1 ] || { echo "$name: no such files"; status=1; }
}

part "include/" 'inlay/.*' include/inlay/*.h
part "include/inlay/abi/" 'inlay/abi/.*|linux/types\.h' include/inlay/abi/*.h
part "rt/" 'inlay/.*|rt/.*' rt/*.[chS] rt/inline/*.h
part "bpfcc/ without ll/" 'inlay/.*|bpfcc/[a-z0-9_]+\.h|bpfcc/verify/verify\.h|bpfcc/cmd/cmd\.h|rt/helpers\.def' bpfcc/*.[ch]
part "bpfcc/verify/" 'inlay/.*|bpfcc/[a-z0-9_]+\.h|bpfcc/verify/.*' bpfcc/verify/*.[ch]
part "bpfcc/cmd/" 'inlay/.*|bpfcc/[a-z0-9_]+\.h|bpfcc/(cmd|run|verify)/.*|bpfcc/ll/header\.h' bpfcc/cmd/*.[ch]
part "bpfcc/run/ the interpreter" 'inlay/.*|bpfcc/[a-z0-9_]+\.h|bpfcc/run/interp.*' bpfcc/run/interp*.[ch]
part "bpfcc/run/" 'inlay/.*|bpfcc/.*|rt/.*|llvm-c/.*' bpfcc/run/run.c bpfcc/run/native.[ch]
part "bpfcc/ll/" 'inlay/.*|bpfcc/.*|rt/(helpers\.def|inline/.*)|llvm-c/.*|llvm/Config/llvm-config\.h' bpfcc/ll/*.[ch]
part "pass/" 'inlay/.*|bpfcc/.*|pass/.*|rt/helpers\.def|llvm-c/.*' pass/*.[ch]
part "pass/plugin.cc" 'pass/.*|llvm/.*|llvm-c/.*' pass/plugin.cc
part "cli/reader/" 'inlay/.*|cli/reader/.*' cli/reader/*.[ch]
part "cli/inlay/" 'inlay/.*|cli/inlay/.*' cli/inlay/*.[ch]
part "cli/driver/" 'inlay/.*|cli/.*|bpfcc/[a-z0-9_]+\.h' cli/driver/*.[ch]
exit $status
