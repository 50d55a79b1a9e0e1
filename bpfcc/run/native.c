/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One function of an object, compiled into memory (LLVM's ORC) and called. The module refers to
 * maps, to libinlay and to what the code generator calls; all of it is given as addresses here, so
 * nothing of this process can be reached by a name that a program chose.
 */
#include "bpfcc/run/native.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <llvm-c/Core.h>
#include <llvm-c/Error.h>
#include <llvm-c/LLJIT.h>
#include <llvm-c/Orc.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>

#include "bpfcc/handle.h"
#include "bpfcc/ll/lower.h"
#include "bpfcc/ll/util.h"
#include "bpfcc/map_image.h"
#include "inlay/abi.h"

#ifndef INLAY_LIBDIR
#define INLAY_LIBDIR "/usr/local/lib"
#endif

#define MAX_TLS 8

struct memory {
	void *region, *shard;
	size_t region_bytes, shard_bytes;
	uint8_t *image;		/* what the region starts with, if it is not zero */
	size_t image_bytes;
};

/* A thread-local variable of libinlay, and the slot by which the code finds the caller's one. */
struct tls {
	char *name;
	void *slot;
};

struct bpfcc_native {
	struct inlay_bpfcc_object *object;
	struct memory *memory; /* object->data.nr_maps */
	LLVMOrcLLJITRef jit;
	void *runtime; /* libinlay.so.1, if the code needs it */
	struct tls tls[MAX_TLS];
	unsigned int nr_tls;
	bool has_tail_calls;
	uint64_t (*fn)(struct inlay_frame *frame, uint64_t r1, uint64_t r2);
};

struct symbols {
	struct bpfcc_native *n;
	LLVMOrcCSymbolMapPair *pairs;
	size_t nr, max;
	int err;
};

static int llvm_error(struct bpfcc_native *n, LLVMErrorRef error)
{
	char *message;

	if (!error)
		return 0;
	message = LLVMGetErrorMessage(error);
	bpfcc_error(&n->object->diag, NULL, NULL, "LLVM: %s", message);
	LLVMDisposeErrorMessage(message);
	return -EINVAL;
}

/* ---- memory of maps ---- */

static void *new_pages(size_t bytes)
{
	void *p;

	if (!bytes)
		return NULL;
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		 -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

static int new_memory(struct bpfcc_native *n)
{
	const struct bpfcc_object *object = &n->object->data;
	int err;

	n->memory = calloc(object->nr_maps + 1, sizeof(*n->memory));
	if (!n->memory)
		return -ENOMEM;
	for (uint32_t i = 0; i < object->nr_maps; i++) {
		const struct bpfcc_map *map = &object->maps[i];
		struct memory *m = &n->memory[i];

		n->has_tail_calls |= map->tail_progs != NULL;
		if (map->flags & INLAY_MAP_RODATA)
			continue;
		m->region_bytes =
		    inlay_map_region_bytes_extra(map->type, map->key_size, map->value_size,
						 map->max_entries, (uint32_t)map->map_extra);
		m->shard_bytes = inlay_round_up(
		    inlay_map_shard_bytes(map->type, map->value_size, map->max_entries),
		    INLAY_PAGE_BYTES);
		m->region = new_pages(m->region_bytes);
		m->shard = new_pages(m->shard_bytes);
		if ((m->region_bytes && !m->region) || (m->shard_bytes && !m->shard))
			return -ENOMEM;
		if (!m->region)
			continue;
		err = bpfcc_map_image(object, map, &m->image, &m->image_bytes);
		if (err)
			return err;
		if (m->image)
			memcpy(m->region, m->image, m->image_bytes);
	}
	return 0;
}

/* Fresh pages over the old ones: as at the start, without touching what was never used. */
static void clear_pages(void *p, size_t bytes)
{
	if (p && mmap(p, bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED)
		memset(p, 0, bytes);
}

void bpfcc_native_reset(struct bpfcc_native *n)
{
	for (uint32_t i = 0; i < n->object->data.nr_maps; i++) {
		struct memory *m = &n->memory[i];

		clear_pages(m->region, m->region_bytes);
		clear_pages(m->shard, m->shard_bytes);
		if (m->image)
			memcpy(m->region, m->image, m->image_bytes);
	}
}

void *bpfcc_native_map(const struct bpfcc_native *n, uint32_t map, size_t *ret_bytes)
{
	const struct memory *m = &n->memory[map];

	*ret_bytes = m->region ? m->region_bytes : m->shard_bytes;
	return m->region ? m->region : m->shard;
}

/* ---- libinlay ---- */

/* Beside the program in a build tree or a relocated installation, then where it was installed. */
static void *open_runtime(void)
{
	static const char name[] = "libinlay.so.1";
	char exe[4096], path[4096 + 64];
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	void *handle = NULL;
	char *slash;

	if (len > 0) {
		exe[len] = '\0';
		slash = strrchr(exe, '/');
		if (slash)
			*slash = '\0';
		snprintf(path, sizeof(path), "%s/../lib/%s", exe, name);
		handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	}
	if (!handle) {
		snprintf(path, sizeof(path), "%s/%s", INLAY_LIBDIR, name);
		handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	}
	return handle ? handle : dlopen(name, RTLD_NOW | RTLD_LOCAL);
}

/* Its address for the calling thread; NULL after a message. */
static void *runtime_symbol(struct bpfcc_native *n, const char *name)
{
	void *address;

	if (!n->runtime)
		n->runtime = open_runtime();
	if (!n->runtime) {
		bpfcc_error(&n->object->diag, NULL, "install Inlay's runtime beside bpfcc",
			    "the program uses helpers, and libinlay.so.1 cannot be loaded: %s",
			    dlerror());
		return NULL;
	}
	address = dlsym(n->runtime, name);
	if (!address)
		bpfcc_error(&n->object->diag, NULL, "use the bpfcc and libinlay of one version",
			    "libinlay.so.1 has no '%s'", name);
	return address;
}

/* ---- symbols ---- */

static void define(struct symbols *s, const char *name, void *address)
{
	if (s->err)
		return;
	if (s->nr == s->max) {
		size_t max = s->max ? 2 * s->max : 32;
		LLVMOrcCSymbolMapPair *pairs = realloc(s->pairs, max * sizeof(*pairs));

		if (!pairs) {
			s->err = -ENOMEM;
			return;
		}
		s->pairs = pairs;
		s->max = max;
	}
	s->pairs[s->nr++] = (LLVMOrcCSymbolMapPair){
	    .Name = LLVMOrcLLJITMangleAndIntern(s->n->jit, name),
	    .Sym = {.Address = (LLVMOrcExecutorAddress)(uintptr_t)address,
		    .Flags = {.GenericFlags = LLVMJITSymbolGenericFlagsExported}},
	};
}

static void define_runtime(struct symbols *s, const char *name)
{
	/* one message is enough */
	void *address = s->err ? NULL : runtime_symbol(s->n, name);

	if (address)
		define(s, name, address);
	else if (!s->err)
		s->err = -EINVAL;
}

static void define_memory(struct symbols *s)
{
	char name[64];

	for (uint32_t i = 0; i < s->n->object->data.nr_maps; i++) {
		const struct memory *m = &s->n->memory[i];

		if (m->region) {
			bpfcc_run_memory(i, false, name, sizeof(name));
			define(s, name, m->region);
		}
		if (m->shard) {
			bpfcc_run_memory(i, true, name, sizeof(name));
			define(s, name, m->shard);
		}
	}
}

/*
 * In-memory linking has no thread-local storage: a variable of libinlay's is reached through a slot
 * that every call fills. An access is a call of llvm.threadlocal.address, which becomes a load.
 */
static void replace_tls(struct symbols *s, LLVMModuleRef module, LLVMValueRef v_tls)
{
	LLVMContextRef context = LLVMGetModuleContext(module);
	LLVMTypeRef t_ptr = LLVMPointerTypeInContext(context, 0);
	LLVMBuilderRef b = LLVMCreateBuilderInContext(context);
	struct bpfcc_native *n = s->n;
	LLVMValueRef v_slot;
	char name[64];
	size_t len;

	if (n->nr_tls == MAX_TLS) {
		s->err = -EINVAL;
		goto out;
	}
	snprintf(name, sizeof(name), "__inlay_run_tls_%u", n->nr_tls);
	v_slot = LLVMAddGlobal(module, t_ptr, name);
	LLVMSetInitializer(v_slot, LLVMConstNull(t_ptr));
	n->tls[n->nr_tls].name = strdup(LLVMGetValueName2(v_tls, &len));
	if (!n->tls[n->nr_tls++].name)
		s->err = -ENOMEM;
	for (LLVMUseRef use = LLVMGetFirstUse(v_tls), next; use; use = next) {
		LLVMValueRef v_user = LLVMGetUser(use), v;

		next = LLVMGetNextUse(use);
		if (!LLVMIsACallInst(v_user))
			continue;
		LLVMPositionBuilderBefore(b, v_user);
		v = LLVMBuildLoad2(b, t_ptr, v_slot, "");
		LLVMReplaceAllUsesWith(v_user, v);
		LLVMInstructionEraseFromParent(v_user);
	}
	if (!LLVMGetFirstUse(v_tls))
		LLVMDeleteGlobal(v_tls);
out:
	LLVMDisposeBuilder(b);
}

static bool is_inlays(LLVMValueRef v)
{
	size_t len;
	const char *name = LLVMGetValueName2(v, &len);

	return LLVMIsDeclaration(v) && !strncmp(name, "__inlay_", strlen("__inlay_")) &&
	       strncmp(name, "__inlay_run_", strlen("__inlay_run_"));
}

/* Everything that the module leaves open, and what the code generator may call. */
static void define_all(struct symbols *s, LLVMModuleRef module)
{
	bool has_percpu = false;
	size_t len;

	define_memory(s);
	define(s, "memcpy", (void *)memcpy);
	define(s, "memmove", (void *)memmove);
	define(s, "memset", (void *)memset);
	for (LLVMValueRef v = LLVMGetFirstFunction(module); v; v = LLVMGetNextFunction(v))
		if (is_inlays(v))
			define_runtime(s, LLVMGetValueName2(v, &len));
	for (LLVMValueRef v = LLVMGetFirstGlobal(module), v_next; v; v = v_next) {
		v_next = LLVMGetNextGlobal(v);
		if (!is_inlays(v))
			continue;
		if (LLVMIsThreadLocal(v))
			replace_tls(s, module, v);
		else
			define_runtime(s, LLVMGetValueName2(v, &len));
	}
	for (uint32_t i = 0; i < s->n->object->data.nr_maps; i++)
		has_percpu |= s->n->memory[i].shard != NULL;
#if defined(__x86_64__)
	if (has_percpu) /* named in inline assembly only */
		define_runtime(s, "__inlay_shard_get_cold_v1");
#endif
}

/* ---- compilation ---- */

static int lower(struct bpfcc_native *n, LLVMTargetMachineRef machine, uint32_t func,
		 LLVMContextRef context, LLVMModuleRef *ret_module)
{
	LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(machine);
	char *layout_text = LLVMCopyStringRepOfTargetData(layout);
	char *triple = LLVMGetTargetMachineTriple(machine);
	int err;

	err = bpfcc_lower_run(n->object, context, triple, layout_text, func, ret_module);
	LLVMDisposeMessage(triple);
	LLVMDisposeMessage(layout_text);
	LLVMDisposeTargetData(layout);
	return err;
}

/* The JIT takes the machine. */
static int new_jit(struct bpfcc_native *n, LLVMTargetMachineRef machine)
{
	LLVMOrcLLJITBuilderRef builder = LLVMOrcCreateLLJITBuilder();

	LLVMOrcLLJITBuilderSetJITTargetMachineBuilder(
	    builder, LLVMOrcJITTargetMachineBuilderCreateFromTargetMachine(machine));
	return llvm_error(n, LLVMOrcCreateLLJIT(&n->jit, builder));
}

static int add_module(struct bpfcc_native *n, LLVMModuleRef module,
		      LLVMOrcThreadSafeContextRef context)
{
	LLVMOrcJITDylibRef dylib = LLVMOrcLLJITGetMainJITDylib(n->jit);
	struct symbols s = {.n = n};
	int err;

	define_all(&s, module);
	err = s.err;
	if (err) {
		for (size_t i = 0; i < s.nr; i++)
			LLVMOrcReleaseSymbolStringPoolEntry(s.pairs[i].Name);
	} else {
		err = llvm_error(
		    n, LLVMOrcJITDylibDefine(dylib, LLVMOrcAbsoluteSymbols(s.pairs, s.nr)));
	}
	free(s.pairs);
	if (err) {
		LLVMDisposeModule(module);
		return err;
	}
	return llvm_error(n, LLVMOrcLLJITAddLLVMIRModule(
				 n->jit, dylib, LLVMOrcCreateNewThreadSafeModule(module, context)));
}

static int find(struct bpfcc_native *n, const char *name, void **ret_address)
{
	LLVMOrcExecutorAddress address = 0;
	int err = llvm_error(n, LLVMOrcLLJITLookup(n->jit, &address, name));

	*ret_address = (void *)(uintptr_t)address;
	return err;
}

static int compile(struct bpfcc_native *n, uint32_t func)
{
	LLVMTargetMachineRef machine = bpfcc_machine_new(n->object);
	LLVMOrcThreadSafeContextRef context;
	LLVMModuleRef module = NULL;
	char name[64];
	void *fn;
	int err;

	if (!machine)
		return -EINVAL;
	context = LLVMOrcCreateNewThreadSafeContext();
	err = lower(n, machine, func, LLVMOrcThreadSafeContextGetContext(context), &module);
	if (err)
		LLVMDisposeTargetMachine(machine);
	else
		err = new_jit(n, machine);
	if (!err)
		err = add_module(n, module, context);
	else if (module)
		LLVMDisposeModule(module);
	LLVMOrcDisposeThreadSafeContext(context);
	if (!err)
		err = find(n, BPFCC_RUN_SYMBOL, &fn);
	if (!err)
		n->fn = (uint64_t(*)(struct inlay_frame *, uint64_t, uint64_t))fn;
	for (unsigned int i = 0; i < n->nr_tls && !err; i++) {
		snprintf(name, sizeof(name), "__inlay_run_tls_%u", i);
		err = find(n, name, &n->tls[i].slot);
	}
	return err;
}

static bool is_this_machine(const char *target)
{
#if defined(__x86_64__)
	static const char host[] = "x86_64";
#elif defined(__aarch64__)
	static const char host[] = "aarch64";
#else
	static const char host[] = "";
#endif
	return !target || !strncmp(target, host, strlen(host));
}

int bpfcc_native_new(struct inlay_bpfcc_object *object, uint32_t func,
		     struct bpfcc_native **ret_native)
{
	struct bpfcc_native *n;
	int err;

	*ret_native = NULL;
	if (func >= object->data.nr_funcs)
		return bpfcc_error(&object->diag, NULL, NULL, "the object has no function %u",
				   func);
	if (!is_this_machine(object->opts.target))
		return bpfcc_error(&object->diag, NULL, "leave --target away",
				   "code for '%s' cannot run here", object->opts.target);
	n = calloc(1, sizeof(*n));
	if (!n)
		return -ENOMEM;
	n->object = object;
	err = new_memory(n);
	if (!err)
		err = compile(n, func);
	if (err) {
		bpfcc_native_free(n);
		return err;
	}
	*ret_native = n;
	return 0;
}

#ifdef __clang__
/* what was just made has no record of its type in front, for which -fsanitize=function looks */
__attribute__((no_sanitize("function")))
#endif
uint64_t bpfcc_native_call(struct bpfcc_native *n, uint64_t r1, uint64_t r2)
{
	uint64_t cookie = 0;
	struct inlay_frame frame = {.session_cookie = (__u64 *)&cookie};

	/* what a tail call goes to has its context there, or where it is and how long */
	if (n->has_tail_calls && n->object->opts.context == INLAY_BPFCC_CONTEXT_MEMORY)
		memcpy(&frame.regs, (const uint64_t[]){r1, r2}, 2 * sizeof(uint64_t));
	else if (n->has_tail_calls && r1 && r2 <= sizeof(frame.regs))
		memcpy(&frame.regs, (const void *)(uintptr_t)r1, r2);

	for (unsigned int i = 0; i < n->nr_tls; i++)
		*(void **)n->tls[i].slot = dlsym(n->runtime, n->tls[i].name);
	return n->fn(&frame, r1, r2);
}

void bpfcc_native_free(struct bpfcc_native *n)
{
	if (!n)
		return;
	if (n->jit)
		LLVMConsumeError(LLVMOrcDisposeLLJIT(n->jit));
	for (uint32_t i = 0; n->memory && i < n->object->data.nr_maps; i++) {
		if (n->memory[i].region)
			munmap(n->memory[i].region, n->memory[i].region_bytes);
		if (n->memory[i].shard)
			munmap(n->memory[i].shard, n->memory[i].shard_bytes);
		free(n->memory[i].image);
	}
	free(n->memory);
	for (unsigned int i = 0; i < n->nr_tls; i++)
		free(n->tls[i].name);
	if (n->runtime)
		dlclose(n->runtime);
	free(n);
}
