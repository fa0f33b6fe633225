// How many processors this process may use: its affinity mask, and the quota of its control group.
#pragma once

#include <string>

namespace netlet {

// Processors in the affinity mask, cut to the control group's quota (rounded up); at least 1.
int usable_cpus();

// The tightest CPU quota, rounded up to whole processors, that the control groups listed in `membership` (the format
// of /proc/self/cgroup; versions 1 and 2) have under `mount` (usually /sys/fs/cgroup); 0 where nothing limits them.
int cgroup_cpus(const std::string& membership, const std::string& mount);

}  // namespace netlet
