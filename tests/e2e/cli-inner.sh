#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# `inlay dump` of maps of maps: entries are the inner maps' names, whatever stands before them in the
# segment, and of a bloom filter: it says that there is nothing to show.
set -eu -o pipefail
. "$INLAY_SOURCE/tests/e2e/cli/common.sh"
case $(uname -m) in
x86_64) arch=x86 ;;
aarch64) arch=arm64 ;;
*) echo "no probes for $(uname -m)"; exit 77 ;;
esac

cat >"$work/first.bpf.c" <<'C'
#include <inlay/inlay.bpf.h>
__u64 visits;
SEC("uprobe/visit") int first(void *ctx) { visits++; return 0; }
char LICENSE[] SEC("license") = "GPL";
C
cat >"$work/nested.bpf.c" <<'C'
#include <inlay/inlay.bpf.h>
struct list {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, int);
	__type(value, __u64);
} even SEC(".maps"), odd SEC(".maps");
struct table {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2);
	__type(key, int);
	__type(value, __u64);
} named SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 3);
	__type(key, int);
	__array(values, struct list);
} lists SEC(".maps") = { .values = { &even, [2] = &odd } };
struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, int);
	__array(values, struct table);
} tables SEC(".maps") = { .values = { [3] = &named } };
struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__uint(max_entries, 8);
	__type(value, int);
} seen SEC(".maps");

SEC("uprobe/visit")
int BPF_UPROBE(nested, int n)
{
	int key = n & 2, zero = 0, three = 3;
	void *inner = bpf_map_lookup_elem(&lists, &key);
	__u64 *count, one = 1;

	count = inner ? bpf_map_lookup_elem(inner, &zero) : NULL;
	if (count)
		*count += 1;
	inner = bpf_map_lookup_elem(&tables, &three);
	if (inner)
		bpf_map_update_elem(inner, &n, &one, BPF_ANY);
	bpf_map_push_elem(&seen, &n, 0);
	return 0;
}
char LICENSE[] SEC("license") = "GPL";
C
cat >"$work/target.c" <<'C'
#include <unistd.h>
__attribute__((noinline)) void visit(int n) { __asm__ volatile("" : : "r"(n)); }
int main(void)
{
	visit(0);
	visit(2);
	visit(2);
	return write(1, "ready\n", 6) < 0 || pause();
}
C
for object in first nested; do
	"$CLANG" -target bpf -g -O2 -Wall -Werror -D__TARGET_ARCH_$arch "-I/usr/include/$(uname -m)-linux-gnu" \
		"-I$INLAY_SOURCE/include" -c "$work/$object.bpf.c" -o "$work/$object.bpf.o"
done
inlay-cc -O2 "-finlay-probes=$work/first.bpf.o,$work/nested.bpf.o" "$work/target.c" -o "$work/target"

"$work/target" >"$work/ready" &
pids+=($!)
appears "$work/ready"
exits 0 inlay dump lists
[ "$out" = $'0: even\n2: odd' ] || fail "dump of an array of maps: $out"
exits 0 inlay dump -a lists
[ "$out" = $'0: even\n1: none\n2: odd' ] || fail "dump -a of an array of maps: $out"
exits 0 inlay dump tables
[ "$out" = '3: named' ] || fail "dump of a hash of maps: $out"
inlay dump -j lists | json "dump -j" \
	'[e["inner"] for e in d] == ["even", "odd"] and len(d[0]["value"]) == 4'
inlay dump -j -a lists | json "dump -j -a" '[e["inner"] for e in d] == ["even", None, "odd"]'
exits 0 inlay dump odd
[ "$out" = $'0: 2\n1: 0' ] || fail "dump of an inner map: $out"
inlay dump -j odd | json "dump -j of an inner map" '"inner" not in d[0]'
exits 1 inlay dump seen
has "dump of a bloom filter" "$out" 'maps of its type have no entries to show'
finish
