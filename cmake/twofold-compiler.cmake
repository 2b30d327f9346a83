# How Twofold's sources are compiled, whichever list builds them: this one, or that of tests/kernels on its own.
get_filename_component(TWOFOLD_SOURCE_DIR ${CMAKE_CURRENT_LIST_DIR}/.. ABSOLUTE)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O3")

add_library(twofold_options INTERFACE)
# No contraction: a*b+c must round the same with and without FMA instructions (docs/numerics.md).
# The other two change no result: nobody reads errno or the exception flags, and loops with square roots vectorize.
target_compile_options(twofold_options INTERFACE -ffp-contract=off -fno-math-errno -fno-trapping-math -Wall -Wextra -Werror -Wno-missing-field-initializers $<$<CXX_COMPILER_ID:GNU>:-Wshadow=local> $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow> -Wno-psabi)
# Four levels are enough: SSE2 (any x86-64), AVX2, AVX-512, and NEON elsewhere.
target_compile_definitions(twofold_options INTERFACE "HWY_DISABLED_TARGETS=(HWY_SSSE3|HWY_SSE4|HWY_AVX3_DL)")
if(TWOFOLD_SANITIZE)
  target_compile_options(twofold_options INTERFACE -fsanitize=${TWOFOLD_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(twofold_options INTERFACE -fsanitize=${TWOFOLD_SANITIZE})
  if(TWOFOLD_SANITIZE MATCHES "undefined")
    # AddressSanitizer finds these too, and without their checks a file compiles in three quarters of the time.
    target_compile_options(twofold_options INTERFACE -fno-sanitize=null,object-size,vptr)
  endif()
endif()

# Tests run no longer than a moment, and compile in half of the time if they are hardly optimized, under sanitizers not at
# all. There their addresses are checked; undefined behaviour is looked for in what they test.
function(twofold_test_options target)
  # GCC 12 then takes an allocator that frees one of two kinds of memory for one that frees the wrong kind.
  target_compile_options(${target} PRIVATE -O1 $<$<CXX_COMPILER_ID:GNU>:-Wno-free-nonheap-object>)
  if(TWOFOLD_SANITIZE MATCHES "undefined")
    target_compile_options(${target} PRIVATE -O0 -fno-sanitize=undefined)
  endif()
endfunction()

# Kernels that are written for one instruction set (src/kernels/isa_*.cc); which one runs is decided at run time. To be
# called in every directory that compiles them.
function(twofold_kernel_flags)
  if(TWOFOLD_SANITIZE MATCHES "address" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Tiles are unrolled for all registers: checked in place, their accesses keep the compiler busy for over a minute.
    set(checks --param asan-instrumentation-with-call-threshold=0)
  endif()
  macro(flags_of name)
    set_source_files_properties(${TWOFOLD_SOURCE_DIR}/src/kernels/isa_${name}.cc PROPERTIES
      COMPILE_OPTIONS "${ARGN};${checks}" SKIP_PRECOMPILE_HEADERS ON)
  endmacro()
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    # GCC 12 takes the undefined operands in its own AVX-512 headers for mistakes.
    set(avx512 -mavx512f -mavx512bw -mavx512vl -mavx512dq
      $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized> $<$<CXX_COMPILER_ID:GNU>:-Wno-uninitialized>)
    flags_of(avx2 -mavx2)
    if(TWOFOLD_SANITIZE MATCHES "thread")
      # They share the code in which threads meet with those for AVX2, which tools/sanitize.sh has run there.
      set(checks -fno-sanitize=thread)
    endif()
    flags_of(avxvnni -mavx2 -mavxvnni)
    flags_of(avx512 ${avx512})
    flags_of(avx512vnni ${avx512} -mavx512vnni)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
    flags_of(neondot -march=armv8.2-a+dotprod)
  endif()
endfunction()
