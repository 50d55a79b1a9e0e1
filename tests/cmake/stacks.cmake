# SPDX-License-Identifier: BSD-2-Clause
# Stacks: the helpers, their maps, and what `inlay stacks` shows of them.
foreach(level 0 1 2)
	inlay_script_test(e2e/stacks-O${level} e2e/stacks.sh -O${level} -g)
endforeach()
