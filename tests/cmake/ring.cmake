# SPDX-License-Identifier: BSD-2-Clause
# Ring buffers: producers and the consumer's header, without the rest of the runtime.
find_package(Threads REQUIRED)
set(INLAY_RING_SOURCES ${CMAKE_SOURCE_DIR}/rt/map_ringbuf.c ${CMAKE_SOURCE_DIR}/rt/map_ringbuf_claim.c
	${CMAKE_SOURCE_DIR}/rt/map_ringbuf_lone.c ${CMAKE_SOURCE_DIR}/rt/map_ringbuf_span.c
	${CMAKE_SOURCE_DIR}/rt/map_ringbuf_fast.c)

set(RINGBUF_KERNEL ${CMAKE_BINARY_DIR}/tests/ringbuf_kernel.bpf.o)
add_custom_command(OUTPUT ${RINGBUF_KERNEL}
	COMMAND ${INLAY_CLANG} -target bpf -g -O2 -Wall -Werror -mcpu=v3
		-I/usr/include/${CMAKE_C_LIBRARY_ARCHITECTURE}
		-c ${CMAKE_CURRENT_SOURCE_DIR}/unit/ringbuf_kernel.bpf.c -o ${RINGBUF_KERNEL}
	DEPENDS unit/ringbuf_kernel.bpf.c unit/ringbuf_ops.h
	VERBATIM)
add_custom_target(ringbuf_kernel DEPENDS ${RINGBUF_KERNEL})
inlay_unit_test(ringbuf LIBS PkgConfig::LIBBPF)
target_sources(test_ringbuf PRIVATE ${INLAY_RING_SOURCES})
target_compile_definitions(test_ringbuf PRIVATE RINGBUF_KERNEL_OBJECT="${RINGBUF_KERNEL}")
add_dependencies(test_ringbuf ringbuf_kernel)

# Atomics call into the test (unit/map_hooks.h). A small ring has small spans, of few records.
add_library(ring_hooked OBJECT ${INLAY_RING_SOURCES} unit/ring_hooked.c)
target_link_libraries(ring_hooked PRIVATE inlay_flags)
target_compile_definitions(ring_hooked PRIVATE RING_TEST_THREADS RING_SPAN_SHIFT=2 SPAN_RECORDS=1u)
target_compile_options(ring_hooked PRIVATE -fsanitize=thread -fno-strict-aliasing
	"SHELL:-mllvm -tsan-instrument-memory-accesses=0"
	"SHELL:-mllvm -tsan-instrument-memintrinsics=0"
	"SHELL:-mllvm -tsan-instrument-func-entry-exit=0")
inlay_unit_test(ringbuf_model LIBS ring_hooked)
set_tests_properties(unit/ringbuf_model PROPERTIES TIMEOUT 400)

inlay_unit_test(ringbuf_threads LIBS Threads::Threads)
target_sources(test_ringbuf_threads PRIVATE ${INLAY_RING_SOURCES})
function(ring_sanitized_test name sanitizers)
	add_executable(test_${name} unit/test_ringbuf_threads.c ${INLAY_RING_SOURCES})
	target_link_libraries(test_${name} PRIVATE inlay_flags PkgConfig::CMOCKA Threads::Threads)
	target_compile_options(test_${name} PRIVATE -fsanitize=${sanitizers}
		-fno-sanitize-recover=all)
	target_link_options(test_${name} PRIVATE -fsanitize=${sanitizers})
	set_target_properties(test_${name} PROPERTIES
		RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
	add_test(NAME unit/${name} COMMAND test_${name})
	set_tests_properties(unit/${name} PROPERTIES ${inlay_skip} TIMEOUT 120)
endfunction()
ring_sanitized_test(ringbuf_threads_tsan thread)
ring_sanitized_test(ringbuf_threads_asan address,undefined)

set(RINGBUF_USER_KERNEL ${CMAKE_BINARY_DIR}/tests/ringbuf_user_kernel.bpf.o)
add_custom_command(OUTPUT ${RINGBUF_USER_KERNEL}
	COMMAND ${INLAY_CLANG} -target bpf -g -O2 -Wall -Werror -mcpu=v3
		-I/usr/include/${CMAKE_C_LIBRARY_ARCHITECTURE}
		-c ${CMAKE_CURRENT_SOURCE_DIR}/unit/ringbuf_user_kernel.bpf.c -o ${RINGBUF_USER_KERNEL}
	DEPENDS unit/ringbuf_user_kernel.bpf.c unit/ringbuf_ops.h
	VERBATIM)
add_custom_target(ringbuf_user_kernel DEPENDS ${RINGBUF_USER_KERNEL})
inlay_unit_test(ringbuf_user LIBS PkgConfig::LIBBPF)
target_sources(test_ringbuf_user PRIVATE ${CMAKE_SOURCE_DIR}/rt/map_ringbuf_user.c)
target_compile_definitions(test_ringbuf_user PRIVATE
	RINGBUF_USER_KERNEL_OBJECT="${RINGBUF_USER_KERNEL}")
add_dependencies(test_ringbuf_user ringbuf_user_kernel)
