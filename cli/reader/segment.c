/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening a segment: who owns it, is it one, is its header sound; and the one way to its bytes.
 * Never maps the file: a truncation under a mapping would be a SIGBUS in the reader.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/btf.h>

#include "cli/reader/open.h"
#include "cli/reader/reader.h"

int fill_sized(void *ret, const void *from, size_t bytes)
{
	size_t sz;

	memcpy(&sz, ret, sizeof(sz));
	if (sz <= sizeof(sz))
		return -EINVAL;
	if (sz > bytes)
		memset((char *)ret + bytes, 0, sz - bytes);
	else
		bytes = sz;
	memcpy((char *)ret + sizeof(sz), (const char *)from + sizeof(sz), bytes - sizeof(sz));
	return 0;
}

int opts_load(const struct inlay_segment_opts *opts, struct inlay_segment_opts *ret_opts)
{
	memset(ret_opts, 0, sizeof(*ret_opts));
	if (!opts)
		return 0;
	if (opts->sz <= sizeof(opts->sz))
		return -EINVAL;
	memcpy(ret_opts, opts, opts->sz < sizeof(*ret_opts) ? opts->sz : sizeof(*ret_opts));
	return 0;
}

int refuse(const struct inlay_segment_opts *opts, int error, const char *format, ...)
{
	va_list args;

	if (!opts->reason || !opts->reason_bytes)
		return error;
	va_start(args, format);
	vsnprintf(opts->reason, opts->reason_bytes, format, args);
	va_end(args);
	return error;
}

static int file_bytes(struct inlay_reader *reader, uint64_t *ret_bytes)
{
	struct stat st;

	if (fstat(reader->fd, &st))
		return -errno;
	*ret_bytes = st.st_size > 0 ? (uint64_t)st.st_size : 0;
	if (*ret_bytes > reader->seen_bytes)
		reader->seen_bytes = *ret_bytes;
	return 0;
}

int segment_check(struct inlay_reader *reader, uint64_t off, uint64_t bytes)
{
	uint64_t size;
	int err = file_bytes(reader, &size);

	if (err)
		return err;
	if (off <= size && bytes <= size - off)
		return 0;
	/* What the file once held was a valid reference: then it is the file that shrank. */
	return off <= reader->seen_bytes && bytes <= reader->seen_bytes - off ? -ESTALE :
										   -EBADMSG;
}

