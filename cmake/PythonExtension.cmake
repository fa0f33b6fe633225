# netlet._native: the engine behind pybind11, csrc/bindings/*.cpp.
# netlet._predictor: the call of one row, in Cython, csrc/bindings/_predictor.pyx. It gets at the engine in _native
# through a plain C struct (predict_entry.h), so it links none of it.

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

execute_process(
  COMMAND "${Python_EXECUTABLE}" -c "import Cython, numpy; print(Cython.__version__, numpy.get_include(), sep=';')"
  OUTPUT_VARIABLE netlet_cython OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE netlet_cython_failed)
if(netlet_cython_failed)
  message(FATAL_ERROR "${Python_EXECUTABLE} needs Cython and NumPy to build Netlet: pip install 'cython>=3.1' 'numpy>=2.0'")
endif()
list(POP_FRONT netlet_cython netlet_cython_version)
if(netlet_cython_version VERSION_LESS 3.1)
  message(FATAL_ERROR "Netlet needs Cython 3.1; ${Python_EXECUTABLE} has ${netlet_cython_version}")
endif()

# Cython writes C++, so that no C compiler is asked for. Its code is not held to our warnings; -O3 makes it no faster.
set(netlet_predictor_pyx "${PROJECT_SOURCE_DIR}/csrc/bindings/_predictor.pyx")
set(netlet_predictor_source "${CMAKE_CURRENT_BINARY_DIR}/_predictor.cpp")
set(netlet_cython_flags --cplus --module-name netlet._predictor)
if(NETLET_WERROR)
  list(APPEND netlet_cython_flags --warning-errors)
endif()
add_custom_command(OUTPUT "${netlet_predictor_source}"
  COMMAND "${Python_EXECUTABLE}" -m cython ${netlet_cython_flags} --output-file
    "${netlet_predictor_source}" "${netlet_predictor_pyx}"
  DEPENDS "${netlet_predictor_pyx}" VERBATIM)
set_source_files_properties("${netlet_predictor_source}" PROPERTIES COMPILE_OPTIONS "-w;-O2")
Python_add_library(_predictor MODULE WITH_SOABI "${netlet_predictor_source}")
target_link_libraries(_predictor PRIVATE netlet_flags)
target_include_directories(_predictor PRIVATE csrc)
target_include_directories(_predictor SYSTEM PRIVATE ${netlet_cython})
# Built with the headers of NumPy 2, it runs with 1.26, too.
target_compile_definitions(_predictor PRIVATE
  NPY_NO_DEPRECATED_API=NPY_1_7_API_VERSION NPY_TARGET_VERSION=NPY_1_25_API_VERSION)

if(NETLET_INPLACE)
  set_target_properties(_native _predictor PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${PROJECT_SOURCE_DIR}/python/netlet")
endif()
install(TARGETS _native _predictor LIBRARY DESTINATION netlet COMPONENT python)
