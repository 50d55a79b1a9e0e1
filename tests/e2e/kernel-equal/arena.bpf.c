/* SPDX-License-Identifier: BSD-2-Clause */
/* An arena: a hash table in its pages, pages that come and go, and accesses where there are none. */
#include <inlay/inlay.bpf.h>

#define __arena __attribute__((address_space(1)))
#ifndef PAGES
#define PAGES 24
#endif
#define PAGE 4096
#define BUCKETS 64
#define STEPS 64

struct {
	__uint(type, 33); /* BPF_MAP_TYPE_ARENA, which older headers lack */
	__uint(map_flags, BPF_F_MMAPABLE | 1 << 17); /* BPF_F_SEGV_ON_FAULT */
	__uint(max_entries, PAGES);
	__uint(map_extra, 0x20000);
} arena SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 24);
	__type(key, __u32);
	__type(value, __s64);
} results SEC(".maps");

void __arena *bpf_arena_alloc_pages(void *map, void __arena *addr, __u32 page_cnt, int node_id,
				    __u64 flags) __ksym __weak;
void bpf_arena_free_pages(void *map, void __arena *ptr, __u32 page_cnt) __ksym __weak;

struct node {
	struct node __arena *next;
	char key[24];
	__u64 hits;
	__u64 sum;
};

struct table {
	struct node __arena *buckets[BUCKETS];
};

struct table __arena *table;
char __arena *room;		/* for nodes */
__u32 left;
__u64 fulls;

static __always_inline void note(__u32 slot, __s64 result)
{
	__s64 *sum = bpf_map_lookup_elem(&results, &slot);

	if (sum)
		*sum = *sum * 3 + result;
}

static __always_inline void __arena *pages(__u64 at, __u32 nr)
{
	return bpf_arena_alloc_pages(&arena, (void __arena *)at, nr, -1, 0);
}

static __noinline struct node __arena *new_node(void)
{
	struct node __arena *n;

	if (left < sizeof(*n)) {
		room = pages(0, 1);
		left = room ? PAGE : 0;
	}
	if (!room) {
		fulls++;
		return 0;
	}
	n = (void __arena *)room;
	room += sizeof(*n);
	left -= sizeof(*n);
	return n;
}

static __always_inline __u32 hash(const char *key)
{
	__u32 h = 7;

	for (int i = 0; i < 24; i++)
		h = h * 31 + (unsigned char)key[i];
	return h ^ h >> 16;
}

static __always_inline int is_same(const struct node __arena *n, const char *key)
{
	for (int i = 0; i < 24; i++)
		if (n->key[i] != key[i])
			return 0;
	return 1;
}

static __always_inline struct node __arena *find(const char *key, struct node __arena **ret_first)
{
	struct node __arena *n;

	*ret_first = 0;
	if (!table)
		table = pages(0, 1);
	if (!table)
		return 0;
	n = *ret_first = table->buckets[hash(key) % BUCKETS];
	for (int i = 0; i < STEPS && n; i++, n = n->next)
		if (is_same(n, key))
			return n;
	return 0;
}

SEC("uprobe.s/kv_set")
int BPF_UPROBE(set, void *store, const char *key, const char *value, __u64 flags)
{
	struct node __arena *n, *first;
	char k[24] = {};

	bpf_probe_read_user_str(k, sizeof(k), key);
	n = find(k, &first);
	if (!n) {
		n = new_node();
		if (!n)
			return 0;
		for (int i = 0; i < 24; i++)
			n->key[i] = k[i];
		n->next = first;
		table->buckets[hash(k) % BUCKETS] = n;
	}
	n->hits++;
	__sync_fetch_and_add(&n->sum, flags);
	return 0;
}

/* Pages at addresses of its own, freed in between; what is not there. */
SEC("uprobe.s/kv_get")
int BPF_UPROBE(get, void *store, const char *key)
{
	const __u64 at = 0x20000 + 20 * PAGE;
	volatile long __arena *p = pages(at, 2), *again;
	struct node __arena *first;
	char k[24] = {};

	bpf_probe_read_user_str(k, sizeof(k), key);
	note(0, find(k, &first) ? 1 : 0);
	note(1, (long)p);
	if (!p)
		return 0;
	p[0] = 77;
	p[PAGE / 8 - 1] = k[3];
	p[PAGE / 8] = 78;
	again = pages(at + PAGE, 1);
	note(2, (long)again);
	note(3, (long)pages(at + 1, 1));
	note(4, (long)pages(at + 3 * PAGE, 2));
	note(5, (long)pages(0, PAGES));
	note(6, (long)pages(0, 0));
	/* half of it is freed, and what is stored there is nowhere */
	bpf_arena_free_pages(&arena, (void __arena *)p, 1);
	p[0] = 79;
	note(7, p[0]);
	note(8, p[PAGE / 8]);
	note(9, *(volatile long __arena *)((char __arena *)p + PAGE - 4));
	*(volatile long __arena *)((char __arena *)p + PAGE - 4) = -1;
	note(10, p[PAGE / 8]);
	again = pages(at, 1);
	note(11, (long)again);
	note(12, again ? again[0] : -1);
	if (k[3] & 1)
		bpf_arena_free_pages(&arena, (void __arena *)at, 3);
	else
		bpf_arena_free_pages(&arena, (void __arena *)(at + PAGE), 1000);
	return 0;
}

/* The accesses that there are, in the pages and outside of them. */
SEC("uprobe.s/kv_delete")
int BPF_UPROBE(del, void *store, const char *key)
{
	struct node __arena *n, *first;
	volatile signed char __arena *bytes;
	char k[24] = {};
	__u64 old;

	bpf_probe_read_user_str(k, sizeof(k), key);
	n = find(k, &first);
	if (!n)
		return 0;
	bytes = (volatile signed char __arena *)n;
	bytes[8] = -3;
	note(13, bytes[8]);
	bytes[8] = k[0];
	note(14, *(volatile short __arena *)(bytes + 9));
	old = __sync_lock_test_and_set(&n->sum, n->sum + 5);
	note(15, old);
	note(16, __sync_val_compare_and_swap(&n->hits, n->hits, n->hits + 100));
	note(17, __sync_fetch_and_add(&n->hits, 1));
	note(18, (long)n & 0xfff);
	note(19, *(volatile long __arena *)(bytes + 0x100000));
	note(20, *(volatile long __arena *)(bytes - 0x20000));
	*(volatile long __arena *)(bytes + 0x80000000) = 5;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
