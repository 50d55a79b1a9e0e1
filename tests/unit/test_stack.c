/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_get_stack() and bpf_get_stackid() on stacks that the test makes: chains of frame records that
 * end, that are broken in every way, or that have no end; with flags right and wrong; from signal
 * handlers; and in maps that are full, shared by threads, or somebody else's to write.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "skip.h"

#include <linux/bpf.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "read_fixture.h"
#include "rt/build_ids.h"
#include "rt/stack.h"

enum { WORDS = 2 * PAGE / 8 };

#define USER BPF_F_USER_STACK

/* `nr` records in the readable pages, from word `at` on; the last one leads to `end`. */
static uint64_t make_chain(unsigned int at, unsigned int nr, uint64_t first_ret, uint64_t end)
{
	uint64_t *words = (uint64_t *)(void *)pages;

	for (unsigned int i = 0; i < nr; i++, at += 4) {
		assert_true(at + 2 <= WORDS);
		words[at] = i + 1 < nr ? (uint64_t)&words[at + 4] : end;
		words[at + 1] = first_ret + i;
	}
	return (uint64_t)&words[at - 4 * nr];
}

static int64_t get_stack(void *dst, uint64_t bytes, uint64_t flags, uint64_t fp)
{
	return __inlay_get_stack_v1(dst, bytes, flags, 0, 0, fp);
}

static void test_chain(void **state)
{
	uint64_t ips[10], fp = make_chain(0, 3, 0x1000, 0);

	(void)state;
	memset(ips, 0x55, sizeof(ips));
	assert_int_equal(get_stack(ips, sizeof(ips), USER, fp), 24);
	assert_int_equal(ips[0], 0x1000);
	assert_int_equal(ips[2], 0x1002);
	for (int i = 3; i < 10; i++)
		assert_int_equal(ips[i], 0);
	/* what stands before the records */
	assert_int_equal(__inlay_get_stack_v1(ips, sizeof(ips), USER, 7, 8, fp), 40);
	assert_int_equal(ips[0], 7);
	assert_int_equal(ips[1], 8);
	assert_int_equal(ips[2], 0x1000);
	/* nothing behind the end is written, nor more than there is room for */
	memset(ips, 0x55, sizeof(ips));
	assert_int_equal(get_stack(ips, 16, USER, fp), 16);
	assert_int_equal(ips[1], 0x1001);
	assert_int_equal(ips[2], 0x5555555555555555);
	assert_int_equal(get_stack(ips, 16, USER | 2, fp), 8);
	assert_int_equal(ips[0], 0x1002);
	assert_int_equal(ips[1], 0);
	/* to any place: programs have bytes */
	assert_int_equal(get_stack((char *)ips + 3, 24, USER, fp), 24);
	assert_int_equal(((unsigned char *)ips)[4], 0x10);
}

static void test_flags(void **state)
{
	static const struct {
		uint64_t flags, bytes;
		int64_t ret;
	} rows[] = {
		{ USER, 48, 24 },
		{ 0, 48, 0 },
		{ 1, 48, -EFAULT },
		{ USER | 3, 48, 0 },
		{ USER | 4, 48, -EFAULT },
		{ USER | 255, 48, -EFAULT },
		{ USER | 2, 8, 8 },
		{ USER, 0, 0 },
		{ USER, 12, -EINVAL },
		{ USER | BPF_F_FAST_STACK_CMP, 48, -EINVAL },
		{ USER | BPF_F_REUSE_STACKID, 48, -EINVAL },
		{ USER | 1ull << 40, 48, -EINVAL },
		{ BPF_F_USER_BUILD_ID, 64, -EINVAL },
		{ USER | BPF_F_USER_BUILD_ID, 48, -EINVAL },
		{ USER | BPF_F_USER_BUILD_ID, 64, 64 },
		{ USER | BPF_F_USER_BUILD_ID, 128, 96 },
		{ USER, 48 | 1ull << 32, 24 },	/* a size has 32 bits */
	};
	uint64_t fp = make_chain(0, 3, 0x1000, 0);

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned char buf[160], bytes = (unsigned char)rows[i].bytes;

		memset(buf, 0x55, sizeof(buf));
		assert_int_equal(get_stack(buf, rows[i].bytes, rows[i].flags, fp), rows[i].ret);
		for (unsigned int k = rows[i].ret > 0 ? (unsigned int)rows[i].ret : 0; k < bytes; k++)
			assert_int_equal(buf[k], 0);
		assert_int_equal(buf[bytes], 0x55);
	}
}

