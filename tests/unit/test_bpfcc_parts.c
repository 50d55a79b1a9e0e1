/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The small parts of bpfcc's front end: hash, arena, section names, disassembler, messages.
 */
#include "bpfcc_fixture.h"

#include "bpfcc/diag_print.h"
#include "bpfcc/disasm.h"
#include "bpfcc/section.h"
#include "bpfcc/sha256.h"

/* ---- SHA-256: NIST's examples and FIPS 180-4's million a ---- */

static void expect_digest(struct bpfcc_sha256 *h, const char *hex)
{
	uint8_t digest[BPFCC_SHA256_BYTES];
	char text[2 * BPFCC_SHA256_BYTES + 1];

	bpfcc_sha256_final(h, digest);
	for (int i = 0; i < BPFCC_SHA256_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	assert_string_equal(text, hex);
}

static void test_sha256(void **unused)
{
	static const struct {
		const char *text, *hex;
	} rows[] = {
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	};
	struct bpfcc_sha256 h;

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bpfcc_sha256_init(&h);
		bpfcc_sha256_update(&h, rows[i].text, strlen(rows[i].text));
		expect_digest(&h, rows[i].hex);
	}
	/* in pieces of all sizes around a block */
	bpfcc_sha256_init(&h);
	for (size_t left = 1000000, n = 1; left; left -= n, n = n % 130 + 1) {
		char as[130];

		n = n < left ? n : left;
		memset(as, 'a', n);
		bpfcc_sha256_update(&h, as, n);
	}
	expect_digest(&h, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* ---- arena ---- */

static void test_arena(void **unused)
{
	struct bpfcc_arena *arena = bpfcc_arena_new();
	char *small[1000], *large, *text;

	(void)unused;
	assert_non_null(arena);
	for (size_t i = 0; i < 1000; i++) {
		small[i] = bpfcc_arena_alloc(arena, i % 200);
		assert_non_null(small[i]);
		assert_int_equal((uintptr_t)small[i] % _Alignof(max_align_t), 0);
		for (size_t k = 0; k < i % 200; k++)
			assert_int_equal(small[i][k], 0);
		memset(small[i], (int)i, i % 200);
	}
	large = bpfcc_arena_alloc(arena, 1 << 20);
	assert_non_null(large);
	memset(large, 0xff, 1 << 20);
	for (size_t i = 0; i < 1000; i++)
		for (size_t k = 0; k < i % 200; k++)
			assert_int_equal(small[i][k], (char)i);
	text = bpfcc_arena_printf(arena, "%s-%d", "name", 7);
	assert_string_equal(text, "name-7");
	assert_string_equal(bpfcc_arena_strndup(arena, "abcdef", 3), "abc");
	assert_null(bpfcc_arena_array(arena, SIZE_MAX / 4, 8));
	assert_null(bpfcc_arena_alloc(arena, SIZE_MAX - 4));
	assert_non_null(bpfcc_arena_array(arena, 0, 8));
	bpfcc_arena_free(arena);
	bpfcc_arena_free(NULL);
}

/* Memory runs out at every single request: an error each time, and then none. */
static void test_no_memory(void **unused)
{
	struct inlay_bpfcc_opts opts = {.sz = sizeof(opts)};
	struct inlay_bpfcc_object *object = NULL;
	unsigned int nr = 0;
	size_t bytes;
	unsigned char *data = read_whole(BPFCC_PROBE, &bytes);
	int err;

	(void)unused;
	do {
		bpfcc_arena_fail_after(++nr);
		err = inlay_bpfcc_object_open("x.bpf.o", data, bytes, &opts, &object);
		bpfcc_arena_fail_after(0);
		if (err)
			assert_int_equal(err, -ENOMEM);
	} while (err && nr < 100000);
	assert_int_equal(err, 0);
	assert_true(nr > 100);
	inlay_bpfcc_object_free(object);
	free(data);
}

/* ---- section names ---- */

static void test_sections(void **unused)
{
	enum { E = INLAY_PROG_ENTRY, R = INLAY_PROG_RETURN, S = INLAY_PROG_SESSION,
	       U = INLAY_PROG_USDT };
	static const struct {
		const char *name;
		uint32_t kind;	/* 0: kernel-side */
		bool is_multi;
		const char *path, *function, *problem;
	} rows[] = {
		{"uprobe", E, false, NULL, NULL, NULL},
		{"uretprobe", R, false, NULL, NULL, NULL},
		{"uprobe.s", E, false, NULL, NULL, NULL},
		{"uretprobe.s/f", R, false, NULL, "f", NULL},
		{"uprobe/f", E, false, NULL, "f", NULL},
		{"uprobe/app:f", E, false, "app", "f", NULL},
		{"uprobe//usr/bin/app:f", E, false, "/usr/bin/app", "f", NULL},
		{"uprobe/libc.so.6:write", E, false, "libc.so.6", "write", NULL},
		{"uprobe/app:f+0x0", E, false, "app", "f", NULL},
		{"uprobe/app:f+0", E, false, "app", "f", NULL},
		{"uprobe/*:f", E, false, NULL, "f", NULL},
		{"uprobe//a:b/app:f", E, false, "/a:b/app", "f", NULL},
		{"uprobe.multi/app:f*", E, true, "app", "f*", NULL},
		{"uprobe.multi.s/app:f?", E, true, "app", "f?", NULL},
		{"uretprobe.multi/[ab]c", R, true, NULL, "[ab]c", NULL},
		{"uretprobe.multi.s", R, true, NULL, NULL, NULL},
		{"uprobe.session/app:f*", S, true, "app", "f*", NULL},
		{"uprobe.session.s", S, true, NULL, NULL, NULL},
		{"uprobe/_ZN1a1fEi", E, false, NULL, "_ZN1a1fEi", NULL},
		{"uprobe/tls.(*Conn).Write", E, false, NULL, "tls.(*Conn).Write", NULL},
		{"uprobe/app:f+8", E, false, NULL, NULL, "an offset inside"},
		{"uprobe/app:f+x", E, false, NULL, NULL, "not an offset"},
		{"uprobe/app:f+-0", E, false, NULL, NULL, "not an offset"},
		{"uprobe/app:f*", E, false, NULL, NULL, "uprobe.multi"},
		{"uprobe/", E, false, NULL, NULL, "nothing follows"},
		{"uprobe/app:", E, false, NULL, NULL, "no function"},
		{"uprobe/:f", E, false, NULL, NULL, "path"},
		{"uprobe/a::f", E, false, NULL, NULL, "mangled"},
		{"usdt/app:provider:name", U, false, "app", "provider:name", NULL},
		{"usdt//usr/lib/a.so:p:n", U, false, "/usr/lib/a.so", "p:n", NULL},
		{"usdt//a:b/app:p:n", U, false, "/a:b/app", "p:n", NULL},
		{"usdt/*:p:n", U, false, NULL, "p:n", NULL},
		{"usdt/p:n", U, false, NULL, "p:n", NULL},
		{"usdt.s", U, false, NULL, NULL, NULL},
		{"usdt/app:p:", U, false, NULL, NULL, "provider and name"},
		{"usdt/app::n", U, false, NULL, NULL, "provider and name"},
		{"usdt/:", U, false, NULL, NULL, "provider and name"},
		{"usdt/name", U, false, NULL, NULL, NULL},
		{"usdt/a/label", U, false, NULL, NULL, NULL},
		{"usdt/:p:n", U, false, NULL, NULL, "path"},
		{"usdt/app:p:*", U, false, NULL, NULL, "no pattern"},
		{"usdt/", U, false, NULL, NULL, "nothing follows"},
		{"usdtx", 0, false, NULL, NULL, NULL},
		{"uprobes", 0, false, NULL, NULL, NULL},
		{"uprobe.session.x", 0, false, NULL, NULL, NULL},
		{".s", 0, false, NULL, NULL, NULL},
		{"kprobe/f", 0, false, NULL, NULL, NULL},
		{"tracepoint/a/b", 0, false, NULL, NULL, NULL},
		{"tp_btf/x", 0, false, NULL, NULL, NULL},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bpfcc_arena *arena = bpfcc_arena_new();
		const char *problem = NULL;
		struct bpfcc_section s;
		int err = bpfcc_section_parse(arena, rows[i].name, &s, &problem);

		if ((err != 0) != (rows[i].problem != NULL))
			fail_msg("%s: %d %s", rows[i].name, err, problem ? problem : "");
		if (err) {
			assert_int_equal(err, -EINVAL);
			if (!strstr(problem, rows[i].problem))
				fail_msg("%s: \"%s\"", rows[i].name, problem);
		} else if (!rows[i].kind) {
			assert_int_equal(s.kind, BPFCC_SECTION_KERNEL);
		} else {
			assert_int_equal(s.kind, BPFCC_SECTION_PLACED);
			assert_int_equal(s.prog_kind, rows[i].kind);
			assert_int_equal(s.is_multi, rows[i].is_multi);
			if ((s.path == NULL) != (rows[i].path == NULL) ||
			    (s.path && strcmp(s.path, rows[i].path)))
				fail_msg("%s: path %s", rows[i].name, s.path);
			if ((s.function == NULL) != (rows[i].function == NULL) ||
			    (s.function && strcmp(s.function, rows[i].function)))
				fail_msg("%s: function %s", rows[i].name, s.function);
		}
		bpfcc_arena_free(arena);
	}
}

static void test_library_paths(void **unused)
{
	(void)unused;
	assert_true(bpfcc_path_is_library("libc.so.6"));
	assert_true(bpfcc_path_is_library("/usr/lib/libssl.so"));
	assert_true(bpfcc_path_is_library("/opt/plugin.so"));
	assert_true(bpfcc_path_is_library("libc"));
	assert_true(bpfcc_path_is_library("libstdc++"));
	assert_false(bpfcc_path_is_library("app"));
	assert_false(bpfcc_path_is_library("/usr/bin/libtool"));
	assert_false(bpfcc_path_is_library("bin/libtool"));
	assert_false(bpfcc_path_is_library("/srv/some.socket/app"));
	assert_false(bpfcc_path_is_library("libexec.sh"));
	assert_false(bpfcc_path_is_library("glib"));
}

/* ---- disassembler ---- */

static void test_disasm(void **unused)
{
	static const struct {
		struct bpf_insn insns[2];
		const char *text;
	} rows[] = {
		{{MOV64_IMM(R1, -5)}, "r1 = -5"},
		{{ALU32_REG(BPF_MOV, R1, R2)}, "w1 = w2"},
		{{INSN(BPF_ALU64 | BPF_MOV | BPF_X, 1, 2, 16, 0)}, "r1 = (s16)r2"},
		{{ALU64_IMM(BPF_ARSH, R3, 7)}, "r3 s>>= 7"},
		{{INSN(BPF_ALU | BPF_MOD | BPF_X, 3, 4, 1, 0)}, "w3 s%= w4"},
		{{INSN(BPF_ALU64 | BPF_NEG, 3, 0, 0, 0)}, "r3 = -r3"},
		{{INSN(BPF_ALU | BPF_END | BPF_TO_BE, 3, 0, 0, 32)}, "r3 = be32 r3"},
		{{INSN(BPF_ALU64 | BPF_END, 3, 0, 0, 16)}, "r3 = bswap16 r3"},
		{{LDX(BPF_W, R0, R1, 8)}, "r0 = *(u32 *)(r1 + 8)"},
		{{INSN(BPF_LDX | 0x80 | BPF_H, 0, 1, -8, 0)}, "r0 = *(s16 *)(r1 - 8)"},
		{{ST(BPF_B, R10, -1, 3)}, "*(u8 *)(r10 - 1) = 3"},
		{{STX(BPF_DW, R10, R6, -8)}, "*(u64 *)(r10 - 8) = r6"},
		{{ATOMIC(BPF_DW, BPF_ADD, R0, R1, 0)}, "lock *(u64 *)(r0 + 0) += r1"},
		{{ATOMIC(BPF_W, BPF_XOR | BPF_FETCH, R0, R1, 4)},
		 "w1 = atomic_fetch_xor(*(u32 *)(r0 + 4), w1)"},
		{{ATOMIC(BPF_DW, BPF_CMPXCHG, R2, R1, 0)}, "r0 = cmpxchg64(r2 +0, r0, r1)"},
		{{ATOMIC(BPF_H, 0x100, R2, R1, 2)}, "r2 = load_acquire(*(u16 *)(r1 + 2))"},
		{{GOTO(-3)}, "goto -3"},
		{{INSN(BPF_JMP32 | BPF_JA, 0, 0, 0, 70000)}, "gotol +70000"},
		{{INSN(BPF_JMP | 0xe0, 0, 0, -3, 0)}, "may_goto -3"},
		{{INSN(BPF_ALU64 | BPF_MOV | BPF_X, 1, 2, 1, 1 << 16)},
		 "r1 = addr_space_cast(r2, 1, 0)"},
		{{JMP_REG(BPF_JSLT, R1, R2, 4)}, "if r1 s< r2 goto +4"},
		{{INSN(BPF_JMP32 | BPF_JEQ | BPF_K, 1, 0, 2, 9)}, "if w1 == 9 goto +2"},
		{{CALL(1)}, "call bpf_map_lookup_elem#1"},
		{{CALL_KFUNC(1)}, "call bpf_session_cookie"},
		{{EXIT()}, "exit"},
		{{LDDW(R1, 0, 2, 1)}, "r1 = 0x100000002 ll"},
		{{LD_MAP(R1, 0)}, "r1 = map(counts) ll"},
		{{LD_VALUE(R1, 0, 24)}, "r1 = counts+24 ll"},
		{{LD_MAP(R1, 5)}, "r1 = map[5] ll"},
		{{INSN(0xff, 15, 15, -1, -1)}, "<ff ff ff ff ff ff ff ff>"},
	};
	struct bpfcc_map map = {.name = "counts"};
	struct bpfcc_object object = {.maps = &map, .nr_maps = 1};
	char text[64], tiny[8];

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bpfcc_func func = {.insns = rows[i].insns, .nr_insns = 2};

		assert_string_equal(bpfcc_disasm(&object, &func, 0, text, sizeof(text)),
				    rows[i].text);
		/* cut, terminated, nothing written behind */
		memset(tiny, 'x', sizeof(tiny));
		bpfcc_disasm(&object, &func, 0, tiny, 5);
		assert_int_equal(strncmp(tiny, rows[i].text, strlen(tiny)), 0);
		assert_in_range(strlen(tiny), 1, 4);
		assert_int_equal(tiny[5], 'x');
	}
	/* every opcode is shown, whatever it is */
	for (unsigned int code = 0; code < 256; code++) {
		struct bpf_insn insns[2] = {INSN(code, 1, 2, 3, 4)};
		struct bpfcc_func func = {.insns = insns, .nr_insns = 2};

		assert_true(strlen(bpfcc_disasm(NULL, &func, 0, text, sizeof(text))) > 0);
	}
}

/* ---- messages ---- */

static void expect_printed(const struct inlay_bpfcc_message *m, const char *expected)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);

	bpfcc_diag_print(out, false, m);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

