// Whether work that recurs is done sooner with helpers or by one thread alone, found by trying both.
//
// Only trying tells. A step of 8 us on one thread takes 6 us on two whose processors share a cache and 20 us on two
// that do not, and a virtual machine's host moves them from one to the other within seconds; and where somebody else
// wants the processors, too, a helper that was stopped is waited for. This is the two-armed bandit of the textbooks
// (Sutton & Barto, "Reinforcement Learning", 2nd ed., section 2.5: costs that drift want a moving average), explored
// at fixed times instead of at random.
#pragma once

#include <atomic>
#include <chrono>
#include <limits>

namespace netlet {

// Times are in seconds on one clock, such as `clock`; work is in any unit that costs about the same each time. Any
// number of threads may call: one that meets another in here is told the present choice, and its figures don't count.
class ThreadChoice {
 public:
  static double clock() noexcept {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  }

  struct Turn {
    bool together;
    double most;  // units of work that are to be done so, before `next` is asked again
  };

  // How the next stretch of work is to be done.
  Turn next(double now) noexcept;

  // What a stretch took that was done so.
  void took(bool together, double units, double seconds, double now) noexcept;

 private:
  void choose(bool together, double now) noexcept;
  double cost(bool together) const { return cost_[together ? 1 : 0]; }
  double& cost(bool together) { return cost_[together ? 1 : 0]; }

  std::atomic<bool> together_{true};
  std::atomic_flag busy_;
  double cost_[2] = {0, 0};                                 // seconds a unit, alone and together; 0 before it is known
  double seen_ = 0;                                         // seconds of work so far
  double again_ = std::numeric_limits<double>::infinity();  // when the other way is to be tried
  double pause_ = 0;                                        // from one trial to the next
  double alone_pause_ = 0;                                  // ... when helpers were last taken
  double chosen_ = -1e9;                                    // when the present choice was made
  bool trying_ = false;
  double trial_units_ = 0, trial_seconds_ = 0;
};

}  // namespace netlet
