# SPDX-License-Identifier: BSD-2-Clause
if(TARGET inlay_pass)
	inlay_lit_suite(pass)
endif()
