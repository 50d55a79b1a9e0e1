/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libbpfcc as its users have it: the shared library with the public header alone.
 */
#include "bpfcc_fixture.h"

#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

static struct messages messages;

static struct inlay_bpfcc_object *open_probe(size_t opts_bytes)
{
	struct inlay_bpfcc_opts opts = {.sz = opts_bytes,
					.on_message = keep_message,
					.on_message_arg = &messages};
	struct inlay_bpfcc_object *object;
	int err;

	memset(&messages, 0, sizeof(messages));
	err = inlay_bpfcc_object_open(BPFCC_PROBE, NULL, 0, &opts, &object);
	if (err)
		fail_msg("%d: %s", err, messages.text);
	return object;
}

static void test_emit(void **unused)
{
	static const struct {
		enum inlay_bpfcc_output output;
		const char *name, *magic;
	} rows[] = {
		{INLAY_BPFCC_OBJ, "api.o", "\177ELF"},
		{INLAY_BPFCC_ASM, "api.s", "\t"},
		{INLAY_BPFCC_BC, "api.bc", "BC"},
		{INLAY_BPFCC_LL, "api.ll", "; Mod"},
	};
	char folder[] = "/tmp/inlay-api-XXXXXX", path[64];
	struct inlay_bpfcc_object *object = open_probe(sizeof(struct inlay_bpfcc_opts));

	(void)unused;
	assert_non_null(mkdtemp(folder));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned char *data;
		size_t bytes;

		snprintf(path, sizeof(path), "%s/%s", folder, rows[i].name);
		assert_int_equal(inlay_bpfcc_object_emit(object, rows[i].output, path), 0);
		data = read_whole(path, &bytes);
		assert_true(bytes > 100);
		assert_memory_equal(data, rows[i].magic, strlen(rows[i].magic));
		free(data);
		assert_int_equal(unlink(path), 0);
	}
	/* a message, and nothing left behind, not even a temporary name */
	snprintf(path, sizeof(path), "%s/none/api.o", folder);
	assert_true(inlay_bpfcc_object_emit(object, INLAY_BPFCC_OBJ, path) < 0);
	assert_true(messages.nr_errors > 0);
	assert_int_equal(rmdir(folder), 0);
	inlay_bpfcc_object_free(object);
}

/* A caller that was built with an older header has a shorter struct. */
static void test_older_opts(void **unused)
{
	struct inlay_bpfcc_object *object = open_probe(offsetof(struct inlay_bpfcc_opts, sets));
	char hash[33];

	(void)unused;
	inlay_bpfcc_object_hash(object, hash);
	assert_int_equal(strlen(hash), 32);
	assert_true(strlen(inlay_bpfcc_version()) >= 5);
	inlay_bpfcc_object_free(object);
}

/* ---- plain instructions ---- */

static int open_program(const struct bpf_insn *insns, size_t bytes, struct inlay_bpfcc_opts *opts,
			struct inlay_bpfcc_object **ret_object)
{
	memset(&messages, 0, sizeof(messages));
	opts->sz = sizeof(*opts);
	opts->on_message = keep_message;
	opts->on_message_arg = &messages;
	return inlay_bpfcc_program_open("plain", insns, bytes, opts, ret_object);
}

/* r0 = the sum of the bytes at r1, of which there are r2; each is set to 7 */
static const struct bpf_insn sum[] = {
	MOV64_IMM(R0, 0),	   JMP_IMM(BPF_JEQ, R2, 0, 6),	LDX(BPF_B, R3, R1, 0),
	ALU64_REG(BPF_ADD, R0, R3), ST(BPF_B, R1, 0, 7),	ALU64_IMM(BPF_ADD, R1, 1),
	ALU64_IMM(BPF_SUB, R2, 1), JMP_IMM(BPF_JNE, R2, 0, -6), EXIT(),
};

