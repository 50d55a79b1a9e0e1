#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# inlay.bpf.h: compiles for both architectures, on top of vmlinux.h too, and what it writes is what bpfcc
# and the kernel understand.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/probe.bpf.c" <<'PROBE'
#ifdef VMLINUX
#include "vmlinux.h"
#endif
#include <inlay/inlay.bpf.h>

__u64 sum;
struct inlay_hist hist_ns;

SEC("uprobe/f") INLAY_SWITCHED
int BPF_UPROBE(six, int a, int b, int c, int d, int e, long f)
{
	sum += a + b + c + d + e + f;
	inlay_hist_add(&hist_ns, f);
	return 0;
}

SEC("uretprobe/f") INLAY_SWITCHED_ON INLAY_UNWIND INLAY_EARLY
int BPF_URETPROBE(leave, long ret)
{
	inlay_hist_add_shared(&hist_ns, ret);
	return 0;
}

SEC("uprobe.session") INLAY_FUNCTION("g") INLAY_CALL INLAY_CALLER("h*")
int session(struct pt_regs *ctx)
{
	*bpf_session_cookie() = bpf_session_is_return();
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
PROBE
compile() {
	"$CLANG" -target bpf -g -O2 -Wall -Wextra -Werror -Wno-unused-parameter \
		"-I$INLAY_SOURCE/include" "-I/usr/include/$(uname -m)-linux-gnu" "-I$work" "$@" \
		-c "$work/probe.bpf.c" -o "$work/probe.bpf.o"
}

compile -D__TARGET_ARCH_arm64
compile -D__TARGET_ARCH_x86
"$INLAY_BUILD/bin/bpfcc" "$work/probe.bpf.o" -o "$work/probe.o"
[ "$(id -u)" != 0 ] || "$INLAY_BUILD/tests/kernel-equal/attach" "$work/probe.bpf.o" - true >/dev/null
if compile 2>"$work/log"; then
	echo "compiled without an architecture" >&2
	exit 1
fi
grep -q '__TARGET_ARCH_x86 or' "$work/log"
if command -v bpftool >/dev/null && bpftool btf dump file /sys/kernel/btf/vmlinux format c \
	>"$work/vmlinux.h" 2>/dev/null; then
	compile -D__TARGET_ARCH_x86 -DVMLINUX
	"$INLAY_BUILD/bin/bpfcc" "$work/probe.bpf.o" -o "$work/probe.o"
fi

# inlay_log2() against arithmetic, on the host
cat >"$work/log2.c" <<'C'
#include <assert.h>
#include <linux/types.h>
C
sed -n '/^static __always_inline __u32 inlay_log2/,/^}/p' "$INLAY_SOURCE/include/inlay/inlay.bpf.h" \
	>>"$work/log2.c"
cat >>"$work/log2.c" <<'C'
int main(void)
{
	assert(inlay_log2(0) == 0 && inlay_log2(~0ull) == 63);
	for (__u32 i = 0; i < 64; i++) {
		assert(inlay_log2(1ull << i) == i);
		assert(i == 0 || inlay_log2((1ull << i) - 1) == (i == 1 ? 0 : i - 1));
		assert(inlay_log2(1ull << i | ((1ull << i) - 1)) == i);
	}
	return 0;
}
C
"$CLANG" -Wall -Werror "$work/log2.c" -o "$work/log2"
"$work/log2"
echo "bpf-header: ok"
