/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of libinlay share among themselves: the state of the runtime in this process, and
 * the table through which several copies of libinlay in one process become one runtime.
 *
 * Every function here is callable from any thread. The ones marked "signal-safe" may also be called
 * from a signal handler that interrupted any of them.
 */
#ifndef INLAY_RT_INTERNAL_H
#define INLAY_RT_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inlay/abi.h"
#include "rt/inlay_rt.h"

#define INLAY_HIDDEN __attribute__((visibility("hidden")))

/* Relaxed unless the name says otherwise; comments at the uses name the pair. */
#define load_relaxed(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#define load_acquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define store_relaxed(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define add_relaxed(p, v) __atomic_fetch_add((p), (v), __ATOMIC_RELAXED)
#define cas_acq_rel(p, expected, v) \
	__atomic_compare_exchange_n((p), (expected), (v), false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)

/* ---- one runtime per process ------------------------------------------------------------ */

/* One link unit (executable or shared object) and its probe objects; lives in the unit's data. */
struct inlay_unit {
	__u32 unit_bytes;
	__u16 abi_major;
	__u16 abi_minor;
	const struct inlay_object_desc *const *objects;
	__u64 nr_objects;
	__u32 is_main;		/* set by unit_add: the executable, never unloaded */
	__u32 pad0;
};

/* One copy of libinlay: the data that the leading copy keeps up to date in it. */
struct inlay_copy {
	__u32 copy_bytes;
	__u32 pad0;
	struct inlay_trace **trace;	/* set to the segment's trace ring */
	void (*fork_child)(void);	/* run in a fork child; may be NULL; signal-safe */
	const __s32 *fixups;		/* of its rt/probe_copy.c; NULL: it reads no memory */
	__u64 nr_fixups;
};

/* What the copy whose handlers own SIGSEGV and SIGBUS does for the others (rt/fault.c). It is never
 * unloaded: only what is searched before libc can own them. */
struct inlay_fault_server {
	__u32 server_bytes;
	__u32 pad0;
	int (*check)(void);	/* as __inlay_fault_check(); signal-safe */
	/* Faults there are repaired from now on; not any more. Adding twice is adding once. */
	void (*ranges_add)(const __s32 *fixups, __u64 nr_fixups);
	void (*ranges_remove)(const __s32 *fixups, __u64 nr_fixups);
};

/*
 * What the leading copy offers to the others. Found through the ELF note "Inlay" (type 1), whose
 * descriptor is the 32-bit self-relative offset of this table. Members are only ever added at the
 * end.
 */
struct inlay_rt_table {
	__u32 table_bytes;
	__u16 abi_major;
	__u16 abi_minor;
	__u32 is_leader;	/* 1 once the copy leads; release/acquire */
	__u32 pad0;
	void (*copy_add)(struct inlay_copy *copy);
	void (*copy_remove)(struct inlay_copy *copy);
	void (*unit_add)(struct inlay_unit *unit);
	void (*unit_remove)(struct inlay_unit *unit);
	char *(*shard_get)(const struct inlay_map_desc *desc);
	__u32 (*owner)(void);		/* as __inlay_owner() */
	int (*owner_is_alive)(__u32 owner);
	__u64 (*clock_ns)(void);	/* NULL: the leader has no clock linked */
	void (*fault_serve)(const struct inlay_fault_server *server);
	int (*fault_check)(void);	/* of the server, for who has fixups; 0 without one */
	int (*huge_grow)(void *region, __u64 end);	/* as __inlay_region_grow() */
	char *(*shard_nth)(const struct inlay_map_desc *desc, __u32 nr);	/* as below */
	int (*cut_repair)(const void *address);	/* as __inlay_cut_repair() */
	struct inlay_modules *(*modules)(void);	/* as __inlay_modules() */
};

#define INLAY_NOTE_NAME "Inlay"
#define INLAY_NOTE_TYPE 1

/* Called by each unit's start and end; in the leader or handed to it. */
void __inlay_unit_add_v1(struct inlay_unit *unit);
void __inlay_unit_remove_v1(struct inlay_unit *unit);

