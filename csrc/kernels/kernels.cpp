// Picks the table of kernels of an ISA.
#include "kernels/kernels.h"

#include <cstdlib>
#include <string>

#include "core/error.h"

namespace netlet {
namespace {

template <class T>
const Kernels<T>* table(Isa isa) {
  constexpr bool single = sizeof(T) == sizeof(float);
  switch (isa) {
#define NL_CASE(name)               \
  case Isa::name:                   \
    if constexpr (single)           \
      return &kernels_##name##_f32; \
    else                            \
      return &kernels_##name##_f64;
#if defined(__x86_64__)
    NL_CASE(baseline)
    NL_CASE(avx2)
    NL_CASE(avx512)
#elif defined(__aarch64__)
    NL_CASE(neon)
#else
    NL_CASE(baseline)
#endif
#undef NL_CASE
    default:
      return nullptr;
  }
}

}  // namespace

bool built(Isa isa) noexcept { return table<float>(isa) != nullptr; }

Isa default_isa() {
  if (const char* wanted = std::getenv("NETLET_ISA"); wanted && *wanted) {
    const Isa isa = parse(wanted);
    kernels<float>(isa);  // or fail
    return isa;
  }
  return detect();
}

template <class T>
const Kernels<T>& kernels(Isa isa) {
  const Kernels<T>* found = table<T>(isa);
  if (!found || !supported(isa)) fail(Kind::value, std::string("isa: this CPU or build has no ") + name(isa));
  return *found;
}

template const Kernels<float>& kernels<float>(Isa);
template const Kernels<double>& kernels<double>(Isa);

}  // namespace netlet
