/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One runtime per process: decides which copy of libinlay leads, starts it, and hands the others'
 * calls to it. The copies find each other through an ELF note, so that no symbol need be exported.
 */
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <sys/auxv.h>

#include "rt/inlay_rt_internal.h"
#include "rt/probe_copy.h"
#include "rt/sys.h"

extern char **environ;
/* weak: older libcs have it in a library of its own */
extern __typeof__(dlsym) dlsym __attribute__((weak));

struct rt_state __inlay_rt = { .fd = -1, .lock_fd = -1, .row = INLAY_PROC_NONE };
struct inlay_trace *__inlay_trace_v1;

/* ---- the leading copy ------------------------------------------------------------------- */

#define MAX_COPIES 64
static struct inlay_copy *copies[MAX_COPIES];
static const struct inlay_fault_server *fault_server;

/* A copy and the server come in any order; whoever is second brings them together. */
static void fault_introduce(const struct inlay_copy *copy)
{
	const struct inlay_fault_server *server = __atomic_load_n(&fault_server, __ATOMIC_SEQ_CST);

	/* an older copy is shorter */
	if (server && copy->copy_bytes >= sizeof(*copy) && copy->fixups)
		server->ranges_add(copy->fixups, copy->nr_fixups);
}

static void fault_serve(const struct inlay_fault_server *server)
{
	__u32 i;

	if (server->server_bytes < sizeof(*server) || load_relaxed(&fault_server))
		return;
	/* sequentially consistent: pairs with copy_add() */
	__atomic_store_n(&fault_server, server, __ATOMIC_SEQ_CST);
	for (i = 0; i < MAX_COPIES; i++) {
		const struct inlay_copy *copy = __atomic_load_n(&copies[i], __ATOMIC_SEQ_CST);

		if (copy)
			fault_introduce(copy);
	}
}

static int fault_check(void)
{
	const struct inlay_fault_server *server = load_acquire(&fault_server);

	return server ? server->check() : 0;
}

static void copy_add(struct inlay_copy *copy)
{
	__u32 i;

	for (i = 0; i < MAX_COPIES; i++) {
		if (load_relaxed(&copies[i]))
			continue;
		if (__inlay_rt.head)
			store_release(copy->trace, &__inlay_rt.head->trace);
		__atomic_store_n(&copies[i], copy, __ATOMIC_SEQ_CST);
		fault_introduce(copy);
		return;
	}
}

static void copy_remove(struct inlay_copy *copy)
{
	const struct inlay_fault_server *server = load_acquire(&fault_server);
	__u32 i;

	for (i = 0; i < MAX_COPIES; i++)
		if (load_relaxed(&copies[i]) == copy)
			store_release(&copies[i], NULL);
	if (server && copy->copy_bytes >= sizeof(*copy) && copy->fixups)
		server->ranges_remove(copy->fixups, copy->nr_fixups);
}

void __inlay_copies_fork_child(void)
{
	__u32 i;

	for (i = 0; i < MAX_COPIES; i++) {
		const struct inlay_copy *copy = load_acquire(&copies[i]);

		if (copy && copy->fork_child)
			copy->fork_child();
	}
}

struct module_query {
	const void *address;
	const char *path;
	__u32 at;
	__u32 is_found;
};

static int module_match(struct dl_phdr_info *info, size_t bytes, void *arg)
{
	struct module_query *query = arg;
	int i;

	(void)bytes;
	for (i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *phdr = &info->dlpi_phdr[i];
		uintptr_t begin = info->dlpi_addr + phdr->p_vaddr;

		if (phdr->p_type != PT_LOAD || (uintptr_t)query->address < begin ||
		    (uintptr_t)query->address - begin >= phdr->p_memsz)
			continue;
		query->path = info->dlpi_name;
		query->is_found = 1;
		return 1;
	}
	query->at++;
	return 0;
}

/* The module that holds an address; the first in the list is the executable. */
static struct module_query module_find(const void *address)
{
	struct module_query query = { .address = address };

	dl_iterate_phdr(module_match, &query);
	return query;
}

static void unit_add(struct inlay_unit *unit)
{
	struct module_query module = module_find(unit);
	__u64 i;

	if (unit->unit_bytes < sizeof(*unit) || unit->abi_major != INLAY_ABI_MAJOR)
		return;
	unit->is_main = module.is_found && module.at == 0;
	for (i = 0; i < unit->nr_objects; i++)
		if (unit->objects[i])
			__inlay_object_add(unit->objects[i],
					   unit->is_main ? NULL : module.path);
	__inlay_segment_publish();
}

/* The executable ends with the process, whose other threads run on until then. */
static void unit_remove(struct inlay_unit *unit)
{
	__u64 i;
	__u32 map;

	if (unit->is_main)
		return;
	for (i = 0; i < unit->nr_objects; i++) {
		const struct inlay_object_desc *object = unit->objects[i];

		for (map = 0; object && map < object->nr_maps; map++) {
			__inlay_shard_map_remove(object->maps[map]);
			__inlay_cut_forget(object->maps[map]->region);
		}
		if (object)
			__inlay_cut_forget(object->ctl);
	}
}