/* The trace ring of bpf_trace_printk(); NULL: no segment, drop the record. */
extern INLAY_HIDDEN struct inlay_trace *__inlay_trace_v1;

/*
 * Names this process in a segment (INLAY_OWNER_* in abi.h); 0: it has no row. Also what notices a
 * child that no fork handler has seen: whoever is called out of line anyway, asks. Signal-safe.
 */
INLAY_HIDDEN __u32 __inlay_owner(void);
/* Remembers it in __inlay_process_v1, if that page is empty in a fork child. */
INLAY_HIDDEN void __inlay_owner_keep(__u32 owner);
/* Whether the process of that name lives; true when that cannot be known. Signal-safe. */
INLAY_HIDDEN bool __inlay_owner_is_alive(__u32 owner);

/*
 * Reserves a huge hash map's pages up to `end`, counted from the region's start: 1, or 0 for want of
 * space. For when inlay_hash_header.reserved is neither 0 nor that far. Signal-safe.
 */
INLAY_HIDDEN int __inlay_region_grow(void *region, __u64 end);

/*
 * The map's nr-th shard, counted from 0 in the order in which they were made, whoever has it; NULL
 * if there are not that many, or it cannot be mapped. Signal-safe.
 */
INLAY_HIDDEN char *__inlay_shard_nth(const struct inlay_map_desc *desc, __u32 nr);

/* The segment's table of modules; NULL: there is no segment, or nobody reads it. Signal-safe. */
INLAY_HIDDEN struct inlay_modules *__inlay_modules(void);

/* Optional parts of libinlay (rt/helpers.h), called if they are linked. */
extern INLAY_HIDDEN __attribute__((weak)) void __inlay_modules_start(void);
extern INLAY_HIDDEN __attribute__((weak)) void __inlay_clock_fork_child(void);
extern INLAY_HIDDEN __attribute__((weak)) void __inlay_clock_delegate(__u64 (*fn)(void));
extern INLAY_HIDDEN __attribute__((weak)) __u64 __inlay_clock_ns(void);
extern INLAY_HIDDEN __attribute__((weak)) const __s32 __inlay_copy_fixups[];
extern INLAY_HIDDEN __attribute__((weak)) void __inlay_ring_start(const struct inlay_unit *unit);

/* start.c, for fault.c; weak there, as a link without probe objects has no start. */
INLAY_HIDDEN void __inlay_fault_serve(const struct inlay_fault_server *server);
/* As __inlay_fault_check(), of the copy that owns the signals. Signal-safe. */
INLAY_HIDDEN int __inlay_fault_check_server(void);

/*
 * After a SIGBUS at that address: 1 if it was in a segment that was cut short, and is private memory
 * now; 0 if it was not ours. Of the leading copy; for fault.c. Signal-safe.
 */
INLAY_HIDDEN int __inlay_cut_repair(const void *address);

/* ---- the state of the leading copy ------------------------------------------------------ */

enum rt_mode {
	RT_OFF = 0,	/* not started, or INLAY_DISABLE=1: private pages, no shards */
	RT_PRIVATE,	/* no shared memory to be had: private pages and shards */
	RT_MEMFD,
	RT_FILE,
};

struct rt_env {
	const char *dir;	/* INLAY_DIR */
	const char *segment;	/* INLAY_SEGMENT */
	bool is_disabled;	/* INLAY_DISABLE=1 */
	bool is_kept;		/* INLAY_KEEP=1 */
};

struct rt_identity {
	char exe[512];		/* /proc/self/exe */
	char program[64];	/* its last part, in bytes fit for a file name */
	__u64 exe_dev, exe_ino;	/* 0: unknown */
	__u64 exe_base;
};

/*
 * Header and tables as this ABI lays them out. The runtime goes by these constants and not by the
 * offsets in the header, which another process could have overwritten since.
 */