static void test_build_ids(void **state)
{
	uint64_t fp = make_chain(0, 2, 0x1000, 0);
	struct bpf_stack_build_id ids[3];

	(void)state;
	memset(ids, 0x55, sizeof(ids));
	assert_int_equal(get_stack(ids, sizeof(ids), USER | BPF_F_USER_BUILD_ID | 1, fp), 32);
	assert_int_equal(ids[0].status, BPF_STACK_BUILD_ID_IP);
	assert_int_equal(ids[0].ip, 0x1001);
	for (unsigned int i = 0; i < sizeof(ids[0].build_id); i++)
		assert_int_equal(ids[0].build_id[i], 0);
	assert_int_equal(ids[1].status, BPF_STACK_BUILD_ID_EMPTY);
	assert_int_equal(ids[1].ip, 0);
}

static void test_broken_chains(void **state)
{
	uint64_t ips[140], *words = (uint64_t *)(void *)pages, fp;
	const uint64_t ends[] = { 0, 1, 8, 4095, NON_CANONICAL, NON_CANONICAL - 16,
				  0x7ffffffff000ull - 8, 0xffff888000000000ull, ~0ull, ~7ull,
				  (uint64_t)bad, (uint64_t)bad + PAGE - 8 };

	(void)state;
	for (unsigned int i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		/* at once, and after two good records */
		assert_int_equal(get_stack(ips, sizeof(ips), USER, ends[i]), 0);
		fp = make_chain(0, 2, 0x1000, ends[i]);
		assert_int_equal(get_stack(ips, sizeof(ips), USER, fp), 16);
		assert_int_equal(ips[1], 0x1001);
	}
	/* the end of what is readable is in the middle of a record */
	fp = make_chain(0, 2, 0x1000, (uint64_t)(bad - 8));
	assert_int_equal(get_stack(ips, sizeof(ips), USER, fp), 16);
	assert_int_equal(get_stack(ips, sizeof(ips), USER, (uint64_t)(bad - 1)), 0);
	/* round and round: as deep as kernels go, on x86-64 */
#if defined(__x86_64__)
	words[0] = (uint64_t)words;
	words[1] = 0x1234;
	assert_int_equal(get_stack(ips, sizeof(ips), USER, (uint64_t)words), 127 * 8);
	assert_int_equal(ips[126], 0x1234);
	assert_int_equal(ips[127], 0);
	assert_int_equal(get_stack(ips, sizeof(ips), USER | 255, (uint64_t)words), -EFAULT);
	assert_int_equal(get_stack(ips, sizeof(ips), USER | 127, (uint64_t)words), 0);
	assert_int_equal(get_stack(ips, sizeof(ips), USER | 126, (uint64_t)words), 8);
#else
	words[0] = (uint64_t)words;
	assert_int_equal(get_stack(ips, sizeof(ips), USER, (uint64_t)words), 8);
#endif
}

static void test_random_words(void **state)
{
	uint64_t *words = (uint64_t *)(void *)pages, ips[140];

	(void)state;
	srandom(1);
	for (unsigned int round = 0; round < 300; round++) {
		for (unsigned int i = 0; i < WORDS; i++)
			words[i] = random() % 4 ? (uint64_t)(pages + random() % (3 * PAGE)) :
						  (uint64_t)random() << (random() % 40);
		for (unsigned int i = 0; i < 8; i++) {
			uint64_t fp = (uint64_t)(pages + random() % (3 * PAGE));
			int64_t n = get_stack(ips, sizeof(ips), USER, fp);

			assert_true(n >= 0 && n <= 127 * 8 && n % 8 == 0);
		}
	}
}

/* ---- in signal handlers ---- */

static volatile int64_t handler_result;
static uint64_t handler_fp;

static void on_signal(int sig)
{
	uint64_t ips[8];

	(void)sig;
	handler_result = get_stack(ips, sizeof(ips), USER, handler_fp);
}

