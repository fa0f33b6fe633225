# netlet_flags: the flags of every C++ file of Netlet, as an interface target.

add_library(netlet_flags INTERFACE)

# A fused multiply-add is written where it is wanted, never left to the compiler: the tail of a loop must round as its
# body does. For the same reason no -ffast-math.
target_compile_options(netlet_flags INTERFACE
  -ffp-contract=off -ffunction-sections -fdata-sections -Wall -Wextra $<$<BOOL:${NETLET_WERROR}>:-Werror>)
set(CMAKE_CXX_FLAGS_RELEASE "-O3 -DNDEBUG")

if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
  target_link_options(netlet_flags INTERFACE
    -Wl,--gc-sections -Wl,--as-needed -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
endif()

if(NETLET_OPENMP)
  find_package(OpenMP COMPONENTS CXX)
  if(OpenMP_CXX_FOUND)
    target_link_libraries(netlet_flags INTERFACE OpenMP::OpenMP_CXX)
  else()
    message(STATUS "OpenMP was not found: Netlet will run on one thread")
  endif()
else()
  target_compile_options(netlet_flags INTERFACE -Wno-unknown-pragmas)
endif()
find_package(Threads REQUIRED)
target_link_libraries(netlet_flags INTERFACE Threads::Threads)

if(NETLET_SANITIZE)
  target_compile_options(netlet_flags INTERFACE
    -fsanitize=${NETLET_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -g -O1) # -O3 under a sanitizer takes minutes a file
  target_link_options(netlet_flags INTERFACE -fsanitize=${NETLET_SANITIZE})
endif()
