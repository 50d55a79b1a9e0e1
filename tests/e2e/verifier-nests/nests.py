#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""nests.py SEED: eight random programs of nested loops, in C. Loops of all kinds that verifiers know to end: counted
ones, bpf_for(), bpf_repeat(), may_goto, bpf_loop(); in them sums, indices, lookups, locals and early exits."""
import random
import sys

NR_PROGRAMS = 8


class Program:
    def __init__(self, rng, number):
        self.rng, self.number, self.functions, self.nr_names = rng, number, [], 0
        self.has_locals = self.below(10) < 6
        every = ["for", "iter", "iter", "repeat", "may", "while", "callback", "call"]
        some = [["iter"], ["may"], ["while", "may"], ["for", "iter"], ["for", "may"], ["callback", "iter"],
                ["repeat", "while"], ["call", "iter", "may"]]
        self.kinds = every if self.below(10) < 6 else self.pick(some)

    # random.random() is the same in all versions of Python
    def below(self, n):
        return int(self.rng.random() * n)

    def pick(self, items):
        return items[self.below(len(items))]

    def name(self, prefix):
        self.nr_names += 1
        return f"{prefix}{self.nr_names}"

    def value(self, values):
        a, b = self.pick(values), self.pick(values + [str(1 + self.below(8))])
        return self.pick([a, f"{a} + {b}", f"{a} * {2 + self.below(7)} + {b}", f"{a} ^ {b}", f"{a} - {b}",
                          f"({a} >> {1 + self.below(4)}) + {b}", f"{a} & {self.pick([7, 15, 63, 255])}"])

    def statement(self, values, sums, leave):
        x, v, n = self.pick(sums), self.pick(values), self.below(40)
        some, both = self.value(values), self.value(values + sums)
        clamp = self.pick([31, 63])
        choices = [f"{x} += {some};", f"{x} = {x} * 31 + {some};", f"{x} = {both};",
                   f"if ({v} {self.pick(['>', '<', '==', '!='])} {n}) {x}++;",
                   f"if (in > {n}) {x} = {some};",
                   f"{{ __u64 k = {some}; if (k < 64) table[k] += {x}; }}",
                   f"bytes[({both}) & 1023] = {x};",
                   f"if ({x} < {self.pick([8, 16, 64])}) {self.pick(sums)} += table[{x}];",
                   f"{{ __u64 k = {x}; if (k > {clamp}) k = {self.below(32)}; table[k]++; "
                   f"{self.pick([x + ' = k + 1;', ''])} }}",
                   f"{{ __u32 k = {some}; __u64 *p = bpf_map_lookup_elem(&list, &k); "
                   f"if (p) {x} += p[{self.below(8)}]; }}",
                   f"{{ __u64 k = {both}; __u64 *p = bpf_map_lookup_elem(&hash, &k); "
                   f"if ({self.pick(['!p', 'p && *p > 7'])}) {self.pick(leave + [x + '--'])}; {x} ^= k; }}"]
        if leave:
            choices.append(f"if ({self.pick(values + sums)} {self.pick(['>', '==', '<'])} {3 + n}) "
                           f"{self.pick(leave)};")
        if self.has_locals:
            choices += [f"kept[{v} & 7] = {x};", f"{x} += kept[({both}) & 7];"]
        return self.pick(choices) + "\n"

    def body(self, values, sums, depth, leave):
        text = "".join(self.statement(values, sums, leave) for _ in range(1 + self.below(3)))
        for _ in range(self.pick([1, 1, 1, 2]) if depth else 0):
            text += self.loop(values, sums, depth - 1, leave)
            if self.below(2):
                text += self.statement(values, sums, leave)
        return text

    def function(self, depth):
        """A callback of bpf_loop(), or a function that is called."""
        name, has_locals, self.has_locals = self.name(f"f{self.number}_"), self.has_locals, True
        text = self.body(["i", "c->a", "c->i"], ["c->a", "c->b", "c->t[1]", "sum"], depth, [])
        self.has_locals = has_locals
        self.functions.append(f"static __attribute__((noinline)) long {name}(__u32 i, struct ctx *c)\n{{\n"
                              f"__u64 sum = i, kept[8] = {{}};\n{text}if (sum == 77) return 1;\n"
                              f"c->b += kept[1];\nc->i++;\nreturn 0;\n}}\n\n")
        return name

    def loop(self, values, sums, depth, leave):
        kind, i = self.pick(self.kinds), self.name("i")
        inner = leave if "goto done" not in leave else ["break", "continue", "goto done"]
        if kind in ("callback", "call"):
            name, ctx = self.function(min(depth, 1)), self.name("c")
            run = (f"bpf_loop({self.pick(['10', '100', '1000'] + values)}, {name}, &{ctx}, 0)" if kind == "callback"
                   else f"{self.pick(sums)} += {name}({self.pick(values)}, &{ctx})")
            index = f"if ({ctx}.a < 64) table[{ctx}.a]++;" if self.below(10) < 4 else ""
            return (f"{{ struct ctx {ctx} = {{.a = {self.pick(values)}, .b = {self.pick(sums)}}}; {run}; "
                    f"{self.pick(sums)} += {ctx}.b; {index} }}\n")
        text = self.body(values + [i], sums, depth, inner or ["break", "continue"])
        if kind == "for":
            return f"for (__u32 {i} = 0; {i} < {self.pick([2, 3, 4, 5, 8, 10])}; {i}++) {{\n{text}}}\n"
        if kind == "iter":
            end = self.pick(["8", "10", "32", "64", "100", "1000", f"({values[0]} & 31)"])
            return f"{{ int {i}; bpf_for({i}, 0, (int){end}) {{\n{text}}} }}\n"
        if kind == "repeat":
            step = self.pick([f"{i}++;", f"{i} += 2;", ""])
            return f"{{ __u64 {i} = 0; bpf_repeat({self.pick([5, 50, 1000])}) {{ {step}\n{text}}} }}\n"
        if kind == "may":
            return f"for (__u64 {i} = 0; {i} < {self.pick([8, 100, 1000])} && can_loop; {i}++) {{\n{text}}}\n"
        step = self.pick([f"{i}++;", f"{i} += 3;", f"if ({i} > 40) break; {i}++;"])
        return f"{{ __u64 {i} = {self.pick(values + ['0'])}; while (can_loop) {{ {step}\n{text}}} }}\n"

    def text(self):
        sums = [f"s{k}" for k in range(1 + self.below(3))]
        body = self.body(["u", "v"], sums, 0, [])
        for depth in [self.pick([0, 0, 1, 1, 1, 2])] + ([self.below(2)] if self.below(10) < 4 else []):
            body += self.loop(["u", "v"], sums, depth, ["goto done"])
        first = "".join(f", {s} = {self.pick(['0', '1', '5', 'in'])}" for s in sums)
        kept = "__u64 kept[8] = {};\n" if self.has_locals else ""
        last = "if (s0 < 64) table[s0] = 1;\n" if self.below(2) else ""
        return "".join(self.functions) + (
            f'SEC("uprobe/app:f")\nint p{self.number}(void *ctx)\n{{\n'
            f"__u64 u = in, v = {self.pick(['in & 15', 'in >> 32', '3'])}{first};\n{kept}{body}"
            f"done: __attribute__((unused));\nout = {' + '.join(sums)};\n{last}return 0;\n}}\n\n")


def main():
    rng = random.Random(int(sys.argv[1]))
    print('#include "nests.h"\n')
    for number in range(NR_PROGRAMS):
        print(Program(rng, number).text())


if __name__ == "__main__":
    main()
