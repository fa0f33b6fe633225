# The kernels are written once over Vec<T> and compiled once per instruction set: csrc/kernels/isa_<name>.cpp.
# Only these files get the flags of an instruction set; everything else runs on any processor of the architecture.

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
  set(netlet_isas neon)
else()
  set(netlet_isas baseline avx2 avx512)
endif()

set(netlet_isa_flags_baseline -march=x86-64-v2)
set(netlet_isa_flags_avx2 -march=x86-64-v3)
set(netlet_isa_flags_avx512 -march=x86-64-v3 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mprefer-vector-width=512)
set(netlet_isa_flags_neon "")

set(netlet_kernel_sources "")
foreach(isa IN LISTS netlet_isas)
  set(source csrc/kernels/isa_${isa}.cpp)
  set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "${netlet_isa_flags_${isa}}")
  list(APPEND netlet_kernel_sources ${source})
endforeach()
