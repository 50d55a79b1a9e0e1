/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libbpfcc: eBPF objects in, checked native code out, as a library.
 *
 * Thread-safety: objects are independent of each other; one object is used by one thread at a time.
 * Errors: 0 or -errno; what the user got wrong goes to the diagnostics callback first. The library
 * does not print, exit, abort or read the environment.
 */
#ifndef INLAY_BPFCC_H
#define INLAY_BPFCC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct inlay_bpfcc_object;

enum inlay_bpfcc_severity { INLAY_BPFCC_NOTE, INLAY_BPFCC_WARNING, INLAY_BPFCC_ERROR };

/* What is known of one register that the instruction of a message reads. */
struct inlay_bpfcc_register {
	int number;		/* 0 to 10 */
	const char *text;	/* "a pointer to the value of map 'm' (8 bytes), offset 0..4" */
};

/*
 * One message. Strings are valid during the callback only; NULL or -1 where a part is unknown.
 * Messages of severity NOTE that follow an error belong to it: the path that led there.
 */
struct inlay_bpfcc_message {
	size_t sz;
	enum inlay_bpfcc_severity severity;
	const char *object;	/* path of the probe object */
	const char *section;
	const char *program;	/* program or subprogram */
	int insn;		/* index in it */
	const char *file;	/* source */
	unsigned int line;	/* 0: unknown */
	const char *source;	/* text of the source line */
	const char *text;	/* what is wrong */
	const char *hint;	/* what to do */
	const char *disasm;	/* the instruction */
	const struct inlay_bpfcc_register *registers;
	size_t nr_registers;
};

typedef void (*inlay_bpfcc_message_fn)(void *arg, const struct inlay_bpfcc_message *message);

/* What r1 holds when a program starts. */
enum inlay_bpfcc_context {
	INLAY_BPFCC_CONTEXT_REGISTERS,	/* struct pt_regs of the target, read-only */
	/* context_bytes of memory, or 0; r2 = their number. One program of an object, `program` or
	 * the first, whatever its section is called: it is placed nowhere. It can be run, and not
	 * be emitted. */
	INLAY_BPFCC_CONTEXT_MEMORY,
};

struct inlay_bpfcc_opts {
	size_t sz;		/* sizeof(struct inlay_bpfcc_opts) */
	inlay_bpfcc_message_fn on_message;
	void *on_message_arg;
	const char *const *sets;	/* "VAR=value": variables of .rodata, .data or .bss */
	size_t nr_sets;
	const char *const *maps;	/* "NAME.max_entries=N", "NAME.value_size=N" */
	size_t nr_maps;
	const char *const *attaches;	/* "PROG:FUNCTION": names the function of a bare section */
	size_t nr_attaches;
	bool allow_override;	/* accept bpf_override_return() */
	bool stats;		/* programs count runs and time */
	int opt_level;		/* of the emitted code: 1 to 3; 0 (default) means 2, -1 means 0 */
	const char *target;	/* LLVM triple; NULL: the host's */
	const char *program;	/* the one program to look at; NULL: all */
	bool allow_write;	/* accept bpf_probe_write_user() */
	/* Nothing is proved, each opening gives a warning: the programs do what they say. */
	bool unsafe_no_verify;
	/* Programs are not verified on opening: inlay_bpfcc_object_verify() does it, one by one.
	 * Nothing can be emitted or run. */
	bool defer_verify;
	/* With defer_verify: also accept the helpers and map types that the kernel offers to uprobe
	 * programs and Inlay's runtime does not have. */
	bool kernel_helpers;
	enum inlay_bpfcc_context context;
	uint32_t context_bytes;		/* CONTEXT_MEMORY */
	/* Told of each step of the verifier's walk, one line of text; may be NULL. */
	void (*on_trace)(void *arg, const char *line);
	void *on_trace_arg;
	/* Limits of the walk; 0: the defaults. A refusal says which one was hit. */
	uint32_t max_insns;		/* instructions walked, of all paths of a program */
	uint32_t max_jumps;		/* branches waiting to be walked */
	uint64_t max_state_bytes;	/* memory */
	/* CO-RE relocations of the target's own types: a file with BTF, or an ELF file with BTF or
	 * DWARF. NULL: no types are known but struct pt_regs, unless on_target_btf has some. */
	const char *target_btf;
	/* Asked when the first type is needed, without target_btf: BTF that stays until the object is
	 * open, or NULL. */
	const void *(*on_target_btf)(void *arg, size_t *ret_bytes);
	void *on_target_btf_arg;
	/* A program that needs a type that is not known is no error: it is left empty, and can be
	 * placed nowhere. For opening an object in each file of a target. */
	bool partial_types;
	/* Names of programs to leave out, as bpf_program__set_autoload(prog, false) does; may be
	 * patterns. Each must name one. */
	const char *const *skips;
	size_t nr_skips;
};

