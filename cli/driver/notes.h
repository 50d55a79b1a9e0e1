/* SPDX-License-Identifier: BSD-2-Clause */
/* USDT probes of a linked file, from its notes, for a link that wants to say why a program has none. */
#ifndef INLAY_DRIVER_NOTES_H
#define INLAY_DRIVER_NOTES_H

#include <stdbool.h>

struct bpfcc_arena;

struct cc_probes {
	bool is_here;		/* the file has a probe of that name */
	const char *similar;	/* else another one of the same name or provider, or NULL */
};

/* `name` is "PROVIDER:NAME". A file that cannot be read has no probes. */
void cc_find_probe(struct bpfcc_arena *arena, const char *path, const char *name,
		   struct cc_probes *ret_probes);

#endif /* INLAY_DRIVER_NOTES_H */
