/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows of a segment's tables as public structures: the segment itself, processes, objects,
 * programs and the trace ring. Each call copies anew, so what it returns is never older than the call.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/btf.h>

#include "cli/reader/reader.h"

/* A name in shared memory need not end. */
static void copy_name(char *to, const char *from, size_t bytes)
{
	memcpy(to, from, bytes);
	to[bytes] = 0;
}

static bool proc_is_alive(struct inlay_reader *reader, uint32_t row)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
			      .l_start = (off_t)(INLAY_PROC_LOCK_BASE + row), .l_len = 1 };

	return !fcntl(reader->fd, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK;
}

int inlay_segment_proc(struct inlay_reader *reader, uint32_t index, struct inlay_proc_info *ret_info)
{
	struct inlay_proc_info info = { 0 };
	struct inlay_seg_proc row;
	int err = segment_row(reader, &reader->procs, index, &row, sizeof(row));

	if (err)
		return err;
	info.pid = row.pid;
	info.starttime = row.starttime;
	info.is_alive = row.pid && proc_is_alive(reader, index);
	return fill_sized(ret_info, &info, sizeof(info));
}

int inlay_segment_info(struct inlay_reader *reader, struct inlay_segment_info *ret_info)
{
	struct inlay_segment_info info = reader->head;
	struct inlay_segment header;
	uint32_t nr_procs;
	int err = segment_read(reader, 0, &header, sizeof(header));

	if (!err)
		err = segment_rows(reader, &reader->objects, &info.nr_objects);
	if (!err)
		err = segment_rows(reader, &reader->maps, &info.nr_maps);
	if (!err)
		err = segment_rows(reader, &reader->progs, &info.nr_progs);
	if (!err)
		err = segment_rows(reader, &reader->procs, &nr_procs);
	if (!err)
		err = segment_rows(reader, &reader->shards, &info.nr_shards);
	if (err)
		return err;
	info.state = header.state;
	info.total_bytes = header.total_bytes;
	info.exe_base = header.exe_base;
	info.objects_refused = header.objects_refused;
	info.nr_procs = nr_procs;
	for (uint32_t i = 0; i < nr_procs; i++) {
		struct inlay_proc_info proc = INLAY_SIZED(inlay_proc_info);

		if (!inlay_segment_proc(reader, i, &proc))
			info.nr_alive += proc.is_alive;
	}
	return fill_sized(ret_info, &info, sizeof(info));
}

int inlay_segment_object(struct inlay_reader *reader, uint32_t index,
			 struct inlay_object_info *ret_info)
{
	struct inlay_object_info info = { 0 };
	struct inlay_seg_object row;
	int err = segment_row(reader, &reader->objects, index, &row, sizeof(row));

	if (err)
		return err;
	memcpy(info.hash, row.hash, sizeof(info.hash));
	copy_name(info.name, row.name, sizeof(row.name));
	copy_name(info.license, row.license, sizeof(row.license));
	info.first_map = row.first_map;
	info.nr_maps = row.nr_maps;
	info.first_prog = row.first_prog;
	info.nr_progs = row.nr_progs;
	info.btf_bytes = row.btf_bytes;
	return fill_sized(ret_info, &info, sizeof(info));
}

static int btf_load(struct inlay_reader *reader, uint32_t object)
{
	struct inlay_seg_object row;
	void *data;
	int err = segment_row(reader, &reader->objects, object, &row, sizeof(row));

	if (err)
		return err;
	if (!row.btf_bytes)
		return -ENOENT;
	if (row.btf_bytes > 64u << 20)
		return -EBADMSG;
	err = segment_check(reader, row.btf_off, row.btf_bytes);
	if (err)
		return err;
	data = malloc(row.btf_bytes);
	if (!data)
		return -ENOMEM;
	err = segment_read(reader, row.btf_off, data, row.btf_bytes);
	if (!err)
		err = btf_check(data, row.btf_bytes);
	if (!err) {
		struct btf *btf = btf__new(data, (uint32_t)row.btf_bytes);

		/* libbpf before 1.0 returned errors as pointers; it is linked at 1.1 or later. */
		if (btf)
			reader->btf[object] = btf;
		else
			err = errno == ENOMEM ? -ENOMEM : -EBADMSG;
	}
	free(data);
	return err;
}