static void test_run(void **unused)
{
	struct inlay_bpfcc_opts opts = {.context = INLAY_BPFCC_CONTEXT_MEMORY, .context_bytes = 5};
	uint8_t memory[6] = {1, 2, 3, 4, 250, 99};
	struct inlay_bpfcc_object *object;
	uint64_t r0;

	(void)unused;
	if (open_program(sum, sizeof(sum), &opts, &object))
		fail_msg("%s", messages.text);
	assert_int_equal(inlay_bpfcc_object_nr_programs(object), 1);
	assert_string_equal(inlay_bpfcc_object_program_name(object, 0), "main");
	assert_null(inlay_bpfcc_object_program_name(object, 1));
	assert_int_equal(inlay_bpfcc_object_run(object, NULL, memory, 5, &r0), 0);
	assert_int_equal(r0, 260);
	assert_int_equal(inlay_bpfcc_object_emit(object, INLAY_BPFCC_OBJ, "/dev/null"), -EINVAL);
	messages.nr_errors = 0;
	assert_memory_equal(memory, "\7\7\7\7\7\143", 6);
	assert_int_equal(inlay_bpfcc_object_run(object, "main", memory, 5, &r0), 0);
	assert_int_equal(r0, 35);
	assert_int_equal(inlay_bpfcc_object_run(object, "other", memory, 5, &r0), -ENOENT);
	/* r2 is what was proved, however much memory there is */
	assert_int_equal(inlay_bpfcc_object_run(object, NULL, memory, 6, &r0), 0);
	assert_int_equal(r0, 35);
	/* less than what was proved */
	assert_int_equal(messages.nr_errors, 0);
	assert_int_equal(inlay_bpfcc_object_run(object, NULL, memory, 4, &r0), -EINVAL);
	assert_int_equal(messages.nr_errors, 1);
	inlay_bpfcc_object_free(object);
}

static void test_refused(void **unused)
{
	/* r0 = *(u8 *)(r1 + 4) */
	static const struct bpf_insn behind[] = {LDX(BPF_B, R0, R1, 4), EXIT()};
	struct inlay_bpfcc_opts opts = {.context = INLAY_BPFCC_CONTEXT_MEMORY, .context_bytes = 4};
	uint8_t memory[5] = {0, 0, 0, 0, 9};
	struct inlay_bpfcc_object *object;
	uint64_t r0;

	(void)unused;
	assert_int_equal(open_program(behind, sizeof(behind), &opts, &object), -EINVAL);
	assert_null(object);
	assert_int_equal(messages.nr_errors, 1);
	assert_int_equal(open_program(behind, 7, &opts, &object), -EINVAL);
	assert_int_equal(open_program(behind, 0, &opts, &object), -EINVAL);

	/* unverified: a warning, and it does what it says */
	opts.unsafe_no_verify = true;
	assert_int_equal(open_program(behind, sizeof(behind), &opts, &object), 0);
	assert_non_null(strstr(messages.text, "warning: the programs are NOT VERIFIED"));
	assert_int_equal(inlay_bpfcc_object_run(object, NULL, memory, 4, &r0), 0);
	assert_int_equal(r0, 9);
	/* but not in the interpreter */
	assert_int_equal(inlay_bpfcc_object_interpret(object, NULL, memory, 5, &r0), 0);
	assert_int_equal(r0, 9);
	assert_int_equal(messages.nr_errors, 0);
	assert_int_equal(inlay_bpfcc_object_interpret(object, NULL, memory, 4, &r0), -EFAULT);
	assert_int_equal(messages.nr_errors, 1);
	assert_int_equal(inlay_bpfcc_object_interpret(object, "no", memory, 4, &r0), -ENOENT);
	inlay_bpfcc_object_free(object);

	/* deferred: verified when asked for, and never run */
	opts.unsafe_no_verify = false;
	opts.defer_verify = true;
	assert_int_equal(open_program(behind, sizeof(behind), &opts, &object), 0);
	assert_int_equal(inlay_bpfcc_object_run(object, NULL, memory, 4, &r0), -EINVAL);
	assert_int_equal(inlay_bpfcc_object_emit(object, INLAY_BPFCC_OBJ, "/dev/null"), -EINVAL);
	assert_int_equal(inlay_bpfcc_object_verify(object, 0, NULL), -EINVAL);
	assert_int_equal(inlay_bpfcc_object_verify(object, 1, NULL), -ENOENT);
	inlay_bpfcc_object_free(object);
}

