/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Build ids and file offsets in place of addresses, as the kernel gives them
 * (stack_map_get_build_id_offset()): of an address in no file, or in one without an id, the address
 * itself. A hit may not ask the kernel which file is where, nor wait for the dynamic linker: it
 * looks into a table of this process's modules, which rt/modules.c fills.
 *
 * The table may be out of date: a library is unloaded, another one takes its place. So a row has a
 * mark, and a stack uses the row only if the mark stands in memory still, which is looked at by a
 * read that may fault. For files with build ids the mark is the id, so what is given out was there.
 *
 * Rows are the process's own memory, and nobody waits for a row: one that is being written, or was
 * while it was read, does not count.
 */
#include "rt/build_ids.h"
#include "rt/inlay_rt_internal.h"
#include "rt/modules.h"
#include "rt/probe_copy.h"
#include "rt/stack.h"

#define NR_ROWS 128u
#define NR_STRANGE 64u
#define STRANGE_TURNS 256u

/* A row's turn: its state, and how often it was written. */
enum { ROW_FREE, ROW_WRITING, ROW_VALID, ROW_STATES = 4 };

static struct row {
	__u32 turn;
	struct inlay_loaded loaded;
} rows[NR_ROWS];
static __u32 nr_rows;	/* that were ever taken */

/*
 * Pages of addresses that were looked for in vain, such as code that was made at run time. Once in a
 * while one is looked for again: a library may stand there by now.
 */
static __u64 strange[NR_STRANGE];
static __u32 nr_strange;

/* Word by word, with releases: who sees one of them sees that the turn is another one. */
static void write_row(struct row *row, const struct inlay_loaded *loaded)
{
	const __u64 *from = (const __u64 *)loaded;
	__u64 *to = (__u64 *)&row->loaded;

	for (__u32 i = 0; i < sizeof(*loaded) / sizeof(*to); i++)
		store_release(&to[i], from[i]);
}

/* ---- finding ---------------------------------------------------------------------------- */

static bool is_at(__u64 at, __u64 bytes, const __u64 *mark, bool is_id)
{
	enum inlay_how how = __inlay_read_is_guarded() ? INLAY_HOW_GUARDED : INLAY_HOW_CALL;
	__u64 now[INLAY_LOADED_MARK_WORDS] = { 0, 0, 0 };

	if (!is_id)
		return __inlay_loaded_sum(how, at, bytes, now) && now[0] == mark[0];
	return bytes <= INLAY_BUILD_ID_BYTES && __inlay_fetch(how, now, at, bytes) &&
	       now[0] == mark[0] && now[1] == mark[1] && now[2] == mark[2];
}

/* False: the row does not hold the address, or was written meanwhile. */
static bool find_part(const struct row *row, __u64 ip, struct inlay_loaded_part *part)
{
	__u64 start = load_acquire(&row->loaded.start) & -(__u64)INLAY_PAGE_BYTES;
	__u64 nr = load_acquire(&row->loaded.nr_parts);

	if (ip - start >= inlay_round_up(load_acquire(&row->loaded.end), INLAY_PAGE_BYTES) - start)
		return false;
	for (__u64 i = 0; i < nr && i < INLAY_LOADED_PARTS; i++) {
		const struct inlay_loaded_part *from = &row->loaded.parts[i];

		part->start = load_acquire(&from->start);
		part->bytes = load_acquire(&from->bytes);
		part->off = load_acquire(&from->off);
		if (ip - part->start < part->bytes)
			return true;
	}
	return false;
}

/* Whether the row of that turn speaks of what stands in memory; fills in the id. Else it is free now. */
static bool is_current(struct row *row, __u32 turn, struct inlay_build_ids *ids)
{
	__u64 at = load_acquire(&row->loaded.mark_at), bytes = load_acquire(&row->loaded.mark_bytes);
	__u64 id_bytes = load_acquire(&row->loaded.id_bytes);

	/* longer ones are none for kernels */
	ids->has_id = id_bytes && id_bytes <= INLAY_BUILD_ID_BYTES;
	for (__u32 i = 0; i < INLAY_LOADED_MARK_WORDS; i++)
		ids->id[i] = load_acquire(&row->loaded.mark[i]);
	/* who wrote one of these words has changed the turn before */
	if (load_relaxed(&row->turn) != turn)
		return false;
	if (is_at(at, bytes, ids->id, id_bytes))
		return true;
	(void)cas_acq_rel(&row->turn, &turn, turn - ROW_VALID + ROW_FREE);
	return false;
}

