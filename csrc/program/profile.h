// What a profile finds: seconds a step, part by part.
//
// It is taken of what train (or predict) runs, by laps in its walks, and on a copy of the parameters: nothing changes.
// Steps without laps are timed by turns with those that have them. What the parts (medians) leave of a step's time is
// nobody's: sums, locks, the handing over and waiting of threads. All the executor's threads take part, even where
// training would find one alone to be faster (core/thread_choice.h) and go on with that.
#pragma once

#include <cstdint>
#include <vector>

#include "core/isa.h"
#include "program/laps.h"

namespace netlet {

struct Profile {
  Isa isa = Isa::baseline;                // whose kernels ran
  double step = 0;                        // seconds, of all parts and of what is nobody's
  std::vector<double> parts;              // [kPartCount], by Part; negative where none was run
  std::vector<double> forward, backward;  // [ops]; negative where none was run
  double shuffle = -1;                    // the order of an epoch, divided by its steps; negative where there is none
  int64_t steps = 0;                      // timed, those with laps
  int threads = 1;                        // that share the work of a step, at most
};

}  // namespace netlet
