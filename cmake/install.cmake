# What `cmake --install` puts where: the command line, the libraries, the public headers, and a CMake package.
include(CMakePackageConfigHelpers)

set(TWOFOLD_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/twofold)
# From the program to the libraries, and from one library to the other.
file(RELATIVE_PATH to_libraries ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
set_target_properties(twofold twofold-debugger PROPERTIES INSTALL_RPATH "$ORIGIN/${to_libraries}")
set_target_properties(twofold_core twofold_c PROPERTIES INSTALL_RPATH "$ORIGIN")

install(TARGETS twofold twofold-debugger RUNTIME)
install(TARGETS twofold_core EXPORT twofold-targets)
install(TARGETS twofold_c EXPORT twofold-c-targets)
install(DIRECTORY include/twofold TYPE INCLUDE FILES_MATCHING PATTERN "*.h")

install(EXPORT twofold-targets NAMESPACE twofold:: DESTINATION ${TWOFOLD_CMAKE_DIR})
install(EXPORT twofold-c-targets NAMESPACE twofold:: DESTINATION ${TWOFOLD_CMAKE_DIR})
configure_package_config_file(cmake/twofold-config.cmake.in twofold-config.cmake
  INSTALL_DESTINATION ${TWOFOLD_CMAKE_DIR} NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(twofold-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES cmake/twofold-libraries.cmake ${CMAKE_CURRENT_BINARY_DIR}/twofold-config.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/twofold-config-version.cmake DESTINATION ${TWOFOLD_CMAKE_DIR})
