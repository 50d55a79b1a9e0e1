/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lowering by hand-made objects: subprograms, counting of runs, maps that are not constants,
 * maps without memory, what is emitted and what is refused. Code is run natively with stand-ins for
 * libinlay; what clang's code looks like is tested in tests/lit/import.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <llvm-c/Analysis.h>
#include <llvm-c/Core.h>

#include "bpfcc/ll/lower.h"
#include "lower_fixture.h"

#define H "1011121314151617"
#define TRIPLE "x86_64-pc-linux-gnu"
#define LAYOUT "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"
#define PROG(fx, name, insns) lower_fixture_prog(fx, name, insns, sizeof(insns) / sizeof(insns[0]))
#define FUNC(fx, name, insns, nr_args)                                                             \
	lower_fixture_func(fx, name, insns, sizeof(insns) / sizeof(insns[0]), nr_args)

/* What code of ours refers to, in C; the huge map's base stays NULL until set_base() is called. */
static const char stand_ins[] =
    "#include \"inlay/abi.h\"\n"
    "void __inlay_rt_start_v1(void) {}\n"
    "char clock_[4096] __asm__(\"__inlay_clock_v1\");\n"
    "static long now = 1000;\n"
    "long __inlay_clock_slow_v1(void) { return now += 7; }\n"
    "void *__inlay_map_lookup_elem_v1(const struct inlay_map_desc *d, const void *key)\n"
    "{ return (char *)d->region + *(const unsigned *)key * d->value_stride; }\n"
    "extern const struct inlay_object_desc object_ __asm__(\"__inlay_object_" H "\")\n"
    "	__attribute__((weak, visibility(\"hidden\")));\n"
    "const struct inlay_object_desc *get_object(void) { return &object_; }\n";

struct native {
	char dir[64];
	void *library;
	const struct inlay_object_desc *object;
};

