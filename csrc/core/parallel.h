// Threads: one loop over independent parts. parallel.cpp holds Netlet's only OpenMP.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <type_traits>

namespace netlet {

// NETLET_NUM_THREADS where it is set (Error, Kind::value, where that is not a positive integer), else the processors
// that this process may use.
int default_threads();

// NETLET_DYNAMIC: whether work that recurs may be left to one thread where that is found to be faster (see
// thread_choice.h). It may where that is unset or 1; Error, Kind::value, where it is neither 0 nor 1.
bool dynamic_threads();

// What runs the threads, for people: "OpenMP 201511", or "none" in a build without.
std::string openmp_description();

// How many forks lie between this process and the one that loaded Netlet: differs in a child, where locks that were
// held at the fork stay locked.
int fork_generation() noexcept;

// Whether loops can use more than one thread: the build has OpenMP, and this process is no forked child.
bool parallel_available() noexcept;

// fn(context, i) for i in [0, n). See parallel_for.
void run_parallel(int64_t n, int threads, void (*fn)(void*, int64_t) noexcept, void* context) noexcept;

// f(i) for i in [0, n), on at most `threads` threads, each index going to whoever is free, and begun when all smaller
// ones have been begun: it may wait for them (Milestone). Which thread runs which i must not matter. f is noexcept.
// Within with_team its helpers take part; else a team is woken for this loop alone. Serial where n or threads is at
// most 1, within another parallel_for, and in a forked child, where the parent's threads do not exist and OpenMP would
// wait for them for ever.
template <class F>
void parallel_for(int64_t n, int threads, F&& f) {
  static_assert(noexcept(f(int64_t(0))), "an exception cannot leave a thread: declare the loop's body noexcept");
  using Body = std::remove_reference_t<F>;
  if (n <= 1 || threads <= 1) {
    for (int64_t i = 0; i < n; ++i) f(i);
    return;
  }
  run_parallel(
      n, threads, [](void* body, int64_t i) noexcept { (*static_cast<Body*>(body))(i); },
      const_cast<void*>(static_cast<const void*>(&f)));
}

// Where the parts of a loop's first stage meet before those of its second begin, within one parallel_for.
//
//   Milestone all(n);
//   parallel_for(n + m, threads, [&](int64_t i) noexcept {
//     if (i < n) return first(i), all.reached();
//     all.await();
//     second(i - n);
//   });
class Milestone {
 public:
  explicit Milestone(int64_t parts) noexcept : parts_(parts), begin_(std::chrono::steady_clock::now()) {}
  Milestone(const Milestone&) = delete;

  void reached() noexcept;
  void await() noexcept;  // until it was reached by as many as there are parts

 private:
  const int64_t parts_;
  const std::chrono::steady_clock::time_point begin_;
  std::atomic<int64_t> reached_{0};
  std::atomic<int> waiting_{0};
};

// body(context) on this thread, while up to threads - 1 others stand by for its loops. See with_team.
void run_with_team(int threads, void (*body)(void*), void* context);

// f() on this thread, with helpers standing by: each parallel_for in it then costs a fraction of a microsecond, where
// a fork and join of OpenMP's costs several. For stretches of work of tens of microseconds and more. What f throws
// passes through. Teams that run at once share the processors: a later one may get no helper. f must not fork: the
// child could not leave (so no Python runs in it).
template <class F>
void with_team(int threads, F&& f) {
  using Body = std::remove_reference_t<F>;
  if (threads <= 1) return f();
  run_with_team(
      threads, [](void* body) { (*static_cast<Body*>(body))(); }, const_cast<void*>(static_cast<const void*>(&f)));
}

}  // namespace netlet
