/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a program runs in this process, by the binary that its section names. One object file can
 * be linked into several programs, so only the running one knows.
 */
#include "rt/inlay_rt_internal.h"
#include "rt/sys.h"

/*
 * A path names the executable, or the shared object that holds the probe, when the last parts are
 * equal (the build tree's program is not yet where the section says that it will be installed) or
 * when both are one file (the kernel's rule: it attaches to the inode).
 */
bool __inlay_gate_is_open(const struct rt_identity *id, const char *path, const char *unit_path)
{
	struct stat st;

	if (!path || !path[0] || str_equal(path, "*"))
		return true;
	if (id->exe[0] && str_equal(str_base(path), str_base(id->exe)))
		return true;
	if (unit_path && unit_path[0] && str_equal(str_base(path), str_base(unit_path)))
		return true;
	return path[0] == '/' && id->exe_ino && !sys_fstatat(AT_FDCWD, path, &st, 0) &&
	       st.st_dev == id->exe_dev && st.st_ino == id->exe_ino;
}
