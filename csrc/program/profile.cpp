// Takes the profile of an executor: a twin over copies of its parameters runs the steps.
#include "program/profile.h"

#include <algorithm>
#include <chrono>

#include "core/philox.h"
#include "program/executor.h"
#include "program/schedule.h"
#include "program/training.h"

namespace netlet {
namespace {

using Clock = std::chrono::steady_clock;

size_t at(int i) { return static_cast<size_t>(i); }
size_t at(int64_t i) { return static_cast<size_t>(i); }

double since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2) return *middle;
  return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

// What a lap adds by itself: one look at the clock.
double cost_of_a_lap() {
  double least = 1;
  for (int run = 0; run < 8; ++run) {
    constexpr int count = 250;
    Laps laps(0);
    laps.start();
    for (int i = 0; i < count; ++i) lap(&laps, Part::update);
    least = std::min(least, laps.seconds(Laps::place(Part::update)) / count);
  }
  return least;
}

// Seconds to draw the order of n rows.
template <class T>
double time_of_order(const Kernels<T>& kernels, int64_t n, double at_most) {
  std::vector<int64_t> order(at(n));
  std::vector<double> times;
  double all = 0;
  for (uint64_t epoch = 0; times.size() < 2 || (times.size() < 9 && all < at_most); ++epoch) {
    const auto begin = Clock::now();
    kernels.permutation(0, epoch, n, order.data());
    times.push_back(since(begin));
    all += times.back();
  }
  times.erase(times.begin());  // it met cold memory
  return median(times);
}

// Seconds of steps in a sample: many looks at the clock, and yet short beside what a scheduler gives to somebody else,
// so that only few samples are spoiled.
constexpr double kSample = 1e-4;

// Runs steps with laps and without by turns, and keeps what each sample of them took.
class Sampler {
 public:
  // run(count, watched) makes `count` steps.
  template <class F>
  Sampler(Watch& watch, double seconds, Interrupt& interrupt, F run) : watch_(watch), lap_(cost_of_a_lap()) {
    run(int64_t(1), false);  // allocates, and meets cold caches
    const auto warm = Clock::now();
    run(int64_t(1), true);
    int64_t count = std::clamp<int64_t>(static_cast<int64_t>(kSample / std::max(since(warm), 1e-9)), 1, 1 << 14);
    run(count, true);
    const auto begin = Clock::now();
    while (samples_.size() < 3 || since(begin) < seconds) {
      const auto plain = Clock::now();
      run(count, false);
      plain_.push_back(since(plain) / static_cast<double>(count));
      watch_.caller.clear();
      for (auto& chain : watch_.chains) chain->clear();
      const auto timed = Clock::now();
      run(count, true);
      keep(count, since(timed));
      steps += count;
      interrupt.after(2e6);
    }
  }

  // Seconds a step that are no part's, given what the parts take. The smaller of two: what steps without laps leave,
  // for laps lengthen short steps; and what lies between the laps, for who shares the processor spoils long samples.
  double other(double parts) const { return std::max(0.0, std::min(median(plain_) - parts, median(between_))); }

  // Seconds a step at a place of the laps; negative where there was none.
  double at(size_t place) const {
    std::vector<double> seconds;
    for (const auto& sample : samples_) seconds.push_back(sample[place]);
    return median(seconds);
  }

  int64_t steps = 0;

 private:
  void keep(int64_t count, double seconds) {
    std::vector<double> sample(watch_.caller.size(), -1.0);
    auto add = [&](const Laps& laps, double share) {
      for (size_t i = 0; i < sample.size(); ++i) {
        if (laps.count(i) == 0) continue;
        seconds -= laps.seconds(i) * share;
        const double alone = std::max(laps.seconds(i) - lap_ * static_cast<double>(laps.count(i)), 0.0);
        sample[i] = std::max(sample[i], 0.0) + alone * share / static_cast<double>(count);
      }
    };
    add(watch_.caller, 1.0);
    for (const auto& chain : watch_.chains) add(*chain, 1.0 / static_cast<double>(watch_.team));
    samples_.push_back(std::move(sample));
    between_.push_back(seconds / static_cast<double>(count));
  }

