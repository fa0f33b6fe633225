// core/parallel and core/cpus: every index once, whoever calls, after a fork too; and how many processors there are.
#include <dirent.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "core/cpus.h"
#include "core/parallel.h"

namespace netlet {
namespace {

// Threads of this process; -1 where that cannot be seen.
int live_threads() {
  DIR* const tasks = opendir("/proc/self/task");
  if (!tasks) return -1;
  int count = 0;
  while (const dirent* entry = readdir(tasks)) count += entry->d_name[0] != '.';
  closedir(tasks);
  return count;
}

// Whether a loop of n on so many threads visits each index once.
bool visits_each(int64_t n, int threads) {
  std::vector<std::atomic<int>> seen(static_cast<std::size_t>(n));
  parallel_for(n, threads, [&](int64_t i) noexcept { ++seen[static_cast<std::size_t>(i)]; });
  for (const auto& count : seen)
    if (count != 1) return false;
  return true;
}

void test_starts_no_thread() {
  CHECK(default_threads() >= 1);
  CHECK(visits_each(100, 1));
  CHECK(visits_each(1, 8));
  const int threads = live_threads();
#if defined(NL_TEST_EMULATED)
  const int expected = 2;  // qemu has one of its own
#else
  const int expected = 1;
#endif
  CHECK_NOTE(threads == expected || threads == -1, std::to_string(threads) + " threads");
}

void test_loops() {
  for (const int64_t n : {0, 1, 2, 3, 7, 64, 1000})
    for (const int threads : {-1, 0, 1, 2, 3, 8, 17}) CHECK(visits_each(n, threads));

  // No more threads than asked for, the caller among them.
  std::vector<std::thread::id> owner(1000);
  parallel_for(1000, 4, [&](int64_t i) noexcept { owner[static_cast<std::size_t>(i)] = std::this_thread::get_id(); });
  const std::set<std::thread::id> owners(owner.begin(), owner.end());
  CHECK(owners.size() <= 4 && owners.count(std::this_thread::get_id()) == 1);

  // Nested loops run; the inner one serially.
  std::atomic<int> total{0};
  parallel_for(4, 4, [&](int64_t) noexcept { parallel_for(10, 4, [&](int64_t) noexcept { ++total; }); });
  CHECK(total == 40);

  // A const body, and one that is a temporary.
  const auto body = [&](int64_t) noexcept { ++total; };
  parallel_for(5, 2, body);
  CHECK(total == 45);
}

void test_teams() {
  // Loops of every size, short and after pauses in which the helpers fall asleep.
  for (const int threads : {0, 1, 2, 3, 8}) {
    int64_t good = 0;
    with_team(threads, [&] {
      for (int64_t n = 0; n < 300; ++n) good += visits_each(n, threads);
      for (int round = 0; round < 3; ++round) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        good += visits_each(1000, threads);
      }
    });
    CHECK_NOTE(good == 303, std::to_string(threads) + " threads");
  }

  // The helpers do take part: two indices that wait for each other are on two threads. On a busy machine there may be
  // no help for a while.
  if (parallel_available() && usable_cpus() > 1) {
    using Clock = std::chrono::steady_clock;
    bool together = false;
    for (const auto end = Clock::now() + std::chrono::seconds(20); !together && Clock::now() < end;)
      with_team(2, [&] {
        std::atomic<int> met{0};
        parallel_for(2, 2, [&](int64_t) noexcept {
          ++met;
          for (const auto until = Clock::now() + std::chrono::milliseconds(50); met < 2 && Clock::now() < until;) {
          }
          if (met < 2) met = -1;
        });
        together = met == 2;
      });
    CHECK(together);
  }

  // What is thrown passes through, and the next team is whole.
  bool caught = false;
  try {
    with_team(3, [] { throw 7; });
  } catch (int value) {
    caught = value == 7;
  }
  CHECK(caught);

  // A loop within a loop, a team within a team, and a team within a loop.
  std::atomic<int> total{0};
  with_team(4, [&] {
    parallel_for(4, 4, [&](int64_t) noexcept { parallel_for(10, 4, [&](int64_t) noexcept { ++total; }); });
    with_team(4, [&] { parallel_for(10, 4, [&](int64_t) noexcept { ++total; }); });
  });
  parallel_for(
      4, 4, [&](int64_t) noexcept { with_team(4, [&] { parallel_for(5, 4, [&](int64_t) noexcept { ++total; }); }); });
  CHECK(total == 70);

