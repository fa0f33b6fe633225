# kernel_test, executor_test and predictor_test: the whole engine, over every instruction set that the processor has;
# the first two once more with AVX-512 emulated.

foreach(test IN ITEMS kernel_test executor_test predictor_test)
  add_executable(${test} ${test}.cpp)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU") # GCC 12: bug 105651, string + string; an internal error for AArch64
    set_source_files_properties(${test}.cpp PROPERTIES COMPILE_OPTIONS "-Wno-restrict;-fno-tree-loop-vectorize")
  endif()
  target_link_libraries(${test} PRIVATE netlet_engine)
  add_test(NAME ${test} COMMAND ${test})
  set_tests_properties(${test} PROPERTIES TIMEOUT 600 COST 50)
endforeach()

if(NETLET_EMULATE_AVX512 AND avx512 IN_LIST netlet_isas)
  list(TRANSFORM netlet_sources PREPEND ${PROJECT_SOURCE_DIR}/ REGEX "^csrc/")
  set(netlet_kernels_to_emulate "")
  foreach(isa IN LISTS netlet_isas)
    set(source ${PROJECT_SOURCE_DIR}/csrc/kernels/isa_${isa}.cpp)
    set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "${netlet_isa_flags_${isa}}")
    list(APPEND netlet_kernels_to_emulate ${source})
  endforeach()
  set_source_files_properties(${PROJECT_SOURCE_DIR}/csrc/kernels/isa_avx512.cpp
    PROPERTIES COMPILE_OPTIONS "-march=x86-64-v3;-O1;-Wno-psabi")
  add_library(netlet_engine_emulated OBJECT ${netlet_sources} ${netlet_kernels_to_emulate})
  target_include_directories(netlet_engine_emulated PUBLIC ${PROJECT_SOURCE_DIR}/csrc ${CMAKE_CURRENT_SOURCE_DIR})
  target_compile_definitions(netlet_engine_emulated PUBLIC NL_EMULATE_AVX512)
  target_link_libraries(netlet_engine_emulated PUBLIC netlet_flags)
  foreach(test IN ITEMS kernel_test executor_test predictor_test)
    add_executable(${test}_avx512_emulated ${test}.cpp)
    target_link_libraries(${test}_avx512_emulated PRIVATE netlet_engine_emulated)
    add_test(NAME ${test}_avx512_emulated COMMAND ${test}_avx512_emulated avx512)
    set_tests_properties(${test}_avx512_emulated PROPERTIES TIMEOUT 600 COST 80)
  endforeach()
endif()