int inlay_segment_btf(struct inlay_reader *reader, uint32_t object, const struct btf **ret_btf)
{
	if (object >= INLAY_SEGMENT_MAX_OBJECTS)
		return -ENOENT;
	if (!reader->btf[object] && !reader->btf_error[object]) {
		int err = btf_load(reader, object);

		if (err == -ENOMEM || err == -ESTALE)
			return err;
		reader->btf_error[object] = err;
	}
	if (!reader->btf[object])
		return reader->btf_error[object];
	*ret_btf = reader->btf[object];
	return 0;
}

/* ---- Programs --------------------------------------------------------------------------- */

/* Finds the control block of a program. */
static int prog_find(struct inlay_reader *reader, uint32_t index, struct inlay_seg_prog *ret_prog,
		     uint64_t *ret_ctl_off)
{
	struct inlay_seg_object object;
	int err = segment_row(reader, &reader->progs, index, ret_prog, sizeof(*ret_prog));

	if (err)
		return err;
	err = segment_row(reader, &reader->objects, ret_prog->object, &object, sizeof(object));
	if (err)
		return err == -ENOENT ? -EBADMSG : err;
	if (ret_prog->index >= INLAY_SEGMENT_MAX_PROGS || ret_prog->index >= object.nr_progs ||
	    object.ctl_bytes / sizeof(struct inlay_prog_ctl) <= ret_prog->index)
		return -EBADMSG;
	if (object.ctl_off < sizeof(struct inlay_segment) || object.ctl_off % 8 ||
	    object.ctl_off > INT64_MAX / 2)
		return -EBADMSG;
	*ret_ctl_off = object.ctl_off + ret_prog->index * sizeof(struct inlay_prog_ctl);
	return segment_check(reader, *ret_ctl_off, sizeof(struct inlay_prog_ctl));
}

int inlay_segment_prog(struct inlay_reader *reader, uint32_t index, struct inlay_prog_info *ret_info)
{
	struct inlay_prog_info info = { 0 };
	struct inlay_prog_ctl ctl;
	struct inlay_seg_prog row;
	uint64_t off;
	int err = prog_find(reader, index, &row, &off);

	if (!err)
		err = segment_read(reader, off, &ctl, sizeof(ctl));
	if (err)
		return err;
	copy_name(info.name, row.name, sizeof(row.name));
	copy_name(info.section, row.section, sizeof(row.section));
	info.kind = row.kind;
	info.flags = row.flags;
	info.object = row.object;
	info.index = row.index;
	info.is_on = row.flags & INLAY_PROG_F_SWITCHED ? ctl.on != 0 : true;
	info.misses = ctl.misses;
	info.drops = ctl.drops;
	info.runs = ctl.runs;
	info.time_ns = ctl.time_ns;
	return fill_sized(ret_info, &info, sizeof(info));
}

int inlay_segment_prog_switch(struct inlay_reader *reader, uint32_t index, bool on)
{
	struct inlay_seg_prog row;
	uint8_t byte = on;
	uint64_t off;
	int err = prog_find(reader, index, &row, &off);

	if (err)
		return err;
	if (!(row.flags & INLAY_PROG_F_SWITCHED))
		return -EOPNOTSUPP;
	if (!reader->is_writable)
		return -EBADF;
	off += offsetof(struct inlay_prog_ctl, on);
	return pwrite(reader->fd, &byte, 1, (off_t)off) == 1 ? 0 : -errno;
}

/* ---- Trace ring ------------------------------------------------------------------------- */

/* Copies the record of a ticket; false if it is being written or another ticket's by now. */
static int trace_record(struct inlay_reader *reader, uint64_t ticket,
			struct inlay_trace_record *ret_record, bool *ret_is_whole)
{
	uint64_t off = reader->trace_off + offsetof(struct inlay_trace, records) +
		       ticket % INLAY_TRACE_RECORDS * sizeof(*ret_record);
	uint64_t seq;
	int err = segment_read(reader, off, ret_record, sizeof(*ret_record));

