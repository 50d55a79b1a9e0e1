/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attach OBJECT BINARY COMMAND...
 *
 * Loads a probe object into the kernel, attaches its programs to BINARY as real uprobes ("-": only
 * loads them), runs the command and prints the maps. Newer kinds than this libbpf knows (uprobe.multi, uprobe.session) are
 * loaded and linked by number. Exit code 77: not possible here, with the reason.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <gelf.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dump.h"
#include "messages.h"

enum { ATTACH_UPROBE_MULTI = 48, ATTACH_UPROBE_SESSION = 57, UPROBE_MULTI_RETURN = 1 };
enum { SYMBOLS_MAX = 1024, VALUE_MAX = 32 << 10 /* a per-CPU map's */ };
enum { MAP_TYPE_ARENA = 33, ARENA_PAGE = 4096 };

/* The part of union bpf_attr that BPF_LINK_CREATE reads for uprobe.multi (linux/bpf.h of 6.6). */
struct link_create_multi {
	uint32_t prog_fd, target_fd, attach_type, flags;
	uint64_t path, offsets, ref_ctr_offsets, cookies;
	uint32_t cnt, multi_flags, pid, pad;
};

static const struct kind {
	const char *prefix;
	bool is_multi, is_return;
	int attach_type;	/* 0: perf event */
} kinds[] = {
	{ "uprobe/", false, false, 0 },
	{ "uprobe.s/", false, false, 0 },
	{ "uretprobe/", false, true, 0 },
	{ "uprobe.multi/", true, false, ATTACH_UPROBE_MULTI },
	{ "uretprobe.multi/", true, true, ATTACH_UPROBE_MULTI },
	{ "uprobe.session/", true, false, ATTACH_UPROBE_SESSION },
};

static const struct kind *kind_of(const struct bpf_program *prog, const char **ret_pattern)
{
	const char *section = bpf_program__section_name(prog), *colon;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strncmp(section, kinds[i].prefix, strlen(kinds[i].prefix))) {
			colon = strrchr(section, ':');
			*ret_pattern = colon ? colon + 1 : section + strlen(kinds[i].prefix);
			return &kinds[i];
		}
	return NULL;
}

static void fail(const char *what)
{
	fprintf(stderr, "attach: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* File offset of an address, by the program headers. */
static uint64_t file_offset(Elf *elf, uint64_t address)
{
	size_t nr;
	GElf_Phdr ph;

	elf_getphdrnum(elf, &nr);
	for (size_t i = 0; i < nr; i++)
		if (gelf_getphdr(elf, (int)i, &ph) && ph.p_type == PT_LOAD &&
		    address - ph.p_vaddr < ph.p_filesz)
			return address - ph.p_vaddr + ph.p_offset;
	return 0;
}

/* File offsets of the defined functions that match a glob. */
static uint32_t find_functions(const char *path, const char *pattern, uint64_t *offsets)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf_Scn *section = NULL;
	uint32_t n = 0;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = fd < 0 ? NULL : elf_begin(fd, ELF_C_READ, NULL);
	if (!elf)
		fail(path);
	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr sh;
		Elf_Data *data;

		if (!gelf_getshdr(section, &sh) || sh.sh_type != SHT_SYMTAB)
			continue;
		data = elf_getdata(section, NULL);
		for (size_t i = 0; data && i < sh.sh_size / sh.sh_entsize; i++) {
			GElf_Sym sym;
			const char *name;

			if (!gelf_getsym(data, (int)i, &sym) || GELF_ST_TYPE(sym.st_info) != STT_FUNC ||
			    sym.st_shndx == SHN_UNDEF || n == SYMBOLS_MAX)
				continue;
			name = elf_strptr(elf, sh.sh_link, sym.st_name);
			if (name && !fnmatch(pattern, name, 0))
				offsets[n++] = file_offset(elf, sym.st_value);
		}
	}
	elf_end(elf);
	close(fd);
	return n;
}

static void attach_multi(const struct bpf_program *prog, const struct kind *kind, const char *path,
			 const uint64_t *offsets, uint32_t nr)
{
	struct link_create_multi attr = {
		.prog_fd = (uint32_t)bpf_program__fd(prog),
		.attach_type = (uint32_t)kind->attach_type,
		.path = (uint64_t)(uintptr_t)path, .offsets = (uint64_t)(uintptr_t)offsets,
		.cnt = nr, .multi_flags = kind->is_return ? UPROBE_MULTI_RETURN : 0,
	};

	if (syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr)) < 0) {
		if (errno == EINVAL || errno == EOPNOTSUPP) {
			fprintf(stderr, "attach: this kernel has no %s links\n", kind->prefix);
			exit(77);
		}
		fail("BPF_LINK_CREATE");
	}
}

/* usdt/[PATH:]PROVIDER:NAME, in this binary. */
static void attach_usdt(const struct bpf_program *prog, const char *path)
{
	char text[256], *name, *provider;

	snprintf(text, sizeof(text), "%s", bpf_program__section_name(prog) + strlen("usdt/"));
	name = strrchr(text, ':');
	if (name) {
		*name++ = '\0';
		provider = strrchr(text, ':');
		if (bpf_program__attach_usdt(prog, -1, path, provider ? provider + 1 : text, name,
					     NULL))
			return;
	}
	fail(bpf_program__section_name(prog));
}

