// The one place where C++ errors become Python's.
#include "bindings/bindings.h"

namespace netlet {

void bind_errors(py::module_&) {
  py::register_local_exception_translator([](std::exception_ptr p) {
    try {
      if (p) std::rethrow_exception(p);
    } catch (const Error& e) {
      switch (e.kind()) {
        case Kind::value:
          PyErr_SetString(PyExc_ValueError, e.what());
          break;
        case Kind::type:
          PyErr_SetString(PyExc_TypeError, e.what());
          break;
        case Kind::runtime:
          PyErr_SetString(PyExc_RuntimeError, e.what());
          break;
        case Kind::interrupt:  // the signal's handler has set its own exception as a rule
          if (!PyErr_Occurred()) PyErr_SetNone(PyExc_KeyboardInterrupt);
          break;
        case Kind::format: {
          const py::object type = py::module_::import("netlet.errors").attr("ModelFormatError");
          PyErr_SetString(type.ptr(), e.what());
          break;
        }
      }
    }
  });
}

}  // namespace netlet
