/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the verifier accepts gives the same natively as in the checking interpreter: r0, the memory
 * at r1, the array map and the globals after each of a few calls, with the verifier's facts and without, optimised
 * (one in four, as it takes most of the time) and not. Programs whose results are addresses, or whose helpers tell of the world, are left out.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpfcc/arena.h"
#include "bpfcc/check.h"
#include "bpfcc/disasm.h"
#include "bpfcc/handle.h"
#include "bpfcc/helpers.h"
#include "bpfcc/isa.h"
#include "bpfcc/run/interp.h"
#include "bpfcc/run/native.h"
#include "bpfcc/verify/verify.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/heap.h"

#define NR_CALLS 2
#define MEMORY_BYTES 32
#define ARRAY_BYTES (4 * 48)	/* of program.c */
#define GLOBALS_BYTES 264
#define MAX_STEPS 20000
#define NR_PLACES 64

struct world {
	uint64_t r0[NR_CALLS];
	uint8_t memory[NR_CALLS][MEMORY_BYTES];
	uint8_t array[ARRAY_BYTES];
	uint8_t globals[GLOBALS_BYTES];
};

/* Helpers that answer the same everywhere, and that the interpreter does not make answers up for. */
static bool is_same_everywhere(int32_t id)
{
	static const int32_t helpers[] = {
		BPF_FUNC_map_lookup_elem, BPF_FUNC_map_update_elem, BPF_FUNC_map_delete_elem,
		BPF_FUNC_map_push_elem,	  BPF_FUNC_map_pop_elem,    BPF_FUNC_map_peek_elem,
		BPF_FUNC_loop,		  BPF_FUNC_dynptr_from_mem, BPF_FUNC_dynptr_read,
		BPF_FUNC_dynptr_write,	  BPF_FUNC_dynptr_data,
	};

	for (size_t i = 0; i < sizeof(helpers) / sizeof(helpers[0]); i++)
		if (helpers[i] == id)
			return true;
	return false;
}

/*
 * Iterators are, and arenas, whose addresses are the object's; but what is an address in one is known by
 * the verifier's facts alone. Of a session nothing is known natively.
 */
static bool is_same_kfunc(int32_t index, bool has_facts)
{
	const char *name = bpfcc_kfunc_by_index(index)->name;

	return !strncmp(name, "bpf_iter_num_", 13) || !strncmp(name, "bpf_dynptr_", 11) ||
	       (has_facts && !strncmp(name, "bpf_arena_", 10));
}

static bool is_comparable(const struct bpfcc_object *o, bool has_facts)
{
	for (uint32_t i = 0; i < o->nr_funcs; i++)
		for (uint32_t k = 0; k < o->funcs[i].nr_insns; k++) {
			const struct bpf_insn *in = &o->funcs[i].insns[k];

			/* how often it goes on is not the program's to say */
			if (bpfcc_insn_is_may_goto(in) || (bpfcc_insn_is_cast(in) && !has_facts) ||
			    (bpfcc_insn_is_call(in) && !in->src_reg && !is_same_everywhere(in->imm)) ||
			    (bpfcc_insn_is_call(in) && in->src_reg == BPF_PSEUDO_KFUNC_CALL &&
			     !is_same_kfunc(in->imm, has_facts)))
				return false;
			k += bpfcc_insn_is_lddw(in);
		}
	return true;
}

/* Deterministic, of the input: mostly small numbers. */
static void fill(const uint8_t *data, size_t bytes, int call, uint8_t *memory)
{
	uint64_t random = 1 + (uint64_t)call;

	for (size_t i = 0; i < bytes; i++)
		random = random * 1099511628211u + data[i];
	for (int i = 0; i < MEMORY_BYTES; i++) {
		random = random * 6364136223846793005ull + 1442695040888963407ull;
		memory[i] = i % 8 && random >> 62 ? 0 : (uint8_t)(random >> 40);
	}
}

/* Of what is compared; NULL: the map is not. */
static uint8_t *place_of(const struct bpfcc_map *map, struct world *world)
{
	if (!strcmp(map->name, "array"))
		return world->array;
	return map->flags & INLAY_MAP_GLOBAL ? world->globals : NULL;
}

