/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operations on maps of every type for the target's functions to do: each program does what its
 * function is asked for, and makes that function return the map's answer.
 */
#include <inlay/inlay.bpf.h>

#include "storm.h"

#define KEYED(name, map_type, flags, value_type)                                                   \
	struct {                                                                                   \
		__uint(type, map_type);                                                            \
		__uint(max_entries, STORM_MAX_ENTRIES);                                            \
		__uint(map_flags, flags);                                                          \
		__type(key, __u64);                                                                \
		__type(value, value_type);                                                         \
	} name SEC(".maps")

KEYED(hash, BPF_MAP_TYPE_HASH, 0, struct storm_value);
KEYED(parts, BPF_MAP_TYPE_PERCPU_HASH, 0, __u64);
KEYED(lru, BPF_MAP_TYPE_LRU_HASH, 0, struct storm_value);
KEYED(lru_parts, BPF_MAP_TYPE_LRU_PERCPU_HASH, 0, __u64);

struct prefix {
	__u32 bits;
	__u32 data[2];
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, STORM_MAX_ENTRIES);
	__type(key, struct prefix);
	__type(value, struct storm_value);
} trie SEC(".maps");

struct counts {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, STORM_SLOTS + 1);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps"), inner_a SEC(".maps"), inner_b SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, STORM_SLOTS + 1);
	__type(key, __u32);
	__type(value, __u64);
} counts_by_thread SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(values, struct counts);
} by_index SEC(".maps") = {
	.values = { [1] = &inner_a },
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, struct counts);
} by_key SEC(".maps") = {
	.values = { [2] = &inner_b },
};

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 64);
	__type(value, struct storm_value);
} queue SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, 64);
	__type(value, struct storm_value);
} stack SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__uint(max_entries, STORM_LIVE);
	__type(value, __u64);
} bloom SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} events SEC(".maps");

_Static_assert(STORM_SLOTS < 8, "a place for each in struct locked");
struct locked {
	struct bpf_spin_lock lock;
	__u64 first[8], second[8];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, STORM_LOCKS);
	__type(key, __u32);
	__type(value, struct locked);
} locks SEC(".maps");

struct {
	__uint(type, 33); /* BPF_MAP_TYPE_ARENA, which older headers lack */
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2 * STORM_SLOTS + 2);
} arena SEC(".maps");

#define __arena __attribute__((address_space(1)))
void __arena *bpf_arena_alloc_pages(void *map, void __arena *addr, __u32 page_cnt, int node_id,
				    __u64 flags) __ksym;
void bpf_arena_free_pages(void *map, void __arena *ptr, __u32 page_cnt) __ksym;

/* in the arena's first page */
struct pages {
	struct storm_value __arena *of_slot[STORM_SLOTS + 1];
};
struct pages __arena *pages;

#ifndef STORM_NO_READS
struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 64);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, 4 * sizeof(__u64));
} traces SEC(".maps");
#endif

static __always_inline void fill(struct storm_value *value, __u64 key, __u64 n)
{
	value->key = key;
	value->n = n;
	value->sum = key + n;
	value->xor = key ^ n;
}

static __always_inline long answer(const struct storm_value *value, __u64 key)
{
	/* each word is read once: the value may be exchanged meanwhile, as a whole or for another key's */
	__u64 n = value->n;

	if (value->key != key || value->sum != key + n || value->xor != (key ^ n))
		return STORM_TORN;
	return (long)n;
}

#define DO_WHOLE(map)                                                                              \
	({                                                                                         \
		struct storm_value value_, *at_;                                                   \
		long rc_;                                                                          \
                                                                                                   \
		if (what == STORM_PUT) {                                                           \
			fill(&value_, key, n);                                                     \
			rc_ = bpf_map_update_elem(&map, &key, &value_, BPF_ANY);                   \
		} else if (what == STORM_DELETE) {                                                 \
			rc_ = bpf_map_delete_elem(&map, &key);                                     \
		} else {                                                                           \
			at_ = bpf_map_lookup_elem(&map, &key);                                     \
			rc_ = at_ ? answer(at_, key) : -2;                                         \
		}                                                                                  \
		rc_;                                                                               \
	})

/* per-CPU: the calling thread's part */
#define DO_PARTS(map)                                                                              \
	({                                                                                         \
		__u64 *at_;                                                                        \
		long rc_;                                                                          \
                                                                                                   \
		if (what == STORM_PUT) {                                                           \
			rc_ = bpf_map_update_elem(&map, &key, &n, BPF_ANY);                        \
		} else if (what == STORM_DELETE) {                                                 \
			rc_ = bpf_map_delete_elem(&map, &key);                                     \
		} else {                                                                           \
			at_ = bpf_map_lookup_elem(&map, &key);                                     \
			rc_ = at_ ? (long)*at_ : -2;                                               \
		}                                                                                  \
		rc_;                                                                               \
	})

