/* SPDX-License-Identifier: BSD-2-Clause */
/* A list in an arena above 1 MiB, and pages that are taken, written, looked at and given back. */
#include <inlay/inlay.bpf.h>

#define __arena __attribute__((address_space(1)))

struct {
	__uint(type, 33); /* BPF_MAP_TYPE_ARENA, which older headers lack */
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 20000);
} arena SEC(".maps");

void __arena *bpf_arena_alloc_pages(void *map, void __arena *addr, __u32 page_cnt, int node_id,
				    __u64 flags) __ksym;
void bpf_arena_free_pages(void *map, void __arena *ptr, __u32 page_cnt) __ksym;

struct node {
	struct node __arena *next;
	__u64 value;
	char text[32];
};

/* in its first page */
__u64 __arena added = 1000;

struct node __arena *head;
__u64 refused, got, wrong;

static char __arena *room;
static __u32 left;

SEC("uprobe/add")
int BPF_UPROBE(add, __u64 value)
{
	struct node __arena *n;

	added++;
	if (left < sizeof(*n)) {
		room = bpf_arena_alloc_pages(&arena, 0, 1, -1, 0);
		left = room ? 4096 : 0;
	}
	if (!room) {
		refused++;
		return 0;
	}
	n = (void __arena *)room;
	room += sizeof(*n);
	left -= sizeof(*n);
	n->value = value;
	n->text[value % sizeof(n->text)] = 1;
	n->next = head;
	head = n;
	return 0;
}

/* Pages of somebody's own as long as it has them: each word of theirs says whose. */
SEC("uprobe/churn")
int BPF_UPROBE(churn, __u64 id, __u32 nr)
{
	volatile __u64 __arena *p = bpf_arena_alloc_pages(&arena, 0, nr, -1, 0);

	if (!p) {
		__sync_fetch_and_add(&refused, 1);
		return 0;
	}
	for (int i = 0; i < 3 * 512 && i < nr * 512; i += 31) {
		if (p[i])
			__sync_fetch_and_add(&wrong, 1);
		p[i] = id;
	}
	for (int i = 0; i < 3 * 512 && i < nr * 512; i += 31)
		if (p[i] != id)
			__sync_fetch_and_add(&wrong, 1);
	bpf_arena_free_pages(&arena, (void __arena *)p, nr);
	return 0;
}

/* One page for good. */
SEC("uprobe/take")
int BPF_UPROBE(take, __u64 id)
{
	volatile __u64 __arena *p = bpf_arena_alloc_pages(&arena, 0, 1, -1, 0);

	if (!p) {
		refused++;
		return 0;
	}
	if (p[0] || p[511])
		wrong++;
	p[0] = p[511] = id;
	got++;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
