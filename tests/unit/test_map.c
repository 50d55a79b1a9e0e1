/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps against the kernel's: the same random operations, given to a map of ours and, through a
 * small eBPF program (so that it is the programs' view, not the system call's), to a real one.
 */
#include "map_fixture.h"

#include <errno.h>
#include <linux/bpf.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "skip.h"

enum { CTX_FLAGS = 0, CTX_RET = 8, CTX_KEY = 16 };
enum op { OP_LOOKUP, OP_UPDATE, OP_DELETE, OP_NR };

struct kernel_map {
	int map_fd;
	int prog_fds[OP_NR];
	__u32 key_size, value_size, ctx_bytes, value_off;
};

static long sys_bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static struct bpf_insn insn(__u8 code, int dst, int src, int off, int imm)
{
	return (struct bpf_insn){ .code = code, .dst_reg = dst & 15, .src_reg = src & 15,
				  .off = (__s16)off, .imm = imm };
}

/* r0 = helper(map, ctx key [, ctx value, flags]); ctx.ret = r0, or the value is copied out */
static int prog_load(const struct kernel_map *k, enum op op)
{
	static const int helper[OP_NR] = { BPF_FUNC_map_lookup_elem, BPF_FUNC_map_update_elem,
					   BPF_FUNC_map_delete_elem };
	struct bpf_insn p[1024];
	static char log[1 << 18];
	union bpf_attr attr;
	__u32 i, n = 0;
	int fd;

	/* r6 = ctx; keys and values must be on the stack: [fp - 256] and [fp - 128] */
	p[n++] = insn(BPF_ALU64 | BPF_MOV | BPF_X, 6, 1, 0, 0);
	for (i = 0; i < k->key_size; i++) {
		p[n++] = insn(BPF_LDX | BPF_MEM | BPF_B, 1, 6, (int)(CTX_KEY + i), 0);
		p[n++] = insn(BPF_STX | BPF_MEM | BPF_B, 10, 1, (int)i - 256, 0);
	}
	for (i = 0; i < k->value_size; i++) {
		p[n++] = insn(BPF_LDX | BPF_MEM | BPF_B, 1, 6, (int)(k->value_off + i), 0);
		p[n++] = insn(BPF_STX | BPF_MEM | BPF_B, 10, 1, (int)i - 128, 0);
	}
	p[n++] = insn(BPF_LD | BPF_IMM | BPF_DW, 1, BPF_PSEUDO_MAP_FD, 0, k->map_fd);
	p[n++] = insn(0, 0, 0, 0, 0);
	p[n++] = insn(BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0);
	p[n++] = insn(BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -256);
	if (op == OP_UPDATE) {
		p[n++] = insn(BPF_ALU64 | BPF_MOV | BPF_X, 3, 10, 0, 0);
		p[n++] = insn(BPF_ALU64 | BPF_ADD | BPF_K, 3, 0, 0, -128);
		p[n++] = insn(BPF_LDX | BPF_MEM | BPF_DW, 4, 6, CTX_FLAGS, 0);
	}
	p[n++] = insn(BPF_JMP | BPF_CALL, 0, 0, 0, helper[op]);
	if (op == OP_LOOKUP) {
		p[n++] = insn(BPF_JMP | BPF_JNE | BPF_K, 0, 0, 3, 0);
		p[n++] = insn(BPF_STX | BPF_MEM | BPF_DW, 6, 0, CTX_RET, 0);
		p[n++] = insn(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0);
		p[n++] = insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
		for (i = 0; i < k->value_size; i++) {
			p[n++] = insn(BPF_LDX | BPF_MEM | BPF_B, 1, 0, (int)i, 0);
			p[n++] = insn(BPF_STX | BPF_MEM | BPF_B, 6, 1, (int)(k->value_off + i), 0);
		}
		p[n++] = insn(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1);
	}
	p[n++] = insn(BPF_STX | BPF_MEM | BPF_DW, 6, 0, CTX_RET, 0);
	p[n++] = insn(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0);
	p[n++] = insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SYSCALL;
	attr.prog_flags = BPF_F_SLEEPABLE;
	attr.insns = (__u64)(uintptr_t)p;
	attr.insn_cnt = n;
	attr.license = (__u64)(uintptr_t) "Dual BSD/GPL";
	attr.log_buf = (__u64)(uintptr_t)log;
	attr.log_size = sizeof(log);
	attr.log_level = 1;
	fd = (int)sys_bpf(BPF_PROG_LOAD, &attr);
	if (fd < 0)
		print_error("%s\n", log);
	assert_true(fd >= 0);
	return fd;
}

