/* SPDX-License-Identifier: BSD-2-Clause */
/* The segment: the shared file that a target's process tree writes and readers map. */
#ifndef INLAY_ABI_SEGMENT_H
#define INLAY_ABI_SEGMENT_H

#include "inlay/abi/base.h"

/*
 * Where it is: a file DIR/PROGRAM.PID.STARTTIME, with ".2", ".3" ... behind it when the name is taken
 * (an exec keeps both numbers, and dlmopen makes a second runtime), or DIR/NAME under
 * INLAY_SEGMENT=NAME. DIR is $INLAY_DIR or /dev/shm/inlay-UID, mode 0700 and the user's own. A name
 * that starts with a dot is being made. Without a usable DIR: a memfd "inlay:PROGRAM.PID.STARTTIME"
 * among the target's descriptors; without that, private memory that nobody can read.
 */

#define INLAY_SEGMENT_MAGIC 0x746765735f796c69ull /* "ily_segt" read as little-endian */

enum inlay_segment_state {
	INLAY_SEGMENT_MAKING = 0,	/* readers refuse it */
	INLAY_SEGMENT_LIVE = 1,
	INLAY_SEGMENT_EXITED = 2,	/* the first process ended normally */
};

enum inlay_segment_limits {
	INLAY_SEGMENT_MAX_OBJECTS = 64,
	INLAY_SEGMENT_MAX_MAPS = 512,
	INLAY_SEGMENT_MAX_PROGS = 1024,
	INLAY_SEGMENT_MAX_PROCS = 256,
	INLAY_SEGMENT_MAX_SHARDS = 4096,
	INLAY_TRACE_RECORDS = 512,
	INLAY_SEGMENT_MAX_MODULES = 128,
};

/* A table in the segment: `nr` entries of `entry_bytes` from `off`; nr grows, release/acquire. */
struct inlay_table {
	__u64 off;
	__u32 entry_bytes;
	__u32 max;
	__u32 nr;
	__u32 pad0;
};

/*
 * Header at offset 0. Offsets count from the start of the file. Every reference is range-checked
 * by its reader on each use, by subtraction.
 */
struct inlay_segment {
	__u64 magic;
	__u16 abi_major;
	__u16 abi_minor;
	__u32 header_bytes;	/* all tables included; the first region starts here or later */
	__u64 features;		/* 0 so far */
	__u64 total_bytes;	/* file size in use; grows, never shrinks; release/acquire */
	__u32 state;		/* enum inlay_segment_state; release/acquire */
	__u32 uid;
	__u32 pid;		/* of the process that made it, in its own pid namespace */
	__u32 forking;		/* fork children that have not taken their row yet: keeps the file */
	__u64 starttime;	/* field 22 of /proc/PID/stat, clock ticks since boot */
	__u64 created_ns;	/* CLOCK_REALTIME */
	char comm[16];
	char exe[256];		/* cut from the left if longer */
	struct inlay_table objects, maps, progs, procs, shards;
	__u64 trace_off;	/* struct inlay_trace */
	__u64 sites_off, sites_bytes;	/* a copy of the section is not kept: both 0 so far */
	__u64 exe_base;		/* load bias of the executable: address in memory minus p_vaddr */
	__u64 objects_refused;	/* probe objects kept private: other ABI, tables full, no space */
	__u64 modules_off;	/* struct inlay_modules; since 1.1 */
};

/*
 * The files that a process's code is in, so that addresses have names when it has ended: written by
 * targets that collect stacks, of the libraries that are there at their start and at a stack. Of two
 * that hold an address, the one with the higher turn was loaded later, or by another process of the
 * segment. Where no row is free, those that the dead have written are written again.
 */
#define INLAY_BUILD_ID_BYTES 20u
/*
 * state: bits 0..1, and from bit 3 on who writes or has written the row (INLAY_OWNER_*). It is taken
 * by a compare-exchange of this word, which is the same before and after a row is read that is whole.
 */
enum inlay_module_state {
	INLAY_MODULE_FREE = 0,	/* never used */
	INLAY_MODULE_WHOLE = 1,
	INLAY_MODULE_WRITING = 2,
};
#define INLAY_MODULE_STATE(word) ((word) & 3u)
#define INLAY_MODULE_OWNER(word) ((word) >> 3)
struct inlay_seg_module {
	__u64 start, end;	/* addresses in the process */
	__u64 bias;		/* address in memory minus p_vaddr */
	__u32 state;		/* release/acquire */
	__u32 turn;		/* of the table, when the row was written */
	__u32 build_id_bytes;	/* 0: none; longer ones are cut */
	__u8 build_id[INLAY_BUILD_ID_BYTES];
	char path[200];		/* cut from the left if longer */
};
INLAY_STATIC_ASSERT(sizeof(struct inlay_seg_module) == 256, "inlay_seg_module layout");
struct inlay_modules {
	__u32 nr;		/* rows that were ever taken */
	__u32 turns;		/* counts what was written */
	__u32 pad0[14];
	struct inlay_seg_module rows[INLAY_SEGMENT_MAX_MODULES];
};

