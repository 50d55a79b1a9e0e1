# SPDX-License-Identifier: BSD-2-Clause
# Puts a HAND_PROBE line at the start of the three probed functions; for src/server.c and src/dict.c.
/^void call(client \*c, int flags) {$/a HAND_PROBE(0);
/^int processCommand(client \*c) {$/a HAND_PROBE(1);
/^dictEntry \*dictFind(dict \*d, const void \*key)$/{
n
a HAND_PROBE(2);
}
