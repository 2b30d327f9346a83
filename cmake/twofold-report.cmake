# What figures are drawn with becomes part of the library: D3 as the system has it, and src/report/plots on top of it.
# Sets TWOFOLD_REPORT_SOURCE, a file to compile.
find_file(TWOFOLD_D3_FILE d3.min.js PATHS /usr/share/javascript/d3 NO_DEFAULT_PATH)
mark_as_advanced(TWOFOLD_D3_FILE)
if(NOT TWOFOLD_D3_FILE)
  message(FATAL_ERROR "D3 3.5 is missing (Debian: libjs-d3); or -DTWOFOLD_D3_FILE=.../d3.min.js")
endif()

# Joins files of src/report, in this order, into a variable.
function(twofold_join_files variable)
  set(joined "")
  foreach(name IN LISTS ARGN)
    set(path ${PROJECT_SOURCE_DIR}/src/report/${name})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
    file(READ ${path} text)
    string(APPEND joined "${text}")
  endforeach()
  set(${variable} "${joined}" PARENT_SCOPE)
endfunction()

file(READ ${TWOFOLD_D3_FILE} TWOFOLD_D3)
# Newer versions are in a JavaScript that Duktape does not read, and have other functions.
if(NOT TWOFOLD_D3 MATCHES "version:\"3\\.5")
  message(FATAL_ERROR "${TWOFOLD_D3_FILE} is not D3 3.5")
endif()
set(TWOFOLD_PLOT_FILES palette words axes frame lines histogram boxes bars)
list(TRANSFORM TWOFOLD_PLOT_FILES REPLACE "(.+)" "plots/\\1.js")
twofold_join_files(TWOFOLD_PLOTS ${TWOFOLD_PLOT_FILES})
twofold_join_files(TWOFOLD_DOM dom.js)
configure_file(src/report/assets.cc.in report_assets.cc @ONLY)
set(TWOFOLD_REPORT_SOURCE ${CMAKE_CURRENT_BINARY_DIR}/report_assets.cc)
