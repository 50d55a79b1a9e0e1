/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asks the running kernel. Maps are made no larger than MAX_MAP_BYTES, whatever the program asks
 * for: a verdict hardly ever depends on the number of entries, and another one's machine does on
 * its memory.
 */
#include "bpfcc/cmd/kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "bpfcc/isa.h"
#include "bpfcc/raw.h"

#define LOG_BYTES (1u << 20)
#define LOG_STATS 4		/* errors and statistics, without the walk */
#define MAX_MAP_BYTES (16u << 20)
#define MAX_MAPS 64		/* the kernel's limit of one program */
/* newer than the headers that bpfcc is built with */
#define ATTACH_UPROBE_MULTI 48
#define ATTACH_UPROBE_SESSION 57
#ifndef BPF_F_INNER_MAP
#define BPF_F_INNER_MAP (1u << 12)
#endif

bool cmd_kernel_init(struct cmd_kernel *k)
{
	k->btf_fd = -1;
	k->log = calloc(1, LOG_BYTES);
	return k->log;
}

void cmd_kernel_fini(struct cmd_kernel *k)
{
	if (k->btf_fd >= 0)
		close(k->btf_fd);
	free(k->log);
}

/* ---- verdicts ---- */

static void cannot_ask(struct cmd_verdict *v, const char *what, int err)
{
	*v = (struct cmd_verdict){.is_unknown = true};
	if (err == -EPERM || err == -EACCES)
		snprintf(v->reason, sizeof(v->reason), "cannot ask: needs root (%s)", what);
	else
		snprintf(v->reason, sizeof(v->reason), "cannot ask: %s: %s", what, strerror(-err));
}

/* The last line of the log that says why. */
static void last_line(const char *log, char *ret_line, size_t bytes)
{
	static const char *const statistics[] = {"processed ", "verification time ",
						 "stack depth ", "cur state:", "old state:"};
	const char *best = "", *next;
	size_t best_bytes = 0;

	for (const char *line = log; *line; line = next) {
		size_t n = strcspn(line, "\n");
		bool is_statistics = !n;

		next = line + n + (line[n] ? 1 : 0);
		for (size_t i = 0; i < sizeof(statistics) / sizeof(statistics[0]); i++)
			is_statistics |= !strncmp(line, statistics[i], strlen(statistics[i]));
		if (is_statistics)
			continue;
		best = line;
		best_bytes = n;
	}
	if (best_bytes >= bytes)
		best_bytes = bytes - 1;
	for (size_t i = 0; i < best_bytes; i++)
		ret_line[i] = best[i] >= 0x20 && best[i] < 0x7f ? best[i] : ' ';
	ret_line[best_bytes] = '\0';
}

/* fd or -errno of a load, and the log */
static void judge(const struct cmd_kernel *k, int fd, struct cmd_verdict *v)
{
	*v = (struct cmd_verdict){.is_accepted = fd >= 0};
	if (fd >= 0)
		return;
	if (fd == -EPERM) {
		cannot_ask(v, "BPF_PROG_LOAD", fd);
		return;
	}
	last_line(k->log, v->reason, sizeof(v->reason));
	if (!v->reason[0])
		snprintf(v->reason, sizeof(v->reason), "%s", strerror(-fd));
}

/* ---- maps ---- */

/* How many entries of the map may be had. */
static uint32_t bounded_entries(uint32_t type, uint32_t key_bytes, uint32_t value_bytes,
				uint32_t nr)
{
	uint64_t entry = (uint64_t)key_bytes + value_bytes + 64;

	if (type == BPF_MAP_TYPE_RINGBUF || type == BPF_MAP_TYPE_USER_RINGBUF)
		return nr > MAX_MAP_BYTES ? MAX_MAP_BYTES : nr;
	if (type == BPF_MAP_TYPE_PERCPU_ARRAY || type == BPF_MAP_TYPE_PERCPU_HASH ||
	    type == BPF_MAP_TYPE_LRU_PERCPU_HASH)
		entry *= (uint64_t)libbpf_num_possible_cpus();
	if (nr && nr > MAX_MAP_BYTES / entry)
		nr = entry < MAX_MAP_BYTES ? (uint32_t)(MAX_MAP_BYTES / entry) : 1;
	return nr;
}

static int make_map(const struct bpfcc_map *m)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = m->map_flags,
		    .map_extra = m->map_extra);
	uint32_t zero = 0;
	int fd, err = 0;

	if (m->value_size > MAX_MAP_BYTES)
		return -EFBIG;
	if (m->inner) {
		fd = make_map(m->inner);
		if (fd < 0)
			return fd;
		opts.inner_map_fd = (uint32_t)fd;
	}
	fd = bpf_map_create((enum bpf_map_type)m->type, NULL, m->key_size, m->value_size,
			    bounded_entries(m->type, m->key_size, m->value_size, m->max_entries),
			    &opts);
	if (m->inner)
		close((int)opts.inner_map_fd);
	if (fd < 0)
		return fd;
	if (m->data)
		err = bpf_map_update_elem(fd, &zero, m->data, 0);
	if (!err && m->is_frozen)
		err = bpf_map_freeze(fd);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

