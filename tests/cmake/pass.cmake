# SPDX-License-Identifier: BSD-2-Clause
if(TARGET inlay_pass)
	inlay_lit_suite(pass)
	inlay_unit_test(pass_aliases)
	target_sources(test_pass_aliases PRIVATE ${CMAKE_SOURCE_DIR}/pass/aliases.c)
	target_include_directories(test_pass_aliases SYSTEM PRIVATE ${LLVM_INCLUDE_DIRS})
	inlay_unit_test(pass_libc)
	target_include_directories(test_pass_libc SYSTEM PRIVATE ${LLVM_INCLUDE_DIRS})
endif()
