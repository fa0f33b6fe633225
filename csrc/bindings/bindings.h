// What the files of bindings/ share: the list of parts, and how NumPy arrays are taken.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "core/error.h"
#include "core/shape.h"

namespace netlet {

namespace py = pybind11;

void bind_errors(py::module_&);
void bind_machine(py::module_&);
void bind_random(py::module_&);
void bind_executor(py::module_&);
void bind_profile(py::module_&);

class Host;
// A host that calls a Python object; see netlet/backends/host.py. float32 or float64 arrays, as the Program has.
std::shared_ptr<Host> python_host(py::object object, bool float32);

struct Profile;
py::dict as_dict(const Profile&);

// Runs pending signal handlers; true where one raised (Ctrl-C). The caller need not hold the GIL.
bool interrupted();

template <class T>
class Executor;

// A predictor of the executor's network and params, as a capsule that owns it and holds its netlet_predict_entry.
template <class T>
py::capsule predictor_capsule(Executor<T>&);

// A C-contiguous array of exactly T, as Python hands it over; checked, never converted or copied.
template <class T>
using Array = py::array_t<T, py::array::c_style>;

inline std::string shape_of(const py::array& a) {
  std::string text = "(";
  for (py::ssize_t i = 0; i < a.ndim(); ++i) text += (i ? ", " : "") + std::to_string(a.shape(i));
  return text + (a.ndim() == 1 ? ",)" : ")");
}

// The data of `a`, which must be C-contiguous, of T and have `count` elements.
template <class T>
const T* read_only(const py::array& a, int64_t count, const char* what) {
  if (!py::isinstance<Array<T>>(a))
    fail(Kind::type, std::string(what) + ": expected a C-contiguous array of " +
                         std::string(py::str(py::dtype::of<T>())) + ", got " + std::string(py::str(a.dtype())));
  if (a.size() != count)
    fail(Kind::value,
         std::string(what) + ": has shape " + shape_of(a) + ", expected " + std::to_string(count) + " elements");
  return static_cast<const T*>(a.data());
}

template <class T>
T* writable(py::array& a, int64_t count, const char* what) {
  read_only<T>(a, count, what);
  if (!a.writeable()) fail(Kind::value, std::string(what) + ": expected a writable array");
  return static_cast<T*>(a.mutable_data());
}

}  // namespace netlet