/* ---- rows ---- */

/* The kernel wants callbacks, and tail calls beside subprograms, to be described. */
static bool needs_func_info(const struct bpfcc_raw *raw)
{
	for (uint32_t i = 0; i < raw->nr_insns; i++) {
		const struct bpf_insn *in = &raw->insns[i];

		if (bpfcc_insn_is_lddw(in)) {
			if (in->src_reg == BPF_PSEUDO_FUNC)
				return true;
			i++;
		} else if (bpfcc_insn_is_call(in) && !in->src_reg &&
			   in->imm == BPF_FUNC_tail_call && raw->object.nr_funcs > 1) {
			return true;
		}
	}
	return false;
}

/* BTF with one function, id 3: static int f(void), which every subprogram is said to be. */
static int make_btf(struct cmd_kernel *k)
{
	struct btf *btf;
	int err;

	if (k->btf_fd >= 0)
		return 0;
	btf = btf__new_empty();
	if (!btf)
		return -errno;
	err = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	if (err > 0)
		err = btf__add_func_proto(btf, err);
	if (err > 0)
		err = btf__add_func(btf, "f", BTF_FUNC_STATIC, err);
	if (err > 0)
		err = btf__load_into_kernel(btf);
	/* the BTF object closes its own descriptor */
	if (!err)
		k->btf_fd = dup(btf__fd(btf));
	btf__free(btf);
	return err ? err : k->btf_fd < 0 ? -errno : 0;
}

static int load_row(struct cmd_kernel *k, const struct bpfcc_raw *raw, struct bpf_insn *insns)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = raw->prog_flags, .log_buf = k->log,
		    .log_size = LOG_BYTES, .log_level = LOG_STATS);
	struct bpf_func_info *info = NULL;
	int fd;

	if (needs_func_info(raw)) {
		fd = make_btf(k);
		if (fd)
			return fd;
		info = calloc(raw->object.nr_funcs, sizeof(*info));
		if (!info)
			return -ENOMEM;
		for (uint32_t i = 0; i < raw->object.nr_funcs; i++)
			info[i] = (struct bpf_func_info){.insn_off = raw->starts[i], .type_id = 3};
		opts.prog_btf_fd = (uint32_t)k->btf_fd;
		opts.func_info = info;
		opts.func_info_cnt = raw->object.nr_funcs;
		opts.func_info_rec_size = sizeof(*info);
	}
	k->log[0] = '\0';
	fd = bpf_prog_load(BPF_PROG_TYPE_KPROBE, NULL, "GPL", insns, raw->nr_insns, &opts);
	free(info);
	return fd;
}

void cmd_kernel_row(struct cmd_kernel *k, const struct bpfcc_raw *raw, struct cmd_verdict *v)
{
	const struct bpfcc_object *o = &raw->object;
	struct bpf_insn *insns;
	int fds[MAX_MAPS], fd = 0;
	uint32_t nr = 0;

	if (!raw->nr_insns || o->nr_maps > MAX_MAPS) {
		cannot_ask(v, "the row", -EINVAL);
		return;
	}
	insns = malloc(raw->nr_insns * sizeof(*insns));
	if (!insns) {
		cannot_ask(v, "the row", -ENOMEM);
		return;
	}
	memcpy(insns, raw->insns, raw->nr_insns * sizeof(*insns));
	for (; nr < o->nr_maps; nr++) {
		fds[nr] = fd = make_map(&o->maps[nr]);
		if (fd < 0)
			break;
	}
	for (uint32_t i = 0; i < raw->nr_insns && fd >= 0; i++) {
		if (!bpfcc_insn_is_lddw(&insns[i]))
			continue;
		if (insns[i].src_reg == BPF_PSEUDO_MAP_FD ||
		    insns[i].src_reg == BPF_PSEUDO_MAP_VALUE)
			insns[i].imm = insns[i].imm >= 0 && (uint32_t)insns[i].imm < nr
					       ? fds[insns[i].imm]
					       : -1;
		i++;
	}
	if (fd < 0) {
		cannot_ask(v, "a map of the row cannot be made", fd);
	} else {
		fd = load_row(k, raw, insns);
		judge(k, fd, v);
		if (fd >= 0)
			close(fd);
	}
	while (nr)
		close(fds[--nr]);
	free(insns);
}

/* ---- objects ---- */

static const struct bpfcc_map *find_map(const struct bpfcc_object *o, const char *name)
{
	for (uint32_t i = 0; i < o->nr_maps; i++)
		if (!strcmp(o->maps[i].name, name))
			return &o->maps[i];
	return NULL;
}

