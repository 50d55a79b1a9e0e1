// SPDX-License-Identifier: BSD-2-Clause
/*
 * The programs of bench/maps: each does one map operation or helper a round, and returns how many
 * rounds went as they should. Entries are met in an order that no prefetcher guesses.
 */
#include "bench/maps/programs.h"

enum { ENTRIES = 10000, STEP = 7919 /* prime to ENTRIES */ };

/* ---- the loop alone, and with the choice of an entry ---- */

ROUND(empty_round)
{
	return 0;
}
PROGRAM(empty, empty_round)

static __always_inline __u64 next_entry(struct bench *bench)
{
	__u64 n = bench->address + STEP;

	if (n >= ENTRIES)
		n -= ENTRIES;
	bench->address = n;
	return n;
}

ROUND(choose_round)
{
	bench->result += next_entry(bench) < ENTRIES;
	return 0;
}
PROGRAM(choose, choose_round)

/* ---- arrays ---- */

MAP(array_map, BPF_MAP_TYPE_ARRAY, 16, __u32, __u64);
MAP(percpu_array_map, BPF_MAP_TYPE_PERCPU_ARRAY, 16, __u32, __u64);

#define COUNT(name, map, index)                                                                    \
	ROUND(name##_round)                                                                        \
	{                                                                                          \
		__u32 key = index;                                                                 \
		__u64 *value = bpf_map_lookup_elem(&map, &key);                                    \
                                                                                                   \
		if (value)                                                                         \
			*value += 1;                                                               \
		return 0;                                                                          \
	}                                                                                          \
	PROGRAM(name, name##_round)

COUNT(array, array_map, round & 15)
COUNT(percpu_array, percpu_array_map, round & 15)
/* each add waits for the one before it to reach memory: the processor's figure, not the map's */
COUNT(array_one, array_map, 3)
COUNT(percpu_array_one, percpu_array_map, 3)

/* ---- hash maps of 10,000 entries: fill, then look up and add ---- */

struct key8 {
	__u64 words[1];
};
struct key16 {
	__u64 words[2];
};
struct key32 {
	__u64 words[4];
};
struct key64 {
	__u64 words[8];
};

static __always_inline void make_key(__u64 *words, int nr, __u64 n)
{
	for (int i = 0; i < nr; i++)
		words[i] = n;
}

#define LOOKUPS(name, map_type, key_type) LOOKUPS_OF(name, map_type, ENTRIES, key_type)
#define LOOKUPS_OF(name, map_type, max, key_type)                                                  \
	MAP(name##_map, map_type, max, key_type, __u64);                                           \
	ROUND(name##_fill_round)                                                                   \
	{                                                                                          \
		key_type key;                                                                      \
		__u64 zero = 0;                                                                    \
                                                                                                   \
		make_key(key.words, sizeof(key) / 8, next_entry(bench));                           \
		bench->result += !bpf_map_update_elem(&name##_map, &key, &zero, BPF_ANY);          \
		return 0;                                                                          \
	}                                                                                          \
	PROGRAM(name##_fill, name##_fill_round)                                                    \
	ROUND(name##_round)                                                                        \
	{                                                                                          \
		key_type key;                                                                      \
		__u64 *value;                                                                      \
                                                                                                   \
		make_key(key.words, sizeof(key) / 8, next_entry(bench));                           \
		value = bpf_map_lookup_elem(&name##_map, &key);                                    \
		if (value) {                                                                       \
			*value += 1;                                                               \
			bench->result++;                                                           \
		}                                                                                  \
		return 0;                                                                          \
	}                                                                                          \
	PROGRAM(name, name##_round)

LOOKUPS(hash8, BPF_MAP_TYPE_HASH, struct key8)
LOOKUPS(hash16, BPF_MAP_TYPE_HASH, struct key16)
LOOKUPS(hash32, BPF_MAP_TYPE_HASH, struct key32)
LOOKUPS(hash64, BPF_MAP_TYPE_HASH, struct key64)
LOOKUPS(percpu_hash, BPF_MAP_TYPE_PERCPU_HASH, struct key8)
/* room to spare: the kernel keeps some of its nodes back for each processor */
LOOKUPS_OF(lru, BPF_MAP_TYPE_LRU_HASH, 2 * ENTRIES, struct key8)

/* ---- an update of a live key ---- */

ROUND(hash_update_round)
{
	struct key8 key = {{next_entry(bench)}};
	__u64 value = bench->result;

	bench->result += !bpf_map_update_elem(&hash8_map, &key, &value, BPF_ANY);
	return 0;
}
PROGRAM(hash_update, hash_update_round)

/* ---- a timestamp by thread id: put at the entry, found and taken at the return ---- */

MAP(starts, BPF_MAP_TYPE_HASH, ENTRIES, __u32, __u64);

ROUND(timestamps_round)
{
	__u32 tid = (__u32)bench->address;
	__u64 time = round, *start;

	bpf_map_update_elem(&starts, &tid, &time, BPF_ANY);
	start = bpf_map_lookup_elem(&starts, &tid);
	if (start)
		bench->result += *start == time;
	bpf_map_delete_elem(&starts, &tid);
	return 0;
}
PROGRAM(timestamps, timestamps_round)

/* ---- the same with another key each time ---- */

MAP(open_requests, BPF_MAP_TYPE_HASH, ENTRIES, struct key8, __u64);

ROUND(requests_round)
{
	struct key8 key = {{next_entry(bench)}};
	__u64 time = round, *start;

	bpf_map_update_elem(&open_requests, &key, &time, BPF_ANY);
	start = bpf_map_lookup_elem(&open_requests, &key);
	if (start)
		bench->result += *start == time;
	bpf_map_delete_elem(&open_requests, &key);
	return 0;
}
PROGRAM(requests, requests_round)

/* ---- ring buffer ---- */

#define RING(name, map, bytes)                                                                     \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_RINGBUF);                                                \
		__uint(max_entries, bytes);                                                        \
	} map SEC(".maps");                                                                        \
	ROUND(name##_round)                                                                        \
	{                                                                                          \
		__u64 *record = bpf_ringbuf_reserve(&map, 64, 0);                                  \
                                                                                                   \
		if (!record)                                                                       \
			return 0;                                                                  \
		record[0] = round;                                                                 \
		record[7] = round;                                                                 \
		bpf_ringbuf_submit(record, 0);                                                     \
		bench->result++;                                                                   \
		return 0;                                                                          \
	}                                                                                          \
	PROGRAM(name, name##_round)

/* a second-level cache holds this one and the kernel's, as samples alternate */
RING(ring, ring_map, 1 << 19)
/* for two threads: a half of it must do for a sample, as there are no spans in a fuller one */
RING(ring_two, ring_two_map, 1 << 20)
/* the same for the one thread that alone writes to it */
RING(ring_alone, ring_alone_map, 1 << 20)

/* ---- helpers ---- */

ROUND(ktime_round)
{
	bench->result += bpf_ktime_get_ns() != 0;
	return 0;
}
PROGRAM(ktime, ktime_round)

ROUND(pid_tgid_round)
{
	bench->result += bpf_get_current_pid_tgid() != 0;
	return 0;
}
PROGRAM(pid_tgid, pid_tgid_round)

ROUND(probe_read_round)
{
	__u64 value;

	bench->result += !bpf_probe_read_user(&value, sizeof(value), (void *)bench->address);
	return 0;
}
PROGRAM(probe_read, probe_read_round)