static void attach(const struct bpf_program *prog, const char *path)
{
	static uint64_t offsets[SYMBOLS_MAX];
	const char *pattern;
	const struct kind *kind = kind_of(prog, &pattern);
	uint32_t nr;

	if (!strncmp(bpf_program__section_name(prog), "usdt/", 5)) {
		attach_usdt(prog, path);
		return;
	}
	if (!kind)
		return; /* a bare section: nothing named */
	nr = find_functions(path, pattern, offsets);
	if (!nr) {
		fprintf(stderr, "attach: %s matches no function of %s\n", pattern, path);
		exit(1);
	}
	if (kind->attach_type) {
		attach_multi(prog, kind, path, offsets, nr);
	} else {
		DECLARE_LIBBPF_OPTS(bpf_uprobe_opts, opts, .retprobe = kind->is_return);

		if (!bpf_program__attach_uprobe_opts(prog, -1, path, offsets[0], &opts))
			fail("attaching a uprobe");
	}
}

/* ---- Maps --------------------------------------------------------------------------------- */

static void dump_value(const struct bpf_map *map, const void *key)
{
	size_t bytes = bpf_map__value_size(map), stride = (bytes + 7) / 8 * 8;
	bool is_percpu = bpf_map__type(map) == BPF_MAP_TYPE_PERCPU_ARRAY ||
			 bpf_map__type(map) == BPF_MAP_TYPE_PERCPU_HASH ||
			 bpf_map__type(map) == BPF_MAP_TYPE_LRU_PERCPU_HASH;
	int cpus = is_percpu ? libbpf_num_possible_cpus() : 1;
	char *values = calloc((size_t)cpus, stride);
	uint64_t sum[VALUE_MAX / 8] = { 0 };

	if (!values || bytes > VALUE_MAX || bpf_map_lookup_elem(bpf_map__fd(map), key, values))
		fail(bpf_map__name(map));
	if (is_percpu) {
		for (int i = 0; i < cpus; i++)
			dump_add(sum, values + (size_t)i * stride, bytes);
		memcpy(values, sum, bytes);
	}
	dump_entry(bpf_map__name(map), key, bpf_map__key_size(map), values, bytes);
	free(values);
}

/* In the order in which they are popped; there is no other way to see them. */
static void dump_popped(const struct bpf_map *map)
{
	size_t bytes = bpf_map__value_size(map);
	char *value = calloc(1, bytes);

	if (!value)
		fail(bpf_map__name(map));
	for (uint32_t i = 0; !bpf_map_lookup_and_delete_elem(bpf_map__fd(map), NULL, value); i++)
		dump_entry(bpf_map__name(map), &i, sizeof(i), value, bytes);
	free(value);
}

struct records {
	const struct bpf_map *map;
	int nr;
};

static int on_record(void *ctx, void *data, size_t bytes)
{
	struct records *records = ctx;

	dump_record(bpf_map__name(records->map), records->nr++, data, bytes);
	return 0;
}

static void dump_ring(const struct bpf_map *map)
{
	struct records records = { .map = map };
	struct ring_buffer *ring = ring_buffer__new(bpf_map__fd(map), on_record, &records, NULL);

	if (!ring || ring_buffer__consume(ring) < 0)
		fail(bpf_map__name(map));
	ring_buffer__free(ring);
}

/* What programs drain: messages.h, in a ring of that name. */
static void fill_ring(const struct bpf_map *map)
{
	struct user_ring_buffer *ring;

	if (bpf_map__type(map) != BPF_MAP_TYPE_USER_RINGBUF || strcmp(bpf_map__name(map), "filled"))
		return;
	ring = user_ring_buffer__new(bpf_map__fd(map), NULL);
	if (!ring)
		fail(bpf_map__name(map));
	for (uint32_t nr = 0; nr < MESSAGES_NR; nr++) {
		char *data = user_ring_buffer__reserve(ring, message_bytes(nr));

		if (!data)
			fail(bpf_map__name(map));
		message_fill(nr, data);
		if (message_is_discarded(nr))
			user_ring_buffer__discard(ring, data);
		else
			user_ring_buffer__submit(ring, data);
	}
	user_ring_buffer__free(ring);
}

/* The kernel writes nothing before somebody has opened a buffer. */
enum { PERF_MAX = 4, PERF_PAGES = 256 };
static struct perf_buffer *perf_buffers[PERF_MAX];
static int nr_perf_buffers;

/* Which processor ran a program is chance, and so is the order of records of several. */
static void on_sample(void *ctx, int cpu, void *data, uint32_t bytes)
{
	(void)cpu;
	dump_record(bpf_map__name(ctx), -1, data, bytes);
}

static void on_lost(void *ctx, int cpu, unsigned long long nr)
{
	(void)cpu;
	fprintf(stderr, "attach: %s: %llu events were lost\n", bpf_map__name(ctx), nr);
	exit(1);
}

