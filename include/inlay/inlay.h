/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading a segment from another process: objects, programs, maps, their entries and types.
 *
 * A segment is written by a program that may be broken, hostile, or gone in the middle of a write.
 * For reading the library therefore never maps it: it copies with pread(2), checks every number
 * that it read on each use, and bounds every loop. Only consumers of rings map what they consume,
 * as they write to it. Nothing in a segment makes the library crash, hang or raise a signal.
 *
 * Errors: 0 or -errno. The ones that have a meaning of their own:
 *   -EPERM      the segment belongs to another user, or its directory is open to others
 *   -EPROTO     another major version of the ABI
 *   -EAGAIN     the target is still making the segment
 *   -EBADMSG    not a segment, or a reference in it points outside
 *   -ESTALE     the file was cut short while it was being read
 *   -ENODATA    the map's values are not in the segment (they are private to the target)
 *   -EOPNOTSUPP a map type that this library does not know, or one without entries (rings)
 *   -EBUSY      the ring has a consumer
 *   -ENOENT, -EACCES, -ENOMEM ... as usual
 *
 * Threads: handles of different segments are independent. One segment handle, and what was opened
 * from it, is used by one thread at a time. The library keeps no global state, prints nothing and
 * reads no environment variable. Consumers of rings are the exception: from the first one on the
 * process has a handler for SIGBUS, which takes what comes from a ring whose file was cut short,
 * and passes everything else on to the handler that was there before. A handler that is set later
 * should do so, too.
 *
 * Strings that come from a segment end in NUL and are otherwise raw: escape them before a terminal
 * sees them.
 *
 * Structures whose first member is `sz` are filled or read up to that many bytes: set it to the
 * sizeof of the structure (INLAY_SIZED does), so that old binaries work with a newer library.
 */
#ifndef INLAY_INLAY_H
#define INLAY_INLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "inlay/abi.h"