static bool find_in(struct row *row, __u64 ip, struct inlay_build_ids *ids)
{
	__u32 turn = load_acquire(&row->turn); /* pairs with write_free() */
	struct inlay_loaded_part part;

	ids->part.bytes = 0;
	if (turn % ROW_STATES != ROW_VALID || !find_part(row, ip, &part) ||
	    !is_current(row, turn, ids))
		return false;
	ids->part = part;
	return true;
}

static bool find(__u64 ip, struct inlay_build_ids *ids)
{
	__u32 nr = load_relaxed(&nr_rows);

	for (__u32 i = 0; i < nr; i++)
		if (find_in(&rows[i], ip, ids))
			return true;
	return false;
}

static bool is_strange(__u64 ip)
{
	__u64 page = ip / INLAY_PAGE_BYTES;
	__u32 turn;

	if (!page) /* small numbers end many chains */
		return true;
	if (load_relaxed(&strange[page % NR_STRANGE]) != page)
		return false;
	turn = load_relaxed(&nr_strange) + 1;
	store_relaxed(&nr_strange, turn);
	return turn % STRANGE_TURNS;
}

static bool find_new(__u64 ip, struct inlay_build_ids *ids)
{
	__u64 page = ip / INLAY_PAGE_BYTES;

	if (is_strange(ip))
		return false;
	if (!ids->has_looked)
		ids->has_seen_all = __inlay_modules_look();
	ids->has_looked = true;
	if (find(ip, ids))
		return true;
	if (ids->has_seen_all)
		store_relaxed(&strange[page % NR_STRANGE], page);
	return false;
}

void __inlay_build_id(struct inlay_build_ids *ids, __u64 ip, __u64 *ret_words)
{
	bool is_found = ip - ids->part.start < ids->part.bytes || find(ip, ids) || find_new(ip, ids);

	if (!is_found || !ids->has_id) {
		ret_words[0] = INLAY_STACK_ID_STATUS_IP;
		ret_words[1] = 0;
		ret_words[2] = 0;
		ret_words[3] = ip;
		return;
	}
	ret_words[0] = INLAY_STACK_ID_STATUS_VALID | ids->id[0] << 32;
	ret_words[1] = ids->id[0] >> 32 | ids->id[1] << 32;
	ret_words[2] = ids->id[1] >> 32 | ids->id[2] << 32;
	ret_words[3] = ip - ids->part.start + ids->part.off;
}

/* ---- taking ----------------------------------------------------------------------------- */

static bool has(const struct inlay_loaded *loaded)
{
	__u32 nr = load_relaxed(&nr_rows);

	for (__u32 i = 0; i < nr; i++) {
		const struct inlay_loaded *row = &rows[i].loaded;
		__u32 turn = load_acquire(&rows[i].turn); /* pairs with write_free() */
		bool is_same = load_acquire(&row->start) == loaded->start &&
			       load_acquire(&row->end) == loaded->end &&
			       load_acquire(&row->mark_at) == loaded->mark_at;

		for (__u32 k = 0; k < INLAY_LOADED_MARK_WORDS; k++)
			is_same &= load_acquire(&row->mark[k]) == loaded->mark[k];
		if (is_same && turn % ROW_STATES == ROW_VALID && load_relaxed(&rows[i].turn) == turn)
			return true;
	}
	return false;
}

static bool write_free(const struct inlay_loaded *loaded)
{
	for (__u32 i = 0; i < NR_ROWS; i++) {
		__u32 turn = load_relaxed(&rows[i].turn), nr = load_relaxed(&nr_rows);

		/* the child of a fork in the middle leaves a row that is being written for good */
		if (turn % ROW_STATES != ROW_FREE ||
		    !cas_acq_rel(&rows[i].turn, &turn, turn + ROW_STATES + ROW_WRITING))
			continue;
		write_row(&rows[i], loaded);
		/* pairs with the acquire in find_in(): who sees it valid sees all of it */
		store_release(&rows[i].turn, turn + ROW_STATES + ROW_VALID);
		while (nr < i + 1 && !cas_acq_rel(&nr_rows, &nr, i + 1))
			;
		return true;
	}
	return false;
}

void __inlay_build_ids_take(const struct inlay_loaded *loaded)
{
	struct inlay_build_ids ids;

	if (!loaded->mark_bytes || has(loaded) || write_free(loaded))
		return;
	/* rows of what was unloaded, and never asked for since */
	for (__u32 i = 0; i < NR_ROWS; i++) {
		__u32 turn = load_acquire(&rows[i].turn); /* pairs with write_free() */

		if (turn % ROW_STATES == ROW_VALID)
			(void)is_current(&rows[i], turn, &ids);
	}
	(void)write_free(loaded);
}