/* Counts how often it is called, and that lines are text. */
static void count_trace(void *arg, const char *line)
{
	assert_true(line[0]);
	++*(unsigned int *)arg;
}

static void test_verify(void **unused)
{
	unsigned int nr_lines = 0;
	struct inlay_bpfcc_opts opts = {.context = INLAY_BPFCC_CONTEXT_MEMORY,
					.context_bytes = 5,
					.defer_verify = true,
					.on_trace = count_trace,
					.on_trace_arg = &nr_lines};
	struct inlay_bpfcc_stats stats = {.sz = sizeof(stats)};
	struct inlay_bpfcc_stats old = {.sz = offsetof(struct inlay_bpfcc_stats, states)};
	struct inlay_bpfcc_object *object;

	(void)unused;
	assert_int_equal(open_program(sum, sizeof(sum), &opts, &object), 0);
	assert_int_equal(inlay_bpfcc_object_verify(object, 0, &stats), 0);
	assert_int_equal(stats.insns, 9);
	assert_true(stats.insns_walked >= 2 + 5 * 6 + 1);
	assert_true(nr_lines >= stats.insns_walked);
	assert_int_equal(stats.sz, sizeof(stats));
	/* a caller that was built with an older header */
	old.states = 12345;
	assert_int_equal(inlay_bpfcc_object_verify(object, 0, &old), 0);
	assert_int_equal(old.insns_walked, stats.insns_walked);
	assert_int_equal(old.states, 12345);
	inlay_bpfcc_object_free(object);

	/* a limit that is hit is named */
	opts.max_insns = 10;
	assert_int_equal(open_program(sum, sizeof(sum), &opts, &object), 0);
	assert_int_equal(inlay_bpfcc_object_verify(object, 0, NULL), -EINVAL);
	assert_non_null(strstr(messages.text, "more than 10 instructions"));
	inlay_bpfcc_object_free(object);
}

/* What a newer header has is no matter unless it is used. */
static void test_newer_opts(void **unused)
{
	struct {
		struct inlay_bpfcc_opts opts;
		void *later[2];
	} newer = {.opts = {.sz = sizeof(newer)}};
	struct inlay_bpfcc_object *object;

	(void)unused;
	assert_int_equal(inlay_bpfcc_object_open(BPFCC_PROBE, NULL, 0, &newer.opts, &object), 0);
	inlay_bpfcc_object_free(object);
	newer.later[1] = &newer;
	assert_int_equal(inlay_bpfcc_object_open(BPFCC_PROBE, NULL, 0, &newer.opts, &object),
			 -E2BIG);
	assert_null(object);
}

/* ---- threads ---- */

static void *open_often(void *arg)
{
	struct inlay_bpfcc_opts opts = {.sz = sizeof(opts)};
	char *hash = arg;

	for (int i = 0; i < 20; i++) {
		struct inlay_bpfcc_object *object;

		if (inlay_bpfcc_object_open(BPFCC_PROBE, NULL, 0, &opts, &object))
			return NULL;
		inlay_bpfcc_object_hash(object, hash);
		inlay_bpfcc_object_free(object);
	}
	return arg;
}

static void test_threads(void **unused)
{
	char hashes[4][33] = {{0}};
	pthread_t threads[4];

	(void)unused;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, open_often, hashes[i]), 0);
	for (int i = 0; i < 4; i++) {
		void *result;

		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_ptr_equal(result, hashes[i]);
		assert_string_equal(hashes[i], hashes[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_emit),
		cmocka_unit_test(test_older_opts),
		cmocka_unit_test(test_newer_opts),
		cmocka_unit_test(test_run),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_verify),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
