// netlet._native: the compiled extension. A table of contents; each bind_* lives in a file of its own.
#include "bindings/bindings.h"

PYBIND11_MODULE(_native, m, pybind11::mod_gil_not_used()) {
  m.doc() = "Netlet's C++ core: executors of Programs, random numbers, and what is known of this machine.";
  m.attr("__version__") = NETLET_VERSION;
  netlet::bind_errors(m);
  netlet::bind_machine(m);
  netlet::bind_random(m);
  netlet::bind_executor(m);
  netlet::bind_profile(m);
}
