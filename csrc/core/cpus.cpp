// Reads the affinity mask and the control groups' files. Whatever cannot be read or parsed limits nothing.
#include "core/cpus.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif

namespace netlet {
namespace {

int ceil_cpus(int64_t quota, int64_t period) {
  if (quota <= 0 || period <= 0) return 0;
  return static_cast<int>(std::min<int64_t>((quota - 1) / period + 1, 1 << 20));
}

// "200000 100000" -> 2; "max 100000", and what is not there, -> 0.
int quota_v2(const std::string& group) {
  std::ifstream file(group + "/cpu.max");
  int64_t quota = 0, period = 100000;
  if (!(file >> quota)) return 0;
  file >> period;
  return ceil_cpus(quota, period);
}

int quota_v1(const std::string& group) {
  std::ifstream quota_file(group + "/cpu.cfs_quota_us"), period_file(group + "/cpu.cfs_period_us");
  int64_t quota = 0, period = 0;
  if (!(quota_file >> quota) || !(period_file >> period)) return 0;
  return ceil_cpus(quota, period);
}

// The tightest quota from the group at `path` up to the mount. Inside a container `path` may be the host's name of the
// group, which is not mounted; then only the mount's own files are found, and they are the container's.
int tightest(const std::string& mount, std::string path, int (*quota)(const std::string&)) {
  int limit = 0;
  for (;;) {
    while (!path.empty() && path.back() == '/') path.pop_back();
    const int here = quota(mount + path);
    if (here > 0) limit = limit > 0 ? std::min(limit, here) : here;
    if (path.empty()) return limit;
    const std::size_t slash = path.rfind('/');
    path.resize(slash == std::string::npos ? 0 : slash);
  }
}

bool names_cpu(const std::string& controllers) {
  std::istringstream list(controllers);
  for (std::string name; std::getline(list, name, ',');)
    if (name == "cpu") return true;
  return false;
}

int affinity_cpus() {
#if defined(__linux__)
  for (int cpus = 1024; cpus <= 1 << 20; cpus *= 2) {  // the kernel refuses a mask smaller than its own
    cpu_set_t* const set = CPU_ALLOC(static_cast<std::size_t>(cpus));
    if (!set) break;
    const std::size_t size = CPU_ALLOC_SIZE(static_cast<std::size_t>(cpus));
    const int count = sched_getaffinity(0, size, set) == 0 ? CPU_COUNT_S(size, set) : 0;
    CPU_FREE(set);
    if (count > 0) return count;
  }
#endif
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace

int cgroup_cpus(const std::string& membership, const std::string& mount) {
  int limit = 0;
  std::istringstream lines(membership);
  for (std::string line; std::getline(lines, line);) {  // hierarchy:controllers:path
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1), path = line.substr(second + 1);
    int here = 0;
    if (controllers.empty()) {
      here = tightest(mount, path, quota_v2);
    } else if (names_cpu(controllers)) {
      here = tightest(mount + "/" + controllers, path, quota_v1);
      if (here == 0) here = tightest(mount + "/cpu", path, quota_v1);
    }
    if (here > 0) limit = limit > 0 ? std::min(limit, here) : here;
  }
  return limit;
}

int usable_cpus() {
  int cpus = affinity_cpus();
#if defined(__linux__)
  std::ifstream file("/proc/self/cgroup");
  std::ostringstream membership;
  if (file && membership << file.rdbuf()) {
    const int quota = cgroup_cpus(membership.str(), "/sys/fs/cgroup");
    if (quota > 0) cpus = std::min(cpus, quota);
  }
#endif
  return cpus;
}

}  // namespace netlet
