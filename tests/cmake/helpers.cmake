# SPDX-License-Identifier: BSD-2-Clause
# Helpers of the runtime other than maps. The clock's test includes its source.
find_package(Threads REQUIRED)
inlay_unit_test(helper_clock LIBS Threads::Threads)
set_tests_properties(unit/helper_clock PROPERTIES RUN_SERIAL ON)
inlay_unit_test(helper_misc LIBS inlay_rt Threads::Threads)
inlay_unit_test(helper_read LIBS inlay_rt Threads::Threads)

# Reading memory where the sanitizer has its own handlers, and where we must not have any.
function(inlay_read_variant name)
	add_executable(test_${name} unit/test_helper_read.c)
	target_link_libraries(test_${name} PRIVATE inlay_flags inlay_rt PkgConfig::CMOCKA
		Threads::Threads)
	set_target_properties(test_${name} PROPERTIES
		RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
	add_test(NAME unit/${name} COMMAND test_${name})
	set_tests_properties(unit/${name} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 120)
endfunction()

inlay_read_variant(helper_read_asan)
target_compile_options(test_helper_read_asan PRIVATE -fsanitize=address)
target_link_options(test_helper_read_asan PRIVATE -fsanitize=address)
inlay_read_variant(helper_read_no_handler)
target_compile_definitions(test_helper_read_no_handler PRIVATE TEST_NO_HANDLER)
target_link_options(test_helper_read_no_handler PRIVATE -Xlinker --defsym=__inlay_no_handler_v1=1)
foreach(target test_helper_read test_helper_read_asan test_helper_read_no_handler)
	target_compile_options(${target} PRIVATE -Wno-deprecated-declarations)
endforeach()

inlay_script_test(e2e/helper-links e2e/helper-links.sh)
inlay_script_test(e2e/helper-docs e2e/helper-docs.sh)
inlay_script_test(e2e/helper-inlaid e2e/helper-inlaid.sh)