#ifdef __cplusplus
template <typename T> static inline T inlay_sized()
{
	T sized{};

	sized.sz = sizeof(T);
	return sized;
}
#define INLAY_SIZED(type) inlay_sized<struct type>()
extern "C" {
#else
#define INLAY_SIZED(type) { .sz = sizeof(struct type) }
#endif

/* The library is built with hidden visibility; what stands here is exported. */
#pragma GCC visibility push(default)

struct btf;
struct inlay_reader;
struct inlay_map;
struct inlay_map_iter;

/* ---- Segments --------------------------------------------------------------------------- */

struct inlay_segment_opts {
	size_t sz;
	const char *dir;	/* where segments are; NULL: /dev/shm/inlay-UID */
	bool is_owner_given;	/* false: only segments of the caller's effective user */
	uid_t owner;		/* is_owner_given: of this user instead */
	bool is_writable;	/* for inlay_segment_prog_switch(), and to consume or write rings */
	bool is_unlocked;	/* take no reader lock: a quick look, the target may unlink the file */
	char *reason;		/* buffer for one line that explains a failure; may be NULL */
	size_t reason_bytes;
	bool has_memfds;	/* inlay_segment_list(): also those that are no files, but memfds of
				 * the user's running processes; their paths are /proc/PID/fd/FD */
};

/*
 * Opens a segment; the caller closes it. `name` with a '/' is a path, without one the name of a
 * file in the directory. opts may be NULL.
 */
int inlay_segment_open(const char *name, const struct inlay_segment_opts *opts,
		       struct inlay_reader **ret_reader);

/*
 * Opens the segment that process `pid` writes to: one in the directory with a live process of that
 * id, else a crashed process's that had it, else the process's memfd. -ENOENT: it has none;
 * -ESRCH: there is no such process.
 */
int inlay_segment_open_pid(pid_t pid, const struct inlay_segment_opts *opts,
			   struct inlay_reader **ret_reader);

/* Frees the handle, its lock and its BTF. Maps and iterators must be closed before. NULL is fine. */
void inlay_segment_close(struct inlay_reader *reader);

/*
 * Calls fn for each file of the directory, newest first. `reader` is NULL if the file was refused:
 * error and reason say why. Otherwise fn borrows it; it is closed after fn returns. fn returns 0
 * to go on; anything else ends the walk and is returned. A missing directory is an empty one.
 */
typedef int (*inlay_segment_fn)(void *arg, const char *path, struct inlay_reader *reader,
				int error, const char *reason);
int inlay_segment_list(const struct inlay_segment_opts *opts, inlay_segment_fn fn, void *arg);

struct inlay_segment_info {
	size_t sz;
	const char *path;	/* owned by the segment */
	uint16_t abi_major, abi_minor;
	uint32_t state;		/* enum inlay_segment_state */
	uint32_t uid;		/* owner of the file */
	uint32_t pid;		/* of the process that made it */
	uint32_t nr_objects, nr_maps, nr_progs, nr_procs, nr_shards;	/* rows */
	uint32_t nr_alive;	/* processes that live and write to it */
	uint64_t starttime;	/* of pid: clock ticks since boot */
	uint64_t created_ns;	/* CLOCK_REALTIME */
	uint64_t total_bytes;
	uint64_t exe_base;	/* load bias of the executable; 0: unknown, or not relocated */
	uint64_t objects_refused; /* probe objects that the target keeps private */
	char comm[17];
	char exe[257];
};
int inlay_segment_info(struct inlay_reader *reader, struct inlay_segment_info *ret_info);

struct inlay_proc_info {
	size_t sz;
	uint32_t pid;		/* 0: the row is free */
	bool is_alive;		/* holds its lock on the segment */
	uint64_t starttime;
};
int inlay_segment_proc(struct inlay_reader *reader, uint32_t index,
		       struct inlay_proc_info *ret_info);

/*
 * A file that the target's code is, or was, in: what is known of it also when the target has ended.
 * Only targets that collect stacks (a STACK_TRACE map) write it down. Of two that hold an address
 * the one with the higher turn counts. -ENOENT past the last; -EAGAIN: this row is not whole, or
 * damaged.
 */
struct inlay_module_info {
	size_t sz;
	uint64_t start, end;	/* addresses in the process */
	uint64_t bias;		/* address in memory minus the one in the file */
	uint32_t build_id_bytes;	/* 0: it has none; at most INLAY_BUILD_ID_BYTES */
	uint8_t build_id[INLAY_BUILD_ID_BYTES];
	char path[sizeof(((struct inlay_seg_module *)0)->path) + 1];	/* cut from the left if long */
	uint32_t turn;
};
int inlay_segment_module(struct inlay_reader *reader, uint32_t index,
			 struct inlay_module_info *ret_info);

/* ---- Objects and types ------------------------------------------------------------------ */

struct inlay_object_info {
	size_t sz;
	uint8_t hash[INLAY_HASH_BYTES];
	char name[INLAY_NAME_BYTES + 1];
	char license[17];
	uint32_t first_map, nr_maps, first_prog, nr_progs;
	uint64_t btf_bytes;
};
int inlay_segment_object(struct inlay_reader *reader, uint32_t index,
			 struct inlay_object_info *ret_info);

/*
 * The BTF of an object, checked: every name and type id in it is valid, and no type contains
 * itself. Read it with libbpf; it lives as long as the segment. -ENOENT: the object has none.
 */
int inlay_segment_btf(struct inlay_reader *reader, uint32_t object, const struct btf **ret_btf);

/* ---- Programs --------------------------------------------------------------------------- */

struct inlay_prog_info {
	size_t sz;
	char name[INLAY_NAME_BYTES + 1];
	char section[INLAY_NAME_BYTES + 1];
	uint32_t kind;		/* enum inlay_prog_kind */
	uint32_t flags;		/* enum inlay_prog_flags */
	uint32_t object, index;
	bool is_on;		/* INLAY_PROG_F_SWITCHED: the switch; others: true */
	uint64_t misses, drops, runs, time_ns;	/* see struct inlay_prog_ctl */
};
int inlay_segment_prog(struct inlay_reader *reader, uint32_t index,
		       struct inlay_prog_info *ret_info);

/*
 * Switches a program on or off; the target sees it at its next hit. -EOPNOTSUPP: not a switched
 * program; -EBADF: the segment was not opened writable.
 */
int inlay_segment_prog_switch(struct inlay_reader *reader, uint32_t index, bool on);

/* ---- Maps ------------------------------------------------------------------------------- */

struct inlay_map_info {
	size_t sz;
	char name[INLAY_NAME_BYTES + 1];
	uint32_t type, key_size, value_size, max_entries, map_flags;
	uint32_t flags;		/* enum inlay_map_flags */
	uint32_t object;
	uint32_t btf_key_type_id, btf_value_type_id;	/* 0: none */
	uint32_t nr_shards;	/* per-CPU maps: threads that have had a part */
	uint64_t bytes;		/* of the region and all shards */
	uint64_t drops;		/* hash maps: updates refused because the map was full; rings: events
				 * that found no room, or were never finished; arenas: allocations
				 * that found none */
	uint64_t address;	/* ARENA: of its first page, for programs; else 0 */
};
int inlay_segment_map(struct inlay_reader *reader, uint32_t index,
		      struct inlay_map_info *ret_info);

/* Opens a map for reading; the caller closes it before the segment. */
int inlay_map_open(struct inlay_reader *reader, uint32_t index, struct inlay_map **ret_map);
void inlay_map_close(struct inlay_map *map);
int inlay_map_info(struct inlay_map *map, struct inlay_map_info *ret_info);

/*
 * Copies the value of a key: key_size bytes at `key`, value_size at `ret_value`. The value of a
 * per-CPU map is the sum over its shards, see inlay_value_sum(). -ENOENT: no such key. In a hash
 * map this looks at every node: it is a reader's call, not a fast path. Of a queue or a stack it
 * copies what would be popped next.
 */
int inlay_map_get(struct inlay_map *map, const void *key, void *ret_value);

/*
 * Copies bytes of an arena at an address that a program has or stored, of which the low 32 bits count.
 * -EFAULT: not all of them are in pages that are allocated. -EINVAL: the map is no arena.
 */
int inlay_map_read_arena(struct inlay_map *map, uint64_t address, void *ret_bytes, size_t bytes);

/*
 * One entry. Pointers are valid until the next call on the iterator. A map that is not per-CPU has
 * one shard: the value. Shards a thread never touched are left out for hash maps and zero for arrays.
 */
struct inlay_map_entry {
	/* key_size bytes; QUEUE, STACK: a uint32_t, 0 is popped next; ARENA: the number of a page
	 * that is allocated, which is the value */
	const void *key;
	const void *value;	/* value_size bytes; per-CPU maps: the sum */
	const void *shards;	/* nr_shards values, value_stride apart */
	const uint32_t *tids;	/* per-CPU maps: the last thread of each shard; else NULL */
	uint32_t nr_shards;
	uint32_t value_stride;
};

/*
 * Iterates over the entries. Each value is copied once and may be newer than the one before it; an
 * entry of a hash map that lives throughout is seen exactly once. _next: 0, or -ENOENT at the end.
 */
int inlay_map_iter_new(struct inlay_map *map, struct inlay_map_iter **ret_iter);
int inlay_map_iter_next(struct inlay_map_iter *iter, const struct inlay_map_entry **ret_entry);
void inlay_map_iter_free(struct inlay_map_iter *iter);

/*
 * Adds a value of BTF type `type_id` to `sum`, both `size` bytes: integers member by member at their
 * width; of pointers, enums, booleans and characters the first that is not zero stays. btf NULL or
 * type_id 0: as 64-bit words if size is a multiple of 8, else 32-bit words, else bytes.
 */
void inlay_value_sum(const struct btf *btf, uint32_t type_id, void *sum, const void *value,
		     size_t size);

/* ---- Ring buffers: events of a RINGBUF -------------------------------------------------- */

/*
 * A consumer of the rings of one or several targets, in the manner of libbpf's ring_buffer.
 * Records of one ring come in the order in which they were reserved, as far as they are
 * committed; rings come in turn.
 *
 * Consuming takes records away, so the segment has to be opened with is_writable, and a ring has
 * one consumer at a time: a lock that the kernel drops when the consumer ends, however it ends.
 * What is in the ring then is the next one's. The target needs no consumer: without one events
 * are counted as lost.
 *
 * Nothing waits for a target: a record whose writer was killed in the middle is skipped and
 * counted.
 */
struct inlay_ring_buffer;

/*
 * Is called with each record. `data` is a copy that belongs to the caller's until the callback
 * returns; its bytes are what the target wrote, and nothing that may be trusted. A negative
 * result ends poll or consume, which return it; the record counts as consumed. The callback must
 * not call functions of this ring.
 */
typedef int (*inlay_ring_buffer_sample_fn)(void *ctx, void *data, size_t size);

struct inlay_ring_buffer_opts {
	size_t sz;
};

/*
 * Makes a consumer of map `map` (its row, as for inlay_segment_map()) of the segment; the caller
 * frees it, before it closes the segment. reader NULL: a consumer of no ring yet. opts may be
 * NULL.
 * -EINVAL: not a RINGBUF; -EBADF: the segment was not opened writable; -EBUSY: it has a consumer.
 */
int inlay_ring_buffer_new(struct inlay_reader *reader, uint32_t map,
			  inlay_ring_buffer_sample_fn sample_cb, void *ctx,
			  const struct inlay_ring_buffer_opts *opts,
			  struct inlay_ring_buffer **ret_ring);
/* One ring more. The segment has to stay open until the consumer is freed. */
int inlay_ring_buffer_add(struct inlay_ring_buffer *ring, struct inlay_reader *reader, uint32_t map,
			  inlay_ring_buffer_sample_fn sample_cb, void *ctx);
/*
 * The rings `map` (a name) of the probe object `object` in all live segments; opts as for
 * inlay_segment_list(). The segments are opened and closed by the consumer. What is consumed
 * already, here or by somebody else, is left out: call it again from time to time to find new
 * targets. Returns how many were added.
 */
int inlay_ring_buffer_add_all(struct inlay_ring_buffer *ring, const struct inlay_segment_opts *opts,
			      const char *object, const char *map,
			      inlay_ring_buffer_sample_fn sample_cb, void *ctx);
/* NULL is fine. */
void inlay_ring_buffer_free(struct inlay_ring_buffer *ring);

/*
 * Waits until there are records or timeout_ms milliseconds are over (-1: no limit), and consumes
 * what there is. Returns the number of records consumed (INT_MAX if more), 0 after the timeout,
 * or a negative error: what a callback returned; -EINTR: a signal handler ran while it waited;
 * -ESTALE: a segment was cut short, and its ring is not looked at again. Producers wake it as the
 * kernel's do, unless they say BPF_RB_NO_WAKEUP. Such records are consumed with the next ones,
 * and at the latest with the next poll.
 */
int inlay_ring_buffer_poll(struct inlay_ring_buffer *ring, int timeout_ms);
/* The same without waiting. */
int inlay_ring_buffer_consume(struct inlay_ring_buffer *ring);
/* At most n records. */
int inlay_ring_buffer_consume_n(struct inlay_ring_buffer *ring, size_t n);

struct inlay_ring_stats {
	size_t sz;
	uint64_t consumed;	/* records given to callbacks by this consumer */
	uint64_t lost;		/* records that found no room, since the map was made */
	uint64_t dead;		/* records that were never finished, since the map was made */
};
/* Sums over all rings. */
int inlay_ring_buffer_stats(struct inlay_ring_buffer *ring, struct inlay_ring_stats *ret_stats);
/* Records lost since the rings were added: those that found no room, and those never finished. */
uint64_t inlay_ring_buffer_lost(struct inlay_ring_buffer *ring);

/* ---- Perf buffers: events of a PERF_EVENT_ARRAY ----------------------------------------- */

/*
 * The same for bpf_perf_event_output(), in the manner of libbpf's perf_buffer. A map has one ring,
 * not one for each processor. What stands above about ring buffers holds here as well.
 */
struct inlay_perf_buffer;

/* `size` is exact: the kernel's samples may have some bytes of padding at their end. */
typedef void (*inlay_perf_buffer_sample_fn)(void *ctx, int cpu, void *data, uint32_t size);
/* `count` samples were lost since the last call. One ring is all processors': `cpu` is that of the sample
 * which found no room last; -1: none, they were never finished. */
typedef void (*inlay_perf_buffer_lost_fn)(void *ctx, int cpu, uint64_t count);

struct inlay_perf_buffer_opts {
	size_t sz;
};

/* lost_cb may be NULL. */
int inlay_perf_buffer_new(struct inlay_reader *reader, uint32_t map,
			  inlay_perf_buffer_sample_fn sample_cb, inlay_perf_buffer_lost_fn lost_cb,
			  void *ctx, const struct inlay_perf_buffer_opts *opts,
			  struct inlay_perf_buffer **ret_perf);
void inlay_perf_buffer_free(struct inlay_perf_buffer *perf);
int inlay_perf_buffer_poll(struct inlay_perf_buffer *perf, int timeout_ms);
int inlay_perf_buffer_consume(struct inlay_perf_buffer *perf);
/* At most n samples. */
int inlay_perf_buffer_consume_n(struct inlay_perf_buffer *perf, size_t n);

/* ---- User ring buffers: messages to a USER_RINGBUF -------------------------------------- */

/*
 * The producer of what bpf_user_ringbuf_drain() drains, in the manner of libbpf's
 * user_ring_buffer. One producer at a time (-EBUSY), one thread at a time.
 */
struct inlay_user_ring_buffer;

struct inlay_user_ring_buffer_opts {
	size_t sz;
};

int inlay_user_ring_buffer_new(struct inlay_reader *reader, uint32_t map,
			       const struct inlay_user_ring_buffer_opts *opts,
			       struct inlay_user_ring_buffer **ret_ring);
/* Discards what was reserved and not submitted. NULL is fine. */
void inlay_user_ring_buffer_free(struct inlay_user_ring_buffer *ring);
/*
 * Memory for a message of `bytes` bytes, to be given to submit or discard. It is the producer's
 * own, and copied when it is submitted. Messages are drained in the order in which they were
 * reserved. NULL: errno is E2BIG (larger than the ring), ENOSPC (no room now) or ESTALE.
 */
void *inlay_user_ring_buffer_reserve(struct inlay_user_ring_buffer *ring, uint32_t bytes);
/* The same, waiting up to timeout_ms milliseconds (-1: no limit) for room. */
void *inlay_user_ring_buffer_reserve_blocking(struct inlay_user_ring_buffer *ring, uint32_t bytes,
					      int timeout_ms);
void inlay_user_ring_buffer_submit(struct inlay_user_ring_buffer *ring, void *message);
void inlay_user_ring_buffer_discard(struct inlay_user_ring_buffer *ring, void *message);

/* ---- bpf_trace_printk() ----------------------------------------------------------------- */

struct inlay_trace_line {
	size_t sz;
	uint64_t time_ns;	/* CLOCK_MONOTONIC of the target */
	uint32_t tid;
	uint64_t lost;		/* lines overwritten before this one since the last */
	char text[sizeof(((struct inlay_trace_record *)0)->text) + 1];
};

/*
 * Reads the line after *cursor (0: the oldest kept) and moves the cursor. -ENOENT: no newer line.
 */
int inlay_segment_trace(struct inlay_reader *reader, uint64_t *cursor,
			struct inlay_trace_line *ret_line);

const char *inlay_reader_version(void);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif
#endif /* INLAY_INLAY_H */