static __u32 owner(void)
{
	__inlay_fork_check();
	return load_acquire(&__inlay_rt.owner);
}

static struct inlay_modules *modules(void)
{
	return __inlay_rt.mode >= RT_MEMFD ? &__inlay_rt.head->modules : NULL;
}

static struct inlay_rt_table table = {
	.table_bytes = sizeof(struct inlay_rt_table),
	.abi_major = INLAY_ABI_MAJOR,
	.abi_minor = INLAY_ABI_MINOR,
	.copy_add = copy_add,
	.copy_remove = copy_remove,
	.unit_add = unit_add,
	.unit_remove = unit_remove,
	.shard_get = __inlay_shard_get,
	.owner = owner,
	.owner_is_alive = __inlay_proc_owner_is_alive,
	.fault_serve = fault_serve,
	.fault_check = fault_check,
	.huge_grow = __inlay_huge_grow,
	.shard_nth = __inlay_shard_by_number,
	.cut_repair = __inlay_cut_repair_own,
	.modules = modules,
};

/*
 * A leader in a library that dlclose() could take away would leave the others without a runtime. dlopen()
 * is looked for where there is such a library only: a linker warns of its name in a static link.
 */
static void stay_loaded(void)
{
	struct module_query module = module_find(&table);
	__typeof__(dlopen) *open_library;

	if (!dlsym || !module.is_found || !module.at || !module.path || !module.path[0])
		return;
	open_library = (__typeof__(dlopen) *)dlsym(RTLD_DEFAULT, "dlopen");
	if (open_library)
		open_library(module.path, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

static void lead(const struct inlay_unit *unit)
{
	struct rt_env env;
	__u64 bytes = 0, i;

	__inlay_env_read(getauxval(AT_SECURE) != 0, environ, &env);
	stay_loaded();
	if (!env.is_disabled && getauxval(AT_PAGESZ) == INLAY_PAGE_BYTES) {
		__inlay_identity_read(&__inlay_rt.id);
		__inlay_rt.pid = sys_getpid();
		__inlay_rt.starttime = __inlay_starttime();
		for (i = 0; i < unit->nr_objects; i++)
			bytes += unit->objects[i] ? __inlay_object_bytes(unit->objects[i]) : 0;
		__inlay_cut_start();
		__inlay_segment_open(&env, bytes);
		__inlay_old_remove();
		__inlay_shard_init();
		__inlay_fork_init();
	}
	table.clock_ns = __inlay_clock_ns;
	/* release: who finds the table through the note may use it */
	store_release(&table.is_leader, 1);
}

/* ---- finding the leader ----------------------------------------------------------------- */

/*
 * Elf64_Nhdr, name, and the self-relative offset of the table. In an allocated note section, so
 * that --gc-sections keeps it and a program header points to it.
 */
extern const struct inlay_rt_table __inlay_rt_v1
	__attribute__((alias("table"), visibility("hidden")));
__asm__(".pushsection .note.inlay,\"a\",%note\n"
	"	.p2align 2\n"
	"	.long 6, 4, 1\n"
	"	.asciz \"Inlay\"\n"
	"	.p2align 2\n"
	"	.long __inlay_rt_v1 - .\n"
	".popsection\n");

static const struct inlay_rt_table *note_table(const char *note, size_t bytes)
{
	const struct inlay_rt_table *found;
	int32_t off;

	while (bytes >= sizeof(ElfW(Nhdr))) {
		const ElfW(Nhdr) *head = (const void *)note;
		size_t name_bytes = inlay_round_up(head->n_namesz, 4);
		size_t desc_bytes = inlay_round_up(head->n_descsz, 4);
		const char *name = note + sizeof(*head);

		bytes -= sizeof(*head);
		if (name_bytes > bytes || desc_bytes > bytes - name_bytes)
			return NULL;
		if (head->n_type == INLAY_NOTE_TYPE && head->n_descsz == sizeof(off) &&
		    head->n_namesz == sizeof(INLAY_NOTE_NAME) &&
		    bytes_equal(name, INLAY_NOTE_NAME, sizeof(INLAY_NOTE_NAME))) {
			off = *(const int32_t *)(name + name_bytes);
			found = (const void *)(name + name_bytes + off);
			/* pairs with the release in lead() */
			if (load_acquire(&found->is_leader))
				return found;
		}
		bytes -= name_bytes + desc_bytes;
		note = name + name_bytes + desc_bytes;
	}
	return NULL;
}

static int module_leader(struct dl_phdr_info *info, size_t bytes, void *arg)
{
	const struct inlay_rt_table **ret = arg;
	int i;

	(void)bytes;
	for (i = 0; i < info->dlpi_phnum && !*ret; i++) {
		const ElfW(Phdr) *phdr = &info->dlpi_phdr[i];

		if (phdr->p_type == PT_NOTE && phdr->p_align <= 4)
			*ret = note_table((const char *)(info->dlpi_addr + phdr->p_vaddr),
					  phdr->p_memsz);
	}
	return *ret != NULL;
}

/* Tells the one that leads; who leads with another ABI leaves the process to it. */
static bool is_usable(const struct inlay_rt_table *found)
{
	return found->abi_major == INLAY_ABI_MAJOR &&
	       found->table_bytes >= offsetof(struct inlay_rt_table, clock_ns);
}

/* An older copy has a shorter table. */
#define TABLE_HAS(found, member)                                          \
	((found)->table_bytes >= offsetof(struct inlay_rt_table, member) + \
					 sizeof((found)->member))

static __u64 (*clock_of(const struct inlay_rt_table *found))(void)
{
	return TABLE_HAS(found, clock_ns) ? found->clock_ns : NULL;
}

/* ---- this copy -------------------------------------------------------------------------- */

/* NULL before the first unit came. */
static const struct inlay_rt_table *leader;
/* This copy's, once it owns the signals. */
static const struct inlay_fault_server *own_fault_server;

static void copy_fork_child(void)
{
	if (__inlay_clock_fork_child)
		__inlay_clock_fork_child();
}

static struct inlay_copy this_copy = {
	.copy_bytes = sizeof(struct inlay_copy),
	.trace = &__inlay_trace_v1,
	.fork_child = copy_fork_child,
};

static int starting;

void __inlay_unit_add_v1(struct inlay_unit *unit)
{
	const struct inlay_rt_table *found = NULL;

	if (!load_acquire(&leader)) {
		if (__atomic_exchange_n(&starting, 1, __ATOMIC_ACQ_REL))
			return;
		dl_iterate_phdr(module_leader, &found);
		if (!found) {
			lead(unit);
			found = &table;
		} else if (!is_usable(found)) {
			return; /* off: private pages, gates shut, no shards */
		} else if (clock_of(found) && __inlay_clock_delegate) {
			/* hits in different libraries are ordered */
			__inlay_clock_delegate(clock_of(found));
		}
		if (__inlay_copy_fixups) {
			this_copy.fixups = __inlay_copy_fixups;
			this_copy.nr_fixups = INLAY_COPY_FIXUPS;
		}
		found->copy_add(&this_copy);
		/* sequentially consistent: pairs with __inlay_fault_serve() */
		__atomic_store_n(&leader, found, __ATOMIC_SEQ_CST);
		__inlay_fault_serve(NULL);
	}
	leader->unit_add(unit);
	if (__inlay_ring_start)
		__inlay_ring_start(unit);
	if (__inlay_modules_start)
		__inlay_modules_start();
}

void __inlay_unit_remove_v1(struct inlay_unit *unit)
{
	const struct inlay_rt_table *to = load_acquire(&leader);

	if (to)
		to->unit_remove(unit);
}

/* The server and the leader come in any order; NULL: only the leader is new. */
void __inlay_fault_serve(const struct inlay_fault_server *server)
{
	const struct inlay_rt_table *to;

	if (server)
		__atomic_store_n(&own_fault_server, server, __ATOMIC_SEQ_CST);
	server = __atomic_load_n(&own_fault_server, __ATOMIC_SEQ_CST);
	to = __atomic_load_n(&leader, __ATOMIC_SEQ_CST);
	if (server && to && TABLE_HAS(to, fault_check))
		to->fault_serve(server);
}

int __inlay_fault_check_server(void)
{
	const struct inlay_rt_table *to = load_acquire(&leader);

	return to && TABLE_HAS(to, fault_check) ? to->fault_check() : 0;
}

int __inlay_cut_repair(const void *address)
{
	const struct inlay_rt_table *to = load_acquire(&leader);

	return to && TABLE_HAS(to, cut_repair) ? to->cut_repair(address) : 0;
}

struct inlay_modules *__inlay_modules(void)
{
	const struct inlay_rt_table *to = load_acquire(&leader);

	return to && TABLE_HAS(to, modules) ? to->modules() : NULL;
}

__attribute__((destructor(101))) static void copy_stop(void)
{
	if (leader == &table)
		__inlay_segment_finish();
	else if (leader)
		leader->copy_remove(&this_copy);
}

char *__inlay_shard_get_v1(const struct inlay_map_desc *desc)
{
	const struct inlay_rt_table *to = load_acquire(&leader);

	return to ? to->shard_get(desc) : NULL;
}

__u32 __inlay_owner(void)
{
	const struct inlay_rt_table *to = load_acquire(&leader);

	return to ? to->owner() : 0;
}

bool __inlay_owner_is_alive(__u32 owner)
{
	const struct inlay_rt_table *to = load_acquire(&leader);

	return to ? to->owner_is_alive(owner) != 0 : true;
}

int __inlay_region_grow(void *region, __u64 end)
{
	const struct inlay_rt_table *to = load_acquire(&leader);

	return to && TABLE_HAS(to, huge_grow) ? to->huge_grow(region, end) : 0;
}

char *__inlay_shard_nth(const struct inlay_map_desc *desc, __u32 nr)
{
	const struct inlay_rt_table *to = load_acquire(&leader);

	return to && TABLE_HAS(to, shard_nth) ? to->shard_nth(desc, nr) : NULL;
}