struct inlay_seg_object {
	__u8 hash[INLAY_HASH_BYTES];
	char name[INLAY_NAME_BYTES];
	char license[16];
	__u64 btf_off;
	__u64 btf_bytes;
	__u32 first_map, nr_maps;	/* rows of the maps table */
	__u32 first_prog, nr_progs;	/* rows of the progs table */
	__u64 ctl_off;			/* nr_progs struct inlay_prog_ctl */
	__u64 ctl_bytes;
};

struct inlay_seg_map {
	char name[INLAY_NAME_BYTES];
	__u32 type, key_size, value_size, value_stride, max_entries, map_flags;
	__u32 flags;		/* enum inlay_map_flags */
	__u32 object;		/* row of the objects table */
	__u32 btf_key_type_id, btf_value_type_id;
	__u64 off;		/* region; 0 for a PERCPU_ARRAY, which has shards only */
	__u64 bytes;
	__u64 shard_bytes;
	__u64 drops;		/* hits dropped because their thread could have no shard */
	__u32 extra;		/* of struct inlay_map_desc */
	__u32 pad0;
};

struct inlay_seg_prog {
	char name[INLAY_NAME_BYTES];
	char section[INLAY_NAME_BYTES];
	__u32 kind, flags;
	__u32 object;
	__u32 index;		/* in the object's control blocks */
};

/*
 * A process of the tree. It holds an OFD write lock on byte INLAY_PROC_LOCK_BASE + row of the
 * segment file for as long as it lives; the kernel drops it with the process.
 */
#define INLAY_PROC_LOCK_BASE (1ull << 62)
/* A reader holds a shared OFD lock on this byte while it has the segment open: a target that exits
 * normally leaves a segment that is being read. */
#define INLAY_READER_LOCK (INLAY_PROC_LOCK_BASE - 1)
/* A process that appends to the objects, maps and progs tables holds this byte's lock meanwhile. */
#define INLAY_TABLE_LOCK (INLAY_PROC_LOCK_BASE - 2)
/* The consumer of a ring (RINGBUF, PERF_EVENT_ARRAY), and the producer of a USER_RINGBUF, holds this
 * byte's lock: one at a time. `map` is its row. */
#define INLAY_CONSUMER_LOCK(map) (INLAY_PROC_LOCK_BASE - 1024 + (map))
/* Row of a process that found the table full: it owns shards that nobody can reclaim. */
#define INLAY_PROC_NONE 0xfffu
struct inlay_seg_proc {
	__u32 pid;		/* 0: free. Claimed by compare-exchange */
	__u32 turn;		/* counts the row's processes; who holds the lock changes it */
	__u64 starttime;
};

enum inlay_shard_state {
	INLAY_SHARD_FREE = 0,	/* row never used: `off` not valid */
	INLAY_SHARD_OWNED = 1,
	INLAY_SHARD_IDLE = 2,	/* its thread ended; counts stay, the next thread takes it over */
};

/*
 * One thread's part of one per-CPU map: single writer, plain adds. Values only ever move forward in
 * ownership, never in place, so a reader sums all shards of a map that have state != FREE.
 * {state, tid} change hands in one 64-bit compare-exchange: a thread's id never stands beside
 * another owner, and `turn` tells an owner from the same one two turns later.
 */
#define INLAY_SHARD_STATE(s) ((s) & 0xffu)	/* enum inlay_shard_state */
#define INLAY_SHARD_PROC(s) ((s) >> 8 & 0xfffu)	/* owner's row in procs */
#define INLAY_SHARD_TURN(s) ((s) >> 20)		/* counts claims */
struct inlay_seg_shard {
	__u32 state;
	__u32 tid;
	__u32 map;		/* row of the maps table */
	__u32 pad0;
	__u64 off;
	__u64 bytes;
};

/* bpf_trace_printk(): a ring that drops the oldest. A record is whole if seq is the same, even and
 * not 0 before and after reading it (seq = 2 * ticket + 2; odd while it is being written). */
struct inlay_trace_record {
	__u64 seq;
	__u64 time_ns;
	__u32 tid;
	__u32 text_bytes;
	char text[104];
};
struct inlay_trace {
	__u64 next_ticket;
	__u64 pad0[7];
	struct inlay_trace_record records[INLAY_TRACE_RECORDS];
};
INLAY_STATIC_ASSERT(sizeof(struct inlay_trace_record) == 128, "inlay_trace_record layout");

#endif /* INLAY_ABI_SEGMENT_H */