	if (!err)
		err = segment_read(reader, off, &seq, sizeof(seq));
	*ret_is_whole = !err && seq == 2 * ticket + 2 && ret_record->seq == seq;
	return err;
}

int inlay_segment_module(struct inlay_reader *reader, uint32_t index,
			 struct inlay_module_info *ret_info)
{
	uint64_t off = reader->modules_off;
	struct inlay_module_info info = { 0 };
	struct inlay_seg_module row;
	uint32_t nr, state = 0;
	int err;

	if (off < offsetof(struct inlay_segment, modules_off) || off > INT64_MAX / 2)
		return off ? -EBADMSG : -ENOENT;
	err = segment_check(reader, off, sizeof(struct inlay_modules));
	if (!err)
		err = segment_read(reader, off + offsetof(struct inlay_modules, nr), &nr, sizeof(nr));
	if (err)
		return err;
	if (index >= nr || index >= INLAY_SEGMENT_MAX_MODULES)
		return -ENOENT;
	off += offsetof(struct inlay_modules, rows) + index * sizeof(row);
	err = segment_read(reader, off, &row, sizeof(row));
	/* the same after it was read: nobody has written it again meanwhile */
	if (!err)
		err = segment_read(reader, off + offsetof(struct inlay_seg_module, state), &state,
				   sizeof(state));
	if (err)
		return err;
	if (INLAY_MODULE_STATE(row.state) != INLAY_MODULE_WHOLE || row.state != state ||
	    row.start >= row.end || row.build_id_bytes > sizeof(row.build_id))
		return -EAGAIN;
	info.start = row.start;
	info.end = row.end;
	info.bias = row.bias;
	info.turn = row.turn;
	info.build_id_bytes = row.build_id_bytes;
	memcpy(info.build_id, row.build_id, sizeof(info.build_id));
	copy_name(info.path, row.path, sizeof(row.path));
	return fill_sized(ret_info, &info, sizeof(info));
}

int inlay_segment_trace(struct inlay_reader *reader, uint64_t *cursor,
			struct inlay_trace_line *ret_line)
{
	struct inlay_trace_line line = { 0 };
	uint64_t next, ticket = *cursor;
	int err;

	if (reader->trace_off < sizeof(struct inlay_segment) || reader->trace_off > INT64_MAX / 2)
		return reader->trace_off ? -EBADMSG : -ENOENT;
	err = segment_check(reader, reader->trace_off, sizeof(struct inlay_trace));
	if (!err)
		err = segment_read(reader, reader->trace_off, &next, sizeof(next));
	if (err)
		return err;
	if (next > ticket && next - ticket > INLAY_TRACE_RECORDS) {
		line.lost = ticket ? next - INLAY_TRACE_RECORDS - ticket : 0;
		ticket = next - INLAY_TRACE_RECORDS;
	}
	for (; ticket < next; ticket++) {
		struct inlay_trace_record record;
		bool is_whole;

		err = trace_record(reader, ticket, &record, &is_whole);
		if (err)
			return err;
		if (!is_whole) {
			/* The newest may be half written: it is read by the next call. Older ones
			 * are lost: their writer died in the middle, or a later one came round. */
			if (record.seq < 2 * ticket + 2 && next - ticket < INLAY_TRACE_RECORDS / 2)
				break;
			line.lost++;
			continue;
		}
		line.time_ns = record.time_ns;
		line.tid = record.tid;
		copy_name(line.text, record.text,
			  record.text_bytes < sizeof(record.text) ? record.text_bytes :
								    sizeof(record.text));
		if (record.text_bytes > sizeof(record.text))
			memcpy(line.text + sizeof(record.text) - 3, "...", 3);
		*cursor = ticket + 1;
		return fill_sized(ret_line, &line, sizeof(line));
	}
	*cursor = ticket;
	return -ENOENT;
}

const char *inlay_reader_version(void)
{
	return INLAY_VERSION;
}
