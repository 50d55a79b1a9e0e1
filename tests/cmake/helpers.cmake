# SPDX-License-Identifier: BSD-2-Clause
# Helpers of the runtime other than maps. The clock's test includes its source.
find_package(Threads REQUIRED)
inlay_unit_test(helper_clock LIBS Threads::Threads)
set_tests_properties(unit/helper_clock PROPERTIES RUN_SERIAL ON)
inlay_unit_test(helper_table LIBS bpfcc_front)
inlay_unit_test(helper_misc LIBS inlay_rt Threads::Threads)
inlay_unit_test(helper_text LIBS inlay_rt Threads::Threads)
inlay_unit_test(helper_where LIBS inlay_rt Threads::Threads)
inlay_unit_test(helper_lock LIBS inlay_rt Threads::Threads)
foreach(module helper_read helper_write helper_signals helper_waits)
	inlay_unit_test(${module} LIBS inlay_rt Threads::Threads)
	target_compile_options(test_${module} PRIVATE -Wno-deprecated-declarations)
endforeach()

# The same where a sanitizer has handlers of its own, and where we must not have any.
function(inlay_read_variant module variant)
	set(name ${module}_${variant})
	add_executable(test_${name} unit/test_${module}.c)
	target_link_libraries(test_${name} PRIVATE inlay_flags inlay_rt PkgConfig::CMOCKA
		Threads::Threads)
	target_compile_options(test_${name} PRIVATE -Wno-deprecated-declarations)
	set_target_properties(test_${name} PROPERTIES
		RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
	add_test(NAME unit/${name} COMMAND test_${name})
	set_tests_properties(unit/${name} PROPERTIES ${inlay_skip} TIMEOUT 120)
endfunction()

foreach(module helper_read helper_write helper_signals helper_waits)
	inlay_read_variant(${module} asan)
	target_compile_options(test_${module}_asan PRIVATE -fsanitize=address)
	target_link_options(test_${module}_asan PRIVATE -fsanitize=address)
	inlay_read_variant(${module} no_handler)
	target_compile_definitions(test_${module}_no_handler PRIVATE TEST_NO_HANDLER)
	target_link_options(test_${module}_no_handler PRIVATE
		-Xlinker --defsym=__inlay_no_handler_v1=1)
endforeach()
inlay_read_variant(helper_read tsan)
target_compile_definitions(test_helper_read_tsan PRIVATE TEST_NO_HANDLER)
target_compile_options(test_helper_read_tsan PRIVATE -fsanitize=thread)
target_link_options(test_helper_read_tsan PRIVATE -fsanitize=thread)

inlay_script_test(e2e/helper-links e2e/helper-links.sh)
inlay_script_test(e2e/helper-docs e2e/helper-docs.sh)
inlay_script_test(e2e/helper-inlaid e2e/helper-inlaid.sh)

# The kernel's dynptrs: a program of its own, compiled here.
set(DYNPTR_PROGRAM ${CMAKE_BINARY_DIR}/tests/dynptr_kernel.bpf.o)
add_custom_command(OUTPUT ${DYNPTR_PROGRAM}
	COMMAND ${INLAY_CLANG} -target bpf -g -O2 -Wall -Werror
		-I/usr/include/${CMAKE_C_LIBRARY_ARCHITECTURE}
		-c ${CMAKE_CURRENT_SOURCE_DIR}/unit/dynptr_kernel.bpf.c -o ${DYNPTR_PROGRAM}
	DEPENDS unit/dynptr_kernel.bpf.c unit/dynptr_kernel.h
	VERBATIM)
add_custom_target(dynptr_program DEPENDS ${DYNPTR_PROGRAM})
inlay_unit_test(dynptr LIBS PkgConfig::LIBBPF PkgConfig::LIBELF)
target_compile_definitions(test_dynptr PRIVATE DYNPTR_PROGRAM="${DYNPTR_PROGRAM}")
add_dependencies(test_dynptr dynptr_program)

# The kernel's iterators: a program of its own, compiled here.
set(ITER_PROGRAM ${CMAKE_BINARY_DIR}/tests/iter_kernel.bpf.o)
add_custom_command(OUTPUT ${ITER_PROGRAM}
	COMMAND ${INLAY_CLANG} -target bpf -g -O2 -Wall -Werror
		-I/usr/include/${CMAKE_C_LIBRARY_ARCHITECTURE}
		-c ${CMAKE_CURRENT_SOURCE_DIR}/unit/iter_kernel.bpf.c -o ${ITER_PROGRAM}
	DEPENDS unit/iter_kernel.bpf.c unit/iter_kernel.h
	VERBATIM)
add_custom_target(iter_program DEPENDS ${ITER_PROGRAM})
inlay_unit_test(iter LIBS PkgConfig::LIBBPF PkgConfig::LIBELF)
target_compile_definitions(test_iter PRIVATE ITER_PROGRAM="${ITER_PROGRAM}")
add_dependencies(test_iter iter_program)

# The kernel's string functions: a program of its own, compiled here.
set(STRINGS_PROGRAM ${CMAKE_BINARY_DIR}/tests/strings_kernel.bpf.o)
add_custom_command(OUTPUT ${STRINGS_PROGRAM}
	COMMAND ${INLAY_CLANG} -target bpf -g -O2 -Wall -Werror
		-I/usr/include/${CMAKE_C_LIBRARY_ARCHITECTURE}
		-c ${CMAKE_CURRENT_SOURCE_DIR}/unit/strings_kernel.bpf.c -o ${STRINGS_PROGRAM}
	DEPENDS unit/strings_kernel.bpf.c unit/strings_kernel.h
	VERBATIM)
add_custom_target(strings_program DEPENDS ${STRINGS_PROGRAM})
inlay_unit_test(kernel_strings LIBS inlay_rt PkgConfig::LIBBPF PkgConfig::LIBELF Threads::Threads)
target_compile_definitions(test_kernel_strings PRIVATE STRINGS_PROGRAM="${STRINGS_PROGRAM}")
add_dependencies(test_kernel_strings strings_program)