static void test_messages(void **unused)
{
	struct inlay_bpfcc_message m = {.sz = sizeof(m), .severity = INLAY_BPFCC_ERROR, .insn = -1,
					.object = "a.bpf.o", .text = "wrong"};

	(void)unused;
	expect_printed(&m, "a.bpf.o: error: wrong\n");
	m.severity = INLAY_BPFCC_WARNING;
	m.section = "uprobe/f";
	m.program = "p";
	m.insn = 3;
	m.disasm = "exit";
	m.hint = "do right";
	expect_printed(&m, "a.bpf.o: warning: wrong\n"
			   "      = section \"uprobe/f\", program \"p\", instruction 3: exit\n"
			   "      = help: do right\n");
	m.file = "a.c";
	m.line = 12;
	m.source = "\treturn \033[31m0;";
	expect_printed(&m, "a.c:12: warning: wrong\n"
			   "   12 | return ?[31m0;\n"
			   "      = a.bpf.o: section \"uprobe/f\", program \"p\", instruction 3: exit\n"
			   "      = help: do right\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha256),	 cmocka_unit_test(test_arena),
		cmocka_unit_test(test_no_memory), cmocka_unit_test(test_sections),
		cmocka_unit_test(test_library_paths),
		cmocka_unit_test(test_disasm),	 cmocka_unit_test(test_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
