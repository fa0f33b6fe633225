// The update: what the optimizer does to the weights once the gradient of a step is there.
//
// In order, as Keras does: the gradient is gathered with those of steps before it, clipped, weights decay, the rule
// moves them, and their moving average follows. Most optimizers go element by element, so the executor updates stretch
// after stretch while each is in the nearest cache; norms (clipnorm, Lamb, Adafactor, Muon) need the whole gradient
// first. Norms are summed in double over blocks of a fixed size in their order: the same bits for any number of
// threads.
#pragma once

#include <array>
#include <optional>

#include "core/arena.h"
#include "kernels/kernels.h"
#include "program/program.h"

namespace netlet {

// The steps of one call of train: their learning rates, and how many steps were made before them.
struct Pace {
  double rate = 0;
  const double* rates = nullptr;  // one a step, or null: all take `rate`
  int64_t iteration = 0;

  double rate_of(int64_t step) const { return rates ? rates[step] : rate; }
};

template <class T>
class Update {
 public:
  Update(const Program& program, const Kernels<T>& kernels, T* params, T* slots, int threads);

  // w <- w - rate * g and nothing else, on all parameters.
  bool plain() const { return plain_; }
  // Whether `stretch` is the whole update; else `all` is.
  bool by_stretch() const { return by_stretch_; }
  // Whether the gradient is left as it was.
  bool keeps_gradient() const { return keeps_gradient_; }
  // Operations an element, for the choice of threads.
  double flops() const { return plain_ ? 10 : 40; }

  // Makes ready for the next update: the learning rate, and the number of steps made before it.
  void begin(double rate, int64_t iteration);

  // Elements begin .. begin + n - 1 of the arena; gradient is [param_size]. For any thread.
  void stretch(T* gradient, int64_t begin, int64_t n) const {
    if (plain_)
      kernels_.sgd(n, now_.rate, gradient + begin, params_ + begin);
    else
      parts(gradient, begin, n);
  }
  // Everything.
  void all(T* gradient);

 private:
  // Neighbouring parameters that are treated alike; one parameter each where the rule needs that.
  struct Region {
    int64_t begin, end;
    bool decays, by_adam;
    size_t param;  // the first
  };
  // A piece of a region, of kBlock elements at most.
  struct Block {
    size_t region;
    int64_t begin, n;
  };
  static constexpr int64_t kBlock = 4096;

  void make_regions(const Program& program);
  void set_rates(double rate, double t);
  double nadam_product(int64_t t);
  T* slot(int64_t i) const { return slots_ + i * param_size_; }

  void parts(T* gradient, int64_t begin, int64_t n) const;
  void gather(T* gradient, int64_t begin, int64_t n) const;
  void move(const Region& region, T* gradient, int64_t begin, int64_t n) const;
  void run_rule(Rule rule, const RuleArgs<T>& rates, T* gradient, int64_t begin, int64_t n) const;
  void follow(int64_t begin, int64_t n) const;
  void decay(const Region& region, int64_t begin, int64_t n) const;

  template <class F>
  void each_block(F&& f) const;  // f(region, begin, n, number of the block), in any order, on threads
  void squares(const T* x, std::vector<double>& sums);  // of each region of x
  void descend(const T* gradient);                      // w <- w - layer_rates_ of its region * gradient
  void clip_norms(T* gradient);
  void lamb(T* gradient);
  void adafactor(T* gradient);
  void adafactor_matrix(T* g, int64_t rows, int64_t columns, T* row, T* column);
  void muon(T* gradient);
  const T* orthogonalized(T* g, int64_t rows, int64_t columns);

  const Kernels<T>& kernels_;
  const OptimizerCall& call_;
  const std::vector<Param>& shapes_;
  int64_t param_size_;
  T* params_;
  T* slots_;
  int threads_;
  bool plain_, by_stretch_, keeps_gradient_;
  Rule rule_ = Rule::momentum;
  std::vector<Region> regions_;
  std::vector<Block> blocks_;
  int64_t average_slot_ = 0, gather_slot_ = 0;

  // Of the present update.
  RuleArgs<T> now_, adam_;  // adam_: of muon's parameters that Adam moves
  double decay_ = 0, adam_decay_ = 0, adafactor_rate_ = 0;
  bool updates_ = true, overwrites_ = false;
  T average_keeps_ = 0;
  std::vector<T> scale_;  // of each region's gradient; empty where none is scaled
  std::array<double, 2> nadam_{0, 1};

  // Scratch of what goes by whole parameters.
  std::vector<double> block_sums_, sums_, weight_sums_, moments_;
  std::vector<T> layer_rates_;
  AlignedBuffer<T> matrices_, gemm_scratch_;
  int64_t gemm_stride_ = 0;
};

}  // namespace netlet