struct rt_head {
	_Alignas(INLAY_PAGE_BYTES) struct inlay_segment seg;
	_Alignas(64) struct inlay_seg_object objects[INLAY_SEGMENT_MAX_OBJECTS];
	_Alignas(64) struct inlay_seg_map maps[INLAY_SEGMENT_MAX_MAPS];
	_Alignas(64) struct inlay_seg_prog progs[INLAY_SEGMENT_MAX_PROGS];
	_Alignas(64) struct inlay_seg_proc procs[INLAY_SEGMENT_MAX_PROCS];
	_Alignas(64) struct inlay_seg_shard shards[INLAY_SEGMENT_MAX_SHARDS];
	_Alignas(64) struct inlay_trace trace;
	_Alignas(64) struct inlay_modules modules;
};

struct rt_state {
	enum rt_mode mode;
	bool is_kept;
	bool is_maker;			/* this process made the segment */
	struct rt_head *head;		/* anonymous memory in RT_PRIVATE */
	int fd;				/* of the backing; may have been closed by the target */
	__u64 dev, ino;			/* what fd must be */
	char dir[200];			/* RT_FILE */
	char name[160];			/* file name in dir */
	__u32 pid;
	__u64 starttime;
	__u32 row;			/* in procs */
	__u32 owner;			/* row and turn: __inlay_owner() */
	int lock_fd;			/* open while a row is claimed, else -1; not a fork child's */
	struct rt_identity id;
};
extern INLAY_HIDDEN struct rt_state __inlay_rt;

/* env.c: reads the environment unless the kernel says that the target is privileged. */
INLAY_HIDDEN void __inlay_env_read(bool is_secure, char *const *envp, struct rt_env *ret_env);

/* identity.c */
INLAY_HIDDEN void __inlay_identity_read(struct rt_identity *ret_id);
INLAY_HIDDEN __u64 __inlay_starttime(void);

/*
 * gate.c: whether a program for `path` runs in the executable or in the shared object
 * `unit_path`.
 */
INLAY_HIDDEN bool __inlay_gate_is_open(const struct rt_identity *id, const char *path,
				       const char *unit_path);

/* backing.c: the file behind the segment. */
INLAY_HIDDEN int __inlay_backing_dir_open(const char *path);
INLAY_HIDDEN int __inlay_backing_file(const char *dir, const char *name);
INLAY_HIDDEN int __inlay_backing_memfd(const char *name);
/* Remembers the descriptor, moved out of the target's way. */
INLAY_HIDDEN int __inlay_backing_set(int fd);
/* A descriptor of the backing to use and close: the same open file, or one of its own (for locks).
 * Signal-safe. -EBADF: the target closed ours and no way leads back. */
INLAY_HIDDEN int __inlay_backing_dup(void);
INLAY_HIDDEN int __inlay_backing_reopen(void);
/* Closes a descriptor that was of the backing, and may be the target's by now; < 0: there is none. */
INLAY_HIDDEN void __inlay_backing_close(int fd);
INLAY_HIDDEN int __inlay_backing_reserve(int fd, __u64 off, __u64 bytes);
INLAY_HIDDEN void __inlay_backing_unlink(void);

/* lock.c: OFD locks on single bytes. Signal-safe. */
INLAY_HIDDEN int __inlay_lock_set(int fd, __u64 byte, bool is_write);
INLAY_HIDDEN void __inlay_lock_drop(int fd, __u64 byte);
INLAY_HIDDEN bool __inlay_lock_is_held(int fd, __u64 byte);

/* segment.c */
/* Makes or joins one with room for region_bytes, the best that can be had, and takes a row in its
 * process table; never fails. */
INLAY_HIDDEN void __inlay_segment_open(const struct rt_env *env, __u64 region_bytes);
/*
 * The lock of who appends to the tables, joins or removes the segment. *ret_fd is for unlocking, -1
 * where there is nobody to lock out.
 */
INLAY_HIDDEN int __inlay_segment_lock(int *ret_fd);
INLAY_HIDDEN void __inlay_segment_unlock(int fd);
INLAY_HIDDEN void __inlay_segment_publish(void);
INLAY_HIDDEN void __inlay_segment_finish(void);
/* Whole pages of the segment, of which the first and the last are reserved at once. */
struct rt_extent {
	__u64 bytes;
	__u64 first, last;	/* bytes; all of it: first == bytes, last == 0 */
};

