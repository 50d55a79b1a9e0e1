# SPDX-License-Identifier: BSD-2-Clause
# Ring buffers: producers and the consumer's header, without the rest of the runtime.
find_package(Threads REQUIRED)
set(INLAY_RING_SOURCES ${CMAKE_SOURCE_DIR}/rt/map_ringbuf.c ${CMAKE_SOURCE_DIR}/rt/map_ringbuf_claim.c)

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
