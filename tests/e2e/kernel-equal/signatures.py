# SPDX-License-Identifier: BSD-2-Clause
"""Writes a program with functions of random signatures, and a probe that reads all of their arguments.

signatures.py SEED NUMBER FOLDER: functions.c, main.c and signatures.bpf.c

What is compared is what the System V ABI (x86-64, 3.2.3) puts into general registers: for each argument the
registers it takes and how many bytes of each are its own. What is beyond them is not defined.
"""
import random
import sys

PRELUDE = """\
struct one { int a; };
struct pair { long a; int b; };
struct mixed { double a; long b; };
struct floats { float a, b; };
struct bytes { char c[3]; };
struct large { long a, b, c; };
struct merged { float f; int i; };
struct halves { int a; float f; double d; };
struct wide { long a, b; };
struct tail { double d; short s; };
typedef __int128 wide_int;
"""

# type, bytes of its own in each general register it takes, vector registers, how to make one of n
INTEGERS = [
    ("_Bool", [1], 0, "(n & 1)"),
    ("char", [1], 0, "(char)n"),
    ("signed char", [1], 0, "(signed char)n"),
    ("unsigned char", [1], 0, "(unsigned char)n"),
    ("short", [2], 0, "(short)n"),
    ("unsigned short", [2], 0, "(unsigned short)n"),
    ("int", [4], 0, "(int)n"),
    ("unsigned int", [4], 0, "(unsigned int)n"),
    ("long", [8], 0, "n"),
    ("unsigned long", [8], 0, "(unsigned long)n"),
    ("const char *", [8], 0, "(const char *)n"),
    ("void *", [8], 0, "(void *)n"),
]
OTHERS = [
    ("float", [], 1, "(float)n"),
    ("double", [], 1, "(double)n"),
    ("wide_int", [8, 8], 0, "((wide_int)n << 64 | (unsigned long)(n * 3))"),
    ("struct one", [4], 0, "(struct one){ (int)n }"),
    ("struct pair", [8, 4], 0, "(struct pair){ n, (int)(n * 5) }"),
    ("struct mixed", [8], 1, "(struct mixed){ (double)n, n * 7 }"),
    ("struct floats", [], 1, "(struct floats){ 1, 2 }"),
    ("struct bytes", [3], 0, "(struct bytes){ { (char)n, (char)(n >> 8), (char)(n >> 16) } }"),
    ("struct large", None, 0, "(struct large){ n, n, n }"),
    ("struct merged", [8], 0, "(struct merged){ 2.5f, (int)n }"),
    ("struct halves", [8], 1, "(struct halves){ (int)n, 0.5f, 1.5 }"),
    ("struct wide", [8, 8], 0, "(struct wide){ n, n * 11 }"),
    ("struct tail", [2], 1, "(struct tail){ 0.25, (short)n }"),
]
# what a return value leaves in rax; None: in memory, its address in rax
RETURNS = {"wide_int": 8, "struct one": 4, "struct pair": 8, "struct mixed": 8, "struct bytes": 3,
           "struct merged": 8, "struct halves": 8, "struct wide": 8, "struct tail": 2}


def is_in_memory(kind):
    return kind[1] is None


def registers(kinds, has_hidden):
    """(register, bytes) of each part that is in a general register; has_hidden: rdi is taken."""
    used = 1 if has_hidden else 0
    vectors = 0
    found = []
    for kind in kinds:
        if is_in_memory(kind):
            continue
        if used + len(kind[1]) > 6 or vectors + kind[2] > 8:
            continue  # all of it on the stack
        for size in kind[1]:
            used += 1
            found.append((used, size))
        vectors += kind[2]
    return found


def masked(expression, size):
    return f"{expression}" if size == 8 else f"{expression} & {(1 << (8 * size)) - 1:#x}ull"


def main():
    seed, number, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    rng = random.Random(seed)
    functions, main_c, probes, prototypes = [], [], [], []
    for i in range(number):
        kinds = [rng.choice(rng.choice([INTEGERS, INTEGERS, OTHERS]))
                 for _ in range(rng.randint(0, 9))]
        result = rng.choice([None] + INTEGERS + OTHERS)
        name = f"f{i}"
        parameters = ", ".join(f"{kind[0]} a{k}" for k, kind in enumerate(kinds)) or "void"
        prototype = f"{result[0] if result else 'void'} {name}({parameters})"
        prototypes.append(f"__attribute__((noinline)) {prototype};")
        body = "\tlong n = seen();\n\n\t(void)n;\n"
        if result:
            body += f"\treturn {result[3]};\n"
        functions.append(f"{prototype}\n{{\n{body}}}\n")
        arguments = ", ".join(kind[3].replace("n", "(m + %d)" % (k * 1000003), 1)
                              if kind[3] == "n" else kind[3] for k, kind in enumerate(kinds))
        main_c.append(f"\t\tn = next();\n\t\tm = n;\n\t\t(void)m;\n\t\t{name}({arguments});")

        has_hidden = bool(result) and is_in_memory(result)
        notes = "".join(
            f"\tnote({i}, {register}, {masked(f'PT_REGS_PARM{register}(ctx)', size)});\n"
            for register, size in registers(kinds, has_hidden))
        probes.append(f'SEC("uprobe/{name}")\nint enter{i}(struct pt_regs *ctx)\n{{\n{notes}'
                      f'\tnote({i}, 0, 1);\n\treturn 0;\n}}\n')
        if result and not has_hidden and (result[1] and (result in INTEGERS or result[0] in RETURNS)):
            size = RETURNS.get(result[0], result[1][0])
            probes.append(f'SEC("uretprobe/{name}")\nint leave{i}(struct pt_regs *ctx)\n{{\n'
                          f'\tnote({i}, 7, {masked("PT_REGS_RC(ctx)", size)});\n\treturn 0;\n}}\n')

    with open(folder + "/functions.h", "w") as out:
        out.write(PRELUDE + "long seen(void);\n" + "\n".join(prototypes) + "\n")
    with open(folder + "/functions.c", "w") as out:
        out.write('#include "functions.h"\n\n' + "\n".join(functions))
    with open(folder + "/main.c", "w") as out:
        out.write('#include "functions.h"\n\nstatic unsigned long state = %d;\n\n' % (seed + 1) +
                  "static long next(void)\n{\n\tstate = state * 6364136223846793005ul + "
                  "1442695040888963407ul;\n\treturn (long)(state ^ state >> 29);\n}\n\n"
                  "long seen(void)\n{\n\treturn next();\n}\n\nint main(void)\n{\n\tlong n, m;\n\n"
                  "\tfor (int round = 0; round < 20; round++) {\n" + "\n".join(main_c) +
                  "\n\t}\n\treturn 0;\n}\n")
    with open(folder + "/signatures.bpf.c", "w") as out:
        out.write("""\
#include <inlay/inlay.bpf.h>

struct key {
	__u32 function, place;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct key);
	__type(value, __u64);
} values SEC(".maps");

static __attribute__((noinline)) int note(__u32 function, __u32 place, __u64 value)
{
	struct key key = { function, place };
	__u64 zero = 0, *sum = inlay_map_lookup_or_init(&values, &key, &zero);

	if (sum)
		*sum = *sum * 31 + value;
	return 0;
}

""" + "\n".join(probes) + '\nchar LICENSE[] SEC("license") = "GPL";\n')


main()
