// Profiles as plain dictionaries, and the peak that they are measured against.
#include "program/profile.h"

#include "bindings/bindings.h"
#include "program/peak.h"

namespace netlet {
namespace {

// None where nothing ran.
py::object seconds(double value) { return value < 0 ? py::object(py::none()) : py::object(py::float_(value)); }

py::list seconds(const std::vector<double>& values) {
  py::list list;
  for (const double value : values) list.append(seconds(value));
  return list;
}

}  // namespace

py::dict as_dict(const Profile& profile) {
  py::dict found;
  found["isa"] = std::string(name(profile.isa));
  found["step"] = profile.step;
  found["forward"] = seconds(profile.forward);
  found["backward"] = seconds(profile.backward);
  const char* const names[] = {"gather", "loss", "metrics", "prepare", "update"};
  static_assert(sizeof names / sizeof *names == kPartCount);
  for (size_t i = 0; i < kPartCount; ++i) found[names[i]] = seconds(profile.parts[i]);
  found["shuffle"] = seconds(profile.shuffle);
  found["steps"] = profile.steps;
  found["threads"] = profile.threads;
  return found;
}

void bind_profile(py::module_& m) {
  m.def(
      "fma_peak",
      [](const std::string& isa, const std::string& dtype, int num_threads, double seconds) {
        const Isa set = netlet::parse(isa);
        if (dtype != "float32" && dtype != "float64")
          fail(Kind::value, "fma_peak: expected dtype float32 or float64, got '" + dtype + "'");
        py::gil_scoped_release release;
        return dtype == "float32" ? fma_peak<float>(set, num_threads, seconds)
                                  : fma_peak<double>(set, num_threads, seconds);
      },
      py::arg("isa"), py::arg("dtype"), py::arg("num_threads"), py::arg("seconds") = 0.03,
      "GFLOP/s of multiply-adds on registers alone: the best of ten runs that take about `seconds` together.");
  m.def(
      "round_trip",
      []() -> std::optional<double> {
        py::gil_scoped_release release;
        const double seconds = round_trip();
        return seconds < 0 ? std::nullopt : std::optional(seconds);
      },
      "Seconds that a line of cache takes to another thread, which writes it, and back; None where none comes.");
}

}  // namespace netlet