/* On an alternate stack, with a chain that ends in memory that cannot be read. */
static int signal_on_alternate_stack(void)
{
	static char room[64 << 10];
	stack_t stack = { .ss_sp = room, .ss_size = sizeof(room) };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK };

	CHECK(!sigaltstack(&stack, NULL));
	CHECK(!sigaction(SIGUSR1, &action, NULL));
	handler_fp = make_chain(0, 3, 0x1000, (uint64_t)bad);
	raise(SIGUSR1);
	CHECK(handler_result == 24);
	/* also where the target blocks everything */
	sigfillset(&action.sa_mask);
	CHECK(!sigaction(SIGUSR1, &action, NULL));
	handler_result = 0;
	raise(SIGUSR1);
	CHECK(handler_result == 24);
	return 0;
}

/* The target's own handler of SIGSEGV does not see what a walk runs into. */
static volatile int nr_seen;

static void on_segv(int sig)
{
	(void)sig;
	nr_seen++;
	_exit(99);
}

static int target_handles_segv(void)
{
	struct sigaction action = { .sa_handler = on_segv };
	uint64_t ips[8];

	CHECK(!sigaction(SIGSEGV, &action, NULL));
	CHECK(get_stack(ips, sizeof(ips), USER, make_chain(0, 2, 1, (uint64_t)bad)) == 16);
	CHECK(!nr_seen);
	return 0;
}

static void test_signals(void **state)
{
	static const struct child_case cases[] = {
		{ "alternate stack", signal_on_alternate_stack, 0 },
		{ "the target handles SIGSEGV", target_handles_segv, 0 },
	};

	(void)state;
	children_run(cases, sizeof(cases) / sizeof(cases[0]));
}

/* ---- ids ---- */

struct map {
	struct inlay_map_desc desc;
	char *region;
};

static void map_init(struct map *map, uint32_t value_size, uint32_t max_entries, uint32_t map_flags)
{
	uint64_t bytes = inlay_map_region_bytes(INLAY_MAP_TYPE_STACK_TRACE, 4, value_size, max_entries);

	map->region = mmap(NULL, bytes + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			   0);
	assert_true(map->region != MAP_FAILED);
	assert_int_equal(mprotect(map->region + bytes, PAGE, PROT_NONE), 0);
	map->desc = (struct inlay_map_desc){
		.desc_bytes = sizeof(map->desc),
		.type = INLAY_MAP_TYPE_STACK_TRACE,
		.key_size = 4,
		.value_size = value_size,
		.value_stride = value_size,
		.max_entries = max_entries,
		.map_flags = map_flags,
		.flags = INLAY_MAP_HASH,
		.region_bytes = bytes,
		.region = map->region,
	};
}

static void map_fini(struct map *map)
{
	munmap(map->region, map->desc.region_bytes + PAGE);
}

static int64_t get_id(const struct map *map, uint64_t flags, uint64_t first, uint64_t fp)
{
	return __inlay_get_stackid_v1(&map->desc, flags, first, 0, fp);
}

static void test_ids(void **state)
{
	uint64_t fp = make_chain(0, 3, 0x1000, 0);
	struct map map;
	int64_t id;

	(void)state;
	map_init(&map, 8 * 8, 256, 0);
	id = get_id(&map, USER, 5, fp);
	assert_in_range(id, 0, 255);
	assert_int_equal(get_id(&map, USER, 5, fp), id);
	assert_int_equal(get_id(&map, USER | BPF_F_FAST_STACK_CMP, 5, fp), id);
	assert_int_equal(get_id(&map, USER | BPF_F_REUSE_STACKID, 5, fp), id);
	assert_int_equal(get_id(&map, 0, 5, fp), -EFAULT);
	assert_int_equal(get_id(&map, USER | 4, 5, fp), -EFAULT);
	assert_true(get_id(&map, USER | 3, 5, fp) >= 0);
	assert_int_equal(get_id(&map, USER, 0, 0), -EFAULT);
	assert_int_equal(get_id(&map, USER | BPF_F_USER_BUILD_ID, 5, fp), -EINVAL);
	assert_int_equal(get_id(&map, USER | 1ull << 33, 5, fp), -EINVAL);
	map_fini(&map);
}

