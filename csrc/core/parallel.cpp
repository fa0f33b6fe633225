// Netlet's only OpenMP. Nothing here starts a thread before the first loop that asks for several.
#include "core/parallel.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <exception>

#include "core/cpus.h"
#include "core/error.h"

#if defined(_OPENMP)
#include <omp.h>
#endif

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

inline void pause() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// Where a processor is wanted by somebody else, too, the system may stop a helper in the middle of its part, and
// everyone waits for a time slice. After such a wait, work goes on without helpers: as long after the first, twice as
// long after the next, up to 32 times where they go on, less again with every team that was not held up. A busy machine
// then costs little more than the help, and a machine that was busy once is soon trusted again.
using Clock = std::chrono::steady_clock;
std::atomic<Clock::rep> alone_until{0};
std::atomic<int> caution{1};
bool alone(Clock::time_point now) noexcept {
  return now.time_since_epoch().count() < alone_until.load(std::memory_order_relaxed);
}
bool held_up(Clock::duration wait, Clock::duration work) noexcept {
  if (wait < std::chrono::microseconds(20) || wait < 2 * work) return false;
  const int times = caution.load(std::memory_order_relaxed);
  alone_until.store((Clock::now() + times * wait).time_since_epoch().count(), std::memory_order_relaxed);
  caution.store(std::min(32, 2 * times), std::memory_order_relaxed);
  return true;
}

constexpr int kSpins = 2000;  // some tens of microseconds

// A thread that leads and others that help with its loops, one loop at a time.
//
// The loop's indices are claimed one by one from `open`, which counts down: its upper half numbers the loop, so that a
// helper that looked at an earlier loop cannot claim from a later one. A claim keeps its loop alive, since the leader
// waits until all of it is done; so what is read after a claim is that loop's. A helper that the system doesn't
// schedule claims nothing and delays nobody.
class Team {
 public:
  // Leader: f(context, i) for i in [0, n), n < 2^31, by whoever is free.
  void loop(int64_t n, void (*fn)(void*, int64_t) noexcept, void* context) noexcept {
    const Clock::time_point begin = Clock::now();
    if (alone(begin)) {
      for (int64_t i = 0; i < n; ++i) fn(context, i);
      return;
    }
    fn_.store(fn, std::memory_order_relaxed);
    context_.store(context, std::memory_order_relaxed);
    count_.store(n, std::memory_order_relaxed);
    done_.store(0, std::memory_order_relaxed);
    open_.store((((open_.load(std::memory_order_relaxed) >> 32) + 1) << 32) | static_cast<uint64_t>(n));
    wake();
    work();
    const Clock::time_point finished = Clock::now();
    if (await(done_, static_cast<int>(n)) && held_up(Clock::now() - finished, finished - begin)) smooth = false;
  }

  // Leader: sends the helpers away, and returns when all `helpers` have gone. One that has not yet begun may wait for
  // this very processor, which sleeping gives it, as OpenMP's own wait at the end would not.
  void dismiss(int helpers) noexcept {
    stop_.store(true);
    wake();
    await(gone_, helpers);
  }

  // Helper: until the leader dismisses it.
  void help() noexcept {
    while (!stop_.load(std::memory_order_acquire)) {
      if (work()) continue;
      int turn = 0;
      while (++turn < kSpins && idle()) pause();
      if (turn < kSpins) continue;
      // Nothing for a while: sleep. Whoever opens a loop after `seen` was read changes it.
      const int seen = woken_.load();
      sleeping_.fetch_add(1);
      if (idle()) woken_.wait(seen);
      sleeping_.fetch_sub(1);
    }
    count_one(gone_);
  }

  bool smooth = true;  // nobody was held up so far; the leader's own

 private:
  // Leader: until `counter` is at `n`; whether that took so long that it slept. (To yield the processor over and over
  // instead can cost whole time slices: Linux 6.18 takes each as given away.)
  bool await(std::atomic<int>& counter, int n) noexcept {
    for (int turn = 0; turn < kSpins; ++turn) {
      if (counter.load(std::memory_order_acquire) == n) return false;
      pause();
    }
    waiting_.store(true);
    for (int now; (now = counter.load()) != n;) counter.wait(now);
    waiting_.store(false);
    return true;
  }

  // Helper: one more, and wakes the leader if it sleeps.
  void count_one(std::atomic<int>& counter) noexcept {
    counter.fetch_add(1);
    if (waiting_.load()) counter.notify_one();
  }

  bool idle() const noexcept { return static_cast<uint32_t>(open_.load()) == 0 && !stop_.load(); }

