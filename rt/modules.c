/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The segment's table of modules (struct inlay_modules): so that the addresses in stacks have names
 * when the process has ended, however it ended. Linked into targets that collect stacks.
 *
 * What is there at the start comes from dl_iterate_phdr(), which a hit must not call: it takes the
 * dynamic linker's lock. A new stack with an address that no module of the table holds is
 * followed by a look at the dynamic linker's own list, the one that debuggers read, by reads that
 * may fault: another thread may be changing it. What such a look finds may be nonsense then, and
 * harms nobody but who asks for names. A process without that list is linked statically, and
 * loads nothing.
 *
 * A row is its writer's, and stays when that has ended: stacks of the dead are to have names. When there is no
 * other, who needs one takes a row of the dead. Where that was the parent of somebody who goes on at
 * the same addresses, the next new stack of the child finds that it is missing, and writes it again.
 */
#include <elf.h>
#include <link.h>
#include <sys/auxv.h>

#include "rt/build_ids.h"
#include "rt/helpers.h"
#include "rt/inline/map_access.h"
#include "rt/inlay_rt_internal.h"
#include "rt/loaded.h"
#include "rt/modules.h"
#include "rt/probe_copy.h"
#include "rt/sys.h"

#define MAX_LINKS 1024u	/* of a list that may be a ring by now */
#define NR_STRANGE 64u

/* Helpers are also linked without the rest of the runtime. */
extern __typeof__(__inlay_modules) __inlay_modules __attribute__((weak));
extern __typeof__(__inlay_owner) __inlay_owner __attribute__((weak));
extern __typeof__(__inlay_owner_is_alive) __inlay_owner_is_alive __attribute__((weak));

/* Of the dynamic linker's struct r_debug; 0: none. */
static __u64 debug_at;
/* Of the kernel's own library, which is no file; 0: none. */
static __u64 vdso_start;
/* The executable, as the kernel has loaded it. */
static struct program {
	__u64 bias, start, end, phdrs;
	__u32 nr_phdrs;
} program;
/* The process that is looking, so that a fork child does not wait for its parent; 0: nobody. */
static __u32 looking;
/* Pages of addresses that were looked for in vain: code that was made at run time, or no code. */
static __u64 strange[NR_STRANGE];

/* ---- one module ------------------------------------------------------------------------- */

/*
 * All but the path, by the program headers at that address; for rt/build_ids.c, too. False: nothing is
 * loaded.
 */
static bool describe(enum inlay_how how, __u64 phdrs, __u32 nr, struct inlay_seg_module *module)
{
	struct inlay_loaded loaded;
	const __u8 *mark = (const __u8 *)loaded.mark;

	if (!__inlay_loaded_read(how, module->bias, phdrs, nr, &loaded))
		return false;
	if (loaded.start != load_relaxed(&vdso_start))
		__inlay_build_ids_take(&loaded);
	module->start = loaded.start;
	module->end = loaded.end;
	module->build_id_bytes = loaded.id_bytes ? (__u32)loaded.mark_bytes : 0;
	for (__u32 i = 0; i < module->build_id_bytes; i++)
		module->build_id[i] = mark[i];
	return true;
}

static void clear(struct inlay_seg_module *module, __u64 bias)
{
	/* not by an initialiser, which would be a call of memset() */
	__u64 *words = (__u64 *)module;

	for (__u32 i = 0; i < sizeof(*module) / sizeof(*words); i++)
		*(volatile __u64 *)&words[i] = 0;
	module->bias = bias;
}

static void set_path(struct inlay_seg_module *module, const char *path)
{
	__u64 bytes = str_bytes(path);

	str_copy(module->path, sizeof(module->path),
		 bytes < sizeof(module->path) ? path : path + bytes - sizeof(module->path) + 1);
}

/* The loader keeps what it was given, which may count from the directory of that time. */
static void set_name(struct inlay_seg_module *module, const char *name)
{
	char path[512];
	bool has_slash = false;

	for (const char *c = name; *c; c++)
		has_slash |= *c == '/';
	if (name[0] == '/' || !has_slash || sys_getcwd(path, sizeof(path)) < 0 || path[0] != '/') {
		set_path(module, name);
		return;
	}
	str_append(path, sizeof(path), "/");
	str_append(path, sizeof(path), name[0] == '.' && name[1] == '/' ? name + 2 : name);
	set_path(module, path);
}

static void set_program(struct inlay_seg_module *module)
{
	static const char deleted[] = " (deleted)";
	const char *name = (const char *)getauxval(AT_EXECFN);
	size_t tail = sizeof(deleted) - 1;
	char path[512];
	long n;

	n = sys_readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (n > 0) {
		path[n] = '\0';
		if ((size_t)n > tail && str_equal(path + n - tail, deleted))
			path[(size_t)n - tail] = '\0';
		set_path(module, path);
	} else if (name) {
		set_path(module, name);
	}
}

/* ---- the table -------------------------------------------------------------------------- */

/* Any process may have written there: what is read is compared, and nothing else. */
static __u32 rows_taken(const struct inlay_modules *table)
{
	__u32 nr = load_relaxed(&table->nr);

	return nr < INLAY_SEGMENT_MAX_MODULES ? nr : INLAY_SEGMENT_MAX_MODULES;
}

