/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parses .BTF.ext. Every length comes from the file, so each is checked against what is left.
 */
#include "bpfcc/btfext.h"

#include <errno.h>
#include <string.h>

#include <bpf/btf.h>

#include "bpfcc/arena.h"
#include "bpfcc/diag.h"

#define BTF_EXT_MAGIC 0xeB9F

struct header {
	uint16_t magic;
	uint8_t version, flags;
	uint32_t hdr_len;
	uint32_t func_info_off, func_info_len;
	uint32_t line_info_off, line_info_len;
	uint32_t core_relo_off, core_relo_len; /* from version 5.4 of the kernel on */
};

struct line_record {
	uint32_t insn_off, file_name_off, line_off, line_col;
};

struct core_record {
	uint32_t insn_off, type_id, access_str_off, kind;
};

struct parser {
	const struct btf *btf;
	struct bpfcc_arena *arena;
	struct bpfcc_diag *diag;
	struct bpfcc_btfext *out;
};

typedef int (*record_fn)(struct parser *p, const char *section, const void *record);

static int refuse(struct parser *p, const char *what)
{
	return bpfcc_error(p->diag, &(struct bpfcc_where){.insn = -1, .section = ".BTF.ext"},
			   "the file is damaged: compile it again", "%s", what);
}

/* Strings of a table entry; NULL for an offset that is out of range. */
static const char *string(struct parser *p, uint32_t off)
{
	return btf__str_by_offset(p->btf, off);
}

/*
 * A table: record size, then for each section its name, a count and the records. `fn` NULL counts
 * the records only.
 */
static int walk(struct parser *p, const uint8_t *data, size_t bytes, size_t min_record,
		record_fn fn, uint32_t *ret_nr)
{
	uint32_t record_bytes, info[2];
	int err;

	*ret_nr = 0;
	if (!bytes)
		return 0;
	if (bytes < sizeof(record_bytes))
		return refuse(p, "a table is cut short");
	memcpy(&record_bytes, data, sizeof(record_bytes));
	data += sizeof(record_bytes);
	bytes -= sizeof(record_bytes);
	if (record_bytes < min_record || record_bytes % 4)
		return refuse(p, "a table has records of an impossible size");
	while (bytes) {
		const char *section;

		if (bytes < sizeof(info))
			return refuse(p, "a section's records are cut short");
		memcpy(info, data, sizeof(info));
		data += sizeof(info);
		bytes -= sizeof(info);
		section = string(p, info[0]);
		if (!section || !*section)
			return refuse(p, "records name no section");
		if (info[1] > bytes / record_bytes)
			return refuse(p, "a section's records are cut short");
		for (uint32_t i = 0; fn && i < info[1]; i++) {
			err = fn(p, section, data + (size_t)i * record_bytes);
			if (err)
				return err;
		}
		*ret_nr += info[1];
		data += (size_t)info[1] * record_bytes;
		bytes -= (size_t)info[1] * record_bytes;
	}
	return 0;
}

static int add_line(struct parser *p, const char *section, const void *record)
{
	struct bpfcc_line *line = &p->out->lines[p->out->nr_lines];
	struct line_record r;

	memcpy(&r, record, sizeof(r));
	line->section = section;
	line->offset = r.insn_off;
	line->file = string(p, r.file_name_off);
	line->text = string(p, r.line_off);
	line->line = r.line_col >> 10;
	if (!line->file || !line->text)
		return refuse(p, "a source line names no file or text");
	p->out->nr_lines++;
	return 0;
}

static int add_relo(struct parser *p, const char *section, const void *record)
{
	struct bpfcc_core_relo *relo = &p->out->relos[p->out->nr_relos];
	struct core_record r;

	memcpy(&r, record, sizeof(r));
	relo->section = section;
	relo->offset = r.insn_off;
	relo->type_id = r.type_id;
	relo->access = string(p, r.access_str_off);
	relo->kind = r.kind;
	if (!relo->access || r.type_id >= btf__type_cnt(p->btf))
		return refuse(p, "a CO-RE relocation names no type or member");
	p->out->nr_relos++;
	return 0;
}

/* Counts, allocates, fills. */
static int read_table(struct parser *p, const uint8_t *data, size_t bytes, size_t min_record,
		      record_fn fn, size_t entry_bytes, void **ret_entries)
{
	uint32_t nr;
	int err = walk(p, data, bytes, min_record, NULL, &nr);

	if (err)
		return err;
	*ret_entries = bpfcc_arena_array(p->arena, nr, entry_bytes);
	if (!*ret_entries)
		return -ENOMEM;
	return walk(p, data, bytes, min_record, fn, &nr);
}

int bpfcc_btfext_read(const void *data, size_t bytes, const struct btf *btf,
		      struct bpfcc_arena *arena, struct bpfcc_diag *diag,
		      struct bpfcc_btfext *ret_ext)
{
	struct parser p = {.btf = btf, .arena = arena, .diag = diag, .out = ret_ext};
	const size_t min_header = offsetof(struct header, core_relo_off);
	struct header h = {0};
	const uint8_t *body;
	size_t room;
	int err;

	memset(ret_ext, 0, sizeof(*ret_ext));
	if (bytes < min_header)
		return refuse(&p, "the header is cut short");
	memcpy(&h, data, min_header);
	if (h.magic != BTF_EXT_MAGIC || h.version != 1 || h.hdr_len < min_header ||
	    h.hdr_len > bytes)
		return refuse(&p, "the header is malformed");
	if (h.hdr_len >= sizeof(h))
		memcpy(&h, data, sizeof(h));
	body = (const uint8_t *)data + h.hdr_len;
	room = bytes - h.hdr_len;
	if (h.line_info_off > room || h.line_info_len > room - h.line_info_off ||
	    h.core_relo_off > room || h.core_relo_len > room - h.core_relo_off)
		return refuse(&p, "a table lies outside of the section");
	err = read_table(&p, body + h.line_info_off, h.line_info_len, sizeof(struct line_record),
			 add_line, sizeof(struct bpfcc_line), (void **)&ret_ext->lines);
	if (!err)
		err = read_table(&p, body + h.core_relo_off, h.core_relo_len,
				 sizeof(struct core_record), add_relo,
				 sizeof(struct bpfcc_core_relo), (void **)&ret_ext->relos);
	return err;
}
