/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * C++ names as people write them. What the C++ runtime of the machine can do, found when it is first
 * needed: `inlay` itself needs no C++.
 */
#ifndef INLAY_CLI_DEMANGLE_H
#define INLAY_CLI_DEMANGLE_H

/* The caller frees it. NULL: not a C++ name, or there is no C++ runtime. */
char *demangle(const char *name);

#endif /* INLAY_CLI_DEMANGLE_H */
