# SPDX-License-Identifier: BSD-2-Clause
# Stacks: the helpers, their maps, and what `inlay stacks` shows of them.
foreach(level 0 1 2)
	inlay_script_test(e2e/stacks-O${level} e2e/stacks.sh -O${level} -g)
endforeach()
inlay_script_test(e2e/stacks-lto e2e/stacks.sh -O2 -flto)
inlay_script_test(e2e/stacks-cli e2e/stacks-cli.sh)
inlay_script_test(e2e/stacks-modules e2e/stacks-modules.sh)
inlay_script_test(e2e/stacks-ids e2e/stacks-ids.sh)
inlay_script_test(e2e/stacks-aarch64 e2e/stacks-aarch64.sh)

inlay_unit_test(stack LIBS inlay_rt Threads::Threads)
inlay_read_variant(stack asan)
target_compile_options(test_stack_asan PRIVATE -fsanitize=address)
target_link_options(test_stack_asan PRIVATE -fsanitize=address)
inlay_read_variant(stack no_handler)
target_compile_definitions(test_stack_no_handler PRIVATE TEST_NO_HANDLER)
target_link_options(test_stack_no_handler PRIVATE
	-Xlinker --defsym=__inlay_no_handler_v1=1)

# The table of modules and its test under ThreadSanitizer, with the rest of the runtime as it is.
inlay_read_variant(stack tsan)
target_sources(test_stack_tsan PRIVATE ${CMAKE_SOURCE_DIR}/rt/build_ids.c ${CMAKE_SOURCE_DIR}/rt/loaded.c)
target_compile_definitions(test_stack_tsan PRIVATE TEST_NO_HANDLER)
target_compile_options(test_stack_tsan PRIVATE -fsanitize=thread)
target_link_options(test_stack_tsan PRIVATE -fsanitize=thread)
