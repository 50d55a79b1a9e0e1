/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The binary contract between everything Inlay emits, links and reads.
 *
 * Three groups of structures, in this order:
 *   1. descriptors that bpfcc and the pass put into a target (read by the runtime, and by
 *      `inlay list` from the ELF file);
 *   2. the frame that an eBPF program's ctx points to while it runs;
 *   3. the segment: the shared file that a target's process tree writes and readers map.
 *
 * Rules: fixed-width integers only; in shared memory offsets and never pointers; padding is
 * explicit and zero; an all-zero region is a valid empty map; a newer tool reads an older minor
 * version. The file compiles as C11, as C++ and with -target bpf, and includes nothing but types.
 */
#ifndef INLAY_ABI_H
#define INLAY_ABI_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#ifdef __cplusplus
#define INLAY_STATIC_ASSERT(cond, msg) static_assert(cond, msg)
extern "C" {
#else
#define INLAY_STATIC_ASSERT(cond, msg) _Static_assert(cond, msg)
#endif

#define INLAY_ABI_MAJOR 1
#define INLAY_ABI_MINOR 1 /* 1.1: inlay_segment.modules_off, INLAY_LINK_DOZING */

#define INLAY_PAGE_BYTES 4096u
/* A region above this size is not in the image; its base is loaded from a link-time slot. */
#define INLAY_LINK_REGION_MAX (1u << 20)
#define INLAY_HASH_BYTES 16u /* of the object hash; printed as 32 hex digits */
#define INLAY_NAME_BYTES 64u /* names in shared memory, NUL included; longer ones are cut */
#define INLAY_CACHELINE_BYTES 64u

/*
 * Section names in a target. The C-identifier ones get __start_/__stop_ symbols from the linker.
 *   inlay_objects  array of `const struct inlay_object_desc *`, retained
 *   inlay_sites    array of struct inlay_site, retained (early ones hold names, no address)
 *   inlay_skips    text, retained: places that a program names and where it is not, as four strings
 *                  each: probe object, program, function, reason
 *   .bss.inlay.*   zero regions, page aligned;  .data.inlay.*  initialised regions
 */
#define INLAY_SECTION_OBJECTS "inlay_objects"
#define INLAY_SECTION_SITES "inlay_sites"
#define INLAY_SECTION_SKIPS "inlay_skips"
#define INLAY_SECTION_BSS_PREFIX ".bss.inlay."
#define INLAY_SECTION_DATA_PREFIX ".data.inlay."

/* ---- 1. Descriptors in the target ------------------------------------------------------- */

enum inlay_map_flags {
	INLAY_MAP_GLOBAL = 1u << 0,	/* .data/.bss of the object: one value, key 0 */
	INLAY_MAP_RODATA = 1u << 1,	/* .rodata: private and folded; the segment has a copy */
	INLAY_MAP_PERCPU = 1u << 2,	/* values live in per-thread shards */
	INLAY_MAP_HUGE = 1u << 3,	/* region not in the image: `base` holds its address */
	INLAY_MAP_HASH = 1u << 4,	/* region starts with struct inlay_hash_header */
	INLAY_MAP_RING = 1u << 5,	/* region starts with struct inlay_ring_header */
};

struct inlay_object_desc;

/*
 * One map of one probe object. Emitted as a constant with comdat `linkonce_odr hidden`, so that an
 * inlined helper sees its initialiser and folds; lives in .data.rel.ro.
 * The value of an `lddw` of a map is the address of this structure.
 */
struct inlay_map_desc {
	__u32 desc_bytes;	/* sizeof(struct inlay_map_desc) of the writer */
	__u32 type;		/* enum bpf_map_type, kernel numbers */
	__u32 key_size;		/* bytes */
	__u32 value_size;	/* bytes, as declared */
	/* round_up(value_size, 8): distance of two values in a region; ARENA: the low half of its address */
	__u32 value_stride;
	__u32 max_entries;
	__u32 map_flags;	/* BPF_F_* as declared */
	__u32 flags;		/* enum inlay_map_flags */
	__u32 index;		/* position in inlay_object_desc.maps */
	__u32 btf_key_type_id;	/* in the object's BTF; 0: none */
	__u32 btf_value_type_id;
	/* BLOOM_FILTER: hash functions; maps of maps: entries of `inner`; ARRAY, HASH: offset of the
	 * struct bpf_spin_lock in a value + 1, 0: none; ARENA: the high half of its address */
	__u32 extra;
	__u64 region_bytes;	/* whole pages; what inlay_map_region_bytes_extra() says */
	__u64 shard_bytes;	/* bytes of one thread's shard; 0 unless INLAY_MAP_PERCPU */
	/* Link-time address; NULL with INLAY_MAP_HUGE; for a PERCPU_ARRAY too. ARENA, INLAY_MAP_HUGE: the
	 * struct inlay_arena_start of one that starts with variables, or NULL. */
	void *region;
	void **base;		/* INLAY_MAP_HUGE: the slot; it holds NULL until the runtime maps it */
	/* Address of the calling thread's `char *` to its shard of this map (initial-exec TLS);
	 * the pointer is NULL until __inlay_shard_get_v1() was called. NULL unless PERCPU. */
	char **(*shard_slot)(void);
	const char *name;
	const struct inlay_object_desc *object;
	/* Maps of maps: what a value v in the region refers to is inner[v - 1], that is map v - 1 of
	 * inlay_object_desc.maps, or NULL if it is not of the kind that may be in here. 0: no map. */
	const struct inlay_map_desc *const *inner;
};

enum inlay_prog_kind {
	INLAY_PROG_ENTRY = 1,	/* uprobe */
	INLAY_PROG_RETURN = 2,	/* uretprobe */
	INLAY_PROG_SESSION = 3,	/* uprobe.session */
	INLAY_PROG_USDT = 4,	/* usdt */
};

enum inlay_prog_flags {
	INLAY_PROG_F_PATH = 1u << 0,	/* gated by the executable's name: gate byte + `path` */
	INLAY_PROG_F_SWITCHED = 1u << 1,	/* gated by inlay_prog_ctl.on */
	INLAY_PROG_F_SWITCHED_ON = 1u << 2,	/* ... which starts as 1 */
	INLAY_PROG_F_STATS = 1u << 3,	/* counts runs and time */
};

struct inlay_prog_desc {
	const char *name;
	const char *section;	/* as written in SEC() */
	const char *path;	/* binary part of the section, or NULL */
	__u32 kind;		/* enum inlay_prog_kind */
	__u32 flags;		/* enum inlay_prog_flags */
};

/*
 * Control block of one program: shared memory, all zero at start. One cache line for what is
 * switched, one for what is counted.
 */
struct inlay_prog_ctl {
	__u8 on;		/* INLAY_PROG_F_SWITCHED: 0 off, 1 on; written by any process */
	__u8 pad0[63];
	__u64 misses;		/* hits skipped: re-entry, musttail return, region moving */
	__u64 drops;		/* map updates that failed for want of space, by the program or by a
				 * subprogram that no other program calls */
	__u64 runs;		/* INLAY_PROG_F_STATS only */
	__u64 time_ns;		/* INLAY_PROG_F_STATS only */
	__u64 pad1[4];
};
INLAY_STATIC_ASSERT(sizeof(struct inlay_prog_ctl) == 128, "inlay_prog_ctl layout");

/* One probe object. Found through a pointer in section inlay_objects; comdat keyed by the hash. */
struct inlay_object_desc {
	__u32 desc_bytes;
	__u16 abi_major;
	__u16 abi_minor;
	__u8 hash[INLAY_HASH_BYTES];
	const char *name;	/* file name of the probe object without directory and ".bpf.o" */
	const char *license;
	__u32 nr_maps;
	__u32 nr_progs;
	const struct inlay_map_desc *const *maps;
	const struct inlay_prog_desc *progs;
	struct inlay_prog_ctl *ctl;	/* nr_progs blocks, a zero region of ctl_bytes */
	__u64 ctl_bytes;		/* whole pages */
	unsigned char *gates;		/* nr_progs bytes, private; INLAY_PROG_F_PATH: 1 = runs here */
	const void *btf;		/* the object's BTF, raw; NULL if none */
	__u64 btf_bytes;
	void (*runtime)(void);		/* &__inlay_rt_start_v1: pulls the runtime into the link */
};

enum inlay_site_kind {
	INLAY_SITE_ENTRY = 1,
	INLAY_SITE_RETURN = 2,
	INLAY_SITE_CALL = 3,		/* both sides of a call to `function`, from `caller` */
	INLAY_SITE_USDT = 4,		/* the probe `function`, "PROVIDER:NAME", in `caller` */
};

enum inlay_site_flags {
	INLAY_SITE_F_EARLY = 1u << 0,
	INLAY_SITE_F_LATE = 1u << 1,
	INLAY_SITE_F_LOCAL = 1u << 2,	/* the probed function has internal linkage */
	INLAY_SITE_F_SWITCHED = 1u << 3,
	INLAY_SITE_F_PATH = 1u << 4,
	INLAY_SITE_F_OVERRIDE = 1u << 5,
};

/*
 * One program at one place. References are self-relative: field address + field value, resolved
 * by the linker with a PC-relative relocation, so a file can be read without applying any. 0 means none.
 */
struct inlay_site {
	__u16 site_bytes;	/* sizeof(struct inlay_site) */
	__u8 version;		/* INLAY_SITE_VERSION */
	__u8 kind;		/* enum inlay_site_kind */
	__u32 flags;		/* enum inlay_site_flags */
	__s32 function;		/* probed function: assembler name */
	__s32 caller;		/* INLAY_SITE_CALL, INLAY_SITE_USDT: function that holds it */
	__s32 file;		/* source file of the function or call; 0 without debug info */
	__u32 line;		/* 0: unknown */
	__s32 program;		/* program name */
	__s32 object;		/* probe object name */
	__s32 section;		/* section as written */
	__s32 types;		/* argument types and return type, "int (ptr, u32)" */
	__u32 prog_index;
	__u32 pad0;
	__u8 hash[INLAY_HASH_BYTES];
};
#define INLAY_SITE_VERSION 1
INLAY_STATIC_ASSERT(sizeof(struct inlay_site) == 64, "inlay_site layout");

/* ---- 2. What ctx points to -------------------------------------------------------------- */

/* The target architecture's pt_regs as the kernel shows it to a uprobe program. */
struct inlay_pt_regs {
#if defined(__aarch64__) || defined(__TARGET_ARCH_arm64)
	__u64 regs[31], sp, pc, pstate;
#else
	__u64 r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs,
		flags, sp, ss;
#endif
};

#define INLAY_USDT_MAX_ARGS 12u /* as libbpf */

/*
 * The program's context and, behind it, what helpers need to know about the hit. A local variable
 * of the instrumented function; the pass stores only the fields that the program can read, and
 * after inlining nothing of it is left in memory.
 */
struct inlay_frame {
	struct inlay_pt_regs regs;	/* must be first: the program's ctx */
	__u64 func_ip;			/* bpf_get_func_ip() */
	__u64 attach_cookie;		/* bpf_get_attach_cookie(); 0 unless given at build */
	__u64 *session_cookie;		/* bpf_session_cookie(): a slot that lives from entry to return */
	__u32 is_return;		/* bpf_session_is_return() */
	__u32 is_override;		/* set by bpf_override_return() */
	__u64 override_rc;
	/* A USDT probe's arguments, extended to 64 bits as the probe declares them. */
	__u64 usdt_args[INLAY_USDT_MAX_ARGS];
	__u8 usdt_bytes[16];		/* declared size of each; 0: the probe does not say where it is */
	__u8 is_usdt;			/* 0 at every other kind of site, with all of the above */
	__u8 nr_usdt_args;
	__u8 nr_args;			/* bpf_get_func_arg_cnt(): at entry, those in registers */
	__u8 pad0;
	__u32 pad1;
	/* bpf_get_stack(), bpf_get_stackid(): the frame record {caller's frame pointer, return
	 * address} of the function that holds the site; what stands before what that leads to:
	 * the address of the function that is entered or called, else 0; and an address at the
	 * site, where that is not the function's entry or return, else 0. */
	__u64 stack_fp;
	__u64 stack_first;
	__u64 stack_here;
};

/*
 * What bpf_get_current_task() leads to. A process has no struct task_struct; what it can know of its own
 * tasks can be read with bpf_probe_read_kernel() at addresses that no process has, where a view of
 * each thread seems to lie: bpfcc resolves CO-RE accesses of the kernel's structures to these offsets,
 * the runtime makes the bytes when they are read. Members stand for those of the same name.
 */
#define INLAY_TASK_BASE 0xffff888000000000ull
#define INLAY_TASK_SHIFT 14	/* a thread's view is at INLAY_TASK_BASE + (tid << 14) */
#define INLAY_TASK_TIDS (1ull << 22)
#define INLAY_TASK_COMM_BYTES 16u

struct inlay_task_ns {		/* struct pid_namespace, mnt_namespace ... */
	__u64 ops[2];		/* 0; from here to count: struct ns_common */
	__u32 inum;
	__u32 count;		/* 0 */
	__u32 level;		/* of a pid_namespace: 0, as if the own one were the first */
	__u32 pad;
};

enum inlay_task_ns_kind {
	INLAY_TASK_NS_UTS,
	INLAY_TASK_NS_IPC,
	INLAY_TASK_NS_MNT,
	INLAY_TASK_NS_PID,
	INLAY_TASK_NS_NET,
	INLAY_TASK_NS_TIME,
	INLAY_TASK_NS_CGROUP,
	INLAY_TASK_NR_NS
};

struct inlay_task_cred {	/* struct cred */
	__u32 uid, gid, suid, sgid, euid, egid;
};

struct inlay_task_pid {		/* struct pid, with one struct upid */
	__u32 level;		/* 0 */
	__u32 pad;
	__u32 nr;
	__u32 pad2;
	__u64 ns;
};

struct inlay_task_view {
	__u32 pid, tgid;
	__u8 comm[INLAY_TASK_COMM_BYTES];
	__u64 real_parent, parent, group_leader, nsproxy, thread_pid, cred; /* addresses of views */
	__u64 nsproxy_ns[INLAY_TASK_NR_NS]; /* struct nsproxy */
	struct inlay_task_cred own_cred;
	struct inlay_task_pid own_pid;
	struct inlay_task_ns ns[INLAY_TASK_NR_NS];
};
INLAY_STATIC_ASSERT(sizeof(struct inlay_task_view) == 24 + 48 + 56 + 24 + 24 + 7 * 32,
		    "struct inlay_task_view");

/* ---- 3. The segment --------------------------------------------------------------------- */

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
 * targets that collect stacks, of the libraries that are there at their start and at a stack. Rows
 * are never changed once `is_set` is. Where two hold an address, the later one was loaded later, or
 * by another process of the segment.
 */
#define INLAY_BUILD_ID_BYTES 20u
struct inlay_seg_module {
	__u64 start, end;	/* addresses in the process */
	__u64 bias;		/* address in memory minus p_vaddr */
	__u32 is_set;		/* 1: the row is whole; release/acquire */
	__u32 build_id_bytes;	/* 0: none; longer ones are cut */
	__u8 build_id[INLAY_BUILD_ID_BYTES];
	char path[204];		/* cut from the left if longer */
};
INLAY_STATIC_ASSERT(sizeof(struct inlay_seg_module) == 256, "inlay_seg_module layout");
struct inlay_modules {
	__u32 nr;		/* rows that were taken, whole or not */
	__u32 pad0[15];
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

/* ---- Region layouts --------------------------------------------------------------------- */

/*
 * ARRAY and globals: values only, value i at i * value_stride.
 * PERCPU_ARRAY: no region; a shard is laid out as an ARRAY's region.
 *
 * HASH and PERCPU_HASH: header, buckets, nodes. The algorithm is Michael's lock-free list with
 * version tags ("High Performance Dynamic Lock-Free Hash Tables and List-Based Sets", SPAA 2002):
 * nodes are type-stable, a link word carries {tag, mark, node}, and an unlinked node is reused
 * at once. Node numbers are 1-based: 0 ends a list, so zero pages are an empty map.
 *
 * A node is free, or some process has it. That is one word of the node (`life`), so a process takes a
 * node and signs for it in the same compare-exchange, and at every moment whoever finds a node knows
 * whom to ask for it:
 *
 *   free                        life says FREE, and to which stock it belongs
 *   in somebody's hands         life says USED and by whom; the link is not marked, or in an earlier
 *                               life; in no list
 *   in a list                   the same, but in a list: the signature has no meaning any more
 *   deleted, not yet free       the link is marked in this life and says by whom, and to which stock
 *                               the node goes
 *
 * A mark is left where it is when the node is free. It is one of an earlier life then as soon as the
 * node is taken, as it says in which generation it was made.
 *
 * max_entries nodes are for live keys (the main stock); INLAY_HASH_SPARES more let an update of a live
 * key replace the whole value at once, also in a full map, as the kernel's per-CPU extra elements
 * do. An update that took a spare gives back the replaced node as a spare, so which nodes are spares
 * changes, and how many there are does not.
 *
 * Behind the nodes: hints where free nodes are, one bitmap a stock (inlay_hash_hints_off()). Hints may be
 * wrong at any time; only `life` counts.
 *
 * LRU_HASH and LRU_PERCPU_HASH: a HASH and a PERCPU_HASH. An insert that finds no node takes that of another
 * key: `hand` goes round the nodes, and the first one that was not used since it came by last loses its
 * key.
 *
 * PERCPU_HASH: a node has no value. A shard holds one struct inlay_shard_value + value per node;
 * it counts only while `gen` equals the node's generation, so a reused node starts at zero in every
 * shard.
 *
 * QUEUE and STACK: a hash map's region with keys of no size, and only the first bucket in use: its
 * chain is the queue, the oldest element first, or the stack, the newest first. `last` in the
 * header leads a push to the end of a queue; it is a hint, and counts while its node is in that
 * generation and not marked.
 *
 * LPM_TRIE: a hash map of the whole key {prefix length, bits}, with the bits behind the prefix zero.
 * Behind the hints: a bitmap of the prefix lengths that keys have had (inlay_lpm_lengths_off()).
 *
 * ARRAY_OF_MAPS, HASH_OF_MAPS: an ARRAY or HASH of __u32: 0, or 1 + the index of a map of the same object
 * (inlay_map_desc.inner).
 *
 * STACK_TRACE: a hash map from a __u32, the id, to the addresses, innermost first, 0 behind the
 * last one; with BPF_F_STACK_BUILD_ID to struct bpf_stack_build_id.
 *
 * BLOOM_FILTER: bits, as many as inlay_bloom_bytes() says. CGROUP_ARRAY: a __u64 an entry, the id of a
 * cgroup as bpf_get_current_cgroup_id() gives it, 0: none.
 */
#define INLAY_QUEUE_LAST_NODE(last) ((__u32)(last))
#define INLAY_QUEUE_LAST_GEN(last) ((__u32)((last) >> 32))

#ifndef INLAY_HASH_SPARES /* a test that tries every order of events has fewer */
#define INLAY_HASH_SPARES 64u
#endif

/*
 * Who has a node: bits 0..8 row in procs + 1, bits 9..28 the row's turn. 0: nobody that can be asked (a
 * process without a row; or the node is known to be in a list).
 */
#define INLAY_OWNER_BITS 29
#define INLAY_OWNER_MASK ((1u << INLAY_OWNER_BITS) - 1)
#define INLAY_OWNER_ROW_MASK 0x1ffu
#define INLAY_OWNER_TURN_SHIFT 9

/*
 * link word: bits 0..30 node, bit 31 mark (the node holding this link is deleted).
 * Without a mark: 32..62 tag, which counts the changes of the word while the node is in a list, and
 * starts at a place that depends on the node's generation; 63 the node dozes: its key is deleted, but
 * it stays in the list, and is free for whoever wakes it, or marks it and takes it off.
 * A marked word has no tag: 32..60 who deleted the node, because that process alone takes it off and
 * frees it; 61 whether it becomes a spare; 62 the low bit of the node's generation at that time; 63 the
 * node is being woken by that process, for the same key: it is in the list, and anybody else takes
 * this bit off, after which it is a node like others that are marked.
 */
#define INLAY_LINK_NODE 0x7fffffffull
#define INLAY_LINK_MARK 0x80000000ull
#define INLAY_LINK_TAG_SHIFT 32
#define INLAY_LINK_OWNER(link) ((__u32)((link) >> 32) & INLAY_OWNER_MASK)
#define INLAY_LINK_SPARE (1ull << 61)
#define INLAY_LINK_GEN_SHIFT 62
#define INLAY_LINK_DOZING (1ull << 63)	/* without a mark */
#define INLAY_LINK_WAKING (1ull << 63)	/* with one */

struct inlay_hash_header {
	__u64 high;		/* no main node above this number was ever in a list */
	__u64 drops;		/* updates refused for want of a node */
	/* Bytes from the region's start whose pages are reserved: main nodes behind that are not
	 * there yet, and not to be touched. 0: all of them are. INLAY_MAP_HUGE only. */
	__u64 reserved;
	__u64 replaced;		/* QUEUE, STACK: pushes that dropped the oldest element */
	__u64 hand;		/* LRU_*: bits 0..31 node that was looked at last, 32..63 rounds */
	__u64 pad0[3];
	__u64 near_main;	/* word of the main stock's hints that had a free node lately */
	__u64 last;		/* QUEUE: a node near the end of the chain, INLAY_QUEUE_LAST_* */
	__u64 pad1[6];
	__u64 near_spare;
	__u64 pad2[7];
};
INLAY_STATIC_ASSERT(sizeof(struct inlay_hash_header) == 192, "inlay_hash_header layout");

/*
 * life word: bits 0..1 state, bit 2 (FREE, or USED and in nobody's list) whether the node belongs to
 * the other stock than its number says: 1 to max_entries are main nodes, the rest are spares;
 * 3..31 owner, 32..63 generation: counts how often the node was taken.
 */
enum inlay_node_state {
	INLAY_NODE_FREE = 0,
	INLAY_NODE_USED = 1,
};
#define INLAY_LIFE_STATE(life) ((life) & 3u)
#define INLAY_LIFE_MOVED 4u
#define INLAY_LIFE_OWNER_SHIFT 3
#define INLAY_LIFE_OWNER(life) ((__u32)(life) >> INLAY_LIFE_OWNER_SHIFT)
#define INLAY_LIFE_GEN(life) ((__u32)((life) >> 32))

struct inlay_hash_node {
	__u64 next;		/* link word */
	__u64 life;		/* life word */
	__u32 hash;
	union {
		__u32 depth;	/* STACK: of the nodes in the chain, the newest has the largest */
		__u32 used;	/* LRU_*: 1: looked up since the hand was here */
	};
	/* key, padded to 8; then the value, padded to 8, unless the map is per-CPU */
};
INLAY_STATIC_ASSERT(sizeof(struct inlay_hash_node) == 24, "inlay_hash_node layout");

struct inlay_shard_value {
	__u32 gen;
	__u32 pad0;
	/* value, padded to 8 */
};

/*
 * RINGBUF and PERF_EVENT_ARRAY: struct inlay_ring_header in the first page, then the ring: a power of
 * two of bytes, and behind it a slack of inlay_ring_slack_bytes(), where the bytes of a record that
 * begins near the end continue. Positions count bytes from the map's beginning and never go
 * back; position p is byte p % size. All zero is an empty ring.
 *
 * Producers: a claim moves the tail by one compare-exchange. The new tail names who claimed and how much, so
 * that a claim whose maker is killed before it wrote the header is no riddle to the consumer; who
 * claims next, and finds that header unset, first copies the tail into `notes`. A claim holds one record;
 * or, where threads meet at the tail, a span: several records of one thread, each taken by a
 * compare-exchange of the span's word.
 *
 *   claim     header word; then the record. INLAY_RING_SPAN: the span's word, then its records, each
 *             with a header word of its own
 *   header    0: not written yet (the consumer zeroes what it frees). Else bits 0..29 bytes of the
 *             record without the header (of a span 0..16, and 17..29 its owner's slot + 1), 30 DISCARD, 31 BUSY, 32..60 who has it, 61 SPAN, 62 in
 *             a span, 63 always set
 *   tail, note, span's word   see INLAY_RING_WORD_*
 *
 * A claim or record takes inlay_ring_extent() bytes, a multiple of 8. Claims above 64 KiB are rounded up
 * more, and as they may not fit the slack, may have a discarded record before them, up to the ring's end.
 *
 * One consumer at a time. It goes from claim to claim, ends a span in which nothing more has been
 * taken (INLAY_RING_WORD_CLOSED), waits at a BUSY record and at an unset header while the owner lives, and
 * passes them by when it is dead, counted in `dead`. Then it zeroes what it has passed and lets
 * producers have it, in three steps, each of which another consumer can take up: clear_pos, the
 * zeros, free_pos. include/inlay/ring.h is all of that.
 *
 * Wake-ups: a consumer that sleeps has set `waiting`, and sleeps on `wakeups` (futex, not private). The producer
 * that commits the record at consumer_pos, or with BPF_RB_FORCE_WAKEUP, clears the one, adds to the
 * other and wakes. It has no barrier between the commit and its look at `waiting`: the first sleep after
 * setting that must be short (INLAY_RING_NAP_NS), with another look at the ring behind it.
 *
 * PERF_EVENT_ARRAY: the record is struct inlay_perf_sample and then the data; `extra` of the map is the
 * ring's bytes (0: INLAY_PERF_RING_BYTES).
 *
 * USER_RINGBUF: the same header and ring; here producer_pos is the one producer's outside, consumer_pos
 * that of the program that drains (and whose turn it is says `drain_owner`); nothing is zeroed. A
 * header has the low 32 bits only, as in the kernel. The producer wakes on `wakeups` as above.
 */
#define INLAY_RING_BUSY (1ull << 31)
#define INLAY_RING_DISCARD (1ull << 30)
#define INLAY_RING_LEN_MASK ((1ull << 30) - 1)
#define INLAY_RING_OWNER_SHIFT 32
#define INLAY_RING_OWNER(header) ((__u32)((header) >> INLAY_RING_OWNER_SHIFT) & INLAY_OWNER_MASK)
#define INLAY_RING_SPAN (1ull << 61)
#define INLAY_RING_IN_SPAN (1ull << 62)
#define INLAY_RING_SET (1ull << 63)
#define INLAY_RING_HEADER_BYTES 8u
#define INLAY_RING_SPAN_HEAD_BYTES 16u	/* of a span, in front of its first record */
#define INLAY_RING_SPAN_MAX_BYTES (1u << 15)
#define INLAY_RING_SPAN_BYTES(header) ((header) & 0x1ffff)
#define INLAY_RING_SPAN_SLOT(header) ((__u32)(header) >> 17 & 0x1fff) /* + 1; 0: none */
#define INLAY_RING_SPAN_SLOT_SHIFT 17

/*
 * A word about the last claim: bits 0..15 the low bits of the owner (row + 1, and 7 bits of its turn),
 * 16..29 the claim's extent, 30..63 the position behind it in units of 8 bytes. All zero: no claim yet.
 * The extent is in units of 8 bytes, or with INLAY_RING_WORD_BIG in units of inlay_ring_grain().
 * In a span's word bits 0..14 are the units taken so far, the span's head included, 15 CLOSED;
 * 16..29 the last record's extent; 30..63 the span's own position.
 */
#define INLAY_RING_WORD_OWNER_MASK 0xffffull
#define INLAY_RING_WORD_USED(word) ((__u32)(word) & 0x7fffu)
#define INLAY_RING_WORD_CLOSED (1ull << 15)
#define INLAY_RING_WORD_EXTENT(word) ((__u32)((word) >> 16) & 0x3fffu)
#define INLAY_RING_WORD_EXTENT_SHIFT 16
#define INLAY_RING_WORD_BIG 0x2000u
#define INLAY_RING_WORD_POS_SHIFT 30
/*
 * The lone producer: a name in bits 2..63 (its thread's id from bit 2, its process's INLAY_OWNER_* from
 * bit 32), and how many there are. The first thread that claims anything puts its name here and needs
 * no locked instruction. The next one asks for the ring to be shared, and claims nothing until it is
 * settled that the lone one is not in the middle of a claim and will see the question at its next.
 *
 * In a span its owner needs no locked instruction either if it has a slot, a word of its own that nobody
 * else's records will ever lie in: who closes the span asks there (include/inlay/ring.h).
 */
#define INLAY_RING_SLOTS 56u
#define INLAY_RING_LONE_SHARE 3ull
#define INLAY_RING_LONE_ASKED 1ull
#define INLAY_RING_LONE_SETTLED 2ull	/* for good: all claims are locked */
#define INLAY_RING_LONE_TID_SHIFT 2
#define INLAY_RING_LONE_OWNER_SHIFT 32
/* positions are kept modulo this in a word */
#define INLAY_RING_WORD_POS_MASK ((1ull << 37) - 1)
#define INLAY_RING_WORD_POS(word) ((word) >> INLAY_RING_WORD_POS_SHIFT << 3)

#define INLAY_RING_NOTES 8u
#define INLAY_RING_SLACK_MAX_BYTES (1u << 16)
#define INLAY_RING_NAP_NS 2000000u
#define INLAY_PERF_RING_BYTES (256u << 10)

struct inlay_ring_slot {
	__u64 name;		/* as in inlay_ring_header.lone; 0: free */
	__u64 busy;		/* the thread is about to take a record in its span; as lone_busy */
	__u64 pad0[6];
};

struct inlay_ring_header {
	/* the consumer's (USER_RINGBUF: the draining program's) */
	__u64 consumer_pos;	/* everything before it was delivered */
	__u64 free_pos;		/* everything before it is zero, and producers may have it */
	__u64 clear_pos;	/* up to here zeroes may be on their way */
	__u64 dead;		/* claims and records whose owner died in the middle */
	__u64 pad0[4];
	__u64 tail;		/* INLAY_RING_WORD_* */
	__u64 pad1[7];
	__u64 lost;		/* events that found no room */
	__u64 pad2[7];
	__u32 waiting;		/* 1: a consumer sleeps, or is about to */
	__u32 wakeups;		/* futex */
	__u64 pad3[7];
	__u64 notes[INLAY_RING_NOTES];
	/* USER_RINGBUF only */
	__u64 producer_pos;
	__u64 pad4[7];
	__u32 drain_owner;	/* bit 31: INLAY_OWNER_* drains; 29 and 30 count the turns */
	__u32 lost_cpu;		/* PERF_EVENT_ARRAY: processor + 1 of the event that was lost last */
	__u64 drain_seen;	/* how far the turn was when another one was refused; 0: none was */
	__u64 drain_since_ns;	/* CLOCK_MONOTONIC then */
	__u64 pad6[5];
	/* not USER_RINGBUF: the one thread that claims anything, as long as there is one */
	__u64 lone;		/* INLAY_RING_LONE_* */
	__u64 lone_busy;	/* it is about to move the tail: its stack pointer then; else 0 */
	__u64 lone_asked;	/* when another one came, in ticks of the processor's counter */
	__u64 pad7[5];
	struct inlay_ring_slot slots[INLAY_RING_SLOTS];	/* to the end of the page */
};
INLAY_STATIC_ASSERT(sizeof(struct inlay_ring_header) == INLAY_PAGE_BYTES, "inlay_ring_header layout");

struct inlay_perf_sample {
	__u32 cpu;
	__u32 bytes;		/* of the data behind this, as the program gave it */
};

static inline __u64 inlay_round_up(__u64 n, __u64 to)
{
	return (n + to - 1) / to * to;
}

/*
 * ARENA: the header, a __u32 a page, up to a page's end; then max_entries pages.
 *
 * A page's word: bits 0..1 its state, 3..31 who is about to have it (INLAY_OWNER_*), which counts
 * while it is TAKEN. Whoever allocates takes its pages by a compare-exchange each, clears them, and
 * makes them LIVE. What is not LIVE is not there for programs: loads give 0, stores do nothing.
 *
 * Programs use addresses that are the same in each process: inlay_arena_address() + offset in the
 * pages. Nothing has to be mapped there; who maps the pages there can follow pointers as they are.
 */
enum inlay_page_state {
	INLAY_PAGE_FREE = 0,
	INLAY_PAGE_TAKEN = 1,
	INLAY_PAGE_LIVE = 2,
};
#define INLAY_PAGE_STATE(word) ((word) & 3u)
#define INLAY_PAGE_USED 4u /* was LIVE once: may hold something */
#define INLAY_PAGE_OWNER_SHIFT 3
#define INLAY_PAGE_OWNER(word) ((__u32)(word) >> INLAY_PAGE_OWNER_SHIFT)

struct inlay_arena_header {
	__u64 next;		/* hint: pages below it are not free, mostly */
	__u64 refusals;		/* allocations that found no room */
	/* as in struct inlay_hash_header; the words and the last page are always there */
	__u64 reserved;
	__u64 refused;		/* bits 0..31 pages that were too many, 32..63 `frees` then */
	__u32 frees;		/* counts what might make room */
	__u32 pad0;
	__u64 pad1[3];
};
INLAY_STATIC_ASSERT(sizeof(struct inlay_arena_header) == 64, "inlay_arena_header layout");

/* What the pages of an arena start with that is not in the image: constant, bytes behind it. */
struct inlay_arena_start {
	__u64 bytes;
	/* ... */
};

#define INLAY_ARENA_MAX_PAGES (1u << 20) /* offsets have 32 bits */

/* Of the first page, for programs: `extra` and `value_stride` of a descriptor or of a row. */
static inline __u64 inlay_arena_address(__u32 extra, __u32 value_stride)
{
	return (__u64)extra << 32 | value_stride;
}

/* Where the pages begin in the region. */
static inline __u64 inlay_arena_pages_off(__u32 max_entries)
{
	return inlay_round_up(sizeof(struct inlay_arena_header) + 4ull * max_entries,
			      INLAY_PAGE_BYTES);
}

/* Bytes behind the end of a ring of `size` bytes; a record may continue there. */
static inline __u64 inlay_ring_slack_bytes(__u64 size)
{
	return size < INLAY_RING_SLACK_MAX_BYTES ? size : INLAY_RING_SLACK_MAX_BYTES;
}

static inline __u64 inlay_ring_region_bytes(__u64 size)
{
	return inlay_round_up(sizeof(struct inlay_ring_header) + size +
			      inlay_ring_slack_bytes(size), INLAY_PAGE_BYTES);
}

/* What the extents of claims above 64 KiB are multiples of. */
static inline __u64 inlay_ring_grain(__u64 size)
{
	return size <= 1u << 16 ? 8 : size >> 13;
}

/* Bytes that a record of `bytes` takes, its header included. */
static inline __u64 inlay_ring_extent(__u64 size, __u64 bytes)
{
	__u64 extent = inlay_round_up(bytes + INLAY_RING_HEADER_BYTES, 8);

	return extent < 1u << 16 ? extent : inlay_round_up(extent, inlay_ring_grain(size));
}

/* Number of buckets: the smallest power of two that is not below max_entries. */
static inline __u32 inlay_hash_buckets(__u32 max_entries)
{
	__u32 n = 1;

	while (n < max_entries && n < 1u << 30)
		n <<= 1;
	return n;
}

static inline __u32 inlay_hash_node_bytes(__u32 key_size, __u32 value_size, int is_percpu)
{
	return (__u32)(sizeof(struct inlay_hash_node) + inlay_round_up(key_size, 8) +
		       (is_percpu ? 0 : inlay_round_up(value_size, 8)));
}

static inline __u64 inlay_hash_nodes_off(__u32 max_entries)
{
	return sizeof(struct inlay_hash_header) + 8ull * inlay_hash_buckets(max_entries);
}

/*
 * Hints: for the main stock, then for the spares, a bit a node and a bit for each 64 of those. A bit
 * that is off says "no free node of this stock". On is 0 for nodes that belong to the stock by
 * their number, and 1 for others, so that zero is right at the start.
 */
static inline __u64 inlay_hash_hints_off(__u32 max_entries, __u32 node_bytes)
{
	return inlay_hash_nodes_off(max_entries) +
	       (__u64)node_bytes * ((__u64)max_entries + INLAY_HASH_SPARES);
}

static inline __u32 inlay_hash_hint_words(__u32 max_entries)
{
	return (__u32)(((__u64)max_entries + INLAY_HASH_SPARES + 63) / 64);
}

static inline __u64 inlay_hash_hint_bytes(__u32 max_entries)
{
	__u64 words = inlay_hash_hint_words(max_entries);

	return 2 * 8 * (words + (words + 63) / 64);
}

/* bpf_map_type numbers used here, so that nothing needs linux/bpf.h */
enum inlay_map_type {
	INLAY_MAP_TYPE_HASH = 1,
	INLAY_MAP_TYPE_ARRAY = 2,
	INLAY_MAP_TYPE_PERCPU_HASH = 5,
	INLAY_MAP_TYPE_PERF_EVENT_ARRAY = 4,
	INLAY_MAP_TYPE_PERCPU_ARRAY = 6,
	INLAY_MAP_TYPE_STACK_TRACE = 7,
	INLAY_MAP_TYPE_CGROUP_ARRAY = 8,
	INLAY_MAP_TYPE_LRU_HASH = 9,
	INLAY_MAP_TYPE_LRU_PERCPU_HASH = 10,
	INLAY_MAP_TYPE_LPM_TRIE = 11,
	INLAY_MAP_TYPE_ARRAY_OF_MAPS = 12,
	INLAY_MAP_TYPE_HASH_OF_MAPS = 13,
	INLAY_MAP_TYPE_QUEUE = 22,
	INLAY_MAP_TYPE_STACK = 23,
	INLAY_MAP_TYPE_RINGBUF = 27,
	INLAY_MAP_TYPE_BLOOM_FILTER = 30,
	INLAY_MAP_TYPE_USER_RINGBUF = 31,
	INLAY_MAP_TYPE_ARENA = 33,
};

/* Whether values are in shards behind a struct inlay_shard_value, a node of the region each. */
static inline int inlay_map_is_percpu_hash(__u32 type)
{
	return type == INLAY_MAP_TYPE_PERCPU_HASH || type == INLAY_MAP_TYPE_LRU_PERCPU_HASH;
}

#define INLAY_BLOOM_HASHES 5u /* where map_extra says none */

/* Bytes of a bloom filter's bits, a power of two; as many bits as the kernel takes. */
static inline __u64 inlay_bloom_bytes(__u32 max_entries, __u32 nr_hashes)
{
	/* log(2) of a bit an entry and hash function is best, and 7 / 5 is about 1 / log(2) */
	__u64 bits = (__u64)max_entries * (nr_hashes ? nr_hashes : INLAY_BLOOM_HASHES) / 5, n = 64;

	if (bits > (1ull << 31) / 7)
		return 1ull << 29;
	for (bits *= 7; n < bits; n *= 2)
		;
	return n / 8;
}

/* LPM_TRIE: where the bitmap of prefix lengths is, and its words: 0 to 8 * data bytes are lengths. */
static inline __u64 inlay_lpm_lengths_off(__u32 key_size, __u32 value_size, __u32 max_entries)
{
	return inlay_hash_hints_off(max_entries, inlay_hash_node_bytes(key_size, value_size, 0)) +
	       inlay_hash_hint_bytes(max_entries);
}

static inline __u32 inlay_lpm_length_words(__u32 key_size)
{
	return key_size < 4 ? 0 : ((key_size - 4) * 8 + 1 + 63) / 64;
}

/*
 * Bytes of a map's region in whole pages, and of one shard. 0 where there is none. The caller has
 * checked the sizes: key_size <= 512, value_size <= 32 MiB, max_entries <= 2^30. `extra` is
 * inlay_map_desc.extra.
 */
static inline __u64 inlay_map_region_bytes_extra(__u32 type, __u32 key_size, __u32 value_size,
						 __u32 max_entries, __u32 extra)
{
	__u64 n = 0;

	switch (type) {
	case INLAY_MAP_TYPE_ARRAY:
	case INLAY_MAP_TYPE_ARRAY_OF_MAPS:
		n = inlay_round_up(value_size, 8) * max_entries;
		break;
	case INLAY_MAP_TYPE_CGROUP_ARRAY:
		n = 8ull * max_entries;
		break;
	case INLAY_MAP_TYPE_HASH:
	case INLAY_MAP_TYPE_PERCPU_HASH:
	case INLAY_MAP_TYPE_LRU_HASH:
	case INLAY_MAP_TYPE_LRU_PERCPU_HASH:
	case INLAY_MAP_TYPE_HASH_OF_MAPS:
	case INLAY_MAP_TYPE_QUEUE:
	case INLAY_MAP_TYPE_STACK:
	case INLAY_MAP_TYPE_LPM_TRIE:
	case INLAY_MAP_TYPE_STACK_TRACE:
		n = inlay_hash_hints_off(max_entries,
					 inlay_hash_node_bytes(key_size, value_size,
							       inlay_map_is_percpu_hash(type))) +
		    inlay_hash_hint_bytes(max_entries);
		if (type == INLAY_MAP_TYPE_LPM_TRIE)
			n += 8ull * inlay_lpm_length_words(key_size);
		break;
	case INLAY_MAP_TYPE_BLOOM_FILTER:
		n = inlay_bloom_bytes(max_entries, extra);
		break;
	case INLAY_MAP_TYPE_RINGBUF:
	case INLAY_MAP_TYPE_USER_RINGBUF:
		n = inlay_ring_region_bytes(max_entries);
		break;
	case INLAY_MAP_TYPE_PERF_EVENT_ARRAY:
		n = inlay_ring_region_bytes(extra ? extra : INLAY_PERF_RING_BYTES);
		break;
	case INLAY_MAP_TYPE_ARENA:
		n = inlay_arena_pages_off(max_entries) + (__u64)INLAY_PAGE_BYTES * max_entries;
		break;
	}
	return inlay_round_up(n, INLAY_PAGE_BYTES);
}

static inline __u64 inlay_map_region_bytes(__u32 type, __u32 key_size, __u32 value_size,
					   __u32 max_entries)
{
	return inlay_map_region_bytes_extra(type, key_size, value_size, max_entries, 0);
}

static inline __u64 inlay_map_shard_bytes(__u32 type, __u32 value_size, __u32 max_entries)
{
	__u64 v = inlay_round_up(value_size, 8);

	if (type == INLAY_MAP_TYPE_PERCPU_ARRAY)
		return v * max_entries;
	if (inlay_map_is_percpu_hash(type))
		return (v + sizeof(struct inlay_shard_value)) *
		       ((__u64)max_entries + INLAY_HASH_SPARES);
	return 0;
}

#ifdef __cplusplus
}
#endif
#endif /* INLAY_ABI_H */
