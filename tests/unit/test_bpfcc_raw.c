/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows to objects: what the parts of a row become, and what happens when memory is short at any of
 * them. What is wrong with rows is tested by tests/lit/verify/raw.test.
 */
#include "bpfcc_fixture.h"

#include "bpfcc/check.h"
#include "bpfcc/raw.h"
#include "bpfcc/verify/verify.h"

static const char header_line[] = "flags\tname\tother\tmaps\tinsns";
static struct messages messages;

static void parse_header(struct bpfcc_raw_header *header)
{
	assert_true(bpfcc_raw_header(header_line, strlen(header_line), header));
	assert_int_equal(header->nr, 5);
}

static int read_row(const char *row, struct bpfcc_arena *arena, struct bpfcc_raw *raw)
{
	struct bpfcc_diag diag = {.fn = keep_message, .arg = &messages};
	struct bpfcc_raw_header header;

	memset(&messages, 0, sizeof(messages));
	parse_header(&header);
	return bpfcc_raw_read(&header, row, strlen(row), arena, &diag, raw);
}

static void test_header(void **unused)
{
	static const char *const none[] = {"", "name", "insns", "Name\tinsns", "name insns",
					   "name\tinsnsx"};
	struct bpfcc_raw_header header;

	(void)unused;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_false(bpfcc_raw_header(none[i], strlen(none[i]), &header));
	assert_true(bpfcc_raw_header("name\tinsns", 10, &header));
	assert_int_equal(header.nr, 2);
}

static void test_fields(void **unused)
{
	/* lddw r1 = map 1; lddw r2 = value of map 0 + 3; lddw r3 = callback at 9; call +1; exit; two
	 * functions: at 8 and at 9 */
	static const char row[] = "0x12\tsome/name/7\t\t"
				  "0:conf:t2:k4:v8:n1:f0x80:d0102030405060708:z;"
				  "1::t13:k4:v4:n16:f0x0:i1,8,24,128,0x1;"
				  "2:counts:t2:k4:v8:n1:f0x0:z;\t"
				  "0000000100001118" "0000000000000000"
				  "0000000000002218" "0000000300000000"
				  "0000000400004318" "0000000000000000"
				  "0000000100001085" "0000000000000095"
				  "fffffff8fffa1abf"
				  "00000000000000b7" "0000000000000095";
	struct bpfcc_arena *arena = bpfcc_arena_new();
	const struct bpfcc_object *o;
	struct bpfcc_raw raw;

	(void)unused;
	if (read_row(row, arena, &raw))
		fail_msg("%s", messages.text);
	o = &raw.object;
	assert_string_equal(raw.name, "some/name/7");
	assert_int_equal(raw.prog_flags, 0x12);
	assert_int_equal(raw.nr_insns, 11);

	assert_int_equal(o->nr_maps, 3);
	assert_string_equal(o->maps[0].name, "conf");
	assert_true(o->maps[0].is_frozen);
	assert_int_equal(o->maps[0].map_flags, 0x80);
	assert_memory_equal(o->maps[0].data, "\1\2\3\4\5\6\7\10", 8);
	assert_string_equal(o->maps[1].name, "map1");
	assert_non_null(o->maps[1].inner);
	assert_int_equal(o->maps[1].inner->type, BPF_MAP_TYPE_HASH);
	assert_int_equal(o->maps[1].inner->value_size, 24);
	assert_int_equal(o->maps[1].inner->map_flags, 1);
	/* frozen for the outside, but programs may write it */
	assert_false(o->maps[2].is_frozen);

	assert_int_equal(o->nr_progs, 1);
	assert_int_equal(o->nr_funcs, 3);
	assert_int_equal(raw.starts[1], 8);
	assert_int_equal(raw.starts[2], 9);
	assert_int_equal(o->funcs[0].nr_insns, 8);
	assert_int_equal(o->funcs[1].nr_insns, 1);
	assert_int_equal(o->funcs[2].nr_insns, 2);
	assert_int_equal(o->funcs[0].insns[0].imm, 1);
	assert_int_equal(o->funcs[0].insns[0].dst_reg, 1);
	assert_int_equal(o->funcs[0].insns[3].imm, 3);
	assert_int_equal(o->funcs[0].insns[4].imm, 2);
	assert_int_equal(o->funcs[0].insns[6].imm, 1);
	assert_int_equal(o->funcs[1].insns[0].off, -6);
	assert_int_equal(o->funcs[1].insns[0].imm, -8);
	assert_int_equal(o->funcs[1].insns[0].src_reg, 1);
	assert_int_equal(o->funcs[1].insns[0].dst_reg, 10);
	/* the row's own form stays as it was, for a kernel */
	assert_int_equal(raw.insns[4].imm, 4);
	assert_int_equal(raw.insns[6].off, 0);
	assert_int_equal(raw.insns[6].src_reg, 1);
	bpfcc_arena_free(arena);
}

/* Everything from the row to the verdict, when the nr-th request for memory fails. */
static int verdict(const char *row, unsigned int nr)
{
	const struct bpfcc_verify_opts opts = {.ctx_bytes = 168, .is_kernel_set = true};
	struct bpfcc_diag diag = {.fn = keep_message, .arg = &messages};
	struct bpfcc_arena *arena = bpfcc_arena_new();
	struct bpfcc_verify *proof = NULL;
	struct bpfcc_raw raw;
	int err;

	assert_non_null(arena);
	bpfcc_arena_fail_after(nr);
	err = read_row(row, arena, &raw);
	diag.object = &raw.object;
	if (!err)
		err = bpfcc_check(&raw.object, arena, &diag);
	if (!err)
		err = bpfcc_verify_new(&raw.object, &opts, arena, &diag, &proof);
	bpfcc_arena_fail_after(0);
	if (err == -ENOMEM)
		assert_null(proof);
	bpfcc_verify_free(proof);
	bpfcc_arena_free(arena);
	return err;
}

static void test_no_memory(void **unused)
{
	/* a lookup, a callback and a loop: r6 = 0; do call sub; while (++r6 < 4) */
	static const char row[] = "0\tx\t\t0:m:t1:k4:v8:n16:f0x0;1:i:t13:k4:v4:n1:f0x0:i1,8,24,9,0x0;\t"
				  "00000000000006b7" "000000000004100a" "0000000000001085"
				  "0000000100000607" "00000004fffc06a5"
				  "00000000000000b7" "0000000000000095"
				  "00000000000000b7" "0000000000000095";
	static const char good[] = "0\tx\t\t0:m:t1:k4:v8:n16:f0x0;1:i:t13:k4:v4:n1:f0x0:i1,8,24,9,0x0;\t"
				   "00000000000006b7" "0000000400001085"
				   "0000000100000607" "00000004fffd06a5"
				   "00000000000000b7" "0000000000000095"
				   "0000000000001018" "0000000000000000"
				   "00000000000000b7" "0000000000000095";
	unsigned int nr = 1;
	int err;

	(void)unused;
	/* an instruction that there is not, for the way of a refusal */
	assert_int_equal(verdict(row, 0), -EINVAL);
	err = verdict(good, 0);
	if (err)
		fail_msg("%d: %s", err, messages.text);
	while ((err = verdict(good, nr)) == -ENOMEM)
		nr++;
	assert_int_equal(err, 0);
	assert_true(nr > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
