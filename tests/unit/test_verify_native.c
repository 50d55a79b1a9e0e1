/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The same programs three ways: random ones that the verifier accepted run in the checking
 * interpreter and as native code that was lowered by what the verifier found. r0, the memory that r1
 * points to and the array map must be equal after each of a few calls, and the interpreter must not
 * trap. Native code without the verifier's facts must give the same.
 *
 * INLAY_TEST_LONG=1 runs for minutes, INLAY_TEST_SEED=N another run.
 */
#include "oracle.h"
#include "oracle_gen.h"

#include "bpfcc/handle.h"
#include "bpfcc/run/native.h"

#define NR_CALLS 4

struct world {
	uint64_t r0[NR_CALLS];
	uint8_t memory[NR_CALLS][GEN_CTX_BYTES];
	uint8_t array[4 * GEN_VALUE_BYTES];
	struct bpfcc_trap trap;
};

static void read_array(const struct bpfcc_interp *interp, uint8_t *array)
{
	for (uint32_t i = 0; i < 4; i++) {
		const void *value = bpfcc_interp_value(interp, GEN_MAP_ARRAY, &i);

		if (value)
			memcpy(&array[i * GEN_VALUE_BYTES], value, GEN_VALUE_BYTES);
	}
}

/* Memory goes from call to call with what was left in it, as do the maps. */
static void interpret(const struct bpfcc_object *object, uint64_t address_seed,
		      const uint8_t *memory, struct world *w)
{
	const struct bpfcc_interp_opts opts = {.address_seed = address_seed, .max_steps = 200000};
	struct bpfcc_interp *interp;

	memset(w, 0, sizeof(*w));
	assert_int_equal(bpfcc_interp_new(object, &opts, &interp), 0);
	for (int i = 0; i < NR_CALLS && !w->trap.kind; i++) {
		struct bpfcc_interp_ctx ctx = {
		    .data = w->memory[i], .bytes = GEN_CTX_BYTES, .has_length = true};

		memcpy(w->memory[i], &memory[i * GEN_CTX_BYTES], GEN_CTX_BYTES);
		bpfcc_interp_call(interp, 0, &ctx, &w->r0[i], &w->trap);
	}
	read_array(interp, w->array);
	bpfcc_interp_free(interp);
}

static int run_native(struct inlay_bpfcc_object *handle, const uint8_t *memory, struct world *w)
{
	struct bpfcc_native *native;
	size_t bytes;
	void *array;

	memset(w, 0, sizeof(*w));
	if (bpfcc_native_new(handle, 0, &native))
		return -1;
	for (int i = 0; i < NR_CALLS; i++) {
		memcpy(w->memory[i], &memory[i * GEN_CTX_BYTES], GEN_CTX_BYTES);
		w->r0[i] = bpfcc_native_call(native, (uintptr_t)w->memory[i], GEN_CTX_BYTES);
	}
	array = bpfcc_native_map(native, GEN_MAP_ARRAY, &bytes);
	assert_true(array && bytes >= sizeof(w->array));
	memcpy(w->array, array, sizeof(w->array));
	bpfcc_native_free(native);
	return 0;
}

static void show(const struct bpfcc_object *object)
{
	char text[128];

	for (uint32_t i = 0; i < object->nr_funcs; i++) {
		const struct bpfcc_func *f = &object->funcs[i];

		for (uint32_t k = 0; k < f->nr_insns; k += 1 + bpfcc_insn_is_lddw(&f->insns[k]))
			print_error("%s %3u: %s\n", f->name, k,
				    bpfcc_disasm(object, f, k, text, sizeof(text)));
	}
}

