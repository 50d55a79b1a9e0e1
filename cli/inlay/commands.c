/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of commands with their help texts. docs/inlay.md says the same at more length. */
#include <limits.h>
#include <stddef.h>

#include "cli/inlay/cli.h"

#define HELP_TARGET "  -p, --target TARGET  a process id, a program's name, or a segment's name or path\n"
#define HELP_USER   "  -u, --user USER      segments of this user instead of yours\n"
#define HELP_JSON   "  -j, --json           JSON on one line\n"
#define HELP_SYM    "      --sym            name the function that holds an 8-byte key's address\n" \
		    "      --no-sym         print such keys as numbers. Without either option they are\n" \
		    "                       named if every key is the start of a function\n" \
		    "      --no-demangle    C++ names as in the symbol table\n"

const struct command commands[] = {
	{ "list", "[BINARY|PID]", "sites and programs in a binary or process",
	  "Prints the sites that are built into a binary, or into a process and its shared libraries:\n"
	  "kind, function, program, source line and types. Reads the ELF file only; nothing is run.\n"
	  "Without an argument it is 'inlay ps'.\n\n"
	  "  -a, --all            without an argument: also what has ended\n"
	  HELP_JSON HELP_USER, "aju", 0, 1, cmd_list },
	{ "ps", "", "programs with probes that run, and segments that are left",
	  "Prints one line for each program with probes that runs: who writes to its segment, since\n"
	  "when, how large. Segments of programs that have ended are counted.\n\n"
	  "  -a, --all            lists them, too (with -j always)\n"
	  HELP_JSON HELP_USER, "aju", 0, 0, cmd_ps },
	{ "maps", "[TARGET]", "maps of the targets",
	  "Prints name, type, sizes and drops of each map of a target, or of all that run.\n\n"
	  HELP_TARGET HELP_JSON HELP_USER, "jpu", 0, 1, cmd_maps },
	{ "dump", "MAP", "the entries of a map, typed",
	  "Prints every entry of a map, printed by its BTF types. Values of per-CPU maps are kept per\n"
	  "thread: the sum is printed, with -t each part. With -j the output has the shape of\n"
	  "'bpftool map dump -j'; \"cpu\" then counts the threads.\n\n"
	  "  -t, --threads        also the part of each thread\n"
	  "  -a, --all            do not fold runs of zero entries, nor leave out empty ones of maps\n"
	  "                       of maps\n"
	  "Stacks are printed as addresses, with --sym also by name; see 'inlay stacks'.\n\n"
	  HELP_SYM HELP_TARGET HELP_JSON HELP_USER, "jatspu", 1, 1, cmd_dump },
	{ "hist", "MAP...", "log2 histograms of a map",
	  "Draws histograms: of an array map of counts, one; of a map whose value holds an array of\n"
	  "counts (a member 'slots', or the only array), one for each key. Slot i counts values from\n"
	  "2^i to 2^(i+1) - 1, slot 0 also zeroes.\n\n"
	  "  -U, --unit UNIT      ns, us, ms, B or any word; guessed from names such as lat_ns\n"
	  HELP_SYM HELP_TARGET HELP_JSON HELP_USER, "jsUpu", 1, INT_MAX, cmd_hist },
	{ "watch", "[MAP...]", "rates of counters, refreshed",
	  "Prints the counters of the maps and what they gain a second, the fastest first; a\n"
	  "histogram counts as its number of samples. Without MAP: all maps. On a terminal the screen\n"
	  "is refreshed; otherwise each round adds a line for each counter that changed. Ends with\n"
	  "the target.\n\n"
	  "  -i, --interval SEC   between two rounds, default 1\n"
	  "  -n, --count N        rounds, default no limit\n"
	  HELP_SYM HELP_TARGET HELP_USER, "inspu", 0, INT_MAX, cmd_watch },
	{ "stacks", "MAP", "stacks by name, and how often each was counted",
	  "Prints the stacks in a STACK_TRACE map by their functions' names, the most frequent first.\n"
	  "MAP is that map, or one that counts by ids of its stacks: keyed by the id, or with a struct\n"
	  "as key or value that has a member whose name has 'stack' in it. The other one is found\n"
	  "beside it. Names are known also when the target has ended.\n\n"
	  "      --folded         a line for each stack, 'main;f;g 42', as flame graphs are made of;\n"
	  "                       a text in the key, such as a thread's name, comes first\n"
	  "      --inlines        also functions that are inlined, by the DWARF of the files\n"
	  "      --stacks NAME    the STACK_TRACE map, where there are several\n"
	  "      --id-member NAME, --count-member NAME\n"
	  "                       the id in the key or the value, the count in the value\n"
	  "      --no-sym         files instead of functions\n"
	  "      --no-demangle    C++ names as in the symbol table\n"
	  HELP_TARGET HELP_JSON HELP_USER, "jFspu", 1, 1, cmd_stacks },
	{ "stat", "[TARGET]", "misses, drops, switches, runs and time of each program",
	  "Prints for each program: sites in the binary, on or off, hits that were missed, map\n"
	  "operations that failed for want of space, and for objects built with --stats the runs and\n"
	  "the time of one.\n\n"
	  HELP_TARGET HELP_JSON HELP_USER, "jpu", 0, 1, cmd_stat },
	{ "on", "PROGRAM...", "switches a switched program on",
	  "Switches programs on: [OBJECT.]PROGRAM, or 'all' for every switched program. The target\n"
	  "sees it at its next hit. Fixed programs cannot be switched.\n\n"
	  HELP_TARGET HELP_USER, "pu", 1, INT_MAX, cmd_on },
	{ "off", "PROGRAM...", "switches a switched program off",
	  "The opposite of 'inlay on'.\n\n"
	  HELP_TARGET HELP_USER, "pu", 1, INT_MAX, cmd_off },
	{ "trace", "[TARGET] [MAP...]", "events of ring buffers, and what bpf_printk() prints",
	  "Prints events as they come, by their types, until the target ends: those of the target's\n"
	  "RINGBUF and PERF_EVENT_ARRAY maps, and the lines in its trace ring, which keeps the newest\n"
	  "512. With MAP only the events of these. Events are taken out of the ring, which has one\n"
	  "reader at a time. What was lost is told at the end. Of an object that does not say what its\n"
	  "events are, with INLAY_EVENT(map, type), they are bytes.\n\n"
	  "  -1, --once           only what is there, map by map\n"
	  "  -w, --wait           waits for a program of that name, or any, to run\n"
	  "  -n, --count N        at most N lines and events\n"
	  "      --type TYPE      events are of this type of the object, whatever it says itself\n"
	  HELP_TARGET HELP_JSON HELP_USER, "j1wnpuT", 0, INT_MAX, cmd_trace },
	{ "gc", "", "removes segments of dead processes",
	  "Removes segments that no process writes to or reads; the newest 16 are kept.\n\n"
	  "  -a, --all            keep none, and remove damaged files too\n"
	  "  -d, --dry-run        only say what would be removed\n"
	  HELP_USER, "adu", 0, 0, cmd_gc },
	{ NULL, NULL, NULL, NULL, NULL, 0, 0, NULL },
};
