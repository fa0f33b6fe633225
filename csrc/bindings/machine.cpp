// What is known of this machine: instruction sets, threads, OpenMP.
#include "bindings/bindings.h"
#include "core/isa.h"
#include "core/parallel.h"
#include "kernels/kernels.h"

namespace netlet {

void bind_machine(py::module_& m) {
  m.def("isa_detected", [] { return std::string(name(detect())); }, "The best instruction set this CPU has.");
  m.def(
      "isas_available",
      [] {
        std::vector<std::string> names;
        for (Isa isa : kAllIsas)
          if (built(isa) && supported(isa)) names.emplace_back(name(isa));
        return names;
      },
      "The instruction sets that this build has kernels for and this CPU runs.");
  m.def(
      "isa_in_use", [] { return std::string(name(default_isa())); },
      "The instruction set that executors use by default: NETLET_ISA, or the best available.");
  m.def("default_threads", &default_threads,
        "NETLET_NUM_THREADS, or the cores this process may use (affinity and cgroup quota).");
  m.def("openmp_description", &openmp_description, "The OpenMP runtime, or why there is none.");
}

}  // namespace netlet
