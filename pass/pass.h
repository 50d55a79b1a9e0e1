/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the pass's files share: options, programs as the pass sees them, the plan of one module.
 *
 * The flow, in pass.c: open the objects, match names (match.c), lower what matched (import.c), ask
 * the code what it reads (reads.c), check each place against the types (check.c), insert at calls
 * (call.c) and functions (site.c), link the bodies in and inline them, drop attributes that are no
 * longer true (attrs.c), write site records (record.c) and the report (report.c).
 *
 * A module in which nothing matched is not touched at all.
 */
#ifndef INLAY_PASS_H
#define INLAY_PASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <llvm-c/Core.h>

#ifdef __cplusplus
extern "C" {
#endif

/* As given on the command line; strings live as long as the process. */
struct pass_options {
	const char *const *probes;
	size_t nr_probes;
	const char *const *sets; /* [OBJECT:]VAR=value */
	size_t nr_sets;
	const char *const *maps; /* [OBJECT:]NAME.max_entries=N */
	size_t nr_maps;
	const char *const *attaches; /* [OBJECT:]PROG:FUNCTION */
	size_t nr_attaches;
	const char *const *skips; /* [OBJECT:]PROG */
	size_t nr_skips;
	const char *binary; /* name of the linked output, or "" */
	const char *report; /* file or directory, or "" */
	const char *target_btf; /* file with the target's types, or "": the module's own */
	bool allow_override;
	bool allow_write;
	bool unsafe_no_verify;
	bool stats;
	bool verbose;
};

enum pass_point {
	PASS_POINT_EARLY, /* before any optimisation */
	PASS_POINT_LATE,  /* after all of it, for programs that ask for it */
};

/* On functions that a late program names. Whoever tidies up after the late run removes it. */
#define PASS_ATTR_LATE "inlay-late"

/* Runs over one module; true if it changed. Errors go to the module's diagnostics. */
bool pass_run(LLVMModuleRef module, const struct pass_options *options, enum pass_point point);

/* False, with a message in `why`, if the process that loads the plugin uses another LLVM. */
bool pass_host_is_ours(char *why, size_t why_bytes);

#ifdef __cplusplus
}
#endif
#endif /* INLAY_PASS_H */
