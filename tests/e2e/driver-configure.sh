#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The questions that configure scripts ask a compiler, put to the wrapper while probes are named: every
# answer, message and exit code must be clang's. The probe is for main(), which every test program has.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cc=$INLAY_BUILD/bin/inlay-cc

cat >main.bpf.c <<'END'
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
__u64 calls;
SEC("uprobe/main")
int on_main(void *ctx)
{
	calls++;
	return 0;
}
SEC("uprobe/app:absent")
int on_absent(void *ctx)
{
	calls++;
	return 0;
}
char LICENSE[] SEC("license") = "Dual BSD/GPL";
END
"$CLANG" -target bpf -g -O2 -I"/usr/include/$(uname -m)-linux-gnu" -c main.bpf.c -o main.bpf.o
export INLAY_FLAGS=-finlay-probes=$work/main.bpf.o

# ask <description> <source> <argument>...: one question to both compilers
ask() {
	local what=$1 rc expected_rc
	printf '%s\n' "$2" >conftest.c
	shift 2
	rm -f conftest conftest.o
	expected_rc=0
	env -u INLAY_FLAGS "$CLANG" "$@" >expected.out 2>expected.err || expected_rc=$?
	rm -f conftest conftest.o
	rc=0
	"$cc" "$@" >out 2>err || rc=$?
	[ "$rc" = "$expected_rc" ] || { echo "$what: exit code $rc, not $expected_rc"; cat err; exit 1; }
	cmp -s out expected.out || { echo "$what: another output"; diff expected.out out; exit 1; }
	# names of temporary files differ from run to run, offsets with what was put in
	for file in err expected.err; do
		sed -i -E "s,/tmp/conftest-[0-9a-f]+\.o,TMP,g; s,\(\.text\+0x[0-9a-f]+\),(.text),g" "$file"
	done
	cmp -s err expected.err || { echo "$what: other messages"; diff expected.err err; exit 1; }
	[ "$rc" != 0 ] || [ ! -x conftest ] || ./conftest || { echo "$what: does not run"; exit 1; }
}

main='int main(void) { return 0; }'
ask "the compiler works" "$main" -o conftest conftest.c
ask "object suffix" "$main" -c conftest.c
ask "accepts -g" "$main" -c -g conftest.c
ask "is clang" '#ifndef __clang__
#error no
#endif' -c conftest.c
ask "preprocessor" '#include <limits.h>' -E conftest.c
ask "preprocessor fails" '#include <no_such_header.h>' -E conftest.c
ask "header is missing" "#include <no_such_header.h>
$main" -c conftest.c
ask "function in libc" 'char getpid(); int main(void) { getpid(); return 0; }' -o conftest conftest.c
ask "function is missing" 'char absent(); int main(void) { return absent(); }' -o conftest conftest.c
ask "library" 'char cos(); int main(void) { cos(); return 0; }' -o conftest conftest.c -lm
ask "library is missing" "$main" -o conftest conftest.c -lno_such_library
ask "flag" "$main" -Werror -Wshadow -c conftest.c
ask "flag is unknown" "$main" -Werror -fno-such-flag -c conftest.c
ask "unused flag" "$main" -Werror -c conftest.c -lm
ask "linker flag" "$main" -Wl,-z,now -o conftest conftest.c
ask "linker flag is unknown" "$main" -Wl,--no-such-flag -o conftest conftest.c
ask "size of long" 'static int test_array[1 - 2 * !(sizeof(long) == 8)]; int main(void)
{ return test_array[0] = 0; }' -c conftest.c
ask "syntax error" 'int main(void) { return 0 }' -c conftest.c
ask "dependencies" "$main" -M conftest.c
ask "machine" "$main" -dumpmachine
ask "version" "$main" --version
ask "search paths" "$main" -print-search-dirs
ask "program" "$main" -print-prog-name=ld
ask "library path" "$main" -print-file-name=libc.a
ask "no input" "$main"
ask "missing input" "$main" -c no_such_file.c
ask "shared library" 'int f(void) { return 0; }' -shared -fPIC -o libconftest.so conftest.c
ask "position independent" "$main" -fPIE -pie -o conftest conftest.c
ask "static" "$main" -static -o conftest conftest.c
ask "sanitizer" "$main" -fsanitize=address -o conftest conftest.c
ask "link-time optimisation" "$main" -flto -fuse-ld=lld -o conftest conftest.c
ask "openmp pragma" '#pragma omp parallel
int main(void) { return 0; }' -Wall -Werror -c conftest.c
ask "from standard input" "$main" -x c -c /dev/null -o conftest.o

# ... and the probe was really there
printf '%s\n' "$main" >conftest.c
"$cc" -o conftest conftest.c
"$INLAY_BUILD/bin/inlay" list ./conftest | grep -q on_main
