# What every target of hark is built with, and the three kinds of targets there are.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_LINK_DEPENDS_NO_SHARED ON)

option(HARK_TESTS "build the tests" ON)
option(HARK_UNIT_TESTS "build the tests of labels unit, wire and fuzz; off where another build has run them" ON)
option(HARK_BENCH "build what bench/ needs" OFF)
option(HARK_FUZZ "build the libFuzzer targets (clang); without it they are built as replayers of their corpora" OFF)
option(HARK_WERROR "warnings are errors" OFF)
option(HARK_TIDY "run clang-tidy on every file" OFF)
set(HARK_SANITIZE "" CACHE STRING "-fsanitize= value for everything")

add_library(hark_flags INTERFACE)
target_include_directories(hark_flags INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_definitions(hark_flags INTERFACE _GLIBCXX_ASSERTIONS
                           HARK_VERSION="${PROJECT_VERSION}")
target_compile_options(hark_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wcast-qual
  -Wnon-virtual-dtor -Woverloaded-virtual -Wformat=2 -Wundef -Wextra-semi -Wswitch-enum
  -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  target_compile_options(hark_flags INTERFACE
    -Wduplicated-cond -Wduplicated-branches -Wlogical-op -Wimplicit-fallthrough=5
    -Wno-restrict)  # g++ 12 sees overlaps in std::string that are not there (GCC PR 105651)
endif()
if(HARK_WERROR)
  target_compile_options(hark_flags INTERFACE -Werror)
endif()
if(HARK_SANITIZE)
  target_compile_options(hark_flags INTERFACE -fsanitize=${HARK_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(hark_flags INTERFACE -fsanitize=${HARK_SANITIZE})
  if(HARK_SANITIZE MATCHES "undefined")
    # A null pointer ends the program anyway; to watch for it took a quarter of the time to compile.
    target_compile_options(hark_flags INTERFACE -fno-sanitize=null,vptr)
    # What is tested is watched for undefined behaviour; to watch the tests too took them a third of
    # their time. Here and not at the test: an option counts only behind the one that it undoes.
    target_compile_options(hark_flags INTERFACE
      $<$<BOOL:$<TARGET_PROPERTY:HARK_IS_TEST>>:-fno-sanitize=undefined>)
  endif()
elseif(CMAKE_BUILD_TYPE STREQUAL Release)
  target_compile_options(hark_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
                         -fstack-protector-strong -fcf-protection)
  target_link_options(hark_flags INTERFACE -Wl,-z,relro,-z,now,--gc-sections)
  target_compile_options(hark_flags INTERFACE -ffunction-sections -fdata-sections)
endif()
if(HARK_TIDY)
  set(CMAKE_CXX_CLANG_TIDY clang-tidy --warnings-as-errors=*)
endif()

# What runs under sanitizers: the programs of labels unit, wire and fuzz of the folders that see
# hostile bytes. Those of others run as they are, with the tests of other labels.
set(HARK_UNSANITIZED cli drill)
add_custom_target(sanitized_tests)

# hark_library(NAME DEPENDS …): every .cpp of the folder that is no test, as one static library.
function(hark_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cpp)
  list(FILTER sources EXCLUDE REGEX "(_test|main)\\.cpp$")
  add_library(hark_${name} STATIC ${sources})
  target_link_libraries(hark_${name} PUBLIC hark_flags ${ARG_DEPENDS})
  hark_tests(${name})
endfunction()

# The tests beside the code: x_test.cpp has the label unit, x_wire_test.cpp the label wire.
function(hark_tests name)
  if(NOT HARK_TESTS OR (HARK_SANITIZE AND name IN_LIST HARK_UNSANITIZED))
    return()
  endif()
  set(always)
  if(name IN_LIST HARK_UNSANITIZED)
    set(always ALWAYS)
  endif()
  file(GLOB tests CONFIGURE_DEPENDS *_test.cpp)
  foreach(label unit wire)
    set(chosen ${tests})
    if(label STREQUAL wire)
      list(FILTER chosen INCLUDE REGEX "_wire_test\\.cpp$")
    else()
      list(FILTER chosen EXCLUDE REGEX "_wire_test\\.cpp$")
    endif()
    if(chosen)
      hark_test_program(${name}_${label}_test LABEL ${label} SOURCES ${chosen} DEPENDS hark_${name} ${always})
    endif()
  endforeach()
endfunction()

# hark_test_program(NAME LABEL … [LOCK …] SOURCES … DEPENDS … [ALWAYS]): a GoogleTest program, each test a
# ctest test. ALWAYS: also where another build runs those of its label.
function(hark_test_program name)
  cmake_parse_arguments(ARG "ALWAYS" "LABEL;LOCK" "SOURCES;DEPENDS" ${ARGN})
  if(NOT HARK_UNIT_TESTS AND NOT ARG_ALWAYS AND ARG_LABEL MATCHES "^(unit|wire|fuzz)$")
    return()
  endif()
  find_package(GTest REQUIRED)
  include(GoogleTest)
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE hark_flags ${ARG_DEPENDS} GTest::gtest_main GTest::gmock)
  target_compile_definitions(${name} PRIVATE HARK_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  # Their time goes into what they test; to make them fast would take longer than to run them.
  target_compile_options(${name} PRIVATE $<$<CONFIG:Debug>:-O0>)
  set_target_properties(${name} PROPERTIES HARK_IS_TEST ON)
  set(lock)
  if(ARG_LOCK)
    set(lock RESOURCE_LOCK ${ARG_LOCK})
  endif()
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES LABELS ${ARG_LABEL} TIMEOUT 300 ${lock})
  if(ARG_LABEL MATCHES "^(unit|wire|fuzz)$")
    add_dependencies(sanitized_tests ${name})
  endif()
endfunction()
