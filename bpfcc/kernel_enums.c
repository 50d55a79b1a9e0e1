/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What programs ask for to find out what their kernel can do, as types for CO-RE: the numbers of helpers
 * and of map types, and the structure that kernels with ring buffers have. Here they say what the runtime
 * can do: an enumerator that is not there does not exist.
 */
#include <bpf/btf.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>

#include "bpfcc/core_types.h"
#include "bpfcc/helpers.h"
#include "bpfcc/loader.h"

#define FIRST_OWN_HELPER 1000 /* no kernel has these numbers */

static const struct {
	const char *name;
	uint32_t type;
} map_types[] = {
#define MAP_TYPE(name) {"BPF_MAP_TYPE_" #name, BPF_MAP_TYPE_##name}
	MAP_TYPE(HASH),
	MAP_TYPE(ARRAY),
	MAP_TYPE(PROG_ARRAY),
	MAP_TYPE(PERF_EVENT_ARRAY),
	MAP_TYPE(PERCPU_HASH),
	MAP_TYPE(PERCPU_ARRAY),
	MAP_TYPE(STACK_TRACE),
	MAP_TYPE(CGROUP_ARRAY),
	MAP_TYPE(LRU_HASH),
	MAP_TYPE(LRU_PERCPU_HASH),
	MAP_TYPE(LPM_TRIE),
	MAP_TYPE(ARRAY_OF_MAPS),
	MAP_TYPE(HASH_OF_MAPS),
	MAP_TYPE(QUEUE),
	MAP_TYPE(STACK),
	MAP_TYPE(RINGBUF),
	MAP_TYPE(BLOOM_FILTER),
	MAP_TYPE(USER_RINGBUF),
	{"BPF_MAP_TYPE_ARENA", 33}, /* newer than the headers that bpfcc is built with */
};

static int add_helpers(struct btf *btf)
{
	const struct bpfcc_helper *helper;
	int err = btf__add_enum(btf, "bpf_func_id", 4);
	char name[64];

	for (uint32_t row = 0; err >= 0 && (helper = bpfcc_helper_row(row)); row++) {
		if (helper->id <= 0 || helper->id >= FIRST_OWN_HELPER ||
		    helper->class == BPFCC_HELPER_ABSENT)
			continue;
		snprintf(name, sizeof(name), "BPF_FUNC_%s", helper->name);
		err = btf__add_enum_value(btf, name, helper->id);
	}
	return err;
}

static int add_map_types(struct btf *btf)
{
	int err = btf__add_enum(btf, "bpf_map_type", 4);

	for (size_t i = 0; err >= 0 && i < sizeof(map_types) / sizeof(map_types[0]); i++)
		if (bpfcc_map_type_is_built(map_types[i].type))
			err = btf__add_enum_value(btf, map_types[i].name, map_types[i].type);
	return err;
}

int bpfcc_add_kernel_enums(struct btf *btf)
{
	int err = add_helpers(btf);

	if (err >= 0)
		err = add_map_types(btf);
	if (err >= 0)
		err = btf__add_struct(btf, "bpf_ringbuf", 0);
	return err < 0 ? err : 0;
}

bool bpfcc_is_kernel_enum(const char *name)
{
	static const char *const names[] = {"bpf_func_id", "bpf_map_type", "bpf_ringbuf"};
	size_t bytes = bpfcc_core_name_bytes(name);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == bytes && !memcmp(name, names[i], bytes))
			return true;
	return false;
}