int segment_read(struct inlay_reader *reader, uint64_t off, void *ret_data, uint64_t bytes)
{
	char *to = ret_data;
	int err = segment_check(reader, off, bytes);

	if (err)
		return err;
	while (bytes) {
		size_t want = bytes < (1u << 30) ? bytes : 1u << 30;
		ssize_t n = pread(reader->fd, to, want, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return -ESTALE;
		to += n;
		off += (uint64_t)n;
		bytes -= (uint64_t)n;
	}
	return 0;
}

int segment_rows(struct inlay_reader *reader, const struct inlay_table *table, uint32_t *ret_nr)
{
	/* The copy of the table in the handle mirrors the header's order, from objects on. */
	size_t place = (size_t)((const char *)table - (const char *)&reader->objects);
	uint32_t nr;
	int err = segment_read(reader,
			       offsetof(struct inlay_segment, objects) + place +
				       offsetof(struct inlay_table, nr),
			       &nr, sizeof(nr));

	if (err)
		return err;
	*ret_nr = nr < table->max ? nr : table->max;
	return 0;
}

int segment_row(struct inlay_reader *reader, const struct inlay_table *table, uint32_t index,
		void *ret_row, size_t bytes)
{
	uint32_t nr;
	int err = segment_rows(reader, table, &nr);

	if (err)
		return err;
	if (index >= nr)
		return -ENOENT;
	return segment_read(reader, table->off + (uint64_t)index * table->entry_bytes, ret_row,
			    bytes);
}

static void copy_text(char *to, const char *from, size_t bytes)
{
	memcpy(to, from, bytes);
	to[bytes] = 0;
}

static int table_check(struct inlay_reader *reader, const struct inlay_segment *header,
		       const struct inlay_table *table, size_t row_bytes, uint32_t limit)
{
	if (table->entry_bytes < row_bytes || table->entry_bytes > INLAY_PAGE_BYTES ||
	    table->entry_bytes % 8 || table->max > limit || table->off % 8 ||
	    table->off < offsetof(struct inlay_segment, modules_off) /* as of 1.0 */ || table->off > header->header_bytes ||
	    (uint64_t)table->max * table->entry_bytes > header->header_bytes - table->off)
		return -EBADMSG;
	return segment_check(reader, table->off, (uint64_t)table->max * table->entry_bytes);
}

static int tables_check(struct inlay_reader *reader, const struct inlay_segment *header)
{
	const struct {
		const struct inlay_table *table;
		size_t row_bytes;
		uint32_t limit;
	} rows[] = {
		{ &header->objects, sizeof(struct inlay_seg_object), INLAY_SEGMENT_MAX_OBJECTS },
		/* what was appended to it since 1.0 may be missing, see map_row() */
		{ &header->maps, offsetof(struct inlay_seg_map, extra), INLAY_SEGMENT_MAX_MAPS },
		{ &header->progs, sizeof(struct inlay_seg_prog), INLAY_SEGMENT_MAX_PROGS },
		{ &header->procs, sizeof(struct inlay_seg_proc), INLAY_SEGMENT_MAX_PROCS },
		{ &header->shards, sizeof(struct inlay_seg_shard), INLAY_SEGMENT_MAX_SHARDS },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int err = table_check(reader, header, rows[i].table, rows[i].row_bytes,
				      rows[i].limit);

		if (err)
			return err;
	}
	reader->objects = header->objects;
	reader->maps = header->maps;
	reader->progs = header->progs;
	reader->procs = header->procs;
	reader->shards = header->shards;
	reader->trace_off = header->trace_off;
	reader->modules_off = header->abi_minor >= 1 ? header->modules_off : 0;
	return 0;
}

static int header_load(struct inlay_reader *reader, const struct inlay_segment_opts *opts)
{
	struct inlay_segment header;
	struct inlay_segment_info *head = &reader->head;
	int err = segment_read(reader, 0, &header, sizeof(header));
	struct stat st;

	if (err)
		return refuse(opts, -EBADMSG, "too short to be a segment");
	if (header.magic != INLAY_SEGMENT_MAGIC)
		return header.magic ? refuse(opts, -EBADMSG, "not a segment: wrong magic number") :
				      refuse(opts, -EAGAIN, "the target is still making it");
	if (header.abi_major != INLAY_ABI_MAJOR)
		return refuse(opts, -EPROTO,
			      "written with ABI version %u.%u; this tool reads version %u",
			      header.abi_major, header.abi_minor, INLAY_ABI_MAJOR);
	if (header.state == INLAY_SEGMENT_MAKING)
		return refuse(opts, -EAGAIN, "the target is still making it");
	/* a file that has grown since we asked */
	if (header.total_bytes > reader->seen_bytes && !fstat(reader->fd, &st) && st.st_size > 0)
		reader->seen_bytes = (uint64_t)st.st_size;
	if (header.total_bytes > reader->seen_bytes || header.header_bytes < sizeof(header) ||
	    header.header_bytes > header.total_bytes)
		return refuse(opts, -EBADMSG, "cut short: %llu bytes of %llu",
			      (unsigned long long)reader->seen_bytes,
			      (unsigned long long)header.total_bytes);
	if (tables_check(reader, &header))
		return refuse(opts, -EBADMSG, "damaged: a table lies outside the file");
	head->path = reader->path;
	head->abi_major = header.abi_major;
	head->abi_minor = header.abi_minor;
	head->uid = reader->uid;
	head->pid = header.pid;
	head->starttime = header.starttime;
	head->created_ns = header.created_ns;
	head->exe_base = header.exe_base;
	copy_text(head->comm, header.comm, sizeof(header.comm));
	copy_text(head->exe, header.exe, sizeof(header.exe));
	return 0;
}

int reader_new(int fd, const char *path, const struct inlay_segment_opts *opts,
	       struct inlay_reader **ret_reader)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET,
			      .l_start = (off_t)INLAY_READER_LOCK, .l_len = 1 };
	struct inlay_reader *reader = calloc(1, sizeof(*reader));
	struct stat st;
	int err;

	if (!reader) {
		close(fd);
		return -ENOMEM;
	}
	reader->fd = fd;
	reader->is_writable = opts->is_writable;
	reader->path = strdup(path);
	if (!reader->path) {
		err = -ENOMEM;
		goto out;
	}
	if (fstat(fd, &st)) {
		err = -errno;
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		err = refuse(opts, -EBADMSG, "not a regular file");
		goto out;
	}
	if (st.st_uid != opts_owner(opts)) {
		err = refuse(opts, -EPERM, "belongs to user %u", (unsigned int)st.st_uid);
		goto out;
	}
	reader->uid = st.st_uid;
	/* Failing to lock costs no more than the file's name when the target exits. */
	if (!opts->is_unlocked)
		(void)fcntl(fd, F_OFD_SETLK, &lock);
	err = header_load(reader, opts);
	if (!err) {
		*ret_reader = reader;
		return 0;
	}
out:
	inlay_segment_close(reader);
	return err;
}

void inlay_segment_close(struct inlay_reader *reader)
{
	if (!reader)
		return;
	for (int i = 0; i < INLAY_SEGMENT_MAX_OBJECTS; i++)
		btf__free(reader->btf[i]);
	close(reader->fd);
	free(reader->path);
	free(reader);
}
