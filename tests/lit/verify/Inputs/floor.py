#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""floor.py BPFCC FOLDER SOURCE...: what the running kernel accepts of the twins, bpfcc accepts. The
objects of the sources are in FOLDER, by name."""
import os
import subprocess
import sys

# where bpfcc is stricter, and why
STRICTER = {
    "used_in_a_later_round": "it is wrong: Linux 6.18 stops a path in a callback by marks that are not complete yet",
    "null_context": "it is wrong: Linux 6.18 does not remember that the proof rests on the NULL",
    "key_of_an_array_after_the_callback": "it is wrong: an array's key is a variable of Linux's loop over the array",
    "endless_around_an_iterator": "it is wrong: Linux 6.18 takes an iterator that is made anew for the one before",
    "endless_around_an_iterator_in_a_loop": "the same",
    "budget_of_another_run": "it is wrong: Linux 6.18 takes the budget of another run of a function for this one's",
    "second_round_of_another_run": "the same",
    "rest_of_another_run": "the same",
    "callers_of_another_run": "the same",
    "past_the_budget": "it is wrong: Linux 6.18 takes a way around a may_goto for one through it",
    "past_the_budget_by_a_long_way": "the same",
    "slice_of_a_clone_after_the_record": "it is wrong: Linux 6.18 lets a slice of a clone outlive the record",
    "lent_one_cloned_for_later": "it is wrong: Linux 6.18 lets a clone outlive the callback that it was lent to",
    "clone_overwritten_and_a_slice_of_it": "a slice goes with its dynptr, which Linux 6.18 forgets of clones",
    "atomic_in_a_slice_from_byte_3": "it is wrong: Linux 6.18 takes every slice of a dynptr to be aligned",
    "atomic_in_a_dynptr_from_byte_3": "the same",
    "atomic_in_a_slice_from_any_byte": "the same",
    "atomic_in_a_slice_that_is_odd_on_one_path": "the same",
    "atomic_after_an_odd_step": "the same",
    "atomic_in_a_clone_after_an_odd_step": "the same",
}


def main():
    bpfcc, folder, *sources = sys.argv[1:]
    nr = failed = 0
    for source in sources:
        obj = os.path.join(folder, os.path.basename(source) + ".o")
        run = subprocess.run([bpfcc, "verify", "--kernel-helpers", "--allow-override", "--allow-write",
                              "--kernel-verify", obj], capture_output=True, text=True, check=False)
        for line in run.stdout.splitlines():
            name, ours, reason, theirs, _ = line.split("\t")
            nr += theirs != "UNKNOWN"
            if ours == "REJECT" and theirs == "ACCEPT" and name not in STRICTER:
                failed += 1
                print(f"{source}: {name}: the kernel accepts it, bpfcc does not: {reason}", file=sys.stderr)
    print(f"{nr} programs were shown to the kernel, {failed} are refused by bpfcc alone")
    sys.exit(1 if failed or nr < 50 else 0)


if __name__ == "__main__":
    main()
