// The best of several short runs, for what disturbs a run can only make it slower; and a line of cache that two threads
// write by turns.
#include "program/peak.h"

#include <algorithm>
#include <atomic>
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

double round_trip() {
  using Clock = std::chrono::steady_clock;
  constexpr int64_t bursts = 301, turns = 20;
  constexpr auto patience = std::chrono::milliseconds(20);
  alignas(128) std::atomic<int64_t> ball{-2};  // even: the first thread's to write, odd: the second's; -2: nobody came
  std::vector<double> times;
  // Waits until it is `wanted`; whether it came to be, and nobody gave up.
  auto await = [&](int64_t wanted) noexcept {
    Clock::time_point late{};
    for (int64_t spins = 0;; ++spins) {
      const int64_t now = ball.load(std::memory_order_acquire);
      if (now == wanted) return true;
      if (now == INT64_MAX) return false;
      if (spins % 1024) continue;
      if (late == Clock::time_point{})
        late = Clock::now() + patience;
      else if (Clock::now() > late)
        return ball.store(INT64_MAX), false;
    }
  };
  times.reserve(bursts);
  parallel_for(2, 2, [&](int64_t) noexcept {
    int64_t nobody = -2;
    const bool first = ball.compare_exchange_strong(nobody, -1);
    if (!first) {  // the second: begins the game, and answers
      if (!ball.compare_exchange_strong(nobody = -1, 0)) return;
      for (int64_t i = 0; i < bursts * turns; ++i) {
        if (!await(2 * i + 1)) return;
        ball.store(2 * i + 2, std::memory_order_release);
      }
      return;
    }
    if (!await(0)) return;
    for (int64_t burst = 0; burst < bursts; ++burst) {
      const auto begin = Clock::now();
      for (int64_t i = burst * turns; i < (burst + 1) * turns; ++i) {
        ball.store(2 * i + 1, std::memory_order_release);
        if (!await(2 * i + 2)) return;
      }
      times.push_back(std::chrono::duration<double>(Clock::now() - begin).count() / turns);
    }
  });
  if (times.size() != bursts) return -1;
  std::nth_element(times.begin(), times.begin() + bursts / 2, times.end());
  return times[bursts / 2];
}

template double fma_peak<float>(Isa, int, double);
template double fma_peak<double>(Isa, int, double);

}  // namespace netlet
