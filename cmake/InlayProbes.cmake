# SPDX-License-Identifier: BSD-2-Clause
# Functions of the CMake package:
#
#   inlay_add_bpf_object(<name> <source.bpf.c> [INCLUDES <dir>...] [DEFINITIONS <NAME[=value]>...])
#     makes <name>.bpf.o in the current binary directory; target <name> stands for it.
#
#   inlay_target_probes(<target> <probe>... [BINARY <name>] [ALLOW_OVERRIDE] [ALLOW_WRITE] [STATS]
#                       [SET <VAR=value>...] [MAP <NAME.max_entries=N>...]
#                       [ATTACH <PROGRAM:FUNCTION>...])
#     sets the probes (files, or targets of inlay_add_bpf_object) into what is compiled for <target>.
#     The compiler is clang 19 or inlay-cc/inlay-c++.

function(inlay_add_bpf_object name source)
	cmake_parse_arguments(PARSE_ARGV 2 ARG "" "" "INCLUDES;DEFINITIONS")
	get_filename_component(source "${source}" ABSOLUTE)
	set(object "${CMAKE_CURRENT_BINARY_DIR}/${name}.bpf.o")
	set(arch x86)
	if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
		set(arch arm64)
	endif()
	set(flags -target bpf -g -O2 -D__TARGET_ARCH_${arch} "-I${Inlay_INCLUDE_DIR}")
	if(Inlay_MULTIARCH)
		list(APPEND flags "-I/usr/include/${Inlay_MULTIARCH}")
	endif()
	list(TRANSFORM ARG_INCLUDES PREPEND "-I")
	list(TRANSFORM ARG_DEFINITIONS PREPEND "-D")
	add_custom_command(OUTPUT "${object}" VERBATIM
		COMMAND "${Inlay_CLANG}" ${flags} ${ARG_INCLUDES} ${ARG_DEFINITIONS}
			-MD -MF "${object}.d" -MT "${object}" -c "${source}" -o "${object}"
		DEPENDS "${source}" DEPFILE "${object}.d" COMMENT "Compiling probe object ${name}")
	add_custom_target(${name} ALL DEPENDS "${object}")
	set_target_properties(${name} PROPERTIES INLAY_OBJECT "${object}")
endfunction()

# Whether the compiler of `language` is the wrapper (in `ret_wrapper`); stops if it is no clang 19.
function(_inlay_check_compiler language ret_wrapper)
	get_filename_component(name "${CMAKE_${language}_COMPILER}" NAME)
	if(name MATCHES "^inlay-c")
		set(${ret_wrapper} TRUE PARENT_SCOPE)
		return()
	endif()
	if(NOT CMAKE_${language}_COMPILER_ID STREQUAL "Clang" OR
	   NOT CMAKE_${language}_COMPILER_VERSION MATCHES "^19\\.")
		message(FATAL_ERROR "inlay_target_probes: the ${language} compiler is "
			"${CMAKE_${language}_COMPILER_ID} ${CMAKE_${language}_COMPILER_VERSION}; "
			"Inlay's plugin needs clang 19, or use ${Inlay_BIN_DIR}/inlay-cc")
	endif()
	set(${ret_wrapper} FALSE PARENT_SCOPE)
endfunction()

function(inlay_target_probes target)
	cmake_parse_arguments(PARSE_ARGV 1 ARG "ALLOW_OVERRIDE;ALLOW_WRITE;STATS" "BINARY" "SET;MAP;ATTACH")
	if(NOT ARG_UNPARSED_ARGUMENTS)
		message(FATAL_ERROR "inlay_target_probes: no probe object given for ${target}")
	endif()

	set(pairs "")
	foreach(probe ${ARG_UNPARSED_ARGUMENTS})
		if(TARGET "${probe}")
			get_target_property(object ${probe} INLAY_OBJECT)
			if(NOT object)
				message(FATAL_ERROR "inlay_target_probes: ${probe} is no target of "
					"inlay_add_bpf_object")
			endif()
			add_dependencies(${target} ${probe})
		else()
			get_filename_component(object "${probe}" ABSOLUTE)
		endif()
		list(APPEND objects "${object}")
		list(APPEND pairs "probes=${object}")
	endforeach()
	foreach(what SET MAP ATTACH)
		string(TOLOWER ${what} option)
		foreach(value ${ARG_${what}})
			list(APPEND pairs "${option}=${value}")
		endforeach()
	endforeach()
	if(ARG_BINARY)
		list(APPEND pairs "binary=${ARG_BINARY}")
	endif()
	if(ARG_ALLOW_OVERRIDE)
		list(APPEND pairs "allow-override")
	endif()
	if(ARG_ALLOW_WRITE)
		list(APPEND pairs "allow-write")
	endif()
	if(ARG_STATS)
		list(APPEND pairs "stats")
	endif()
	list(TRANSFORM pairs PREPEND "-finlay-" OUTPUT_VARIABLE wrapper_flags)

	get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
	set(is_checked TRUE)
	foreach(language C CXX)
		if(NOT language IN_LIST languages)
			continue()
		endif()
		_inlay_check_compiler(${language} is_wrapper)
		if(is_wrapper)
			target_compile_options(${target} PRIVATE
				"$<$<COMPILE_LANGUAGE:${language}>:${wrapper_flags}>")
			target_link_options(${target} PRIVATE
				"$<$<LINK_LANGUAGE:${language}>:${wrapper_flags}>")
			continue()
		endif()
		set(is_checked FALSE)
		set(flags "-fplugin=${Inlay_PLUGIN}" "-fpass-plugin=${Inlay_PLUGIN}")
		foreach(pair ${pairs})
			list(APPEND flags "SHELL:-Xclang -mllvm -Xclang \"-inlay-${pair}\"")
		endforeach()
		foreach(object ${objects})
			list(APPEND flags "SHELL:-Xclang \"-fdepfile-entry=${object}\"")
		endforeach()
		foreach(flag ${flags})
			target_compile_options(${target} PRIVATE
				"$<$<COMPILE_LANGUAGE:${language}>:${flag}>")
		endforeach()
	endforeach()

	if(NOT is_checked)
		target_link_libraries(${target} PRIVATE Inlay::runtime)
		get_target_property(type ${target} TYPE)
		if(type MATCHES "EXECUTABLE|SHARED_LIBRARY|MODULE_LIBRARY")
			# The wrapper checks its links; here it looks at the result.
			add_custom_command(TARGET ${target} POST_BUILD VERBATIM
				COMMAND Inlay::cc ${wrapper_flags}
					"-finlay-check=$<TARGET_FILE:${target}>")
		endif()
	endif()
	set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS ${objects})
endfunction()