enum inlay_bpfcc_output {
	INLAY_BPFCC_OBJ,	/* .o */
	INLAY_BPFCC_ASM,	/* .s */
	INLAY_BPFCC_BC,		/* .bc */
	INLAY_BPFCC_LL,		/* .ll */
	INLAY_BPFCC_HEADER,	/* .h: C prototypes, map handles, typed variables */
	INLAY_BPFCC_SO,		/* .so, with the runtime inside; needs a C compiler to link */
};

/*
 * Reads, relocates and checks a probe object from a file, or from `size` bytes at `data` when data
 * is not NULL (`path` then only names it; the bytes may be freed after the call).
 * -EINVAL: refused, see messages; -ENOENT, -EIO ...: the file; -E2BIG: `opts` has something set that
 * this version does not know; -ENOMEM.
 */
int inlay_bpfcc_object_open(const char *path, const void *data, size_t size,
			    const struct inlay_bpfcc_opts *opts,
			    struct inlay_bpfcc_object **ret_object);
/*
 * One program without maps: `bytes` bytes of instructions at `insns`, as an ELF section has them. A
 * function starts where a call goes. `name` is for messages. Errors as above.
 */
int inlay_bpfcc_program_open(const char *name, const void *insns, size_t bytes,
			     const struct inlay_bpfcc_opts *opts,
			     struct inlay_bpfcc_object **ret_object);
/* Programs that can be placed, section by section. */
size_t inlay_bpfcc_object_nr_programs(const struct inlay_bpfcc_object *object);
/* The name of one; the object's. */
const char *inlay_bpfcc_object_program_name(const struct inlay_bpfcc_object *object,
					    size_t program);

/* How a program was verified. */
struct inlay_bpfcc_stats {
	size_t sz;
	uint32_t insns;			/* instructions of the program and of what it calls */
	uint32_t insns_walked;		/* of all paths */
	uint32_t states;		/* kept, to compare others with */
	uint32_t states_pruned;		/* paths that ended because they were like a kept one */
	uint32_t stack_bytes;		/* of the deepest chain of calls */
	uint64_t state_bytes;		/* most memory in use */
};

/*
 * Verifies one program by itself. 0: accepted; -EINVAL: refused, see messages; -ENOMEM. `ret_stats`
 * may be NULL; its sz is to be set before.
 */
int inlay_bpfcc_object_verify(struct inlay_bpfcc_object *object, size_t program,
			      struct inlay_bpfcc_stats *ret_stats);

void inlay_bpfcc_object_free(struct inlay_bpfcc_object *object);

/* Lowers the object and writes it under a temporary name that is renamed to `path`. */
int inlay_bpfcc_object_emit(struct inlay_bpfcc_object *object, enum inlay_bpfcc_output output,
			    const char *path);

/*
 * Compiles a program for this machine and runs it once in this process, with r1 = `memory` and
 * r2 = context_bytes; open the object with CONTEXT_MEMORY and context_bytes of at most `bytes`
 * (with unsafe_no_verify: with anything, and r2 = `bytes`). `program`
 * NULL: the first one. Maps are private memory. -ENOENT: no such program; -EINVAL, -ENOMEM.
 */
int inlay_bpfcc_object_run(struct inlay_bpfcc_object *object, const char *program, void *memory,
			   size_t bytes, uint64_t *ret_r0);

/*
 * The same in the checking interpreter, which stops at the first thing that a verified program
 * never does: -EFAULT, and a message says what and where. Also for what was not verified. Slow;
 * helpers are modelled, and the same on every run.
 */
int inlay_bpfcc_object_interpret(struct inlay_bpfcc_object *object, const char *program,
				 void *memory, size_t bytes, uint64_t *ret_r0);

/* 32 hex digits and NUL */
void inlay_bpfcc_object_hash(const struct inlay_bpfcc_object *object, char ret_hex[33]);
const char *inlay_bpfcc_version(void);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif
#endif /* INLAY_BPFCC_H */
