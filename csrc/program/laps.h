// Where the time of a step goes: stopwatches that the walks start and stop while a profile is taken (profile.h), and a
// null pointer to test at every other time.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

namespace netlet {

// The parts of a step that are no op of its Program. update: the sum of the shards' gradients and the optimizer; part
// of the ops' backward where they descend by themselves.
enum class Part : int { gather, loss, metrics, prepare, update };
inline constexpr size_t kPartCount = 5;

// One stopwatch, of one thread at a time. A lap adds what has passed since the lap before it to a place.
class Laps {
 public:
  explicit Laps(size_t ops) : ops_(ops), places_(kPartCount + 2 * ops) {}

  static size_t place(Part part) { return static_cast<size_t>(part); }
  size_t forward(size_t op) const { return kPartCount + op; }
  size_t backward(size_t op) const { return kPartCount + ops_ + op; }

  void start() { last_ = Clock::now(); }
  void lap(size_t place) {
    const Clock::time_point now = Clock::now();
    places_[place].seconds += std::chrono::duration<double>(now - last_).count();
    ++places_[place].count;
    last_ = now;
  }
  void clear() { places_.assign(places_.size(), {}); }

  size_t size() const { return places_.size(); }
  double seconds(size_t place) const { return places_[place].seconds; }
  int64_t count(size_t place) const { return places_[place].count; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Place {
    double seconds = 0;
    int64_t count = 0;
  };
  size_t ops_;
  std::vector<Place> places_;
  Clock::time_point last_;
};

// Those of an executor: one of the thread that calls it, and one of each chain of rows.
struct Watch {
  explicit Watch(size_t op_count) : ops(op_count), caller(op_count) {}

  // That of chain i; not to be called by several threads at once.
  Laps* chain(size_t i) {
    while (chains.size() <= i) chains.push_back(std::make_unique<Laps>(ops));
    return chains[i].get();
  }

  size_t ops;
  Laps caller;
  std::vector<std::unique_ptr<Laps>> chains;
  int64_t team = 1;  // chains that were in flight at once
};

inline void start(Laps* laps) {
  if (laps) laps->start();
}
inline void lap(Laps* laps, Part part) {
  if (laps) laps->lap(Laps::place(part));
}

}  // namespace netlet
