# SPDX-License-Identifier: BSD-2-Clause
foreach(module lower lower_calls lower_isa lower_native)
	inlay_unit_test(${module} LIBS bpfcc_lower bpfcc_front dl)
	target_compile_definitions(test_${module} PRIVATE INLAY_TEST_CLANG="${INLAY_CLANG}"
		INLAY_TEST_SOURCE="${CMAKE_SOURCE_DIR}")
endforeach()
# it loads libinlay.so.1 at run time
add_dependencies(test_lower_native inlay_rt_shared)
add_dependencies(test_lower_calls inlay_rt_shared)
inlay_lit_suite(import)
inlay_script_test(bpfcc/header e2e/bpfcc-header.sh)
inlay_script_test(bpfcc/aarch64 e2e/bpfcc-aarch64.sh)