SEC("uprobe/do_hash")
int BPF_UPROBE(on_hash, __u32 what, __u64 key, __u64 n)
{
	bpf_override_return(ctx, DO_WHOLE(hash));
	return 0;
}

SEC("uprobe/do_parts")
int BPF_UPROBE(on_parts, __u32 what, __u64 key, __u64 n)
{
	bpf_override_return(ctx, DO_PARTS(parts));
	return 0;
}

SEC("uprobe/do_lru")
int BPF_UPROBE(on_lru, __u32 what, __u64 key, __u64 n)
{
	bpf_override_return(ctx, DO_WHOLE(lru));
	return 0;
}

SEC("uprobe/do_lru_parts")
int BPF_UPROBE(on_lru_parts, __u32 what, __u64 key, __u64 n)
{
	bpf_override_return(ctx, DO_PARTS(lru_parts));
	return 0;
}

SEC("uprobe/do_trie")
int BPF_UPROBE(on_trie, __u32 what, __u64 number, __u64 n)
{
	struct prefix key = { 32 + number % 33, { (__u32)number, 0 } };
	struct storm_value value, *at;
	long rc;

	if (what == STORM_PUT) {
		fill(&value, number, n);
		rc = bpf_map_update_elem(&trie, &key, &value, BPF_ANY);
	} else if (what == STORM_DELETE) {
		rc = bpf_map_delete_elem(&trie, &key);
	} else {
		key.bits = 64;
		at = bpf_map_lookup_elem(&trie, &key);
		rc = at ? answer(at, number) : -2;
	}
	bpf_override_return(ctx, rc);
	return 0;
}


SEC("uprobe/do_count")
int BPF_UPROBE(on_count, __u32 slot, __u64 by)
{
	__u64 *n = bpf_map_lookup_elem(&counts, &slot);

	bpf_override_return(ctx, n ? __sync_fetch_and_add(n, by) : -2);
	return 0;
}

SEC("uprobe/do_count_by_thread")
int BPF_UPROBE(on_count_by_thread, __u32 slot)
{
	__u64 *n = bpf_map_lookup_elem(&counts_by_thread, &slot);

	if (n)
		*n += 1;
	bpf_override_return(ctx, n ? 0 : -2);
	return 0;
}

SEC("uprobe/do_inner")
int BPF_UPROBE(on_inner, __u32 slot, __u64 by)
{
	__u32 index = 1, key = 2;
	void *a = bpf_map_lookup_elem(&by_index, &index), *b = bpf_map_lookup_elem(&by_key, &key);
	__u64 *n = a ? bpf_map_lookup_elem(a, &slot) : 0, *m = b ? bpf_map_lookup_elem(b, &slot) : 0;
	long rc = -2;

	if (n && m) {
		rc = (long)__sync_fetch_and_add(n, by);
		__sync_fetch_and_add(m, by);
	}
	bpf_override_return(ctx, rc);
	return 0;
}

SEC("uprobe/do_locked")
int BPF_UPROBE(on_locked, __u32 which, __u32 slot, __u64 by)
{
	struct locked *at = bpf_map_lookup_elem(&locks, &which);
	long rc = -2;

	if (at && slot < 8) {
		bpf_spin_lock(&at->lock);
		at->first[slot] += by;
		at->second[slot] += by;
		rc = (long)(at->first[slot] << 32 | (at->second[slot] & 0xffffffff));
		bpf_spin_unlock(&at->lock);
	}
	bpf_override_return(ctx, rc);
	return 0;
}

#define DO_CHAIN(map)                                                                              \
	({                                                                                         \
		struct storm_value value_;                                                         \
		long rc_;                                                                          \
                                                                                                   \
		if (what == STORM_PUT) {                                                           \
			fill(&value_, key, n);                                                     \
			rc_ = bpf_map_push_elem(&map, &value_, 0);                                 \
		} else if (what == STORM_DELETE) {                                                 \
			rc_ = bpf_map_pop_elem(&map, &value_);                                     \
			if (!rc_)                                                                  \
				rc_ = answer(&value_, value_.key);                                 \
			if (rc_ >= 0)                                                              \
				rc_ = (long)(value_.key << 48 | value_.n);                         \
		} else {                                                                           \
			rc_ = bpf_map_peek_elem(&map, &value_);                                    \
			if (!rc_)                                                                  \
				rc_ = answer(&value_, value_.key);                                 \
		}                                                                                  \
		rc_;                                                                               \
	})

SEC("uprobe/do_queue")
int BPF_UPROBE(on_queue, __u32 what, __u64 key, __u64 n)
{
	bpf_override_return(ctx, DO_CHAIN(queue));
	return 0;
}

SEC("uprobe/do_stack")
int BPF_UPROBE(on_stack, __u32 what, __u64 key, __u64 n)
{
	bpf_override_return(ctx, DO_CHAIN(stack));
	return 0;
}