static void write_text(const char *dir, const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void native_open(struct native *n, struct lower_fixture *fx)
{
	const struct inlay_object_desc *(*get_object)(void);
	char path[256], command[1024];

	strcpy(n->dir, "/tmp/inlay-test-lower-XXXXXX");
	assert_non_null(mkdtemp(n->dir));
	snprintf(path, sizeof(path), "%s/x.o", n->dir);
	if (inlay_bpfcc_object_emit(&fx->handle, INLAY_BPFCC_OBJ, path))
		fail_msg("emit: %s", fx->last_error);
	write_text(n->dir, "stand_ins.c", stand_ins);
	snprintf(command, sizeof(command),
		 "%s -shared -fPIC -Wl,-z,defs -I" INLAY_TEST_SOURCE "/include -o %s/x.so %s/x.o "
		 "%s/stand_ins.c",
		 INLAY_TEST_CLANG, n->dir, n->dir, n->dir);
	assert_int_equal(system(command), 0);
	snprintf(path, sizeof(path), "%s/x.so", n->dir);
	n->library = dlopen(path, RTLD_NOW);
	if (!n->library)
		fail_msg("%s", dlerror());
	get_object = (const struct inlay_object_desc *(*)(void))dlsym(n->library, "get_object");
	assert_non_null(get_object);
	n->object = get_object();
}

static void native_close(struct native *n)
{
	char command[128];

	dlclose(n->library);
	snprintf(command, sizeof(command), "rm -r %s", n->dir);
	assert_int_equal(system(command), 0);
}

static uint64_t native_run(struct native *n, const char *program, struct inlay_frame *frame)
{
	char symbol[128];
	uint64_t (*fn)(struct inlay_frame *);

	snprintf(symbol, sizeof(symbol), "__inlay_prog_" H "_%s", program);
	fn = (uint64_t(*)(struct inlay_frame *))dlsym(n->library, symbol);
	assert_non_null(fn);
	return fn(frame);
}

static LLVMModuleRef lower(struct lower_fixture *fx, LLVMContextRef context,
			   enum bpfcc_lower_mode mode)
{
	LLVMModuleRef module;

	if (bpfcc_lower(&fx->handle, context, TRIPLE, LAYOUT, mode, &module))
		fail_msg("bpfcc_lower: %s", fx->last_error);
	return module;
}

/* A subprogram gets numbers and a pointer to its caller's stack, which it changes. */
static void test_subprogram(void **state)
{
	struct bpf_insn prog[] = {
	    LOAD(BPF_DW, 1, 1, 112), /* di */
	    STORE_IMM(BPF_DW, 10, -8, 40), MOV64_REG(2, 10),	     ADD64_IMM(2, -8), CALL_SUB(1),
	    LOAD(BPF_DW, 1, 10, -8),	   ALU64_REG(BPF_ADD, 0, 1), EXIT(),
	};
	struct bpf_insn sub[] = {
	    /* *r2 += 2; its own stack must not be the caller's */
	    STORE_IMM(BPF_DW, 10, -8, 99),
	    LOAD(BPF_DW, 3, 2, 0),
	    ADD64_IMM(3, 2),
	    STORE(BPF_DW, 2, 3, 0),
	    MOV64_REG(0, 1),
	    ALU64_IMM(BPF_MUL, 0, 1000),
	    EXIT(),
	};
	struct inlay_frame frame = {.regs.di = 5};
	struct lower_fixture fx;
	struct native n;

	(void)state;
	lower_fixture_init(&fx, "t");
	PROG(&fx, "main", prog);
	FUNC(&fx, "add", sub, 2);
	native_open(&n, &fx);
	assert_int_equal(native_run(&n, "main", &frame), 5042);
	native_close(&n);
	lower_fixture_fini(&fx);
}

static void test_stats(void **state)
{
	struct bpf_insn prog[] = {MOV64_IMM(0, 3), EXIT()};
	struct inlay_frame frame = {0};
	struct lower_fixture fx;
	struct native n;

	(void)state;
	lower_fixture_init(&fx, "t");
	fx.handle.opts.stats = true;
	PROG(&fx, "a", prog);
	PROG(&fx, "b", prog);
	native_open(&n, &fx);
	for (int i = 0; i < 10; i++)
		assert_int_equal(native_run(&n, "b", &frame), 3);
	assert_int_equal(n.object->ctl[0].runs, 0);
	assert_int_equal(n.object->ctl[1].runs, 10);
	assert_int_equal(n.object->ctl[1].time_ns, 70);
	assert_int_equal(n.object->progs[1].flags, INLAY_PROG_F_STATS);
	native_close(&n);
	lower_fixture_fini(&fx);
}

/* One lookup of either of two maps: the generic body, with the descriptor that was chosen. */
static void test_variable_map(void **state)
{
	struct bpf_insn prog[] = {
	    LOAD(BPF_DW, 6, 1, 112),
	    STORE_IMM(BPF_W, 10, -4, 2),
	    MOV64_REG(2, 10),
	    ADD64_IMM(2, -4),
	    LDDW_MAP(1, 0),
	    JUMP_IMM(BPF_JEQ, 6, 0, 2),
	    LDDW_MAP(1, 1),
	    CALL(BPF_FUNC_map_lookup_elem),
	    JUMP_IMM(BPF_JEQ, 0, 0, 3),
	    LOAD(BPF_W, 1, 0, 4),
	    ADD64_IMM(1, 1),
	    STORE(BPF_W, 0, 1, 4),
	    MOV64_IMM(0, 0),
	    EXIT(),
	};
	struct inlay_frame frame = {0};
	struct lower_fixture fx;
	const uint32_t *values;
	struct native n;

	(void)state;
	lower_fixture_init(&fx, "t");
	lower_fixture_map(&fx, "first", INLAY_MAP_TYPE_ARRAY, 4, 8, 4);
	lower_fixture_map(&fx, "second", INLAY_MAP_TYPE_ARRAY, 4, 12, 4);
	PROG(&fx, "p", prog);
	native_open(&n, &fx);
	native_run(&n, "p", &frame);
	frame.regs.di = 1;
	native_run(&n, "p", &frame);
	native_run(&n, "p", &frame);
	values = n.object->maps[0]->region;
	assert_int_equal(values[2 * 2 + 1], 1);
	values = n.object->maps[1]->region;
	assert_int_equal(n.object->maps[1]->value_stride, 16);
	assert_int_equal(values[2 * 4 + 1], 2);
	native_close(&n);
	lower_fixture_fini(&fx);
}

/* Variables above 1 MiB: a hit is a miss until the slot holds an address. */
static void test_huge_globals(void **state)
{
	struct bpf_insn prog[] = {
	    LDDW_VALUE(1, 0, 0x180000),
	    MOV64_IMM(2, 1),
	    INSN(BPF_STX | BPF_DW | BPF_ATOMIC, 1, 2, 0, BPF_ADD),
	    MOV64_IMM(0, 9),
	    EXIT(),
	};
	struct inlay_frame frame = {0};
	struct lower_fixture fx;
	struct native n;
	uint64_t *memory = calloc(1, 2 << 20);

	(void)state;
	lower_fixture_init(&fx, "t");
	lower_fixture_map(&fx, ".bss", INLAY_MAP_TYPE_ARRAY, 4, 2 << 20, 1);
	fx.maps[0].flags = INLAY_MAP_GLOBAL;
	PROG(&fx, "p", prog);
	native_open(&n, &fx);
	assert_int_equal(n.object->maps[0]->flags, INLAY_MAP_GLOBAL | INLAY_MAP_HUGE);
	assert_null(n.object->maps[0]->region);
	assert_int_equal(native_run(&n, "p", &frame), 0);
	assert_int_equal(n.object->ctl[0].misses, 1);
	*n.object->maps[0]->base = memory;
	assert_int_equal(native_run(&n, "p", &frame), 9);
	assert_int_equal(n.object->ctl[0].misses, 1);
	assert_int_equal(memory[0x180000 / 8], 1);
	native_close(&n);
	free(memory);

	fx.maps[0].data = "\1";
	fx.maps[0].value_size = 1;
	fx.maps[0].max_entries = 1 << 20;
	assert_int_equal(inlay_bpfcc_object_emit(&fx.handle, INLAY_BPFCC_OBJ, "/dev/null"),
			 -EINVAL);
	assert_non_null(strstr(fx.last_error, "initial values"));
	lower_fixture_fini(&fx);
}

/* Descriptors as include/inlay/abi.h lays them out, read by C code that was linked with them. */
static void test_descriptors(void **state)
{
	static const char data[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
	struct bpf_insn prog[] = {MOV64_IMM(0, 0), EXIT()};
	const struct inlay_map_desc *const *maps;
	struct bpfcc_prog *p;
	struct lower_fixture fx;
	struct native n;

	(void)state;
	lower_fixture_init(&fx, "probes");
	fx.handle.data.btf_data = "BTF bytes";
	fx.handle.data.btf_bytes = 9;
	lower_fixture_map(&fx, "hash", INLAY_MAP_TYPE_HASH, 5, 20, 100);
	lower_fixture_map(&fx, "per.cpu", INLAY_MAP_TYPE_PERCPU_ARRAY, 4, 8, 7);
	lower_fixture_map(&fx, ".data", INLAY_MAP_TYPE_ARRAY, 4, sizeof(data), 1);
	lower_fixture_map(&fx, ".rodata", INLAY_MAP_TYPE_ARRAY, 4, sizeof(data), 1);
	fx.maps[0].map_flags = 1;
	fx.maps[0].btf_key_type_id = 3;
	fx.maps[0].btf_value_type_id = 4;
	fx.maps[2].flags = INLAY_MAP_GLOBAL;
	fx.maps[3].flags = INLAY_MAP_GLOBAL | INLAY_MAP_RODATA;
	fx.maps[2].data = fx.maps[3].data = data;
	p = PROG(&fx, "p", prog);
	p->section = "uprobe/redis-server:call";
	p->path = "redis-server";
	p->flags = BPFCC_PROG_SWITCHED | BPFCC_PROG_SWITCHED_ON;
	PROG(&fx, "q", prog)->kind = INLAY_PROG_SESSION;
	native_open(&n, &fx);

	assert_int_equal(n.object->desc_bytes, sizeof(*n.object));
	assert_int_equal(n.object->abi_major, INLAY_ABI_MAJOR);
	assert_memory_equal(n.object->hash, fx.handle.data.hash, INLAY_HASH_BYTES);
	assert_string_equal(n.object->name, "probes");
	assert_string_equal(n.object->license, "GPL");
	assert_int_equal(n.object->nr_maps, 4);
	assert_int_equal(n.object->nr_progs, 2);
	assert_int_equal(n.object->ctl_bytes, INLAY_PAGE_BYTES);
	assert_int_equal((uintptr_t)n.object->ctl % INLAY_PAGE_BYTES, 0);
	assert_memory_equal(n.object->btf, "BTF bytes", 9);
	assert_int_equal(n.object->btf_bytes, 9);
	assert_non_null(n.object->runtime);
	assert_int_equal(n.object->gates[0] | n.object->gates[1], 0);

	assert_string_equal(n.object->progs[0].section, "uprobe/redis-server:call");
	assert_string_equal(n.object->progs[0].path, "redis-server");
	assert_int_equal(n.object->progs[0].flags,
			 INLAY_PROG_F_PATH | INLAY_PROG_F_SWITCHED | INLAY_PROG_F_SWITCHED_ON);
	assert_null(n.object->progs[1].path);
	assert_int_equal(n.object->progs[1].kind, INLAY_PROG_SESSION);

	maps = n.object->maps;
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(maps[i]->desc_bytes, sizeof(struct inlay_map_desc));
		assert_int_equal(maps[i]->index, i);
		assert_string_equal(maps[i]->name, fx.maps[i].name);
		assert_ptr_equal(maps[i]->object, n.object);
	}
	assert_int_equal(maps[0]->value_stride, 24);
	assert_int_equal(maps[0]->map_flags, 1);
	assert_int_equal(maps[0]->btf_key_type_id, 3);
	assert_int_equal(maps[0]->btf_value_type_id, 4);
	assert_int_equal(maps[0]->region_bytes, inlay_map_region_bytes(1, 5, 20, 100));
	assert_int_equal((uintptr_t)maps[0]->region % INLAY_PAGE_BYTES, 0);
	assert_null(maps[1]->region);
	assert_int_equal(maps[1]->shard_bytes, 56);
	assert_null(*maps[1]->shard_slot());
	*maps[1]->shard_slot() = (char *)1;
	assert_ptr_equal(*maps[1]->shard_slot(), (char *)1);
	assert_memory_equal(maps[2]->region, data, sizeof(data));
	assert_int_equal((uintptr_t)maps[2]->region % INLAY_PAGE_BYTES, 0);
	*(char *)maps[2]->region = 77; /* .data can be written */
	assert_memory_equal(maps[3]->region, data, sizeof(data));
	native_close(&n);
	lower_fixture_fini(&fx);
}

static void test_import_mode(void **state)
{
	struct bpf_insn prog[] = {LOAD(BPF_DW, 0, 1, 112), LOAD(BPF_W, 2, 1, 104),
				  ALU64_REG(BPF_ADD, 0, 2), EXIT()};
	LLVMContextRef context = LLVMContextCreate();
	struct lower_fixture fx;
	LLVMModuleRef module;
	LLVMValueRef v_fn;
	const char *symbol;
	size_t len;

	(void)state;
	lower_fixture_init(&fx, "t");
	PROG(&fx, "p", prog);
	module = lower(&fx, context, BPFCC_LOWER_IMPORT);
	symbol = bpfcc_prog_symbol(&fx.handle, &fx.progs[0]);
	assert_string_equal(symbol, "__inlay_prog_" H "_p");
	v_fn = LLVMGetNamedFunction(module, symbol);
	assert_non_null(v_fn);
	assert_int_equal(LLVMGetLinkage(v_fn), LLVMAvailableExternallyLinkage);
	assert_non_null(LLVMGetEnumAttributeAtIndex(
	    v_fn, LLVMAttributeFunctionIndex, LLVMGetEnumAttributeKindForName("alwaysinline", 12)));
	assert_null(
	    LLVMGetStringAttributeAtIndex(v_fn, LLVMAttributeFunctionIndex, "target-features", 15));
	LLVMDisposeModuleFlagsMetadata(LLVMCopyModuleFlagsMetadata(module, &len));
	assert_int_equal(len, 0);
	assert_null(LLVMGetNamedMetadata(module, "llvm.ident", 10));

	LLVMDisposeModule(module);
	LLVMContextDispose(context);
	lower_fixture_fini(&fx);
}

static char *read_whole(const char *path, size_t *ret_bytes)
{
	FILE *file = fopen(path, "r");
	char *data = malloc(1 << 20);

	assert_non_null(file);
	assert_non_null(data);
	*ret_bytes = fread(data, 1, 1 << 20, file);
	fclose(file);
	return data;
}

static void test_reproducible(void **state)
{
	struct bpf_insn prog[] = {CALL(BPF_FUNC_ktime_get_ns), EXIT()};
	char dir[] = "/tmp/inlay-test-lower-XXXXXX", one[128], two[128], command[256];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(one, sizeof(one), "%s/one", dir);
	snprintf(two, sizeof(two), "%s/two", dir);
	for (int output = INLAY_BPFCC_OBJ; output <= INLAY_BPFCC_LL; output++) {
		size_t one_bytes, two_bytes;
		char *one_data, *two_data;

		for (int i = 0; i < 2; i++) {
			struct lower_fixture fx;

			lower_fixture_init(&fx, "t");
			lower_fixture_map(&fx, "m", INLAY_MAP_TYPE_PERCPU_HASH, 4, 8, 7);
			PROG(&fx, "p", prog);
			assert_int_equal(inlay_bpfcc_object_emit(&fx.handle,
								 (enum inlay_bpfcc_output)output,
								 i ? two : one),
					 0);
			lower_fixture_fini(&fx);
		}
		one_data = read_whole(one, &one_bytes);
		two_data = read_whole(two, &two_bytes);
		assert_true(one_bytes > 100);
		assert_int_equal(one_bytes, two_bytes);
		assert_memory_equal(one_data, two_data, one_bytes);
		free(one_data);
		free(two_data);
	}
	/* nothing else is left behind: rmdir fails if it is */
	snprintf(command, sizeof(command), "rm %s %s && rmdir %s", one, two, dir);
	assert_int_equal(system(command), 0);
}

/* A link stays a link; what only leads to a file, such as /dev/stdout, is not replaced by one. */
static void test_output_names(void **state)
{
	struct bpf_insn prog[] = {MOV64_IMM(0, 0), EXIT()};
	char dir[] = "/tmp/inlay-test-lower-XXXXXX", file[128], link[128], fd_name[64];
	struct lower_fixture fx;
	struct stat st;
	size_t bytes;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/file", dir);
	snprintf(link, sizeof(link), "%s/link", dir);
	lower_fixture_init(&fx, "t");
	PROG(&fx, "p", prog);
	write_text(dir, "file", "old");
	assert_int_equal(symlink("file", link), 0);
	assert_int_equal(inlay_bpfcc_object_emit(&fx.handle, INLAY_BPFCC_OBJ, link), 0);
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	free(read_whole(file, &bytes));
	assert_true(bytes > 100);

	fd = open(file, O_WRONLY | O_TRUNC);
	assert_true(fd >= 0);
	snprintf(fd_name, sizeof(fd_name), "/proc/self/fd/%d", fd);
	assert_int_equal(inlay_bpfcc_object_emit(&fx.handle, INLAY_BPFCC_OBJ, fd_name), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, bytes);
	close(fd);
	unlink(link);
	unlink(file);
	assert_int_equal(rmdir(dir), 0);
	lower_fixture_fini(&fx);
}

static void emit_refused(struct lower_fixture *fx, const char *path, const char *expected)
{
	fx->last_error[0] = '\0';
	assert_int_not_equal(inlay_bpfcc_object_emit(&fx->handle, INLAY_BPFCC_OBJ, path), 0);
	if (!strstr(fx->last_error, expected))
		fail_msg("expected '%s' in '%s'", expected, fx->last_error);
}

static void test_refusals(void **state)
{
	struct bpf_insn prog[] = {MOV64_IMM(0, 0), EXIT()};
	struct bpf_insn func_address[] = {LDDW(1, BPF_PSEUDO_FUNC, 9, 0), MOV64_IMM(0, 0), EXIT()};
	struct bpf_insn helper[] = {CALL(9999), EXIT()};
	struct lower_fixture fx;

	(void)state;
	lower_fixture_init(&fx, "t");
	PROG(&fx, "p", prog);
	emit_refused(&fx, "/no/such/directory/x.o", "/no/such/directory/x.o");
	emit_refused(&fx, "/dev/full", "No space left");
	emit_refused(&fx, "/tmp", "cannot write");
	fx.handle.opts.target = "no-such-machine";
	emit_refused(&fx, "/dev/null", "unknown target");
	fx.handle.opts.target = "riscv64-linux-gnu";
	emit_refused(&fx, "/dev/null", "riscv64");
	fx.handle.opts.target = NULL;
	PROG(&fx, "f", func_address);
	emit_refused(&fx, "/dev/null", "reference to function 9");
	fx.progs[1].func = FUNC(&fx, "h", helper, 1);
	emit_refused(&fx, "/dev/null", "unknown helper 9999");
	lower_fixture_fini(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_subprogram),	 cmocka_unit_test(test_stats),
	    cmocka_unit_test(test_variable_map), cmocka_unit_test(test_huge_globals),
	    cmocka_unit_test(test_descriptors),	 cmocka_unit_test(test_import_mode),
	    cmocka_unit_test(test_reproducible), cmocka_unit_test(test_output_names),
	    cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests_name("lower", tests, NULL, NULL);
}