/* libbpf names a data section's map after the object and the section: "x.bss". */
static const char *plain_name(const struct bpf_map *map)
{
	const char *name = bpf_map__name(map), *dot = strchr(name, '.');

	return bpf_map__is_internal(map) && dot ? dot : name;
}

/* Filled by libbpf, no map of ours or with other values: usdt.bpf.h's, the configuration. */
static bool is_libbpfs(const char *name)
{
	return !strncmp(name, "__bpf_usdt_", 11) || !strcmp(name, ".kconfig");
}

static int prepare_map(struct bpf_map *map, const struct bpfcc_object *o)
{
	const struct bpfcc_map *m = find_map(o, plain_name(map));
	size_t bytes = 0;
	int err;

	if (is_libbpfs(plain_name(map)))
		return 0;
	/* another program's */
	if (!m)
		return bpf_map__set_autocreate(map, false);
	if (m->value_size > MAX_MAP_BYTES)
		return -EFBIG;
	err = bpf_map__set_max_entries(map, bounded_entries(m->type, m->key_size, m->value_size,
							    m->max_entries));
	/* a question leaves nothing behind, and takes no map that somebody else has pinned */
	if (!err)
		err = bpf_map__set_pin_path(map, NULL);
	/* other loaders than libbpf know the sizes of what has but one */
	if (!err && !bpf_map__key_size(map) && m->key_size)
		err = bpf_map__set_key_size(map, m->key_size);
	if (!err && !bpf_map__value_size(map) && m->value_size)
		err = bpf_map__set_value_size(map, m->value_size);
	if (!err && m->data && bpf_map__initial_value(map, &bytes) && bytes == m->value_size)
		err = bpf_map__set_initial_value(map, m->data, bytes);
	return err;
}

/* The part is in the first bytes of the section's name, before the path. */
static bool is_in(const char *section, size_t bytes, const char *part)
{
	const char *at = strstr(section, part);

	return at && at < section + bytes;
}

static int prepare_program(struct cmd_kernel *k, struct bpf_program *program, const char *wanted)
{
	const char *section = bpf_program__section_name(program);
	size_t type_bytes = strcspn(section, "/");
	int err;

	if (strcmp(bpf_program__name(program), wanted)) {
		bpf_program__set_autoload(program, false);
		return 0;
	}
	bpf_program__set_autoload(program, true);
	err = bpf_program__set_type(program, BPF_PROG_TYPE_KPROBE);
	if (!err && is_in(section, type_bytes, ".session"))
		err = bpf_program__set_expected_attach_type(
			program, (enum bpf_attach_type)ATTACH_UPROBE_SESSION);
	else if (!err && is_in(section, type_bytes, ".multi"))
		err = bpf_program__set_expected_attach_type(
			program, (enum bpf_attach_type)ATTACH_UPROBE_MULTI);
	if (!err && type_bytes > 2 && !strncmp(section + type_bytes - 2, ".s", 2))
		err = bpf_program__set_flags(program, BPF_F_SLEEPABLE);
	if (!err)
		err = bpf_program__set_log_buf(program, k->log, LOG_BYTES);
	return err ? err : bpf_program__set_log_level(program, LOG_STATS);
}

/* libbpf's own first complaint, for what fails before the kernel's verifier sees it */
static char complaint[256];

static int keep_complaint(enum libbpf_print_level level, const char *format, va_list args)
{
	if (level == LIBBPF_WARN && !complaint[0]) {
		vsnprintf(complaint, sizeof(complaint), format, args);
		complaint[strcspn(complaint, "\n")] = '\0';
	}
	return 0;
}

static int load_object(struct cmd_kernel *k, const struct bpfcc_object *o, const char *wanted)
{
	struct bpf_object *object = bpf_object__open_file(o->path, NULL);
	struct bpf_program *program;
	struct bpf_map *map;
	int err = object ? 0 : -errno;

	if (err)
		return err;
	bpf_object__for_each_map(map, object)
		err = err ? err : prepare_map(map, o);
	bpf_object__for_each_program(program, object)
		err = err ? err : prepare_program(k, program, wanted);
	if (!err)
		err = bpf_object__load(object);
	bpf_object__close(object);
	return err;
}

void cmd_kernel_program(struct cmd_kernel *k, const struct bpfcc_object *o,
			const struct bpfcc_prog *prog, struct cmd_verdict *v)
{
	libbpf_print_fn_t other = libbpf_set_print(keep_complaint);
	int err;

	complaint[0] = k->log[0] = '\0';
	err = load_object(k, o, prog->name);
	libbpf_set_print(other);
	if (err && err != -EPERM && !k->log[0]) {
		*v = (struct cmd_verdict){.is_unknown = true};
		snprintf(v->reason, sizeof(v->reason), "cannot ask: %s",
			 complaint[0] ? complaint : strerror(-err));
		return;
	}
	judge(k, err, v);
}
