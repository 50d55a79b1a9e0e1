/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpfcc/run/native.h: functions of hand-made objects, compiled into memory and called; maps of each
 * type, and helpers that are calls into libinlay, are inlined, or read thread-local variables.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bpfcc/run/native.h"
#include "lower_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct bpfcc_native *compile(struct lower_fixture *fx, uint32_t func)
{
	struct bpfcc_native *native;

	if (bpfcc_native_new(&fx->handle, func, &native))
		fail_msg("%s", fx->last_error);
	return native;
}

static void test_memory(void **state)
{
	static const struct bpf_insn insns[] = {
		/* r0 = sum of the r2 bytes at r1, each of which becomes its complement */
		MOV64_IMM(0, 0), JUMP_IMM(BPF_JEQ, 2, 0, 7), LOAD(BPF_B, 3, 1, 0),
		ALU64_REG(BPF_ADD, 0, 3), ALU64_IMM(BPF_XOR, 3, 0xff), STORE(BPF_B, 1, 3, 0),
		ADD64_IMM(1, 1), ADD64_IMM(2, -1), JUMP_IMM(BPF_JNE, 2, 0, -7), EXIT(),
	};
	uint8_t memory[5] = {1, 2, 3, 250, 255};
	struct bpfcc_native *native;
	struct lower_fixture fx;

	(void)state;
	lower_fixture_init(&fx, "native");
	lower_fixture_prog(&fx, "sum", insns, COUNT(insns));
	native = compile(&fx, 0);
	assert_int_equal(bpfcc_native_call(native, (uintptr_t)memory, sizeof(memory)), 511);
	assert_memory_equal(memory, "\xfe\xfd\xfc\x05\x00", 5);
	assert_int_equal(bpfcc_native_call(native, 0, 0), 0);
	bpfcc_native_free(native);
	lower_fixture_fini(&fx);
}

static void test_subprogram(void **state)
{
	static const struct bpf_insn prog[] = {
		STORE_IMM(BPF_DW, 10, -8, 40), MOV64_REG(1, 10), ADD64_IMM(1, -8), CALL_SUB(1),
		LOAD(BPF_DW, 1, 10, -8), ALU64_REG(BPF_ADD, 0, 1), EXIT(),
	};
	static const struct bpf_insn sub[] = {
		LOAD(BPF_DW, 0, 1, 0), ADD64_IMM(0, 2), STORE(BPF_DW, 1, 0, 0), EXIT(),
	};
	struct bpfcc_native *native;
	struct lower_fixture fx;

	(void)state;
	lower_fixture_init(&fx, "native");
	lower_fixture_prog(&fx, "prog", prog, COUNT(prog));
	lower_fixture_func(&fx, "sub", sub, COUNT(sub), 1);
	native = compile(&fx, 0);
	assert_int_equal(bpfcc_native_call(native, 0, 0), 84);
	bpfcc_native_free(native);
	lower_fixture_fini(&fx);
}

/* value[key 0] += 1 for any map; key and value of 8 bytes */
#define COUNT_IN(map)                                                                              \
	STORE_IMM(BPF_DW, 10, -8, 0), STORE_IMM(BPF_DW, 10, -16, 5), MOV64_REG(2, 10),             \
		ADD64_IMM(2, -8), LDDW_MAP(1, map), MOV64_REG(3, 10), ADD64_IMM(3, -16),           \
		MOV64_IMM(4, 0), CALL(BPF_FUNC_map_update_elem), MOV64_REG(2, 10),                 \
		ADD64_IMM(2, -8), LDDW_MAP(1, map), CALL(BPF_FUNC_map_lookup_elem),                \
		JUMP_IMM(BPF_JEQ, 0, 0, 4), LOAD(BPF_DW, 1, 0, 0), ADD64_IMM(1, 2),                \
		STORE(BPF_DW, 0, 1, 0), LOAD(BPF_DW, 0, 0, 0), EXIT()

static void test_maps(void **state)
{
	static const struct bpf_insn insns[4][24] = {
		{COUNT_IN(0)}, {COUNT_IN(1)}, {COUNT_IN(2)}, {COUNT_IN(3)}};
	static const struct {
		const char *name;
		uint32_t type, key_size, max_entries;
	} maps[] = {
		{"array", INLAY_MAP_TYPE_ARRAY, 4, 1},
		{"huge_hash", INLAY_MAP_TYPE_HASH, 8, 1u << 16},
		{"percpu_array", INLAY_MAP_TYPE_PERCPU_ARRAY, 4, 2},
		{"percpu_hash", INLAY_MAP_TYPE_PERCPU_HASH, 8, 16},
	};
	struct lower_fixture fx;

	(void)state;
	lower_fixture_init(&fx, "native");
	for (size_t i = 0; i < COUNT(maps); i++) {
		size_t nr = 24;

		lower_fixture_map(&fx, maps[i].name, maps[i].type, maps[i].key_size, 8,
				  maps[i].max_entries);
		while (!insns[i][nr - 1].code)
			nr--;
		lower_fixture_prog(&fx, maps[i].name, insns[i], nr);
	}
	for (uint32_t i = 0; i < COUNT(maps); i++) {
		struct bpfcc_native *native = compile(&fx, i);
		uint64_t *memory;
		size_t bytes;

		for (int k = 0; k < 2; k++)
			assert_int_equal(bpfcc_native_call(native, 0, 0), 7);
		memory = bpfcc_native_map(native, i, &bytes);
		assert_non_null(memory);
		assert_true(bytes >= 8);
		if (maps[i].key_size == 4)
			assert_int_equal(memory[0], 7);
		bpfcc_native_reset(native);
		for (size_t k = 0; k < 64; k++)
			assert_int_equal(memory[k], 0);
		assert_int_equal(bpfcc_native_call(native, 0, 0), 7);
		bpfcc_native_free(native);
	}
	lower_fixture_fini(&fx);
}