  void wake() noexcept {
    if (sleeping_.load() == 0) return;
    woken_.fetch_add(1);
    woken_.notify_all();
  }

  // Claims and runs indices until none is left; whether there was one.
  bool work() noexcept {
    bool any = false;
    uint64_t open = open_.load(std::memory_order_acquire);
    while (static_cast<uint32_t>(open) != 0) {
      if (!open_.compare_exchange_weak(open, open - 1, std::memory_order_acq_rel, std::memory_order_acquire)) continue;
      const auto fn = fn_.load(std::memory_order_relaxed);
      fn(context_.load(std::memory_order_relaxed),
         count_.load(std::memory_order_relaxed) - static_cast<uint32_t>(open));
      count_one(done_);
      any = true;
      open = open_.load(std::memory_order_acquire);
    }
    return any;
  }

  alignas(64) std::atomic<uint64_t> open_{0};
  std::atomic<void (*)(void*, int64_t) noexcept> fn_{nullptr};
  std::atomic<void*> context_{nullptr};
  std::atomic<int64_t> count_{0};
  alignas(64) std::atomic<int> done_{0};
  alignas(64) std::atomic<int> woken_{0};
  std::atomic<int> sleeping_{0};
  std::atomic<bool> stop_{false};
  std::atomic<int> gone_{0};
  std::atomic<bool> waiting_{false};
};

thread_local Team* leads = nullptr;    // the team whose loops this thread may open
thread_local bool in_a_loop = false;   // a loop within a loop is serial
std::atomic<int> threads_in_teams{0};  // of this process

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

bool dynamic_threads() {
  const char* const text = std::getenv("NETLET_DYNAMIC");
  if (!text || !*text || std::strcmp(text, "1") == 0) return true;
  if (std::strcmp(text, "0") != 0)
    fail(Kind::value, std::string("NETLET_DYNAMIC: expected 0 or 1, got '") + text + "'");
  return false;
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
  struct Loop {
    int64_t n;
    void (*fn)(void*, int64_t) noexcept;
    void* context;
  } loop{n, fn, context};
  const auto run = [](void* of) {
    const Loop& l = *static_cast<Loop*>(of);
    if (leads && !in_a_loop && l.n < INT32_MAX) {
      in_a_loop = true;
      leads->loop(l.n, l.fn, l.context);
      in_a_loop = false;
    } else {
      for (int64_t i = 0; i < l.n; ++i) l.fn(l.context, i);
    }
  };
  const int width = static_cast<int>(std::min<int64_t>(n, threads));
  if (width <= 1 || leads || in_a_loop) return run(&loop);
  run_with_team(width, run, &loop);  // one that stands by for this loop alone
}

void Milestone::reached() noexcept {
  if (reached_.fetch_add(1) + 1 == parts_ && waiting_.load() > 0) reached_.notify_all();
}

void Milestone::await() noexcept {
  for (int turn = 0; turn < kSpins; ++turn) {
    if (reached_.load(std::memory_order_acquire) == parts_) return;
    pause();
  }
  const Clock::time_point stopped = Clock::now();
  waiting_.fetch_add(1);
  for (int64_t now; (now = reached_.load()) != parts_;) reached_.wait(now);
  held_up(Clock::now() - stopped, stopped - begin_);
}

void run_with_team(int threads, void (*body)(void*), void* context) {
  // Processors that other teams use are not offered again.
  const int granted = std::max(1, threads - threads_in_teams.load(std::memory_order_relaxed));
  const Clock::time_point begin = Clock::now();
  if (granted <= 1 || leads || in_a_loop || !parallel_available() || alone(begin)) return body(context);
#if defined(_OPENMP)
  threads_in_teams.fetch_add(granted, std::memory_order_relaxed);
  Team team;
  std::exception_ptr thrown;
  Clock::time_point finished = begin;
#pragma omp parallel num_threads(granted)
  {
    bool leader = false;
#pragma omp master
    leader = true;
    if (leader) {
      leads = &team;
      try {
        body(context);
      } catch (...) {
        thrown = std::current_exception();
      }
      leads = nullptr;
      finished = Clock::now();
      team.dismiss(omp_get_num_threads() - 1);
    } else {
      in_a_loop = true;
      team.help();
      in_a_loop = false;
    }
  }
  threads_in_teams.fetch_sub(granted, std::memory_order_relaxed);
  if (!held_up(Clock::now() - finished, (finished - begin) / 8) && team.smooth)
    caution.store(std::max(1, caution.load(std::memory_order_relaxed) / 2), std::memory_order_relaxed);
  if (thrown) std::rethrow_exception(thrown);
#else
  body(context);
#endif
}

}  // namespace netlet