/* It may be written again while it is looked at: then a module may seem to be there, for once. */
static bool row_is_whole(const struct inlay_seg_module *row)
{
	/* pairs with add() */
	return INLAY_MODULE_STATE(load_acquire(&row->state)) == INLAY_MODULE_WHOLE;
}

static bool base_is(const struct inlay_seg_module *row, const char *base)
{
	__u32 at = 0, i;

	for (i = 0; i < sizeof(row->path) && row->path[i]; i++)
		if (row->path[i] == '/')
			at = i + 1;
	for (; at < sizeof(row->path) && row->path[at] && row->path[at] == *base; at++)
		base++;
	return at < sizeof(row->path) && row->path[at] == *base;
}

static bool has_module(const struct inlay_modules *table, __u64 bias, const char *name)
{
	__u32 nr = rows_taken(table);

	for (__u32 i = 0; i < nr; i++)
		if (row_is_whole(&table->rows[i]) && load_relaxed(&table->rows[i].bias) == bias &&
		    base_is(&table->rows[i], str_base(name)))
			return true;
	return false;
}

static bool has_address(const struct inlay_modules *table, __u64 ip)
{
	__u32 nr = rows_taken(table);

	for (__u32 i = nr; i--;) { /* what is new is what is asked for */
		const struct inlay_seg_module *row = &table->rows[i];
		__u64 start = load_relaxed(&row->start);

		if (row_is_whole(row) && ip - start < load_relaxed(&row->end) - start)
			return true;
	}
	return false;
}

/* The state of a row that may be taken; `is_of_dead`: of one that somebody has left. */
static bool row_is_free(__u32 state, bool is_of_dead)
{
	if (!is_of_dead)
		return !state;
	/* who has no name may live */
	return INLAY_MODULE_OWNER(state) && !__inlay_owner_is_alive(INLAY_MODULE_OWNER(state));
}

static struct inlay_seg_module *row_take(struct inlay_modules *table, __u32 writing, bool is_of_dead)
{
	__u32 nr, last = 0;

	for (__u32 i = 0; i < INLAY_SEGMENT_MAX_MODULES; i++) {
		__u32 state = load_relaxed(&table->rows[i].state);

		/* most rows beside each other are of one process: to ask for it once is enough */
		if ((last && INLAY_MODULE_OWNER(state) == last) || !row_is_free(state, is_of_dead)) {
			last = INLAY_MODULE_OWNER(state);
			continue;
		}
		if (!cas_acq_rel(&table->rows[i].state, &state, writing))
			continue;
		nr = load_relaxed(&table->nr);
		while (nr <= i && !cas_acq_rel(&table->nr, &nr, i + 1))
			;
		return &table->rows[i];
	}
	return NULL;
}

static void add(struct inlay_modules *table, const struct inlay_seg_module *module)
{
	__u32 owner = __inlay_owner ? (__inlay_owner() & INLAY_OWNER_MASK) << 3 : 0;
	__u32 writing = owner | INLAY_MODULE_WRITING;
	struct inlay_seg_module *row = row_take(table, writing, false);
	const __u64 *from = (const __u64 *)module;
	__u32 words = sizeof(*module) / sizeof(*from), at = offsetof(struct inlay_seg_module, state) / 8;
	__u64 *to;

	if (!row && __inlay_owner_is_alive)
		row = row_take(table, writing, true);
	if (!row)
		return;
	/* release: who sees any of what follows sees that it is being written */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	to = (__u64 *)row;
	for (__u32 i = 0; i < words; i++)
		if (i != at)
			store_relaxed(&to[i], from[i]);
	store_relaxed(&row->turn, add_relaxed(&table->turns, 1u) + 1);
	/* release: pairs with readers' acquire, who see all of it. In the child of a handler that came in
	 * between the row may be somebody's by now */
	cas_acq_rel(&row->state, &writing, owner | INLAY_MODULE_WHOLE);
}

/* ---- at the start ----------------------------------------------------------------------- */

static void find_debug(const struct dl_phdr_info *info)
{
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *phdr = &info->dlpi_phdr[i];
		const ElfW(Dyn) *dyn = (const void *)(info->dlpi_addr + phdr->p_vaddr);

		if (phdr->p_type != PT_DYNAMIC)
			continue;
		for (; dyn->d_tag != DT_NULL; dyn++)
			if (dyn->d_tag == DT_DEBUG)
				store_relaxed(&debug_at, (__u64)dyn->d_un.d_ptr);
	}
}

