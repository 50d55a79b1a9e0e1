# SPDX-License-Identifier: BSD-2-Clause
# The benchmark itself: that it runs and answers, and the promises that instruction counts can keep.
if(INLAY_BUILD_BENCH)
	inlay_script_test(bench/instructions ../bench/probe/instructions.sh ${CMAKE_BINARY_DIR}/bench)
	inlay_script_test(bench/probe e2e/bench-probe.sh ${CMAKE_BINARY_DIR}/bench)
	set_tests_properties(bench/probe PROPERTIES RUN_SERIAL ON)
	inlay_script_test(bench/maps e2e/bench-maps.sh ${CMAKE_BINARY_DIR}/bench)
	set_tests_properties(bench/maps PROPERTIES RUN_SERIAL ON)
	inlay_script_test(bench/codegen e2e/bench-codegen.sh ${CMAKE_BINARY_DIR}/bench)
endif()
