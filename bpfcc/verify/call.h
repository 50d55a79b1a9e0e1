/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One call of a helper, while its arguments are looked at: shared by call.c, args.c, callback.c,
 * refs.c, dynptr.c, lock.c and map_rules.c.
 */
#ifndef INLAY_BPFCC_VERIFY_CALL_H
#define INLAY_BPFCC_VERIFY_CALL_H

#include "bpfcc/verify/impl.h"

struct verify_call {
	const struct bpfcc_helper *helper;
	const char *name;		/* "bpf_map_lookup_elem" */
	const struct bpfcc_map *map;	/* of the MAP argument; an inner map: its template */
	struct verify_reg map_reg;	/* the argument itself */
	bool has_map;
	bool is_key_known;		/* the KEY argument, of an array: `key` */
	uint32_t key;
	int32_t key_off;		/* where it is, in frame key_frame */
	uint8_t key_frame;
	uint64_t max_bytes;		/* most that the last size argument can be */
	uint64_t alloc_bytes;		/* ALLOC_SIZE */
	uint32_t release;		/* reference that the helper takes back; 0: none */
	uint32_t dynptr;		/* id of the DYNPTR argument */
	uint32_t dynptr_ref;		/* what has to be given back of it; 0: nothing */
	bool is_dynptr_lent;		/* it is one that a callback was given */
	uint32_t dynptr_flags;		/* VF_ODD: so it is, or the slice that is asked for */
	uint32_t iter_frame, iter_slot;	/* where the ITER argument points */
	/* CONST_STR, with its NUL */
	const char *text;
	uint32_t text_bytes;
};

/* "the second argument", for args[1] */
const char *verify_arg_name(int arg);
static inline struct verify_reg *verify_arg(struct verify *v, int arg)
{
	return verify_reg(v, BPF_REG_1 + arg);
}
/* The register is the number `value` for certain; the proof rests on it then. */
bool verify_is_number(struct verify *v, struct verify_reg *r, uint64_t value);
/* The argument is not what it must be. -EINVAL */
int verify_refuse_arg(struct verify *v, const struct verify_call *c, int arg, const char *hint,
		      const char *must);

/* args.c: each argument by its kind in rt/helpers.def; fills in *c */
int verify_args(struct verify *v, struct verify_call *c);

/* format.c: what is wrong with the format of a helper that is given nr_args values; NULL: nothing */
const char *verify_format_problem(const char *format, uint64_t nr_args);

/* map_rules.c */
/* What the map in a MAP or MAP_VALUE register is like; NULL: an inner map without a template. */
const struct bpfcc_map *verify_map_of(struct verify *v, const struct verify_reg *r);
/* The helper works on maps of this type, and may change this one. */
int verify_map_rules(struct verify *v, const struct verify_call *c);
/* r0 of a lookup in c->map */
int verify_set_value(struct verify *v, const struct verify_call *c, struct verify_reg *r);
/* A not-NULL pointer to a value of c->map, with `id` if values must be told apart. */
void verify_point_to_value(struct verify *v, const struct verify_call *c, struct verify_reg *r,
			   uint32_t id);
/* The number in the `bytes` bytes of stack at r, if it is known. False: it is not. */
bool verify_constant_key(struct verify *v, const struct verify_reg *r, uint32_t *ret_key);

/* callback.c */
/* The helper runs the function in its FUNC argument: another path goes into it. */
int verify_callback(struct verify *v, const struct verify_call *c);
int verify_callback_return(struct verify *v);

/* refs.c */
/* A section of the kernel's begins or ends, if the function is one for that. */
int verify_section(struct verify *v, struct verify_call *c);
struct verify_ref *verify_ref_find(struct verify *v, uint32_t id);
/* Nothing is held where `where` says ("when the program ends"). */
int verify_refs_none(struct verify *v, const char *where);
/* Every register and slot for which `is_of` holds becomes an unknown number. */
void verify_forget(struct verify *v, bool (*is_of)(const struct verify_reg *r, uint32_t id),
		   uint32_t id);

/* dynptr.c */
int verify_dynptr_new(struct verify *v, struct verify_call *c, int arg);
int verify_dynptr_use(struct verify *v, struct verify_call *c, int arg);
int verify_dynptr_clone(struct verify *v, struct verify_call *c, int arg);
/* The dynptrs of a record are gone with it. */
void verify_dynptr_release(struct verify *v, uint32_t ref);
/* The callback's argument: a dynptr that is not on the stack. */
void verify_dynptr_given(struct verify *v, struct verify_reg *r, uint32_t uid);

/* iter.c */
int verify_iter_new(struct verify *v, struct verify_call *c, int arg);
int verify_iter_use(struct verify *v, struct verify_call *c, int arg);
/* r0 of a step: another path has the item. */
int verify_iter_step(struct verify *v, const struct verify_call *c, struct verify_reg *r);

/* lock.c */
int verify_lock_arg(struct verify *v, struct verify_call *c, int arg);
bool verify_map_has_lock(struct verify *v, const struct bpfcc_map *map);
/* A lock is held and the call is none that may be made then. */
int verify_lock_calls(struct verify *v, const char *what);

#endif /* INLAY_BPFCC_VERIFY_CALL_H */