/* A value that was never touched is not there. */
static void copy_value(struct bpfcc_interp *interp, uint32_t map, uint32_t key, uint8_t *to,
		       size_t bytes)
{
	const void *value = bpfcc_interp_value(interp, map, &key);

	if (value)
		memcpy(to, value, bytes);
}

/*
 * Arithmetic on an address in an arena, in a register that holds something else on other paths: how much
 * of the upper half is left is not said (docs/maps.md).
 */
static bool is_half_arena(const struct inlay_bpfcc_object *h, const struct bpf_insn *in,
			  const struct bpfcc_interp_view *view)
{
	return h->kinds && BPF_CLASS(in->code) == BPF_ALU64 && BPF_OP(in->code) != BPF_MOV &&
	       view->kinds[in->dst_reg] == BPFCC_KIND_ARENA &&
	       bpfcc_kinds_before(h->kinds, view->func, view->insn)->r[in->dst_reg].kind !=
		       BPFCC_KIND_ARENA;
}

/* Which helper a callx calls shows when it does. Not 0: the run ends. */
static int on_insn(void *arg, const struct bpfcc_interp_view *view)
{
	const struct inlay_bpfcc_object *h = arg;
	const struct bpf_insn *in = &h->data.funcs[view->func].insns[view->insn];
	uint8_t reg = bpfcc_insn_callx_reg(in);

	if (is_half_arena(h, in, view))
		return -1;
	if (bpfcc_insn_is_callx(in) && view->kinds[reg] == BPFCC_KIND_SCALAR &&
	    !is_same_everywhere((int32_t)view->regs[reg]))
		return -1;
	return 0;
}

static int interpret(struct inlay_bpfcc_object *h, uint64_t address_seed, const struct world *start,
		     struct world *ret)
{
	const struct bpfcc_object *o = &h->data;
	const struct bpfcc_interp_opts opts = {.address_seed = address_seed,
					       .max_steps = MAX_STEPS,
					       .on_insn = on_insn,
					       .arg = h};
	struct bpfcc_interp *interp;
	struct bpfcc_trap trap = {0};
	int err = 0;

	*ret = *start;
	if (bpfcc_interp_new(o, &opts, &interp))
		return -1;
	for (int i = 0; i < NR_CALLS && !err; i++) {
		const struct bpfcc_interp_ctx ctx = {
			.data = ret->memory[i], .bytes = MEMORY_BYTES, .has_length = true};

		err = bpfcc_interp_call(interp, 0, &ctx, &ret->r0[i], &trap);
	}
	for (uint32_t i = 0; i < o->nr_maps; i++) {
		size_t bytes = o->maps[i].value_size;
		uint8_t *place = place_of(&o->maps[i], ret);

		for (uint32_t k = 0; place && k < o->maps[i].max_entries; k++)
			copy_value(interp, i, k, place + k * bytes, bytes);
	}
	bpfcc_interp_free(interp);
	/* a trap is the oracle's business */
	return err;
}

static void on_message(void *arg, const struct inlay_bpfcc_message *m)
{
	(void)arg;
	fprintf(stderr, "%s\n", m->text);
}

static int run_natively(struct inlay_bpfcc_object *h, const struct world *start, struct world *ret)
{
	static void *runtime;
	struct bpfcc_native *native;
	size_t bytes;
	int err;

	*ret = *start;
	/*
	 * Out of memory, or nothing: a missing runtime must not look like agreement. Without facts what
	 * control cannot get to may be refused.
	 */
	err = bpfcc_native_new(h, 0, &native);
	if (err == -12 || (err && !h->kinds))
		return err;
	if (err)
		abort();
	/* stays loaded, as loading takes as long as all the rest */
	if (!runtime)
		runtime = dlopen("libinlay.so.1", RTLD_NOW | RTLD_NOLOAD);
	for (int i = 0; i < NR_CALLS; i++)
		ret->r0[i] = bpfcc_native_call(native, (uintptr_t)ret->memory[i], MEMORY_BYTES);
	for (uint32_t i = 0; i < h->data.nr_maps; i++) {
		const struct bpfcc_map *map = &h->data.maps[i];
		uint8_t *place = place_of(map, ret);
		const void *values = bpfcc_native_map(native, i, &bytes);

		if (!place)
			continue;
		if (!values || bytes < (size_t)map->value_size * map->max_entries)
			abort();
		memcpy(place, values, (size_t)map->value_size * map->max_entries);
	}
	bpfcc_native_free(native);
	return 0;
}

