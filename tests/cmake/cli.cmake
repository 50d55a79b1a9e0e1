# SPDX-License-Identifier: BSD-2-Clause
# The reader library and the command `inlay`.
inlay_unit_test(reader LIBS inlay_reader)
inlay_unit_test(reader_hostile LIBS inlay_cli)
inlay_unit_test(reader_typed LIBS inlay_cli)
inlay_unit_test(elf_file LIBS inlay_cli)
find_package(Threads REQUIRED)
inlay_unit_test(reader_live LIBS inlay_reader inlay_rt Threads::Threads)
inlay_unit_test(ring_consumer LIBS inlay_reader Threads::Threads)
inlay_unit_test(user_ring LIBS inlay_reader Threads::Threads)

add_library(test_reader_header OBJECT unit/reader_header.cc)
target_link_libraries(test_reader_header PRIVATE inlay_flags)

# The same tests of hostile segments with the library and the printers under sanitizers.
get_target_property(INLAY_READER_SOURCES inlay_reader_objects SOURCES)
list(TRANSFORM INLAY_READER_SOURCES PREPEND ${CMAKE_SOURCE_DIR}/cli/reader/)
get_target_property(INLAY_CLI_SOURCES inlay_cli SOURCES)
list(TRANSFORM INLAY_CLI_SOURCES PREPEND ${CMAKE_SOURCE_DIR}/cli/inlay/)
foreach(module reader reader_hostile reader_typed ring_consumer user_ring)
	add_executable(test_${module}_asan unit/test_${module}.c ${INLAY_READER_SOURCES}
		${INLAY_CLI_SOURCES})
	target_link_libraries(test_${module}_asan PRIVATE inlay_flags PkgConfig::CMOCKA
		PkgConfig::LIBBPF PkgConfig::JANSSON PkgConfig::LIBELF)
	target_compile_options(test_${module}_asan PRIVATE
		-fsanitize=address,undefined -fno-sanitize-recover=all -O1)
	target_link_options(test_${module}_asan PRIVATE -fsanitize=address,undefined)
	set_target_properties(test_${module}_asan PROPERTIES
		RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
	add_test(NAME unit/${module}_asan COMMAND test_${module}_asan)
	# cmocka would take the signal and hide the report
	set_tests_properties(unit/${module}_asan PROPERTIES TIMEOUT 180
		ENVIRONMENT "ASAN_OPTIONS=handle_segv=2:allow_user_segv_handler=0")
endforeach()
# SIGBUS is what its file's being cut short makes, and the library's own handler takes
set_tests_properties(unit/ring_consumer_asan unit/user_ring_asan PROPERTIES ENVIRONMENT
	"ASAN_OPTIONS=handle_segv=2:allow_user_segv_handler=0:handle_sigbus=0")

inlay_script_test(e2e/cli e2e/cli.sh)
inlay_script_test(e2e/cli-hostile e2e/cli-hostile.sh)
inlay_script_test(e2e/cli-events e2e/cli-events.sh)
inlay_script_test(e2e/cli-inner e2e/cli-inner.sh)
inlay_script_test(e2e/arena e2e/arena.sh)
inlay_script_test(e2e/arena-random e2e/arena-random.sh)
inlay_script_test(e2e/events-live e2e/events-live.sh)
inlay_script_test(e2e/user-ring e2e/user-ring.sh)
inlay_script_test(e2e/cli-bpftool e2e/cli-bpftool.sh)