static int add_loaded(struct dl_phdr_info *info, size_t bytes, void *arg)
{
	bool is_program = (unsigned long)info->dlpi_phdr == getauxval(AT_PHDR);
	struct inlay_modules *table = arg;
	struct inlay_seg_module module;
	const char *name = info->dlpi_name ? info->dlpi_name : "";

	(void)bytes;
	clear(&module, info->dlpi_addr);
	if (is_program) {
		find_debug(info);
		store_relaxed(&program.bias, (__u64)info->dlpi_addr);
		set_program(&module);
		name = module.path;
	} else {
		set_name(&module, name);
	}
	if (!describe(INLAY_HOW_PLAIN, (__u64)info->dlpi_phdr, info->dlpi_phnum, &module))
		return 0;
	if (is_program) {
		store_relaxed(&program.phdrs, (__u64)info->dlpi_phdr);
		store_relaxed(&program.nr_phdrs, (__u32)info->dlpi_phnum);
		store_relaxed(&program.start, module.start);
		store_relaxed(&program.end, module.end);
	}
	if (table && !has_module(table, module.bias, name))
		add(table, &module);
	return 0;
}

/* For each unit, so that a library with probes finds itself in the table. */
void __inlay_modules_start(void)
{
	store_relaxed(&vdso_start, (__u64)getauxval(AT_SYSINFO_EHDR));
	dl_iterate_phdr(add_loaded, __inlay_modules ? __inlay_modules() : NULL);
}

/* ---- at a stack ------------------------------------------------------------------------- */

/* `for_ids`: also of a module that the segment's table has; only stacks with build ids pay for that. */
static void add_linked(struct inlay_modules *table, enum inlay_how how, bool for_ids,
		       const struct link_map *link)
{
	struct inlay_seg_module module;
	char name[256];
	ElfW(Ehdr) head;
	long bytes;

	if (link->l_addr == load_relaxed(&program.bias))
		return;
	bytes = how == INLAY_HOW_GUARDED ?
			__inlay_copy_string(name, (__u64)link->l_name, sizeof(name)) :
			__inlay_read_string_by_call(name, (__u64)link->l_name, sizeof(name));
	if (bytes <= 0 || bytes >= (long)sizeof(name))
		return;
	if (!for_ids && table && has_module(table, link->l_addr, name))
		return;
	clear(&module, link->l_addr);
	if (!__inlay_fetch(how, &head, link->l_addr, sizeof(head)) ||
	    !bytes_equal(head.e_ident, ELFMAG, SELFMAG) || head.e_phentsize != sizeof(ElfW(Phdr)) ||
	    !describe(how, link->l_addr + head.e_phoff, head.e_phnum, &module))
		return;
	if (!table || has_module(table, link->l_addr, name))
		return;
	set_name(&module, name);
	add(table, &module);
}

/* The row that was there at the start is somebody else's by now. So may the program's first page be. */
static INLAY_NOINLINE void add_program(struct inlay_modules *table)
{
	enum inlay_how how = __inlay_read_is_guarded() ? INLAY_HOW_GUARDED : INLAY_HOW_CALL;
	struct inlay_seg_module module;

	clear(&module, load_relaxed(&program.bias));
	set_program(&module);
	if (describe(how, load_relaxed(&program.phdrs), load_relaxed(&program.nr_phdrs), &module))
		add(table, &module);
}

/* False: not now. */
static INLAY_NOINLINE bool look(struct inlay_modules *table, bool for_ids)
{
	__u32 self = sys_getpid(), seen = load_relaxed(&looking);
	enum inlay_how how = __inlay_read_is_guarded() ? INLAY_HOW_GUARDED : INLAY_HOW_CALL;
	struct r_debug debug;
	struct link_map link;
	bool is_done = false;
	__u64 at;

	if (!load_relaxed(&debug_at))
		return true; /* linked statically: nothing comes */
	/* in a signal handler, or another thread: a later stack finds what is missing then */
	if (seen == self || !cas_acq_rel(&looking, &seen, self))
		return false;
	if (__inlay_fetch(how, &debug, load_relaxed(&debug_at), sizeof(debug)) &&
	    debug.r_state == RT_CONSISTENT) {
		at = (__u64)debug.r_map;
		for (__u32 i = 0;
		     at && i < MAX_LINKS && __inlay_fetch(how, &link, at, sizeof(link)); i++) {
			add_linked(table, how, for_ids, &link);
			at = (__u64)link.l_next;
		}
		is_done = true;
	}
	store_release(&looking, 0u);
	return is_done;
}

bool __inlay_modules_look(void)
{
	return look(__inlay_modules ? __inlay_modules() : NULL, true);
}

void __inlay_modules_see(const __u64 *ips, __u32 nr)
{
	struct inlay_modules *table = __inlay_modules ? __inlay_modules() : NULL;
	bool has_looked = false, is_done = false;

	if (!table)
		return;
	for (__u32 i = 0; i < nr; i++) {
		__u64 page = ips[i] / INLAY_PAGE_BYTES;
		__u64 *last = &strange[page % NR_STRANGE];

		/* small numbers end many chains */
		if (!page || load_relaxed(last) == page || has_address(table, ips[i]))
			continue;
		if (ips[i] - load_relaxed(&program.start) <
		    load_relaxed(&program.end) - load_relaxed(&program.start)) {
			add_program(table);
			if (!has_address(table, ips[i]))
				store_relaxed(last, page);
			continue;
		}
		if (!has_looked)
			is_done = look(table, false);
		has_looked = true;
		if (is_done && !has_address(table, ips[i]))
			store_relaxed(last, page);
	}
}