/* lookup3's hash of these words, as Linux's jhash2() gives it */
static void test_id_is_jhash2(void **state)
{
	static const struct {
		uint64_t ips[4];
		uint32_t nr, hash;
	} rows[] = {
		{ { 0x401000 }, 1,0x5a83e893 },
		{ { 0x401000, 0x7f0012345678 }, 2,0x142f1b85 },
		{ { 1, 2, 3 }, 3,0xb273a143 },
		{ { 0x401000, 0x401020, 0x401040, 0x7fffdeadbeef }, 4,0x7a928348 },
	};
	struct map map;

	(void)state;
	map_init(&map, 8 * 4, 1u << 30 >> 14, 0);
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t *words = (uint64_t *)(void *)pages, fp = make_chain(0, rows[i].nr, 0, 0);

		for (unsigned int k = 0; k < rows[i].nr; k++)
			words[4 * k + 1] = rows[i].ips[k];
		assert_int_equal(get_id(&map, USER, 0, fp), rows[i].hash & 0xffff);
	}
	map_fini(&map);
}

static void test_one_bucket(void **state)
{
	uint64_t fp = make_chain(0, 3, 0x1000, 0);
	struct map map;

	(void)state;
	map_init(&map, 8 * 2, 1, 0);
	assert_int_equal(get_id(&map, USER, 1, fp), 0);
	assert_int_equal(get_id(&map, USER, 1, fp), 0);
	assert_int_equal(get_id(&map, USER, 2, fp), -EEXIST);
	/* what does not fit into a value makes no difference */
	make_chain(0, 2, 0x1000, 0);
	assert_int_equal(get_id(&map, USER, 1, fp), 0);
	assert_int_equal(get_id(&map, USER | BPF_F_REUSE_STACKID, 2, fp), 0);
	assert_int_equal(get_id(&map, USER, 2, fp), 0);
	assert_int_equal(get_id(&map, USER, 1, fp), -EEXIST);
	/* a shorter stack is another one than the same with a zero behind it */
	assert_int_equal(get_id(&map, USER | BPF_F_REUSE_STACKID, 3, 0), 0);
	assert_int_equal(get_id(&map, USER, 3, fp), -EEXIST);
	assert_int_equal(get_id(&map, USER, 3, 0), 0);
	map_fini(&map);
}

static void test_full(void **state)
{
	uint32_t seen = 0, nr = 0;
	struct map map;

	(void)state;
	map_init(&map, 8, 3, 0); /* 4 buckets, 3 stacks */
	for (uint64_t ip = 1; ip < 100; ip++) {
		int64_t id = get_id(&map, USER, ip, 0);

		if (id < 0) {
			assert_true(id == (nr == 3 ? -ENOMEM : -EEXIST) || id == -EEXIST);
			continue;
		}
		assert_in_range(id, 0, 3);
		assert_false(seen & 1u << id);
		seen |= 1u << id;
		nr++;
	}
	assert_int_equal(nr, 3);
	map_fini(&map);
}

static void test_map_of_build_ids(void **state)
{
	uint64_t fp = make_chain(0, 3, 0x1000, 0);
	struct map map;
	int64_t id;

	(void)state;
	map_init(&map, 127 * 32, 64, BPF_F_STACK_BUILD_ID);
	id = get_id(&map, USER, 5, fp);
	assert_in_range(id, 0, 63);
	assert_int_equal(get_id(&map, USER, 5, fp), id);
	map_fini(&map);
}

/* Modules of the test's own: a mark in its pages, and a file that would be loaded at `base`. */
enum { MODULES = 1000, FAKE = 4096 };

static struct inlay_loaded fake_module(unsigned int i, uint64_t *mark, uint64_t bytes)
{
	struct inlay_loaded loaded = {
		.start = 1ull << 40 | (uint64_t)i * 16 * FAKE, .nr_parts = 2,
		.mark_at = (uint64_t)mark, .mark_bytes = bytes, .id_bytes = bytes,
	};

