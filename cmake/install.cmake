# SPDX-License-Identifier: BSD-2-Clause
# What `cmake --install` puts where, with the CMake package and the pkg-config files.
include(CMakePackageConfigHelpers)

foreach(target inlay inlay-cc bpfcc)
	if(TARGET ${target})
		install(TARGETS ${target} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
	endif()
endforeach()
install(FILES ${CMAKE_BINARY_DIR}/bin/inlay-c++ DESTINATION ${CMAKE_INSTALL_BINDIR})
foreach(target inlay_rt inlay_rt_shared inlay_rt_unit inlay_reader inlay_reader_shared libbpfcc inlay_pass)
	if(TARGET ${target})
		install(TARGETS ${target}
			LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
			ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
	endif()
endforeach()
# a linker script: libinlay.so.1 and the part that each program or library needs of its own
install(FILES ${CMAKE_BINARY_DIR}/lib/libinlay.so DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/inlay DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
	FILES_MATCHING PATTERN "*.h")
file(GLOB manuals ${CMAKE_SOURCE_DIR}/docs/man/*.1)
if(manuals)
	install(FILES ${manuals} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
endif()

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Inlay)
set(multiarch ${CMAKE_LIBRARY_ARCHITECTURE})
set(package_bin ${CMAKE_INSTALL_BINDIR})
set(package_lib ${CMAKE_INSTALL_LIBDIR})
set(package_include ${CMAKE_INSTALL_INCLUDEDIR})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/InlayConfig.cmake.in
	${CMAKE_BINARY_DIR}/install/InlayConfig.cmake INSTALL_DESTINATION ${package_dir}
	PATH_VARS package_bin package_lib package_include)
# find_package() also takes the build tree as it is.
set(package_bin ${CMAKE_BINARY_DIR}/bin)
set(package_lib ${CMAKE_BINARY_DIR}/lib)
set(package_include ${CMAKE_SOURCE_DIR}/include)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/InlayConfig.cmake.in
	${CMAKE_BINARY_DIR}/InlayConfig.cmake INSTALL_DESTINATION ${CMAKE_BINARY_DIR}
	PATH_VARS package_bin package_lib package_include)
configure_file(${CMAKE_CURRENT_LIST_DIR}/InlayProbes.cmake ${CMAKE_BINARY_DIR}/InlayProbes.cmake
	COPYONLY)
# Until 1.0 a minor version may change what a build script sees.
write_basic_package_version_file(${CMAKE_BINARY_DIR}/InlayConfigVersion.cmake
	COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/install/InlayConfig.cmake ${CMAKE_BINARY_DIR}/InlayConfigVersion.cmake
	${CMAKE_CURRENT_LIST_DIR}/InlayProbes.cmake DESTINATION ${package_dir})

# Relative to the .pc file, so that an installation can be moved as a whole.
file(RELATIVE_PATH pc_prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
foreach(name inlay inlay-reader)
	configure_file(${CMAKE_CURRENT_LIST_DIR}/${name}.pc.in ${CMAKE_BINARY_DIR}/${name}.pc @ONLY)
	install(FILES ${CMAKE_BINARY_DIR}/${name}.pc
		DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()