static void test_variables(void **state)
{
	static const uint64_t data[2] = {10, 20}, rodata = 7;
	static const struct bpf_insn insns[] = {
		LDDW_VALUE(1, 0, 8), LOAD(BPF_DW, 0, 1, 0), ADD64_IMM(0, 1), STORE(BPF_DW, 1, 0, 0),
		LDDW_VALUE(1, 1, 0), LOAD(BPF_DW, 1, 1, 0), ALU64_REG(BPF_MUL, 0, 1), EXIT(),
	};
	struct bpfcc_native *native;
	struct lower_fixture fx;
	size_t bytes;

	(void)state;
	lower_fixture_init(&fx, "native");
	lower_fixture_map(&fx, ".data", INLAY_MAP_TYPE_ARRAY, 4, sizeof(data), 1);
	lower_fixture_map(&fx, ".rodata", INLAY_MAP_TYPE_ARRAY, 4, sizeof(rodata), 1);
	fx.maps[0].flags = INLAY_MAP_GLOBAL;
	fx.maps[0].data = data;
	fx.maps[1].flags = INLAY_MAP_GLOBAL | INLAY_MAP_RODATA;
	fx.maps[1].data = &rodata;
	lower_fixture_prog(&fx, "variables", insns, COUNT(insns));
	native = compile(&fx, 0);
	assert_int_equal(bpfcc_native_call(native, 0, 0), 147);
	assert_int_equal(bpfcc_native_call(native, 0, 0), 154);
	bpfcc_native_reset(native);
	assert_int_equal(bpfcc_native_call(native, 0, 0), 147);
	assert_null(bpfcc_native_map(native, 1, &bytes));
	assert_int_equal(bytes, 0);
	bpfcc_native_free(native);
	lower_fixture_fini(&fx);
}

static void *call_in_thread(void *arg)
{
	uint64_t expected = (uint64_t)getpid() << 32 | (uint32_t)syscall(SYS_gettid);

	return (void *)(uintptr_t)(bpfcc_native_call(arg, 0, 0) == expected);
}

static void test_thread(void **state)
{
	static const struct bpf_insn insns[] = {CALL(BPF_FUNC_get_current_pid_tgid), EXIT()};
	struct bpfcc_native *native;
	struct lower_fixture fx;
	pthread_t thread;
	void *is_equal;

	(void)state;
	lower_fixture_init(&fx, "native");
	lower_fixture_prog(&fx, "pid", insns, COUNT(insns));
	native = compile(&fx, 0);
	assert_non_null(call_in_thread(native));
	assert_int_equal(pthread_create(&thread, NULL, call_in_thread, native), 0);
	assert_int_equal(pthread_join(thread, &is_equal), 0);
	assert_non_null(is_equal);
	bpfcc_native_free(native);
	lower_fixture_fini(&fx);
}

static void test_refused(void **state)
{
	static const struct bpf_insn insns[] = {CALL(0x7ffffff), EXIT()};
	struct bpfcc_native *native;
	struct lower_fixture fx;

	(void)state;
	lower_fixture_init(&fx, "native");
	lower_fixture_prog(&fx, "unknown", insns, COUNT(insns));
	assert_int_equal(bpfcc_native_new(&fx.handle, 1, &native), -EINVAL);
	assert_string_equal(fx.last_error, "the object has no function 1");
	assert_int_equal(bpfcc_native_new(&fx.handle, 0, &native), -EINVAL);
	assert_null(native);
	assert_non_null(strstr(fx.last_error, "unknown helper"));
	fx.handle.opts.target = "powerpc64-linux-gnu";
	assert_int_equal(bpfcc_native_new(&fx.handle, 0, &native), -EINVAL);
	lower_fixture_fini(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory), cmocka_unit_test(test_subprogram),
		cmocka_unit_test(test_maps),   cmocka_unit_test(test_variables),
		cmocka_unit_test(test_thread), cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests_name("lower_native", tests, NULL, NULL);
}
