# netlet._native: the engine behind pybind11, csrc/bindings/*.cpp.

if(NOT pybind11_DIR)
  execute_process(COMMAND "${Python_EXECUTABLE}" -m pybind11 --cmakedir
    OUTPUT_VARIABLE pybind11_DIR OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
set(PYBIND11_FINDPYTHON ON)
find_package(pybind11 3.0 CONFIG REQUIRED)

file(GLOB netlet_bindings CONFIGURE_DEPENDS csrc/bindings/*.cpp)
pybind11_add_module(_native MODULE NO_EXTRAS ${netlet_bindings})
target_link_libraries(_native PRIVATE netlet_engine)
target_compile_definitions(_native PRIVATE NETLET_VERSION="${PROJECT_VERSION}")

if(NETLET_INPLACE)
  set_target_properties(_native PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${PROJECT_SOURCE_DIR}/python/netlet")
endif()
install(TARGETS _native LIBRARY DESTINATION netlet COMPONENT python)