  std::atomic<int> good{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 6; ++c)
    callers.emplace_back([&good] {
      with_team(3, [&] {
        for (int round = 0; round < 50; ++round) good += visits_each(97, 3);
      });
    });
  for (std::thread& caller : callers) caller.join();
  CHECK(good == 300);
}

void test_concurrent_callers() {
  std::atomic<int> good{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 6; ++c)
    callers.emplace_back([&good] {
      for (int round = 0; round < 50; ++round) good += visits_each(97, 3);
    });
  for (std::thread& caller : callers) caller.join();
  CHECK(good == 300);
}

// No part of the second stage begins before all of the first are done, whoever runs them; with one thread, too.
void test_stages() {
  for (const int threads : {1, 2, 3, 8})
    for (const int64_t first : {1, 2, 7, 40})
      for (const int64_t second : {0, 1, 3, 8}) {
        int64_t early = 0, runs = 0;
        with_team(threads, [&] {
          for (int round = 0; round < 20; ++round) {
            std::atomic<int64_t> done{0}, begun_early{0}, after{0};
            Milestone all(first);
            parallel_for(first + second, threads, [&](int64_t i) noexcept {
              if (i < first) {
                if (round == 0 && i == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
                ++done;
                return all.reached();
              }
              all.await();
              if (done != first) ++begun_early;
              ++after;
            });
            early += begun_early;
            runs += done + after;
          }
        });
        const std::string note =
            std::to_string(threads) + " threads, " + std::to_string(first) + " and then " + std::to_string(second);
        CHECK_NOTE(early == 0, note);
        CHECK_NOTE(runs == 20 * (first + second), note);
      }
}

// The parent has used its threads; a child that entered them would wait for ever.
void test_fork() {
  CHECK(visits_each(100, 4));
  with_team(4, [] { CHECK(visits_each(100, 4)); });
  const int generation = fork_generation();
  const pid_t child = fork();
  if (child == 0) {
    alarm(30);
    bool good = fork_generation() == generation + 1 && !parallel_available() && visits_each(100, 4);
    with_team(4, [&] { good = good && visits_each(100, 4); });
    _exit(good ? 0 : 1);
  }
  int status = -1;
  CHECK(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  CHECK(fork_generation() == generation && visits_each(100, 4));
}

void test_environment() {
  unsetenv("NETLET_NUM_THREADS");
  CHECK(default_threads() == usable_cpus());
  setenv("NETLET_NUM_THREADS", "3", 1);
  CHECK(default_threads() == 3);
  for (const char* const bad : {"0", "-2", "two", "2x", " 2", "1.5", "99999999999999", "+4"}) {
    setenv("NETLET_NUM_THREADS", bad, 1);
    CHECK_FAILS(value, std::string("NETLET_NUM_THREADS: expected a positive integer, got '") + bad, default_threads());
  }
  setenv("NETLET_NUM_THREADS", "", 1);
  CHECK(default_threads() == usable_cpus());
  unsetenv("NETLET_NUM_THREADS");

  for (const char* const text : {"", "1", "0"}) {
    setenv("NETLET_DYNAMIC", text, 1);
    CHECK(dynamic_threads() == (*text != '0'));
  }
  for (const char* const bad : {"2", "no", "01", " 0"}) {
    setenv("NETLET_DYNAMIC", bad, 1);
    CHECK_FAILS(value, std::string("NETLET_DYNAMIC: expected 0 or 1, got '") + bad, dynamic_threads());
  }
  unsetenv("NETLET_DYNAMIC");
  CHECK(dynamic_threads());
}

void write(const std::string& path, const char* text) { std::ofstream(path) << text; }

void test_cgroups() {
  char base[] = "/tmp/netlet_cgroup_XXXXXX";
  if (!CHECK(mkdtemp(base))) return;
  const std::string mount = base;
  for (const char* const dir : {"/a", "/a/b", "/a/c", "/cpu,cpuacct", "/cpu,cpuacct/g", "/cpu", "/cpu/h"})
    mkdir((mount + dir).c_str(), 0700);

  // Version 2: the tightest of a group and those above it, rounded up.
  CHECK(cgroup_cpus("0::/a/b\n", mount) == 0);
  write(mount + "/a/b/cpu.max", "max 100000\n");
  CHECK(cgroup_cpus("0::/a/b\n", mount) == 0);
  write(mount + "/a/b/cpu.max", "250000 100000\n");
  CHECK(cgroup_cpus("0::/a/b\n", mount) == 3);
  write(mount + "/a/cpu.max", "150000 100000\n");
  CHECK(cgroup_cpus("0::/a/b\n", mount) == 2);
  CHECK(cgroup_cpus("0::/a/c\n", mount) == 2);
  CHECK(cgroup_cpus("0::/\n", mount) == 0);
  write(mount + "/cpu.max", "1000 100000\n");
  CHECK(cgroup_cpus("0::/\n", mount) == 1);
  CHECK(cgroup_cpus("0::/a/b", mount) == 1);
  // A container sees the host's path, which is not mounted: the mount's own file counts.
  CHECK(cgroup_cpus("0::/docker/0123456789abcdef\n", mount) == 1);

  // Version 1.
  const std::string v1 = "12:memory:/g\n4:cpu,cpuacct:/g\n1:name=systemd:/g\n";
  CHECK(cgroup_cpus(v1, mount) == 0);
  write(mount + "/cpu,cpuacct/g/cpu.cfs_quota_us", "-1\n");
  write(mount + "/cpu,cpuacct/g/cpu.cfs_period_us", "100000\n");
  CHECK(cgroup_cpus(v1, mount) == 0);
  write(mount + "/cpu,cpuacct/g/cpu.cfs_quota_us", "400000\n");
  CHECK(cgroup_cpus(v1, mount) == 4);
  write(mount + "/cpu/h/cpu.cfs_quota_us", "50000\n");
  write(mount + "/cpu/h/cpu.cfs_period_us", "100000\n");
  CHECK(cgroup_cpus("4:cpu,cpuacct:/h\n", mount) == 1);
  CHECK(cgroup_cpus("4:cpuset:/h\n5:cpuacct:/h\n", mount) == 0);

  // What makes no sense limits nothing.
  write(mount + "/cpu.max", "lots of it");
  write(mount + "/a/cpu.max", "100 0");
  write(mount + "/a/b/cpu.max", "");
  for (const char* const text : {"", "\n\n", "0::", "0:", "::", "garbage", "0::/a/b", "0::a/b", "0::/a/b/../.."})
    CHECK_NOTE(cgroup_cpus(text, mount) == 0, text);
  CHECK(std::system(("rm -rf " + mount).c_str()) == 0);
}

}  // namespace
}  // namespace netlet

int main() {
  using namespace netlet;
  test_starts_no_thread();
  test_loops();
  test_teams();
  test_stages();
  test_concurrent_callers();
  test_fork();
  test_environment();
  test_cgroups();
  std::printf("%s; %d usable processors\n", openmp_description().c_str(), usable_cpus());
  return test::report("parallel_test");
}
