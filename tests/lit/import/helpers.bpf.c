/* SPDX-License-Identifier: BSD-2-Clause */
/* Which helper becomes what: constant descriptors fold, changing a hash map is one call, large copies
 * are one shared function, and what is not used is not there. */
// RUN: %clang_bpf -I%S/Inputs -c %s -o %t.bpf.o
// RUN: %bpfcc %t.bpf.o -o %t.ll && FileCheck %s < %t.ll
// RUN: FileCheck --check-prefix=NONE %s < %t.ll
// RUN: FileCheck --check-prefix=SHARED %s < %t.ll
// RUN: %bpfcc %t.bpf.o -O0 -o %t.0.ll && FileCheck --check-prefix=NONE %s < %t.0.ll
#include "probe.h"

struct large {
	char bytes[1024];
};
MAP(hash, BPF_MAP_TYPE_HASH, 64, __u64, __u64);
MAP(array, BPF_MAP_TYPE_ARRAY, 64, __u32, __u64);
MAP(large_values, BPF_MAP_TYPE_ARRAY, 2, __u32, struct large);

/* CHECK-LABEL: define {{.*}}_change_hash(
 * CHECK:       call i64 @__inlay_hash_update_word_v1(ptr {{.*}}@__inlay_desc_{{[0-9a-f]+}}_hash
 * CHECK:       call i64 @__inlay_hash_delete_word_v1(ptr {{.*}}@__inlay_desc_{{[0-9a-f]+}}_hash
 * CHECK:       ret
 */
SEC("uprobe/f") int change_hash(struct pt_regs *ctx)
{
	__u64 key = ctx->di, value = ctx->si;

	bpf_map_update_elem(&hash, &key, &value, BPF_ANY);
	return bpf_map_delete_elem(&hash, &key);
}

/* CHECK-LABEL: define {{.*}}_change_array(
 * CHECK-NOT:   call
 * CHECK:       store atomic i64 {{.*}}@__inlay_region_{{[0-9a-f]+}}_array, i64 16) {{.*}}!nosanitize
 * CHECK-NOT:   call
 * CHECK:       ret
 */
SEC("uprobe/f") int change_array(struct pt_regs *ctx)
{
	__u64 value = ctx->si;
	__u32 key = 2;

	return bpf_map_update_elem(&array, &key, &value, BPF_ANY);
}

/* CHECK-LABEL: define {{.*}}_change_large(
 * CHECK:       call i64 @[[UPDATE:__inlay_map_update_elem_v1_[0-9_]+_[0-9a-f]+]](ptr
 * CHECK:       ret
 */
SEC("uprobe/f") int change_large(struct pt_regs *ctx)
{
	struct large *from;
	__u32 zero = 0, one = 1;

	from = bpf_map_lookup_elem(&large_values, &zero);
	return from ? bpf_map_update_elem(&large_values, &one, from, BPF_ANY) : 0;
}

/* The keys above are on the stack, but the one copy that a link keeps also serves objects whose keys
 * are in maps: it reads the index as shared memory.
 * SHARED-LABEL: define linkonce_odr hidden i64 @__inlay_map_update_elem_v1_
 * SHARED:       load atomic i32, ptr %1 monotonic
 */
/* CHECK-LABEL: define {{.*}}_whoami(
 * CHECK:       @__inlay_thread_v1
 * CHECK:       ret
 */
SEC("uprobe/f") int whoami(struct pt_regs *ctx)
{
	return bpf_get_current_pid_tgid() >> 32;
}

// CHECK-DAG: define linkonce_odr hidden i64 @[[UPDATE]]({{.*}} comdat

// NONE-NOT: @__inlay_h_
// NONE-NOT: __inlay_clock_v1
// NONE-NOT: get_prandom
