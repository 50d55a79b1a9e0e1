/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In a target: the descriptors that bpfcc and the pass put there, and the frame that an eBPF program's ctx
 * points to while it runs.
 */
#ifndef INLAY_ABI_TARGET_H
#define INLAY_ABI_TARGET_H

#include "inlay/abi/base.h"

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

#endif /* INLAY_ABI_TARGET_H */
