// Helpers or none: the averages and the trials.
#include "core/thread_choice.h"

#include <algorithm>

namespace netlet {
namespace {

constexpr double kWarm = 2e-3;      // what the first work takes doesn't count: threads start, caches are cold
constexpr double kMemory = 20e-3;   // the moving average's: some time slices, in which helpers run and are stopped
constexpr double kAlone = 1e-3;     // a trial of work alone, which is steady
constexpr double kTogether = 8e-3;  // of work together: long enough for a helper to be stopped in it
constexpr double kFirst = 0.5e-3;   // after so long a trial that goes badly ends
constexpr double kLeast = 0.1e-3;   // of a stretch: to begin and end a team takes a tenth of that
constexpr double kBadly = 1.3;
constexpr double kSoon = 5e-3;    // from leaving the helpers to the first trial of them; twice that to the next, ...
constexpr double kShort = 0.3;    // helpers left before so long were taken by mistake
constexpr double kAgain = 0.1;    // up to this, or longer:
constexpr double kShare = 0.01;   // of all time that trials may cost in the end
constexpr double kSeldom = 1;     // as kAgain, to trials of one alone, which is steady: few calls are to wait for them
constexpr double kBetter = 0.95;  // of its cost: where the other way costs less than that, it is taken

// Who holds it counts; who doesn't get it goes without.
class Attempt {
 public:
  explicit Attempt(std::atomic_flag& flag) : flag_(flag), holds_(!flag.test_and_set(std::memory_order_acquire)) {}
  ~Attempt() {
    if (holds_) flag_.clear(std::memory_order_release);
  }
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;
  explicit operator bool() const { return holds_; }

 private:
  std::atomic_flag& flag_;
  const bool holds_;
};

}  // namespace

ThreadChoice::Turn ThreadChoice::next(double now) noexcept {
  constexpr double any = std::numeric_limits<double>::infinity();
  const bool together = together_.load(std::memory_order_relaxed);
  const Attempt mine(busy_);
  if (!mine || (!trying_ && now < again_)) return {together, any};
  if (!trying_) trying_ = true, trial_units_ = trial_seconds_ = 0;
  const double whole = together ? kAlone : kTogether;
  const double left = (trial_seconds_ < kFirst ? kFirst : whole) - trial_seconds_;
  return {!together, std::max(left, kLeast) / cost(together)};
}

void ThreadChoice::took(bool together, double units, double seconds, double now) noexcept {
  if (!(units > 0)) return;
  const Attempt mine(busy_);
  if (!mine) return;
  if (together == together_.load(std::memory_order_relaxed)) {
    const bool warm = seen_ >= kWarm;
    seen_ += seconds;
    if (!warm) return;
    double& average = cost(together);
    const double weight = average == 0 ? 1 : seconds / (seconds + kMemory);
    average += weight * (seconds / units - average);
    const double other = cost(!together);
    if (other > 0 && other < kBetter * average)
      choose(!together, now);
    else if (seen_ > 2 * kWarm && again_ == std::numeric_limits<double>::infinity())
      again_ = now, pause_ = kAgain / 2;
  } else if (trying_) {
    trial_units_ += units;
    trial_seconds_ += seconds;
    const double found = trial_seconds_ / trial_units_, present = cost(!together);
    const bool badly = trial_seconds_ >= kFirst && found > kBadly * present;
    if (trial_seconds_ < (together ? kTogether : kAlone) && !badly) return;
    trying_ = false;
    cost(together) = found;
    const double most = std::max(together ? kAgain : kSeldom, (trial_seconds_ - trial_units_ * present) / kShare);
    pause_ = std::min(2 * pause_, most);
    again_ = now + pause_;
    if (found < kBetter * present) choose(together, now);
  }
}

void ThreadChoice::choose(bool together, double now) noexcept {
  together_.store(together, std::memory_order_relaxed);
  trying_ = false;
  if (together) {
    alone_pause_ = pause_;
    pause_ = kAgain;
  } else if (now - chosen_ < kShort) {  // they were soon left again: what a trial finds isn't what lasts
    pause_ = std::min(2 * alone_pause_, 4 * kAgain);
  } else {  // what made helpers dear may have been somebody's short burst of work
    pause_ = kSoon;
  }
  chosen_ = now;
  again_ = now + pause_;
}

}  // namespace netlet
