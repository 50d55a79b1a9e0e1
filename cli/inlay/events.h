/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events of targets, from their RINGBUF and PERF_EVENT_ARRAY maps, printed by their types as they
 * come.
 */
#ifndef INLAY_CLI_EVENTS_H
#define INLAY_CLI_EVENTS_H

#include "cli/inlay/cli.h"

struct events;

/* What has been printed, lines of text included, and may be. */
struct trace_count {
	uint64_t nr, max;	/* max 0: no limit */
};

static inline bool is_enough(const struct trace_count *count)
{
	return count->max && count->nr >= count->max;
}

/* `type`: what events are that do not say so themselves (INLAY_EVENT), or NULL. */
int events_new(const struct args *args, struct trace_count *count, struct events **ret_events);
void events_free(struct events *events);

/*
 * Adds the event maps of a target that one of the selectors means; without selectors all of them.
 * A map that cannot be consumed is told on stderr, and left out. Returns an exit code.
 */
int events_add(struct events *events, struct inlay_reader *reader, char **selectors,
	       int nr_selectors);
size_t events_nr(const struct events *events);
/* Event maps that were looked at, those that could not be consumed included. */
size_t events_nr_found(const struct events *events);
/* Whether there are rings, and none of their objects has the type that --type names. */
bool events_lack_type(const struct events *events);

/*
 * Prints what there is, or what comes within timeout_ms. 0 or -errno; a signal only ends the wait.
 */
int events_print(struct events *events, int timeout_ms);
/* Says on stderr what was lost. */
void events_report(struct events *events);

#endif /* INLAY_CLI_EVENTS_H */
