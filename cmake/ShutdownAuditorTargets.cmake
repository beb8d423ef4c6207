# Helpers that declare a module and a test the same way everywhere.

option(SA_WARNINGS_AS_ERRORS "Treat warnings as errors (on in the presets, off for users)" OFF)
set(SA_SANITIZE "" CACHE STRING "Value for -fsanitize=, empty for none")

add_library(sa_options INTERFACE)
target_compile_features(sa_options INTERFACE cxx_std_20)
target_compile_options(sa_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wold-style-cast
  $<$<BOOL:${SA_WARNINGS_AS_ERRORS}>:-Werror>)
if(SA_SANITIZE)  # no generator expression: the value may contain a comma
  target_compile_options(sa_options INTERFACE -fsanitize=${SA_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(sa_options INTERFACE -fsanitize=${SA_SANITIZE})
endif()

# sa_add_module(NAME SOURCES a.cc … [DEPS module …] [LIBS target …] [PRIVATE_LIBS target …])
# A static library sa_NAME with the alias sa::NAME. DEPS are other modules, LIBS third-party targets.
function(sa_add_module name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS;LIBS;PRIVATE_LIBS" ${ARGN})
  add_library(sa_${name} STATIC ${arg_SOURCES})
  add_library(sa::${name} ALIAS sa_${name})
  set_target_properties(sa_${name} PROPERTIES CXX_EXTENSIONS OFF)
  target_include_directories(sa_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(sa_${name} PUBLIC Threads::Threads ${arg_LIBS} PRIVATE sa_options ${arg_PRIVATE_LIBS})
  foreach(dep ${arg_DEPS})
    target_link_libraries(sa_${name} PUBLIC sa::${dep})
  endforeach()
endfunction()

# sa_add_test(NAME SOURCES a_test.cc … [DEPS module …] [LIBS target …] LABEL unit|fault|integration [TIMEOUT seconds])
# An executable whose tests ctest lists one by one; an integration test is one entry, because its tests share a cluster.
function(sa_add_test name)
  cmake_parse_arguments(arg "" "LABEL;TIMEOUT" "SOURCES;DEPS;LIBS" ${ARGN})
  if(NOT arg_LABEL)
    message(FATAL_ERROR "sa_add_test(${name}) needs a LABEL")
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)  # against a hang; the slowest takes about a minute under AddressSanitizer
  endif()
  add_executable(${name} ${arg_SOURCES})
  set_target_properties(${name} PROPERTIES CXX_EXTENSIONS OFF)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(${name} PRIVATE SA_SOURCE_DIR="${PROJECT_SOURCE_DIR}" SA_BINARY_DIR="${PROJECT_BINARY_DIR}")
  target_link_libraries(${name} PRIVATE sa_options sa_test_support ${arg_LIBS} GTest::gmock GTest::gtest_main)
  foreach(dep ${arg_DEPS})
    target_link_libraries(${name} PRIVATE sa::${dep})
  endforeach()
  if(SA_SANITIZE)
    target_precompile_headers(${name} REUSE_FROM sa_test_support)
  endif()
  if(arg_LABEL STREQUAL "integration")
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES LABELS integration TIMEOUT ${arg_TIMEOUT})
  else()
    gtest_discover_tests(${name} NO_PRETTY_VALUES DISCOVERY_MODE PRE_TEST PROPERTIES LABELS ${arg_LABEL} TIMEOUT ${arg_TIMEOUT})
  endif()
endfunction()
