// The update: regions, the numbers of each update, and what goes element by element. Whole parameters:
// update_layers.cpp.
#include "program/update.h"

#include <algorithm>
#include <cmath>

#include "core/parallel.h"
#include "ops/gemm.h"
#include "program/schedule.h"

namespace netlet {
namespace {

Rule rule_of(OptimizerKind kind) {
  switch (kind) {
    case OptimizerKind::sgd:
      return Rule::momentum;
    case OptimizerKind::adam:
      return Rule::adam;
    case OptimizerKind::adamax:
      return Rule::adamax;
    case OptimizerKind::nadam:
      return Rule::nadam;
    case OptimizerKind::rmsprop:
      return Rule::rmsprop;
    case OptimizerKind::adagrad:
      return Rule::adagrad;
    case OptimizerKind::adadelta:
      return Rule::adadelta;
    case OptimizerKind::lion:
      return Rule::lion;
    case OptimizerKind::lamb:
      return Rule::lamb;
    case OptimizerKind::ftrl:
      return Rule::ftrl;
    case OptimizerKind::adafactor:
      return Rule::adafactor;
    case OptimizerKind::muon:
      return Rule::muon;
    case OptimizerKind::schedule_free_adamw:
      return Rule::schedule_free;
    case OptimizerKind::custom:  // never run here
      break;
  }
  return Rule::momentum;
}

}  // namespace

template <class T>
Update<T>::Update(const Program& program, const Kernels<T>& kernels, T* params, T* slots, int threads)
    : kernels_(kernels),
      call_(program.optimizer),
      shapes_(program.params),
      param_size_(program.param_size),
      params_(params),
      slots_(slots),
      threads_(threads),
      rule_(rule_of(call_.kind)) {
  const bool some_frozen = std::find(call_.frozen.begin(), call_.frozen.end(), 1) != call_.frozen.end();
  const bool layers =
      call_.kind == OptimizerKind::lamb || call_.kind == OptimizerKind::adafactor || call_.kind == OptimizerKind::muon;
  const bool norms = call_.clipnorm > 0 || call_.global_clipnorm > 0;
  plain_ = call_.kind == OptimizerKind::sgd && call_.momentum == 0 && !some_frozen && !norms && call_.clipvalue == 0 &&
           call_.weight_decay == 0 && !call_.averages() && call_.accumulate == 1;
  by_stretch_ = !layers && !norms;
  keeps_gradient_ = by_stretch_ && call_.clipvalue == 0 && call_.accumulate == 1 && call_.kind != OptimizerKind::custom;
  average_slot_ = call_.own_slots();
  gather_slot_ = average_slot_ + (call_.averages() ? 1 : 0);
  if (plain_) return;
  make_regions(program);

  const int64_t elements = sizeof(T) == 4 ? 16 : 8;  // of a cache line
  int64_t widest = 0;
  if (call_.kind != OptimizerKind::muon) return;
  for (const Region& r : regions_) {
    if (r.by_adam) continue;
    const Shape& shape = shapes_[r.param].shape;
    const int64_t m = std::min(shape[0], shape[1]), n = std::max(shape[0], shape[1]);
    widest = std::max(widest, 2 * m * n + 2 * m * m);
    gemm_stride_ = std::max(
        {gemm_stride_, kernels_.gemm_scratch(m, m, n), kernels_.gemm_scratch(m, m, m), kernels_.gemm_scratch(m, n, m)});
  }
  gemm_stride_ = (gemm_stride_ + elements - 1) / elements * elements;
  matrices_ = AlignedBuffer<T>(widest);
  gemm_scratch_ = AlignedBuffer<T>(checked_mul(gemm_stride_, threads_));
}

template <class T>
void Update<T>::make_regions(const Program& program) {
  for (size_t i = 0; i < program.params.size(); ++i) {
    if (call_.frozen[i]) continue;
    const Param& p = program.params[i];
    const bool muon = call_.kind == OptimizerKind::muon;
    const bool by_adam = muon && (call_.by_adam[i] || p.shape.rank() != 2);
    const double wanted = by_adam ? call_.adam_decay : call_.weight_decay;
    const Region region{p.offset, p.offset + p.size, wanted != 0 && !call_.no_decay[i], by_adam, i};
    Region* last = regions_.empty() ? nullptr : &regions_.back();
    const bool joins = by_stretch_ && last && last->end == region.begin && last->decays == region.decays;
    if (joins)
      last->end = region.end;
    else
      regions_.push_back(region);
  }
  if (by_stretch_) return;
  for (size_t r = 0; r < regions_.size(); ++r)
    for (int64_t i = regions_[r].begin; i < regions_[r].end; i += kBlock)
      blocks_.push_back({r, i, std::min(kBlock, regions_[r].end - i)});
  block_sums_.resize(blocks_.size());
  sums_.resize(regions_.size());
  weight_sums_.resize(regions_.size());
  layer_rates_.resize(regions_.size());
  scale_.reserve(regions_.size());
  int64_t columns = 0;
  for (const Region& r : regions_)
    if (call_.kind == OptimizerKind::adafactor && shapes_[r.param].shape.rank() > 1)
      columns = std::max(columns, shapes_[r.param].shape.back());
  moments_.resize(static_cast<size_t>(columns));
}

// The product of u_k = beta_1 (1 - 0.96^k / 2) over k = 1 .. t, always multiplied in this order.
template <class T>
double Update<T>::nadam_product(int64_t t) {
  if (static_cast<double>(t) < nadam_[0]) nadam_ = {0, 1};
  for (int64_t k = static_cast<int64_t>(nadam_[0]) + 1; k <= t && nadam_[1] != 0; ++k)
    nadam_[1] *= call_.beta_1 * (1 - 0.5 * std::pow(0.96, static_cast<double>(k)));
  nadam_[0] = static_cast<double>(t);
  return nadam_[1];
}

// The settings and what follows from them at update t = 1, 2, ...; in double until the rule needs them.
template <class T>
void Update<T>::set_rates(double rate, double t) {
  const OptimizerCall& o = call_;
  double step = rate, step_g = 0, fresh_2 = 1 - o.beta_2, beta_2 = o.beta_2, l2 = o.l2;
  const double power_1 = std::pow(o.beta_1, t), power_2 = std::pow(o.beta_2, t);
  switch (o.kind) {
    case OptimizerKind::adam:
      step = rate * std::sqrt(1 - power_2) / (1 - power_1);
      break;
    case OptimizerKind::adamax:
      step = rate / (1 - power_1);
      break;
    case OptimizerKind::nadam: {
      const double u = o.beta_1 * (1 - 0.5 * std::pow(0.96, t)), next = o.beta_1 * (1 - 0.5 * std::pow(0.96, t + 1));
      const double product = nadam_product(static_cast<int64_t>(t));
      step = rate * next / (1 - product * next);
      step_g = rate * (1 - u) / (1 - product);
      break;
    }
    case OptimizerKind::schedule_free_adamw:
      if (o.warmup_steps > 0) step = rate * std::min(t / static_cast<double>(o.warmup_steps), 1.0);
      break;
    case OptimizerKind::ftrl:
      l2 += o.beta / (2 * rate);
      break;
    case OptimizerKind::adafactor:
      fresh_2 = std::pow(t, o.beta_2_decay);
      beta_2 = 1 - fresh_2;
      adafactor_rate_ = std::min(rate, 1 / std::sqrt(t));
      break;
    default:
      break;
  }
  RuleArgs<T> a;
  a.rate = static_cast<T>(step);
  a.rate_g = static_cast<T>(step_g);
  a.share = static_cast<T>(1 / t);
  a.beta_1 = static_cast<T>(o.beta_1);
  a.fresh_1 = static_cast<T>(1 - o.beta_1);
  a.beta_2 = static_cast<T>(beta_2);
  a.fresh_2 = static_cast<T>(fresh_2);
  a.correction_1 = static_cast<T>(1 / (1 - power_1));
  a.correction_2 = static_cast<T>(1 / (1 - power_2));
  a.epsilon = static_cast<T>(o.epsilon);
  a.momentum = static_cast<T>(o.momentum);
  a.power = static_cast<T>(o.power);
  a.l1 = static_cast<T>(o.l1);
  a.l2 = static_cast<T>(l2);
  a.shrinkage = static_cast<T>(o.shrinkage);
  a.nesterov = o.nesterov;
  a.amsgrad = o.amsgrad;
  a.centered = o.centered;
  now_ = a;
  adam_ = a;
  adam_.rate = static_cast<T>(rate * o.adam_ratio * std::sqrt(1 - power_2) / (1 - power_1));
}

template <class T>
void Update<T>::begin(double rate, int64_t iteration) {
  if (plain_) {
    now_.rate = static_cast<T>(rate);
    return;
  }
  const int64_t before = iteration / call_.accumulate;  // updates
  updates_ = (iteration + 1) % call_.accumulate == 0;
  if (updates_) set_rates(rate, static_cast<double>(before + 1));
  decay_ = call_.weight_decay * rate;
  adam_decay_ = call_.adam_decay * rate;
  average_keeps_ = before == 0 ? T(0) : static_cast<T>(call_.average_momentum);
  overwrites_ = call_.overwrite_every > 0 && (before + 1) % call_.overwrite_every == 0;
  scale_.clear();
}

template <class T>
void Update<T>::parts(T* gradient, int64_t begin, int64_t n) const {
  auto region =
      std::upper_bound(regions_.begin(), regions_.end(), begin, [](int64_t i, const Region& r) { return i < r.end; });
  for (; region != regions_.end() && region->begin < begin + n; ++region) {
    const int64_t from = std::max(begin, region->begin), count = std::min(begin + n, region->end) - from;
    if (call_.accumulate > 1) gather(gradient, from, count);
    if (updates_) move(*region, gradient, from, count);
    follow(from, count);
  }
}

template <class T>
void Update<T>::gather(T* gradient, int64_t begin, int64_t n) const {
  T* const sum = slot(gather_slot_) + begin;
  if (updates_)
    kernels_.take_mean(n, static_cast<T>(call_.accumulate), sum, gradient + begin);
  else
    kernels_.add(n, gradient + begin, sum);
}

template <class T>
void Update<T>::decay(const Region& region, int64_t begin, int64_t n) const {
  if (region.decays) kernels_.decay(n, static_cast<T>(region.by_adam ? adam_decay_ : decay_), params_ + begin);
}

template <class T>
void Update<T>::run_rule(Rule rule, const RuleArgs<T>& rates, T* gradient, int64_t begin, int64_t n) const {
  RuleArgs<T> a = rates;
  a.n = n;
  a.g = gradient + begin;
  a.w = params_ + begin;
  for (int64_t i = 0; i < std::min<int64_t>(3, average_slot_); ++i) a.slot[i] = slot(i) + begin;
  kernels_.rule[static_cast<int>(rule)](a);
}

// Clipping, decay and a rule that goes element by element.
template <class T>
void Update<T>::move(const Region& region, T* gradient, int64_t begin, int64_t n) const {
  if (call_.clipvalue > 0) kernels_.clip(n, static_cast<T>(call_.clipvalue), gradient + begin);
  if (!scale_.empty()) {
    const T factor = scale_[static_cast<size_t>(&region - regions_.data())];
    if (factor != T(1)) kernels_.scale(n, factor, gradient + begin);
  }
  decay(region, begin, n);
  if (call_.kind == OptimizerKind::sgd && call_.momentum == 0)
    kernels_.sgd(n, now_.rate, gradient + begin, params_ + begin);
  else if (region.by_adam)
    run_rule(Rule::adam, adam_, gradient, begin, n);
  else if (call_.kind != OptimizerKind::adafactor || shapes_[region.param].shape.rank() < 2)
    run_rule(rule_, now_, gradient, begin, n);
}

// The moving average of the weights.
template <class T>
void Update<T>::follow(int64_t begin, int64_t n) const {
  if (!call_.averages()) return;
  T* const average = slot(average_slot_) + begin;
  kernels_.combine(n, T(1) - average_keeps_, params_ + begin, average_keeps_, average);
  if (overwrites_) std::copy(average, average + n, params_ + begin);
}

template class Update<float>;
template class Update<double>;

}  // namespace netlet