static void print_bytes(const char *what, const uint8_t *want, const uint8_t *got, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (want[i] != got[i])
			fprintf(stderr, "%s, byte %zu: %#x, natively %#x\n", what, i, want[i], got[i]);
}

static void different(const struct bpfcc_object *o, const struct world *want,
		      const struct world *got)
{
	char text[128];

	for (uint32_t i = 0; i < o->nr_funcs; i++)
		for (uint32_t k = 0; k < o->funcs[i].nr_insns; k++) {
			fprintf(stderr, "%u.%u: %s\n", i, k,
				bpfcc_disasm(o, &o->funcs[i], k, text, sizeof(text)));
			k += bpfcc_insn_is_lddw(&o->funcs[i].insns[k]);
		}
	for (int i = 0; i < NR_CALLS; i++) {
		fprintf(stderr, "call %d: r0 %#llx, natively %#llx\n", i,
			(unsigned long long)want->r0[i], (unsigned long long)got->r0[i]);
		print_bytes("memory", want->memory[i], got->memory[i], MEMORY_BYTES);
	}
	print_bytes("array", want->array, got->array, ARRAY_BYTES);
	print_bytes("globals", want->globals, got->globals, GLOBALS_BYTES);
	abort();
}

static void compare(struct inlay_bpfcc_object *h, const uint8_t *data, size_t bytes)
{
	struct world start = {0}, want, elsewhere, got;

	for (int i = 0; i < NR_CALLS; i++)
		fill(data, bytes, i, start.memory[i]);
	if (interpret(h, 1, &start, &want) || interpret(h, 2, &start, &elsewhere) ||
	    memcmp(&want, &elsewhere, sizeof(want)))
		return;
	if (run_natively(h, &start, &got) || !memcmp(&want, &got, sizeof(want)))
		return;
	/* a bit of an address may have been the same in two of three places */
	for (uint64_t i = 0; i < NR_PLACES; i++)
		if (interpret(h, 3 + i, &start, &elsewhere) ||
		    memcmp(&want, &elsewhere, sizeof(want)))
			return;
	different(&h->data, &want, &got);
}

static void run(const uint8_t *data, size_t bytes)
{
	struct inlay_bpfcc_opts opts = {.sz = sizeof(opts), .context = INLAY_BPFCC_CONTEXT_MEMORY,
					.context_bytes = MEMORY_BYTES,
					.on_message = on_message};
	const struct bpfcc_verify_opts how = {.ctx_kind = BPFCC_CTX_MEMORY,
					      .ctx_bytes = MEMORY_BYTES,
					      .max_insns = fuzz_max_insns(bytes),
					      .max_bytes = 32u << 20};
	struct inlay_bpfcc_opts lists;
	struct inlay_bpfcc_object *h;
	struct bpfcc_verify *proof = NULL;
	struct bpfcc_raw raw;
	bool has_facts;

	if (!bytes || bpfcc_handle_new("fuzz", &opts, &lists, &h))
		return;
	if (fuzz_program(data, bytes, true, h->data.arena, &raw)) {
		raw.object.arena = h->data.arena;
		h->data = raw.object;
		h->ctx_bytes = MEMORY_BYTES;
		h->is_usable = true;
		h->opts.opt_level = fuzz_is_one_in(4, data, bytes) ? 2 : -1;
		/* this choice is another's elsewhere */
		has_facts = !(data[0] & FUZZ_KERNEL_SET);
		/* without facts, what control cannot get to is compiled, too */
		if (is_comparable(&h->data, has_facts) && !bpfcc_check(&h->data, h->data.arena, NULL) &&
		    (has_facts || !bpfcc_check_encoding(&h->data, NULL)) &&
		    !bpfcc_verify_new(&h->data, &how, h->data.arena, NULL, &proof)) {
			h->kinds = has_facts ? bpfcc_verify_kinds(proof) : NULL;
			compare(h, data, bytes);
		}
		bpfcc_verify_free(proof);
	}
	inlay_bpfcc_object_free(h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	fuzz_heap_run(run, data, bytes);
	return 0;
}
