// How a batch is cut into work. Decided by the Program and the batch alone, never by the number of threads, so that
// sums which depend on the cut are the same bits on any machine with this ISA; but for a prediction's blocks, over
// whose rows no sum goes.
#pragma once

#include <algorithm>

#include "program/plan.h"

namespace netlet {

// Weights that stay in a core's L2 beside the rows: each shard then carries its rows through the whole network.
inline constexpr int64_t kSmallNetworkBytes = 256 << 10;

// What a host runs isn't sharded: it may couple rows, and is one thread's.
inline bool row_sharded(const Program& program, int64_t element_bytes) {
  return !program.hosted && program.param_size <= kSmallNetworkBytes / element_bytes;
}

// Nor does training where an op looks at all rows of the batch at once.
inline bool training_sharded(const Program& program, int64_t element_bytes) {
  return row_sharded(program, element_bytes) && !program.couples;
}

// Rows of one shard of a training batch. The number of shards is a power of two, so that it divides among 2, 4, 8
// cores, each with work enough to be worth handing to another core together with the weights it reads and the gradient
// it leaves there; and no more than 256, each of which has a gradient of its own.
inline int64_t shard_rows(const Plan& plan, int64_t batch) {
  constexpr double worth = 8e5;  // flops
  const double work = 3 * plan.flops * static_cast<double>(batch);
  int64_t shards = 1;
  while (shards < 256 && 2 * static_cast<double>(shards) * worth <= work) shards *= 2;
  return ((batch + shards - 1) / shards + 7) / 8 * 8;
}

// How many threads to wake for this much work, in all or, within a team, at once: below it, handing over costs more
// than it gains.
inline int team(double flops, int threads) { return flops < 4e6 ? 1 : threads; }
inline int team_at_once(double flops, int threads) { return flops < 1e6 ? 1 : threads; }

// Steps of more work than this ask between their ops whether to stop, the others between steps: in time for a person.
inline constexpr double kLongStep = 2e9;
// About how much work may pass between two such questions: some 10 ms, so that what it costs to begin and end a team is
// seldom paid.
inline constexpr double kAskEvery = 5e8;

// Rows of one block of a prediction: its widest value stays in L1 or L2, and the panel of each weight is used often.
inline int64_t block_rows(const Plan& plan) { return std::clamp<int64_t>((16 << 10) / plan.widest / 12 * 12, 12, 768); }

// The same where a team shares the rows: small enough that who is done first does not wait long for the others. No sum
// goes over the rows of a prediction, so this cut alone may depend on the number of threads.
inline int64_t block_rows(const Plan& plan, int64_t rows, int threads) {
  if (threads <= 1) return block_rows(plan);
  constexpr int64_t least = 48, blocks_each = 4;
  const int64_t even = (rows / (blocks_each * threads) + 11) / 12 * 12;
  return std::min(block_rows(plan), std::max(least, even));
}

}  // namespace netlet
