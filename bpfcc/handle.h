/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the public handle `struct inlay_bpfcc_object` holds, for the parts of libbpfcc. Filled by
 * inlay_bpfcc_object_open(); unit tests may fill one by hand.
 */
#ifndef INLAY_BPFCC_HANDLE_H
#define INLAY_BPFCC_HANDLE_H

#include "bpfcc/arena.h"
#include "bpfcc/diag.h"
#include "bpfcc/kinds.h"
#include "bpfcc/object.h"
#include "inlay/bpfcc.h"

struct inlay_bpfcc_object {
	struct bpfcc_object data;
	struct inlay_bpfcc_opts opts;	/* a copy; strings are the arena's, lists are NULL */
	struct bpfcc_diag diag;		/* for messages after opening, too */
	const struct bpfcc_kinds *kinds;	/* of data.funcs; NULL: nothing is known, see prove.h */
	uint32_t ctx_bytes;		/* of what r1 points to when a program starts */
	bool is_usable;			/* proved, or asked not to be */
};

/*
 * A handle with path, name, options and nothing else. The caller's lists (sets, maps, attaches,
 * program) are in *ret_lists, for the time of opening only. 0 or -ENOMEM.
 */
int bpfcc_handle_new(const char *path, const struct inlay_bpfcc_opts *opts,
		     struct inlay_bpfcc_opts *ret_lists, struct inlay_bpfcc_object **ret_handle);

/* The plain data behind the public handle. */
const struct bpfcc_object *inlay_bpfcc_object_data(const struct inlay_bpfcc_object *object);

#endif /* INLAY_BPFCC_HANDLE_H */