static void open_perf(struct bpf_map *map)
{
	struct perf_buffer *buffer;

	if (bpf_map__type(map) != BPF_MAP_TYPE_PERF_EVENT_ARRAY)
		return;
	buffer = perf_buffer__new(bpf_map__fd(map), PERF_PAGES, on_sample, on_lost, map, NULL);
	if (!buffer || nr_perf_buffers == PERF_MAX)
		fail(bpf_map__name(map));
	perf_buffers[nr_perf_buffers++] = buffer;
}

static void dump_perf(void)
{
	while (nr_perf_buffers) {
		if (perf_buffer__consume(perf_buffers[--nr_perf_buffers]))
			fail("perf_buffer__consume");
		perf_buffer__free(perf_buffers[nr_perf_buffers]);
	}
}

/*
 * An arena's pages, seen through a mapping at its address. It has BPF_F_SEGV_ON_FAULT, or looking would
 * allocate; a system call says which pages there are, and no signal.
 */
static void dump_arena(const struct bpf_map *map)
{
	char *want = (char *)(uintptr_t)bpf_map__map_extra(map), *pages, copy[ARENA_PAGE];
	size_t bytes = (size_t)bpf_map__max_entries(map) * ARENA_PAGE;
	int fds[2];

	pages = mmap(want, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE,
		     bpf_map__fd(map), 0);
	if (pages == MAP_FAILED || pipe(fds))
		fail(bpf_map__name(map));
	for (uint32_t i = 0; i < bpf_map__max_entries(map); i++) {
		if (write(fds[1], pages + (size_t)i * ARENA_PAGE, ARENA_PAGE) != ARENA_PAGE)
			continue;
		if (read(fds[0], copy, ARENA_PAGE) != ARENA_PAGE)
			fail("read");
		dump_entry(bpf_map__name(map), &i, sizeof(i), copy, ARENA_PAGE);
	}
	munmap(pages, bytes);
	close(fds[0]);
	close(fds[1]);
}

static void dump_map(const struct bpf_map *map)
{
	char key[512], next[512];
	void *previous = NULL;

	while (!bpf_map_get_next_key(bpf_map__fd(map), previous, next)) {
		memcpy(key, next, sizeof(key));
		dump_value(map, key);
		previous = key;
	}
}

static int on_message(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, args) : 0;
}

int main(int argc, char **argv)
{
	struct bpf_object *object;
	struct bpf_program *prog;
	struct bpf_map *map;
	const char *pattern;
	int status, err;
	pid_t pid;

	if (argc < 4) {
		fprintf(stderr, "usage: attach OBJECT BINARY COMMAND...\n");
		return 2;
	}
	libbpf_set_print(on_message);
	object = bpf_object__open_file(argv[1], NULL);
	if (!object)
		fail(argv[1]);
	bpf_object__for_each_program(prog, object) {
		const char *section = bpf_program__section_name(prog);
		const struct kind *kind = kind_of(prog, &pattern);

		bpf_program__set_type(prog, BPF_PROG_TYPE_KPROBE);
		if (kind && kind->attach_type)
			bpf_program__set_expected_attach_type(prog, kind->attach_type);
		else if (!strcmp(section, "uprobe.session"))
			bpf_program__set_expected_attach_type(prog, ATTACH_UPROBE_SESSION);
	}
	err = bpf_object__load(object);
	if (err == -EPERM) {
		fprintf(stderr, "attach: needs root\n");
		return 77;
	}
	if (err)
		fail("the kernel refuses the object");
	if (strcmp(argv[2], "-"))
		bpf_object__for_each_program(prog, object)
			attach(prog, argv[2]);

	bpf_object__for_each_map(map, object) {
		open_perf(map);
		fill_ring(map);
	}

	pid = fork();
	if (!pid) {
		execvp(argv[3], argv + 3);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status) {
		fprintf(stderr, "attach: %s failed\n", argv[3]);
		return 1;
	}
	bpf_object__for_each_map(map, object)
		switch ((int)bpf_map__type(map)) {
		case BPF_MAP_TYPE_PROG_ARRAY:	 /* holds programs: Inlay has none in memory */
		case BPF_MAP_TYPE_BLOOM_FILTER:	 /* has no entries that could be asked for */
		case BPF_MAP_TYPE_ARRAY_OF_MAPS: /* holds numbers that the kernel chose */
		case BPF_MAP_TYPE_HASH_OF_MAPS:
		case BPF_MAP_TYPE_CGROUP_ARRAY:
			break;
		case BPF_MAP_TYPE_QUEUE:
		case BPF_MAP_TYPE_STACK:
			dump_popped(map);
			break;
		case BPF_MAP_TYPE_RINGBUF:
			dump_ring(map);
			break;
		case BPF_MAP_TYPE_PERF_EVENT_ARRAY:
			break;
		case MAP_TYPE_ARENA:
			dump_arena(map);
			break;
		default:
			dump_map(map);
		}
	dump_perf();
	bpf_object__close(object);
	return 0;
}