	loaded.end = loaded.start + 8 * FAKE;
	loaded.parts[0] = (struct inlay_loaded_part){ loaded.start, FAKE, 0 };
	loaded.parts[1] = (struct inlay_loaded_part){ loaded.start + 4 * FAKE, 2 * FAKE, 3 * FAKE };
	for (unsigned int k = 0; k < INLAY_LOADED_MARK_WORDS; k++)
		mark[k] = i + 1 + k;
	memset((char *)mark + bytes, 0, INLAY_LOADED_MARK_WORDS * sizeof(*mark) - bytes);
	memcpy(loaded.mark, mark, sizeof(loaded.mark));
	return loaded;
}

static struct bpf_stack_build_id id_of(uint64_t ip)
{
	struct inlay_build_ids ids = { .has_looked = false };
	struct bpf_stack_build_id id;
	__u64 words[4];

	__inlay_build_id(&ids, ip, words);
	memcpy(&id, words, sizeof(id));
	return id;
}

static void assert_is_address(uint64_t ip)
{
	static const unsigned char zeros[sizeof(((struct bpf_stack_build_id *)0)->build_id)];
	struct bpf_stack_build_id id = id_of(ip);

	assert_int_equal(id.status, BPF_STACK_BUILD_ID_IP);
	assert_int_equal(id.ip, ip);
	assert_memory_equal(id.build_id, zeros, sizeof(zeros));
}

static void assert_has_id(uint64_t ip, const void *build_id, uint64_t file_off)
{
	struct bpf_stack_build_id id = id_of(ip);

	assert_int_equal(id.status, BPF_STACK_BUILD_ID_VALID);
	assert_int_equal(id.offset, file_off);
	assert_memory_equal(id.build_id, build_id, sizeof(id.build_id));
}

static void test_modules(void **state)
{
	uint64_t *mark = (uint64_t *)(void *)pages, marks[3];
	struct inlay_loaded loaded = fake_module(0, mark, 20);
	uint64_t base = loaded.start;

	(void)state;
	assert_is_address(base);
	__inlay_build_ids_take(&loaded);
	__inlay_build_ids_take(&loaded);
	memcpy(marks, mark, sizeof(marks));
	assert_has_id(base, marks, 0);
	assert_has_id(base + FAKE - 1, marks, FAKE - 1);
	assert_is_address(base - 1);
	assert_is_address(base + FAKE);	/* between two parts */
	assert_has_id(base + 4 * FAKE + 5, marks, 3 * FAKE + 5);
	assert_is_address(base + 6 * FAKE);
	assert_is_address(0);
	assert_is_address(~0ull);
	/* something else stands there by now; that it comes back is not known before somebody looks */
	mark[1]++;
	assert_is_address(base);
	mark[1]--;
	assert_is_address(base);
	__inlay_build_ids_take(&loaded);
	assert_has_id(base, marks, 0);
	/* unmapped */
	loaded = fake_module(1, mark, 20);
	loaded.mark_at = (uint64_t)bad;
	__inlay_build_ids_take(&loaded);
	assert_is_address(loaded.start);
	/* short, none, too long */
	loaded = fake_module(2, mark, 3);
	__inlay_build_ids_take(&loaded);
	assert_has_id(loaded.start, loaded.mark, 0);
	loaded = fake_module(3, mark, 16);
	loaded.id_bytes = 0;
	assert_true(__inlay_loaded_sum(INLAY_HOW_PLAIN, (uint64_t)mark, 16, loaded.mark));
	__inlay_build_ids_take(&loaded);
	assert_is_address(loaded.start);
	loaded = fake_module(4, mark, 20);
	loaded.id_bytes = 21;
	__inlay_build_ids_take(&loaded);
	assert_is_address(loaded.start);
}

/* Libraries that come and go by the thousand leave room for the next. */
static void test_many_modules(void **state)
{
	uint64_t *mark = (uint64_t *)(void *)pages;

	(void)state;
	for (unsigned int i = 10; i < MODULES; i++) {
		struct inlay_loaded loaded = fake_module(i, mark, 20);

		__inlay_build_ids_take(&loaded);
		if (i % 7)
			continue;
		assert_has_id(loaded.start + 3, loaded.mark, 3);
	}
	assert_is_address((1ull << 40) + 12 * 16 * FAKE);
}

/* What comes and goes while others look: an id with its own offset, or an address. */
enum { COMING = 8, COMINGS = 8000 };
static struct inlay_loaded coming[COMING];
static _Atomic int nr_over, nr_ids, nr_wrong;