static bool kernel_map_open(struct kernel_map *k, const struct inlay_map_desc *desc)
{
	union bpf_attr attr;
	int i;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = desc->type;
	attr.key_size = desc->key_size;
	attr.value_size = desc->value_size;
	attr.max_entries = desc->max_entries;
	k->map_fd = (int)sys_bpf(BPF_MAP_CREATE, &attr);
	if (k->map_fd < 0) {
		print_message("no kernel maps here: %s\n", strerror(errno));
		return false;
	}
	k->key_size = desc->key_size;
	k->value_size = desc->value_size;
	k->value_off = CTX_KEY + (__u32)inlay_round_up(desc->key_size, 8);
	k->ctx_bytes = k->value_off + (__u32)inlay_round_up(desc->value_size, 8);
	for (i = 0; i < OP_NR; i++)
		k->prog_fds[i] = prog_load(k, i);
	return true;
}

static void kernel_map_close(struct kernel_map *k)
{
	int i;

	for (i = 0; i < OP_NR; i++)
		close(k->prog_fds[i]);
	close(k->map_fd);
}

static __s64 kernel_op(struct kernel_map *k, enum op op, const void *key, void *value, __u64 flags)
{
	char ctx[512] = { 0 };
	union bpf_attr attr;
	__s64 ret;

	memcpy(ctx + CTX_FLAGS, &flags, 8);
	memcpy(ctx + CTX_KEY, key, k->key_size);
	if (op == OP_UPDATE)
		memcpy(ctx + k->value_off, value, k->value_size);
	memset(&attr, 0, sizeof(attr));
	attr.test.prog_fd = (__u32)k->prog_fds[op];
	attr.test.ctx_in = (__u64)(uintptr_t)ctx;
	attr.test.ctx_size_in = k->ctx_bytes;
	assert_int_equal(sys_bpf(BPF_PROG_TEST_RUN, &attr), 0);
	memcpy(&ret, ctx + CTX_RET, 8);
	if (op == OP_LOOKUP && ret)
		memcpy(value, ctx + k->value_off, k->value_size);
	return ret;
}

static __s64 our_op(const struct inlay_map_desc *desc, enum op op, const void *key, void *value,
		    __u64 flags, bool is_inline)
{
	void *at;

	switch (op) {
	case OP_UPDATE:
		return (is_inline ? __inlay_map_update_elem : __inlay_map_update_elem_v1)
			(desc, key, value, flags);
	case OP_DELETE:
		return (is_inline ? __inlay_map_delete_elem : __inlay_map_delete_elem_v1)(desc, key);
	default:
		at = (is_inline ? __inlay_map_lookup_elem : __inlay_map_lookup_elem_v1)(desc, key);
		if (at)
			memcpy(value, at, desc->value_size);
		return at != NULL;
	}
}

static bool is_hash(__u32 type)
{
	return type != INLAY_MAP_TYPE_ARRAY && type != INLAY_MAP_TYPE_PERCPU_ARRAY;
}

/* Key number n: for arrays the index; for hashes n spread over the bytes. */
static void make_key(char *key, const struct inlay_map_desc *desc, __u32 n)
{
	__u32 i;

	memset(key, 0, 64);
	memcpy(key, &n, desc->key_size < 4 ? desc->key_size : 4);
	if (is_hash(desc->type))
		for (i = 4; i < desc->key_size; i++)
			key[i] = (char)(n * 31 + i);
}

static void compare_op(struct kernel_map *k, const struct inlay_map_desc *desc, enum op op, __u32 n,
		       __u64 flags, __u64 *seed)
{
	char key[64], ours[128] = { 0 }, theirs[128] = { 0 };
	__s64 a, b;
	__u32 i;

	make_key(key, desc, n);
	if (op == OP_UPDATE) {
		for (i = 0; i < desc->value_size; i++)
			ours[i] = (char)fixture_random(seed);
		memcpy(theirs, ours, sizeof(ours));
	}
	a = our_op(desc, op, key, ours, flags, fixture_random(seed) & 1);
	b = kernel_op(k, op, key, theirs, flags);
	if (a != b || memcmp(ours, theirs, desc->value_size)) {
		print_error("map type %u key %u value %u max %u: op %d key %u flags %#llx\n",
			    desc->type, desc->key_size, desc->value_size, desc->max_entries, op, n,
			    (unsigned long long)flags);
		assert_int_equal(a, b);
		assert_memory_equal(ours, theirs, desc->value_size);
	}
}

