// Netlet's only OpenMP. Nothing here starts a thread before the first loop that asks for several.
#include "core/parallel.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "core/cpus.h"
#include "core/error.h"

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#define NL_HAS_FORK 1
#else
#define NL_HAS_FORK 0
#endif

namespace netlet {
namespace {

// How many forks lie between this process and the one that loaded Netlet. Above zero for good in a forked child: some
// other library may have started OpenMP's threads in the parent, so whether Netlet has does not matter.
std::atomic<int> forks{0};

#if NL_HAS_FORK
extern "C" void netlet_count_fork() { forks.fetch_add(1, std::memory_order_relaxed); }
[[maybe_unused]] const int atfork_registered = pthread_atfork(nullptr, nullptr, netlet_count_fork);
#endif

}  // namespace

int default_threads() {
  const char* const text = std::getenv("NETLET_NUM_THREADS");
  if (!text || !*text) return usable_cpus();
  int threads = 0;
  const char* const end = text + std::strlen(text);
  const auto [stop, error] = std::from_chars(text, end, threads);
  if (error != std::errc() || stop != end || threads < 1)
    fail(Kind::value, std::string("NETLET_NUM_THREADS: expected a positive integer, got '") + text + "'");
  return threads;
}

std::string openmp_description() {
#if defined(_OPENMP)
  return "OpenMP " + std::to_string(_OPENMP);
#else
  return "none";
#endif
}

int fork_generation() noexcept { return forks.load(std::memory_order_relaxed); }

bool parallel_available() noexcept {
#if defined(_OPENMP)
  return fork_generation() == 0;
#else
  return false;
#endif
}

void run_parallel(int64_t n, int threads, void (*fn)(void*, int64_t) noexcept, void* context) noexcept {
  const int team = static_cast<int>(std::min<int64_t>(n, threads));
  if (team > 1 && parallel_available()) {
#if defined(_OPENMP)
#pragma omp parallel for num_threads(team) schedule(static)
    for (int64_t i = 0; i < n; ++i) fn(context, i);
    return;
#endif
  }
  for (int64_t i = 0; i < n; ++i) fn(context, i);
}

}  // namespace netlet
