// The best of several short runs: what disturbs a run can only make it slower.
#include "program/peak.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "core/error.h"
#include "core/parallel.h"

namespace netlet {
namespace {

constexpr int kRuns = 10;

// Seconds that `threads` threads take for so many rounds each.
template <class T>
double run(const Kernels<T>& kernels, int threads, int64_t rounds, std::vector<T>& results) {
  const auto begin = std::chrono::steady_clock::now();
  parallel_for(threads, threads,
               [&](int64_t t) noexcept { results[static_cast<size_t>(t)] += kernels.fma_peak(rounds, T(0.5), T(1)); });
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

template <class T>
double fma_peak(Isa isa, int threads, double seconds) {
  const Kernels<T>& table = kernels<T>(isa);
  if (threads < 1) fail(Kind::value, "fma_peak: num_threads is " + std::to_string(threads) + ", expected 1 or more");
  if (!(seconds > 0) || seconds > 60)
    fail(Kind::value, "fma_peak: seconds is " + std::to_string(seconds) + ", expected more than 0 and at most 60");
  std::vector<T> results(static_cast<size_t>(threads));
  int64_t rounds = 1000;
  run(table, threads, rounds, results);  // starts the threads
  double took;
  for (;;) {  // as many rounds as a run is worth: of one thread, which waits for nobody on a busy machine
    took = run(table, 1, rounds, results);
    if (took >= seconds / (4 * kRuns) || rounds >= int64_t(1) << 40) break;
    rounds *= 2;
  }
  rounds = std::max<int64_t>(1, static_cast<int64_t>(static_cast<double>(rounds) * seconds / kRuns / took));
  double best = 0;
  for (int i = 0; i < kRuns; ++i) {
    const double flops = static_cast<double>(rounds) * static_cast<double>(threads * table.fma_peak_flops);
    best = std::max(best, flops / run(table, threads, rounds, results));
  }
  for (const T result : results)
    if (!(result > 0)) fail(Kind::runtime, "fma_peak: the arithmetic went wrong");
  return best / 1e9;
}

template double fma_peak<float>(Isa, int, double);
template double fma_peak<double>(Isa, int, double);

}  // namespace netlet