/* Takes whole pages at the end of the segment; 0: no space. Lock-free, signal-safe. */
INLAY_HIDDEN __u64 __inlay_segment_alloc(int fd, struct rt_extent extent);
/*
 * Whether an extent at `off` lies behind the header and inside the segment, with its pages
 * reserved.
 */
INLAY_HIDDEN bool __inlay_segment_holds(int fd, __u64 off, struct rt_extent extent);
static inline struct rt_extent rt_extent_whole(__u64 bytes)
{
	bytes = inlay_round_up(bytes, INLAY_PAGE_BYTES);
	return (struct rt_extent){ bytes, bytes, 0 };
}

/* old.c: removes what crashed processes left, but for the newest. */
INLAY_HIDDEN void __inlay_old_remove(void);

/* object.c: one probe object's rows, regions and gates. */
INLAY_HIDDEN __u64 __inlay_object_bytes(const struct inlay_object_desc *object);
INLAY_HIDDEN void __inlay_object_add(const struct inlay_object_desc *object, const char *unit_path);

/* region.c */
INLAY_HIDDEN int __inlay_region_write(int fd, const void *data, __u64 off, __u64 bytes);
INLAY_HIDDEN int __inlay_region_save(int fd, const void *region, __u64 off, __u64 bytes);
INLAY_HIDDEN int __inlay_region_map(int fd, void *region, __u64 off, __u64 bytes);

/* huge.c: regions above INLAY_LINK_REGION_MAX. */
/* What is reserved of a map's region at the start. */
INLAY_HIDDEN struct rt_extent __inlay_huge_extent(const struct inlay_map_desc *map);
/* Prepares a fresh one. */
INLAY_HIDDEN int __inlay_huge_make(int fd, const struct inlay_map_desc *map, __u64 off);
/* The same in private memory. */
INLAY_HIDDEN void __inlay_huge_start(const struct inlay_map_desc *map, void *at);
/* Maps one and sets its base. */
INLAY_HIDDEN int __inlay_huge_place(int fd, const struct inlay_map_desc *map, __u32 map_row,
				    __u64 off);
INLAY_HIDDEN int __inlay_huge_grow(void *region, __u64 end);

/* proc.c */
INLAY_HIDDEN void __inlay_proc_claim(void);
INLAY_HIDDEN void __inlay_proc_release(void);
/* Whether the process of a row lives; true when that cannot be known. Signal-safe. */
INLAY_HIDDEN bool __inlay_proc_is_alive(__u32 row);
/* The same for a row and its turn. */
INLAY_HIDDEN int __inlay_proc_owner_is_alive(__u32 owner);

/* shard.c */
INLAY_HIDDEN void __inlay_shard_init(void);
INLAY_HIDDEN void __inlay_shard_map_add(const struct inlay_map_desc *desc, __u32 map_row);
INLAY_HIDDEN void __inlay_shard_map_remove(const struct inlay_map_desc *desc);
INLAY_HIDDEN char *__inlay_shard_get(const struct inlay_map_desc *desc);
INLAY_HIDDEN char *__inlay_shard_by_number(const struct inlay_map_desc *desc, __u32 nr);
INLAY_HIDDEN void __inlay_shard_fork_child(void);
INLAY_HIDDEN void __inlay_shard_sweep(__u32 proc_row);

/* fork.c */
INLAY_HIDDEN void __inlay_fork_init(void);
/* True in a child that no fork handler has seen (raw clone); repaired then. Signal-safe. */
INLAY_HIDDEN bool __inlay_fork_check(void);

/* start.c */
INLAY_HIDDEN void __inlay_copies_fork_child(void);

/* cut.c: a segment's mappings in this process, and a handler where nobody else has one. */
INLAY_HIDDEN void __inlay_cut_note(void *at, __u64 bytes);
INLAY_HIDDEN void __inlay_cut_forget(const void *at);
INLAY_HIDDEN int __inlay_cut_repair_own(const void *address);
INLAY_HIDDEN void __inlay_cut_start(void);
/* Whether that is its address, as the kernel has it; weak in fault.c. */
INLAY_HIDDEN int __inlay_cut_is_handler(__u64 handler);

#endif /* INLAY_RT_INTERNAL_H */