SEC("uprobe/do_bloom")
int BPF_UPROBE(on_bloom, __u32 what, __u64 number)
{
	bpf_override_return(ctx, what == STORM_PUT ? bpf_map_push_elem(&bloom, &number, 0) :
						     bpf_map_peek_elem(&bloom, &number));
	return 0;
}

SEC("uprobe/do_ring")
int BPF_UPROBE(on_ring, __u64 slot, __u64 n)
{
	struct storm_event *event = bpf_ringbuf_reserve(&ring, sizeof(*event), 0);

	if (event) {
		event->slot = slot;
		event->n = n;
		event->sum = slot + n;
		event->xor = slot ^ n;
		bpf_ringbuf_submit(event, 0);
	}
	bpf_override_return(ctx, event ? 0 : -2);
	return 0;
}

/* A page for the slot, filled, read and now and then given back. */
SEC("uprobe/do_arena")
int BPF_UPROBE(on_arena, __u32 slot, __u64 n)
{
	struct pages __arena *first = pages;
	struct storm_value __arena *value;
	long rc = -2;

	if (!first)
		pages = first = bpf_arena_alloc_pages(&arena, 0, 1, -1, 0);
	if (first && slot <= STORM_SLOTS) {
		value = first->of_slot[slot];
		if (!value)
			first->of_slot[slot] = value = bpf_arena_alloc_pages(&arena, 0, 2, -1, 0);
		if (value) {
			rc = (long)value[STORM_KEYS].n;
			value[STORM_KEYS].key = slot;
			__sync_fetch_and_add(&value[STORM_KEYS].n, 1);
			value[4096 / sizeof(*value)].n = n;
		}
		if (n % 8 == 0) {
			bpf_arena_free_pages(&arena, value, 2);
			first->of_slot[slot] = 0;
		}
	}
	bpf_override_return(ctx, rc);
	return 0;
}

SEC("uprobe/do_events")
int BPF_UPROBE(on_events, __u64 slot, __u64 n)
{
	struct storm_event event = { slot, n, slot + n, slot ^ n };

	bpf_override_return(ctx, bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, &event,
						       sizeof(event)));
	return 0;
}

#ifndef STORM_NO_READS
SEC("uprobe/do_trace")
int BPF_UPROBE(on_trace)
{
	bpf_override_return(ctx, bpf_get_stackid(ctx, &traces, BPF_F_USER_STACK));
	return 0;
}

/* Helpers of each kind: 8 if the address can be read, and 1 for each other one that is right. */
SEC("uprobe/do_helpers")
int BPF_UPROBE(on_helpers, const void *address)
{
	static const char format[] = "%d-%d", wanted[] = "7-8";
	__u64 word = 0, args[2] = { 7, 8 }, frames[4];
	char text[8], comm[16];
	long rc = 0;

	rc += bpf_snprintf(text, sizeof(text), format, args, sizeof(args)) == 4 &&
	      !bpf_strncmp(text, 4, wanted);
	rc += bpf_ktime_get_ns() > 0 && bpf_ktime_get_boot_ns() > 0;
	rc += !bpf_get_current_comm(comm, sizeof(comm)) && comm[0];
	rc += bpf_get_stack(ctx, frames, sizeof(frames), BPF_F_USER_STACK) > 0;
	rc += bpf_get_current_pid_tgid() >> 32 != 0;
	bpf_trace_printk(format, sizeof(format), 7, 8);
	if (!bpf_probe_read_user(&word, sizeof(word), address))
		rc += 8;
	else if (word)
		rc = -5;
	bpf_override_return(ctx, rc);
	return 0;
}
#endif

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 4096);
} messages SEC(".maps");

/* whoever drains, one at a time, takes over from the last one */
__u64 drained, drained_again, drained_wrong;

static long take(struct bpf_dynptr *ptr, void *ctx)
{
	struct storm_event message;

	if (bpf_dynptr_read(&message, sizeof(message), ptr, 0, 0) ||
	    message.sum != message.slot + message.n || message.xor != (message.slot ^ message.n))
		drained_wrong++;
	else if (message.n == drained + 1)
		drained = message.n;
	else if (message.n == drained) /* who was killed had looked at it */
		drained_again++;
	else
		drained_wrong++;
	return 0;
}

SEC("uprobe/do_drain")
int BPF_UPROBE(on_drain, __u32 what)
{
	long rc;

	if (what == STORM_DRAINED)
		rc = (long)drained;
	else if (what == STORM_DRAINED_AGAIN)
		rc = (long)drained_again;
	else if (what == STORM_DRAINED_WRONG)
		rc = (long)drained_wrong;
	else
		rc = bpf_user_ringbuf_drain(&messages, take, 0, 0);
	bpf_override_return(ctx, rc);
	return 0;
}

struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u32);
} groups SEC(".maps");

SEC("uprobe/do_group")
int BPF_UPROBE(on_group, __u32 index)
{
	bpf_override_return(ctx, index == STORM_OWN_GROUP ?
					 (long)bpf_get_current_cgroup_id() :
					 bpf_current_task_under_cgroup(&groups, index));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