/* Who finds a row out of date frees it, which somebody else may be reading. */
static void look_at_coming(void)
{
	struct bpf_stack_build_id id = id_of(coming[0].start + 7);
	bool is_id = id.status == BPF_STACK_BUILD_ID_VALID;

	nr_ids += is_id;
	nr_wrong += is_id ? id.build_id[0] * FAKE + 7u != id.offset : id.ip != coming[0].start + 7;
}

static void *come_and_go(void *arg)
{
	for (unsigned int i = *(unsigned int *)arg; i < COMINGS; i += 2) {
		uint64_t *mark = (uint64_t *)coming[i % COMING].mark_at;

		__atomic_store_n(mark, 99, __ATOMIC_RELAXED);
		__inlay_build_ids_take(&coming[(i + 2) % COMING]);
		__atomic_store_n(mark, i % COMING, __ATOMIC_RELAXED);
		look_at_coming();
		__inlay_build_ids_take(&coming[i % COMING]);
	}
	nr_over++;
	return NULL;
}

static void test_modules_in_threads(void **state)
{
	uint64_t *mark = (uint64_t *)(void *)pages;
	unsigned int starts[2] = { 0, 1 };
	pthread_t threads[2];

	(void)state;
	nr_over = 0;
	/* all at one address */
	for (unsigned int i = 0; i < COMING; i++) {
		coming[i] = fake_module(2000, mark + 4 * i, 20);
		coming[i].parts[0].off = (uint64_t)i * FAKE;
		mark[4 * i] = coming[i].mark[0] = i;
	}
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, &starts[i]), 0);
	while (nr_over < 2)
		look_at_coming();
	for (unsigned int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_true(nr_ids > 0);
	assert_int_equal(nr_wrong, 0);
	memset(mark, 0, 4 * COMING * sizeof(*mark));
}

/* Threads that store the same stacks agree on their ids. */
enum { THREADS = 4, STACKS = 200 };
static struct map shared;
static int64_t ids[THREADS][STACKS];

static void *store(void *arg)
{
	int64_t *mine = arg;

	for (uint64_t i = 0; i < STACKS; i++)
		mine[i] = get_id(&shared, USER, 0x1000 + i, 0);
	return NULL;
}

static void test_threads(void **state)
{
	pthread_t threads[THREADS];

	(void)state;
	for (unsigned int round = 0; round < 20; round++) {
		map_init(&shared, 64, 4096, 0);
		for (unsigned int i = 0; i < THREADS; i++)
			assert_int_equal(pthread_create(&threads[i], NULL, store, ids[i]), 0);
		for (unsigned int i = 0; i < THREADS; i++)
			pthread_join(threads[i], NULL);
		for (unsigned int i = 0; i < STACKS; i++) {
			/* of two that want one id any may be the first */
			int64_t id = get_id(&shared, USER, 0x1000 + i, 0);

			for (unsigned int k = 0; k < THREADS; k++)
				assert_true(ids[k][i] == id || ids[k][i] == -EEXIST);
		}
		map_fini(&shared);
	}
}

static void test_hostile_region(void **state)
{
	uint64_t fp;
	struct map map;

	(void)state;
	srandom(2);
	map_init(&map, 64, 50, 0);
	for (unsigned int round = 0; round < 200; round++) {
		fp = make_chain(0, 5, (uint64_t)random(), 0);
		for (uint64_t i = 0; i < map.desc.region_bytes; i++)
			if (random() % 4 == 0)
				map.region[i] = (char)random();
		for (unsigned int i = 0; i < 20; i++) {
			int64_t id = get_id(&map, USER | (i & 1 ? BPF_F_REUSE_STACKID : 0), i, fp);

			assert_true((id >= 0 && id < 64) || id == -EEXIST || id == -ENOMEM);
		}
	}
	map_fini(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_build_ids),
		cmocka_unit_test(test_broken_chains),
		cmocka_unit_test(test_random_words),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_id_is_jhash2),
		cmocka_unit_test(test_one_bucket),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_map_of_build_ids),
		cmocka_unit_test(test_modules),
		cmocka_unit_test(test_many_modules),
		cmocka_unit_test(test_modules_in_threads),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_hostile_region),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
