# Looks for what the C++ build needs and enables C++.
#
# What a machine may lack (a compiler, Python's headers, kernels for its processor) is put into `netlet_missing`: the
# package is then installed without the extension. What is there but does not work stops the build.

set(netlet_missing "")

# An explicit choice (CXX, -DCMAKE_CXX_COMPILER) or any compiler on the PATH must work.
find_program(netlet_compiler NAMES c++ g++ clang++ CC icpx
  NO_PACKAGE_ROOT_PATH NO_CMAKE_PATH NO_CMAKE_ENVIRONMENT_PATH NO_CMAKE_SYSTEM_PATH)
if(NOT netlet_compiler AND NOT DEFINED ENV{CXX} AND NOT CMAKE_CXX_COMPILER)
  set(netlet_missing "no C++ compiler was found at installation (Debian: apt-get install g++)")
  return()
endif()
enable_language(CXX)

if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64|aarch64|arm64)$")
  set(netlet_missing "there are no kernels for ${CMAKE_SYSTEM_PROCESSOR} processors")
  return()
endif()

if((CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 11)
   OR (CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 14))
  message(FATAL_ERROR
    "Netlet needs GCC 11 or Clang 14; ${CMAKE_CXX_COMPILER} is ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}. "
    "Set CXX to a newer compiler, or NETLET_PURE=1 to install without the C++ extension.")
endif()

if(NETLET_BUILD_PYTHON)
  find_package(Python 3.10 COMPONENTS Interpreter Development.Module)
  if(NOT Python_Development.Module_FOUND)
    set(netlet_missing
      "the headers of Python ${Python_VERSION} were not found at installation (Debian: apt-get install python3-dev)")
  endif()
endif()
