/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of the reader library share. Invariant: bytes of a segment are only ever reached
 * through segment_read(), which checks the range against the file as it is now.
 */
#ifndef INLAY_READER_READER_H
#define INLAY_READER_READER_H

#include "inlay/inlay.h"

struct btf;

struct inlay_reader {
	int fd;
	bool is_writable;
	char *path;
	uint32_t uid;
	uint64_t seen_bytes;	/* largest size that the file has had */
	struct inlay_segment_info head;	/* what does not change after start, strings terminated */
	struct inlay_table objects, maps, progs, procs, shards;	/* offsets; nr is read anew */
	uint64_t trace_off;
	uint64_t modules_off;	/* 0: it has none */
	struct btf *btf[INLAY_SEGMENT_MAX_OBJECTS];
	int btf_error[INLAY_SEGMENT_MAX_OBJECTS];
	uint64_t consumed[INLAY_SEGMENT_MAX_MAPS / 64];	/* rings that this handle consumes */
};

struct inlay_map {
	struct inlay_reader *reader;
	uint32_t index;
	struct inlay_seg_map row;	/* geometry checked by inlay_map_open() */
	char name[INLAY_NAME_BYTES + 1];
};

/* One shard of a map as found in the table; off and bytes are checked when they are read. */
struct shard_ref {
	uint64_t off;
	uint32_t tid;
};

/* Copies `bytes` at `off`. -EBADMSG: outside the file; -ESTALE: the file has become shorter. */
int segment_read(struct inlay_reader *reader, uint64_t off, void *ret_data, uint64_t bytes);
/* 0 if the range lies in the file now. */
int segment_check(struct inlay_reader *reader, uint64_t off, uint64_t bytes);
/* Rows published so far in a table at header offset `field`, at most its checked maximum. */
int segment_rows(struct inlay_reader *reader, const struct inlay_table *table,
		 uint32_t *ret_nr);
/* Copies `bytes` of row `index`; -ENOENT past the last. */
int segment_row(struct inlay_reader *reader, const struct inlay_table *table, uint32_t index,
		void *ret_row, size_t bytes);

/* Shards of a map; the caller frees *ret_shards. */
int map_shards(struct inlay_map *map, struct shard_ref **ret_shards, uint32_t *ret_nr);

/* Checks raw BTF, so that libbpf's parser and printers may be trusted with it. */
int btf_check(const void *data, uint64_t bytes);

/* Fills a sized structure: as much of `from` as the caller's sz holds, zeroes behind. */
int fill_sized(void *ret, const void *from, size_t bytes);

#endif /* INLAY_READER_READER_H */