static void run_differential(__u32 type, __u32 key_size, __u32 value_size, __u32 max_entries)
{
	static const __u64 flags[] = { 0, 0, 0, 0, 1, 1, 2, 2, 3, 4, 5, 6, 8, 1ull << 32,
				       ~0ull };
	__u64 seed = 0x1234567 + type * 977 + key_size * 31 + value_size * 7 + max_entries;
	/* which key a full LRU map loses is not the kernel's choice: test_map_lru.c */
	bool is_lru = type == INLAY_MAP_TYPE_LRU_HASH || type == INLAY_MAP_TYPE_LRU_PERCPU_HASH;
	__u32 i, keys = is_lru ? max_entries / 32 : max_entries * 2 + 1;
	struct kernel_map k;
	struct fixture f;

	fixture_init(&f, type, key_size, value_size, max_entries);
	if (!kernel_map_open(&k, &f.desc))
		skip_because("no map of the kernel to compare with");
	if (key_size == 1 && keys > 256)
		keys = 256;
	for (i = 0; i < 1500; i++) {
		/* phases that fill the map and phases that empty it */
		int deletes = i / 250 % 2 ? 5 : 1;
		__u64 r = fixture_random(&seed);
		enum op op = r % 10 < (__u64)deletes ? OP_DELETE : r % 10 < 8 ? OP_UPDATE : OP_LOOKUP;

		compare_op(&k, &f.desc, op, (r >> 8) % keys,
			   flags[(r >> 40) % (sizeof(flags) / sizeof(flags[0]))], &seed);
	}
	/* delete and update while going through all keys */
	for (i = 0; i < keys; i++) {
		compare_op(&k, &f.desc, OP_LOOKUP, i, 0, &seed);
		compare_op(&k, &f.desc, i % 3 ? OP_UPDATE : OP_DELETE, i, 0, &seed);
		compare_op(&k, &f.desc, OP_LOOKUP, i, 0, &seed);
	}
	for (i = 0; i < keys; i++)
		compare_op(&k, &f.desc, OP_LOOKUP, i, 0, &seed);
	if (is_hash(type))
		fixture_check(&f.desc, false);
	kernel_map_close(&k);
	fixture_fini(&f);
}

static void differential(void **state)
{
	static const struct {
		__u32 key_size, value_size, max_entries;
	} hashes[] = {
		{ 1, 1, 3 }, { 2, 2, 7 }, { 3, 5, 16 }, { 4, 4, 1 }, { 4, 8, 2 }, { 8, 8, 64 },
		{ 8, 40, 5 }, { 12, 12, 33 }, { 16, 16, 8 }, { 33, 3, 10 }, { 48, 100, 100 },
	};
	static const struct {
		__u32 value_size, max_entries;
	} arrays[] = { { 1, 1 }, { 4, 3 }, { 7, 2 }, { 8, 64 }, { 24, 5 }, { 100, 9 } };
	cpu_set_t one;
	size_t i;

	(void)state;
	/* a per-CPU value is one CPU's there, one thread's here */
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	for (i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
		run_differential(INLAY_MAP_TYPE_HASH, hashes[i].key_size, hashes[i].value_size,
				 hashes[i].max_entries);
		run_differential(INLAY_MAP_TYPE_PERCPU_HASH, hashes[i].key_size,
				 hashes[i].value_size, hashes[i].max_entries);
	}
	for (i = 3; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
		run_differential(INLAY_MAP_TYPE_LRU_HASH, hashes[i].key_size, hashes[i].value_size,
				 2048);
		run_differential(INLAY_MAP_TYPE_LRU_PERCPU_HASH, hashes[i].key_size,
				 hashes[i].value_size, 2048);
	}
	for (i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
		run_differential(INLAY_MAP_TYPE_ARRAY, 4, arrays[i].value_size,
				 arrays[i].max_entries);
		run_differential(INLAY_MAP_TYPE_PERCPU_ARRAY, 4, arrays[i].value_size,
				 arrays[i].max_entries);
	}
}

/* The shift in the inline code and the loop in abi.h say the same about the layout. */
static void layout(void **state)
{
	static const __u32 sizes[] = { 1, 2, 3, 4, 5, 63, 64, 65, 1000, 1u << 20, (1u << 20) + 1,
				       (1u << 30) - 1, 1u << 30 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct inlay_map_desc d = { .type = INLAY_MAP_TYPE_HASH, .key_size = 5,
					    .value_size = 9, .max_entries = sizes[i] };
		char *base = (char *)16;

		assert_int_equal(inlay_hash_mask(&d) + 1, inlay_hash_buckets(sizes[i]));
		assert_ptr_equal(inlay_hash_node(&d, base, 1),
				 base + inlay_hash_nodes_off(sizes[i]));
		assert_ptr_equal(inlay_hash_node(&d, base, 3),
				 base + inlay_hash_nodes_off(sizes[i]) +
					 2 * inlay_hash_node_bytes(5, 9, 0));
	}
}