  Watch& watch_;
  double lap_;
  std::vector<double> plain_, between_;
  std::vector<std::vector<double>> samples_;
};

template <class T>
AlignedBuffer<T> copy(const T* from, int64_t n) {
  AlignedBuffer<T> to(n);
  std::copy(from, from + n, to.begin());
  return to;
}

}  // namespace

template <class T>
Profile Executor<T>::profile(const Rows<T>& rows, int64_t batch, double rate, double seconds, Interrupt interrupt) {
  const Program& p = program();
  batch = std::min(batch, rows.count);
  if (batch < 1) fail(Kind::value, "profile: there are no rows");
  AlignedBuffer<T> params, slots, state;
  {
    const auto lock = share();
    params = copy(params_, p.param_size);
    slots = copy(slots_, checked_mul(p.optimizer.slots(), p.param_size));
    state = copy(state_, p.state_size);
  }
  Executor twin(p, network_.kernels().isa, params.data(), slots.data(), threads_, network_.host(), state.data());
  twin.forward_.set_dynamic(false);  // what all its threads do, be that faster or not
  Watch watch(p.ops.size());
  const int64_t steps = rows.count / batch;  // whole batches alone: all steps are alike
  const bool trains = rows.target != nullptr;
  std::vector<double> sums(at(p.sums_size));
  std::vector<std::vector<T>> outputs;
  std::vector<T*> out;
  for (int v : p.outputs) {
    outputs.emplace_back(trains ? 0 : at(checked_mul(batch, p.values[at(v)].size)));
    out.push_back(outputs.back().data());
  }

  int64_t next = 0;  // of the epoch's steps
  Pace pace{rate};
  auto run = [&](int64_t count, bool watched) {
    twin.watch_ = watched ? &watch : nullptr;
    while (count > 0) {
      const int64_t last = trains ? std::min(steps, next + count) : next + 1;
      if (trains) {
        twin.train(rows, batch, Shuffle{0, 0}, next, last, pace, sums.data(), interrupt);
        pace.iteration += last - next;
      } else {
        Rows<T> part{batch, rows.x, nullptr, nullptr};
        for (size_t i = 0; i < part.x.size(); ++i) part.x[i] += next * batch * p.values[at(p.inputs[i])].size;
        twin.predict(part, out.data(), batch, interrupt);
      }
      count -= last - next;
      next = last == steps ? 0 : last;
    }
  };
  const Sampler sampler(watch, seconds, interrupt, run);

  Profile found;
  found.isa = network_.kernels().isa;
  found.steps = sampler.steps;
  const Laps& places = watch.caller;
  for (size_t i = 0; i < kPartCount; ++i) found.parts.push_back(sampler.at(i));
  for (size_t i = 0; i < p.ops.size(); ++i) {
    found.forward.push_back(sampler.at(places.forward(i)));
    found.backward.push_back(sampler.at(places.backward(i)));
  }
  double parts = 0;
  for (const auto* list : {&found.parts, &found.forward, &found.backward})
    for (const double part : *list) parts += std::max(part, 0.0);
  found.step = parts + sampler.other(parts);
  found.threads = (trains ? training_sharded_ : row_sharded_) ? static_cast<int>(watch.team) : threads_;
  if (!parallel_available()) found.threads = 1;
  if (trains) {
    const auto& prepared = twin.training_->prepared_of;
    auto none = [&](Part part) { found.parts[Laps::place(part)] = -1; };
    if (std::all_of(prepared.begin(), prepared.end(), [](const T* q) { return !q; })) none(Part::prepare);
    found.shuffle =
        time_of_order(network_.kernels(), rows.count, seconds) / static_cast<double>((rows.count + batch - 1) / batch);
    found.step += found.shuffle;
  }
  return found;
}

template Profile Executor<float>::profile(const Rows<float>&, int64_t, double, double, Interrupt);
template Profile Executor<double>::profile(const Rows<double>&, int64_t, double, double, Interrupt);

}  // namespace netlet
