// How fast the functions of simd/math.h and the activations over them are for one ISA: elements a nanosecond on one
// core, from an array of 4096 that stays in the first caches to another. Not a test: prints, and fails never.
//
//   math_bench_avx512 [name ...]    all functions, or those named; pin it to a core: taskset -c 1
//
// Each figure is the best of 300 runs of about 0.1 ms, which a scheduler rarely cuts: what disturbs a run can only make
// it slower.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/philox.h"
#include "kernels/activation.inl"

namespace netlet {
namespace {

constexpr int64_t kElements = 4096;

template <class T>
struct Arrays {
  alignas(64) T x[kElements];
  alignas(64) T y[kElements];
  alignas(64) T dy[kElements];
};

// Uniform in [low, high): where networks use the function.
template <class T>
void fill(T* x, double low, double high) {
  for (int64_t i = 0; i < kElements; ++i) {
    const PhiloxBlock w = philox_block(1, Purpose::data, 0, static_cast<uint64_t>(i));
    x[i] = static_cast<T>(low + (high - low) * uniform_double(w.word[0], w.word[1]));
  }
}

// Elements a nanosecond of one(), which works through kElements.
template <class F>
double rate(F one) {
  using Clock = std::chrono::steady_clock;
  auto run = [&](int64_t times) {
    const auto begin = Clock::now();
    for (int64_t i = 0; i < times; ++i) one();
    return std::chrono::duration<double, std::nano>(Clock::now() - begin).count();
  };
  int64_t times = 4;
  while (run(times) < 5e4) times *= 2;
  double best = 0;
  for (int i = 0; i < 300; ++i) best = std::max(best, static_cast<double>(times * kElements) / run(times));
  return best;
}

// A function of math.h as an activation: without a backward of its own.
#define FUNCTION(NAME)               \
  struct Function_##NAME {           \
    template <class V>               \
    static NL_FN V forward(V x, V) { \
      return NAME(x);                \
    }                                \
  };
FUNCTION(exp)
FUNCTION(expm1)
FUNCTION(log)
FUNCTION(log1p)
FUNCTION(tanh)
FUNCTION(sigmoid)
FUNCTION(erf)
#undef FUNCTION

bool wanted(int argc, char** argv, const char* name) {
  for (int i = 1; i < argc; ++i)
    if (std::strcmp(argv[i], name) == 0) return true;
  return argc == 1;
}

using Loop = void (*)(int64_t, float, const float*, float*);
using BackwardLoop = void (*)(int64_t, float, const float*, const float*, const float*, float*);

}  // namespace

namespace test {
int run(int argc, char** argv) {
  static Arrays<float> f;
  static Arrays<double> d;
  fill(f.dy, -1, 1);
  fill(d.dy, -1, 1);
  std::printf("%-10s %-12s %9s %9s %9s\n", NL_TEST_ISA, "elements/ns", "float32", "backward", "float64");
  auto bench = [&](const char* name, double low, double high, auto rule, auto has_backward) {
    using Rule = decltype(rule);
    if (!wanted(argc, argv, name)) return;
    fill(f.x, low, high);
    fill(d.x, low, high);
    const volatile Loop loop = act_forward<Rule, float>;  // volatile: called, not seen through
    void (*volatile const loop64)(int64_t, double, const double*, double*) = act_forward<Rule, double>;
    const double forward = rate([&] { loop(kElements, 1.0f, f.x, f.y); });
    const double wide = rate([&] { loop64(kElements, 1.0, d.x, d.y); });
    double backward = 0;
    if constexpr (has_backward) {
      static float dx[kElements];
      const volatile BackwardLoop back = act_backward<Rule, true, float>;
      backward = rate([&] { back(kElements, 1.0f, f.x, f.y, f.dy, dx); });
    }
    std::printf("%-10s %-12s %9.2f ", NL_TEST_ISA, name, forward);
    if (backward > 0)
      std::printf("%9.2f %9.2f\n", backward, wide);
    else
      std::printf("%9s %9.2f\n", "", wide);
    std::fflush(stdout);
  };
  constexpr std::false_type no;
  constexpr std::true_type yes;
  bench("exp", -10, 10, Function_exp{}, no);
  bench("expm1", -10, 10, Function_expm1{}, no);
  bench("log", 0.01, 100, Function_log{}, no);
  bench("log1p", -0.99, 10, Function_log1p{}, no);
  bench("tanh", -5, 5, Function_tanh{}, no);
  bench("sigmoid", -10, 10, Function_sigmoid{}, no);
  bench("erf", -3, 3, Function_erf{}, no);
  bench("elu", -10, 10, Elu{}, yes);
  bench("softplus", -10, 10, Softplus{}, yes);
  bench("gelu", -5, 5, Gelu{}, yes);
  bench("gelu_tanh", -5, 5, GeluTanh{}, yes);
  bench("silu", -10, 10, Silu{}, yes);
  bench("relu", -10, 10, Relu{}, yes);
  return 0;
}
}  // namespace test
}  // namespace netlet
