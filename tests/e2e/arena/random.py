# SPDX-License-Identifier: BSD-2-Clause
"""random.py SEED NUMBER: prints a source of that many programs that do random things to two addresses in
an arena of which some pages are there, and to five numbers, and return what has become of them.

The section is a macro, so that a kernel can run them (SECTION="syscall"). Left out is what kernels cannot do
or what the two do on purpose in different ways: atomics that fetch and AND, OR or XOR, and misaligned ones.
"""
import random
import sys

random.seed(int(sys.argv[1]))
BASE, PAGES = 0x20000, 6

HEAD = """#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
struct {
	__uint(type, 33);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, %d);
	__uint(map_extra, %d);
} arena SEC(".maps");
void *bpf_arena_alloc_pages(void *map, void *addr, __u32 page_cnt, int node_id, __u64 flags) __ksym;
void bpf_arena_free_pages(void *map, void *ptr, __u32 page_cnt) __ksym;
static __attribute__((used)) void declare(void)
{
	bpf_arena_free_pages(&arena, bpf_arena_alloc_pages(&arena, 0, 1, -1, 0), 1);
}
char LICENSE[] SEC("license") = "GPL";
"""
# pages 0, 1 and 3; r6 and r7 are addresses
START = """r1 = %[arena] ll; r2 = 0x20000; r3 = 100; call %[free];
r1 = %[arena] ll; r2 = 0x20000; r3 = 2; r4 = -1; r5 = 0; call %[alloc];
r1 = %[arena] ll; r2 = 0x23000; r3 = 1; r4 = -1; r5 = 0; call %[alloc];
r6 = 0x20010; r6 = addr_space_cast(r6, 0, 1); r7 = 0x23000; r7 = addr_space_cast(r7, 0, 1);"""
END = """r6 = addr_space_cast(r6, 1, 0); r7 = addr_space_cast(r7, 1, 0); r0 = r1;
r0 *= 31; r0 += r2; r0 *= 31; r0 += r3; r0 *= 31; r0 += r4; r0 *= 31; r0 += r5; r0 *= 31; r0 += r6;
r0 *= 31; r0 += r7; r8 = 0x20000; r8 = addr_space_cast(r8, 0, 1); r9 = *(u64 *)(r8 + 16); r0 ^= r9;
r9 = *(u64 *)(r8 + 4096); r0 ^= r9; r9 = *(u64 *)(r8 + 12288); r0 += r9;
r1 = r0; r1 >>= 32; r0 ^= r1; w0 = w0; exit;"""


def access(a, s, off):
    return random.choice([
        f"r{s} = *({random.choice(['u8', 'u16', 'u32', 'u64'])} *)(r{a} {off:+d});",
        f"r{s} = *({random.choice(['s8', 's16', 's32'])} *)(r{a} {off:+d});",
        f"*({random.choice(['u8', 'u16', 'u32', 'u64'])} *)(r{a} {off:+d}) = r{s};",
        f"*({random.choice(['u8', 'u16', 'u32', 'u64'])} *)(r{a} {off:+d}) = {off};",
    ])


def atomic(a, s, other):
    off = 8 * random.randint(-2, 600)
    return f"r{a} &= 0x7ff8; r{a} += 0x1f000;" + random.choice([
        f"lock *(u64 *)(r{a} {off:+d}) += r{s};",
        f"lock *(u32 *)(r{a} {off:+d}) ^= w{s};",
        f"lock *(u32 *)(r{a} {off:+d}) |= w{s};",
        f"r{s} = atomic_fetch_add((u64 *)(r{a} {off:+d}), r{s});",
        f"r{s} = xchg_64(r{a} {off:+d}, r{s});",
        f"r0 = r{other}; r0 = cmpxchg_64(r{a} {off:+d}, r0, r{s}); r{other} = r0;",
    ])


def arithmetic(a, s):
    wide = random.choice("rw")
    if random.random() < 0.3:
        return f"{wide}{a} {random.choice(['<<=', '>>='])} {random.randint(0, 31)};"
    by = random.choice([f"{wide}{s}", "1", "-8", "4096", "0x7fffffff", str(random.randint(-30000, 30000))])
    return f"{wide}{a} {random.choice(['+=', '-=', '|=', '&=', '^=', '*='])} {by};"


def cast(a, s):
    return random.choice([
        f"r{s} = r{a}; r{s} = addr_space_cast(r{s}, 1, 0);",
        f"r{s} = addr_space_cast(r{s}, 0, 1); r{s} = addr_space_cast(r{s}, 1, 0);",
        f"r{a} = r{13 - a};",
        f"w{s} = w{a};",
    ])


def step():
    a, s, other = random.choice([6, 7]), random.randint(1, 5), random.randint(1, 5)
    off = random.choice([0, 8, -8, 1, 3, 4095, 4090, -4096, 32767, -32768, random.randint(-5000, 5000)])
    kind = random.random()
    if kind < 0.4:
        return access(a, s, off)
    if kind < 0.55:  # an address that is likely to be in it
        return f"r{a} = {BASE + random.randint(-20, PAGES * 4096 + 20)}; r{a} = addr_space_cast(r{a}, 0, 1);"
    if kind < 0.7:
        return arithmetic(a, s)
    if kind < 0.8:
        return cast(a, s)
    if kind < 0.9:
        return atomic(a, s, other)
    return f"r{s} {random.choice(['+=', '-=', '^=', '*=', '|='])} r{other};"


print(HEAD % (PAGES, BASE))
for number in range(int(sys.argv[2])):
    numbers = "".join(f"r{i} = {random.randint(-2**31, 2**31 - 1)};" for i in range(1, 6))
    steps = "".join(step() for _ in range(random.randint(10, 45)))
    text = (START + numbers + steps + END).replace("\n", " ")
    print(f'SEC(SECTION) __attribute__((naked)) int p{number}(void) {{ asm volatile("{text}" : : '
          '[arena] "i"(&arena), [alloc] "i"(bpf_arena_alloc_pages), [free] "i"(bpf_arena_free_pages)); }')