static void assert_same(const struct bpfcc_object *object, uint64_t seed, const char *what,
			const struct world *want, const struct world *got)
{
	for (int i = 0; i < NR_CALLS; i++) {
		if (want->r0[i] == got->r0[i] &&
		    !memcmp(want->memory[i], got->memory[i], GEN_CTX_BYTES))
			continue;
		show(object);
		for (int k = 0; k < GEN_CTX_BYTES; k++)
			if (want->memory[i][k] != got->memory[i][k])
				print_error("memory[%d]: %02x, and natively %02x\n", k,
					    want->memory[i][k], got->memory[i][k]);
		fail_msg("%s, call %d: r0 is %#" PRIx64 ", and natively %#" PRIx64
			 " (INLAY_TEST_SEED=%#" PRIx64 ")",
			 what, i, want->r0[i], got->r0[i], seed);
	}
	if (memcmp(want->array, got->array, sizeof(want->array))) {
		show(object);
		fail_msg("%s: the array map differs (INLAY_TEST_SEED=%#" PRIx64 ")", what, seed);
	}
}

/* True: it was accepted, and compared. */
static bool compare(struct gen *g, struct bpfcc_arena *arena, uint64_t seed, bool with_facts)
{
	const struct bpfcc_verify_opts opts = {
	    .ctx_kind = BPFCC_CTX_MEMORY, .ctx_bytes = GEN_CTX_BYTES, .max_insns = 20000};
	struct inlay_bpfcc_object handle = {.opts.sz = sizeof(handle.opts),
					    .ctx_bytes = GEN_CTX_BYTES,
					    .is_usable = true};
	struct world interpreted, elsewhere, native;
	uint8_t memory[NR_CALLS * GEN_CTX_BYTES];
	struct bpfcc_verify *verify;

	handle.data = g->object;
	handle.data.arena = arena;
	handle.diag.object = &handle.data;
	handle.opts.context = INLAY_BPFCC_CONTEXT_MEMORY;
	handle.opts.context_bytes = GEN_CTX_BYTES;
	if (bpfcc_check(&handle.data, arena, &handle.diag) ||
	    bpfcc_verify_new(&handle.data, &opts, arena, &handle.diag, &verify))
		return false;
	/* the facts are the arena's */
	if (with_facts)
		handle.kinds = (struct bpfcc_kinds *)bpfcc_verify_kinds(verify);
	bpfcc_verify_free(verify);
	oracle_fill(memory, sizeof(memory));
	interpret(&handle.data, 1, memory, &interpreted);
	interpret(&handle.data, 2, memory, &elsewhere);
	if (interpreted.trap.kind == BPFCC_TRAP_STEPS)
		return false;
	if (interpreted.trap.kind) {
		show(&handle.data);
		fail_msg("accepted, and %s in function %u at %u (INLAY_TEST_SEED=%#" PRIx64 ")",
			 interpreted.trap.text, interpreted.trap.func, interpreted.trap.insn, seed);
	}
	/* a result that is an address is another one natively */
	if (memcmp(interpreted.r0, elsewhere.r0, sizeof(elsewhere.r0)) ||
	    memcmp(interpreted.memory, elsewhere.memory, sizeof(elsewhere.memory)) ||
	    memcmp(interpreted.array, elsewhere.array, sizeof(elsewhere.array)))
		return false;
	if (run_native(&handle, memory, &native)) {
		show(&handle.data);
		fail_msg("accepted, and not lowered (INLAY_TEST_SEED=%#" PRIx64 ")", seed);
	}
	assert_same(&handle.data, seed, with_facts ? "with facts" : "without facts", &interpreted,
		    &native);
	return true;
}

static void test_equal(void **state)
{
	int nr = test_is_long() ? 20000 : 150, nr_compared = 0;
	struct gen *g = malloc(sizeof(*g));

	(void)state;
	assert_non_null(g);
	test_seed(1);
	for (int i = 0; i < nr; i++) {
		struct bpfcc_arena *arena = bpfcc_arena_new();
		uint64_t seed = test_random_state;

		assert_non_null(arena);
		gen_program(g, 1 + (int)gen_below(18), true);
		nr_compared += compare(g, arena, seed, i % 4);
		bpfcc_arena_free(arena);
	}
	free(g);
	print_message("%d programs, %d accepted and compared\n", nr, nr_compared);
	assert_true(nr_compared * 6 > nr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
