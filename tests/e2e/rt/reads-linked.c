/* SPDX-License-Identifier: BSD-2-Clause */
/* Linked with a library that reads memory: the library's handler is the process's. */
int reads(int is_guarded);

int main(void)
{
	return reads(1);
}