/* Each thread has its own values; a node used for another key starts at zero in every shard. */
static void percpu_shards(void **state)
{
	__u64 one = 1, two = 2, *v;
	struct fixture f;

	(void)state;
	fixture_init(&f, INLAY_MAP_TYPE_PERCPU_HASH, 8, 8, 1);
	for (fixture_thread = 0; fixture_thread < 4; fixture_thread++) {
		fixture_slot = NULL;
		assert_int_equal(__inlay_map_update_elem(&f.desc, &one, &one, INLAY_BPF_ANY), 0);
		v = __inlay_map_lookup_elem(&f.desc, &one);
		assert_non_null(v);
		*v += fixture_thread;
	}
	for (fixture_thread = 0; fixture_thread < 4; fixture_thread++) {
		fixture_slot = NULL;
		v = __inlay_map_lookup_elem(&f.desc, &one);
		assert_int_equal(*v, 1 + fixture_thread);
	}
	assert_int_equal(__inlay_map_update_elem(&f.desc, &two, &two, 0), -INLAY_E2BIG);
	assert_int_equal(__inlay_map_delete_elem(&f.desc, &one), 0);
	fixture_thread = 1;
	fixture_slot = NULL;
	assert_int_equal(__inlay_map_update_elem(&f.desc, &two, &two, INLAY_BPF_NOEXIST), 0);
	for (fixture_thread = 0; fixture_thread < 4; fixture_thread++) {
		fixture_slot = NULL;
		v = __inlay_map_lookup_elem(&f.desc, &two);
		assert_int_equal(*v, fixture_thread == 1 ? 2 : 0);
	}
	fixture_thread = 0;
	fixture_fini(&f);
}

/* No shard, no region yet: the hit is dropped, nothing else happens. */
static void nothing_to_write_to(void **state)
{
	__u32 types[] = { INLAY_MAP_TYPE_PERCPU_ARRAY, INLAY_MAP_TYPE_PERCPU_HASH };
	struct inlay_map_desc huge = { .type = INLAY_MAP_TYPE_ARRAY, .key_size = 4,
				       .value_size = 8, .value_stride = 8, .max_entries = 4,
				       .flags = INLAY_MAP_HUGE };
	void *base = NULL;
	__u64 key = 0, value = 1;
	struct fixture f;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		char *shard;

		fixture_init(&f, types[i], i ? 8 : 4, 8, 2);
		shard = f.shards[0];
		f.shards[0] = NULL;
		assert_null(__inlay_map_lookup_elem(&f.desc, &key));
		assert_int_equal(__inlay_map_update_elem(&f.desc, &key, &value, 0), -INLAY_EBUSY);
		f.shards[0] = shard;
		fixture_slot = NULL;
		assert_int_equal(__inlay_map_update_elem(&f.desc, &key, &value, 0), 0);
		if (i)
			fixture_check(&f.desc, false);
		fixture_fini(&f);
	}
	huge.base = &base;
	assert_null(__inlay_map_lookup_elem(&huge, &key));
	assert_int_equal(__inlay_map_update_elem(&huge, &key, &value, 0), -INLAY_EBUSY);
	huge.type = INLAY_MAP_TYPE_HASH;
	assert_null(__inlay_map_lookup_elem(&huge, &key));
	assert_int_equal(__inlay_map_update_elem(&huge, &key, &value, 0), -INLAY_EBUSY);
	assert_int_equal(__inlay_map_delete_elem(&huge, &key), -INLAY_ENOENT);
}

/* Random bytes in the region, also changing while it is used: wrong answers, no crash, no hang. */
static void hostile_region(void **state)
{
	__u64 seed = 42, key, value[3] = { 0 };
	__u32 round, i;

	(void)state;
	for (round = 0; round < 300; round++) {
		struct fixture f;
		__u64 *words;
		size_t nr;

		fixture_init(&f, round % 2 ? INLAY_MAP_TYPE_HASH : INLAY_MAP_TYPE_PERCPU_HASH, 8, 24,
			     1 + fixture_random(&seed) % 40);
		words = f.desc.region;
		nr = f.desc.region_bytes / 8;
		for (i = 0; i < nr; i++) {
			__u64 r = fixture_random(&seed);

			/* all bits, or small numbers that look like nodes */
			words[i] = round % 3 ? r % 8 == 0 ? r >> 8 : r % 60 | (r & 0xff00000000) : r;
		}
		for (i = 0; i < 200; i++) {
			key = fixture_random(&seed) % 50;
			words[fixture_random(&seed) % nr] = fixture_random(&seed) % 70;
			switch (i % 3) {
			case 0:
				__inlay_map_update_elem(&f.desc, &key, value, i % 4);
				break;
			case 1:
				__inlay_map_delete_elem(&f.desc, &key);
				break;
			case 2: {
				char *v = __inlay_map_lookup_elem(&f.desc, &key);

				if (v)
					memset(v, 0xff, f.desc.value_size);
			}
			}
		}
		fixture_fini(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layout),
		cmocka_unit_test(percpu_shards),
		cmocka_unit_test(nothing_to_write_to),
		cmocka_unit_test(hostile_region),
		cmocka_unit_test(differential),
	};

	return exit_code(cmocka_run_group_tests(tests, NULL, NULL));
}
