# Libraries whose CMake files on Debian ask for more than Twofold needs, as imported targets. Used by the build, and
# installed for the package: a static library hands them on to whoever links it.
#   dnnl        its files ask for OpenCL
#   onnx_proto  ONNX's files link the whole of libonnx; only its messages are needed
#   zip         its files ask for libzip's command line tools
#   duktape     has none
foreach(library dnnl onnx_proto zip duktape)
  string(TOUPPER TWOFOLD_${library}_LIBRARY variable)
  find_library(${variable} ${library})
  mark_as_advanced(${variable})
  if(NOT ${variable})
    set(TWOFOLD_LIBRARIES_MISSING "${TWOFOLD_LIBRARIES_MISSING} lib${library}")
  elseif(NOT TARGET twofold::${library})
    add_library(twofold::${library} UNKNOWN IMPORTED)
    set_target_properties(twofold::${library} PROPERTIES IMPORTED_LOCATION "${${variable}}")
  endif()
endforeach()
