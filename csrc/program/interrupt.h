// Asks now and then whether the caller wants the work to stop (Ctrl-C), at a cost that small steps don't notice.
#pragma once

#include "core/error.h"

namespace netlet {

class Interrupt {
 public:
  explicit Interrupt(bool (*requested)() = nullptr) : requested_(requested) {}

  // Called between pieces of work of about this many flops; fails with Kind::interrupt if a stop was asked for.
  void after(double flops) {
    pending_ += flops + kOverhead;
    if (pending_ < kAsk) return;
    pending_ = 0;
    if (requested_ && requested_()) fail(Kind::interrupt, "interrupted");
  }

 private:
  static constexpr double kOverhead = 2000;  // what a piece of no flops costs, in flops
  static constexpr double kAsk = 1e8;        // a few milliseconds' work
  bool (*requested_)();
  double pending_ = 0;
};

}  // namespace netlet
