// The updates that need whole parameters: norms for clipping, Lamb, Adafactor and Muon.
#include <algorithm>
#include <cmath>

#include "core/parallel.h"
#include "ops/gemm.h"
#include "program/schedule.h"
#include "program/update.h"

namespace netlet {

template <class T>
template <class F>
void Update<T>::each_block(F&& f) const {
  const int threads = team_at_once(flops() * static_cast<double>(param_size_), threads_);
  parallel_for(static_cast<int64_t>(blocks_.size()), threads, [&](int64_t b) noexcept {
    const Block& block = blocks_[static_cast<size_t>(b)];
    f(regions_[block.region], block.begin, block.n, static_cast<size_t>(b));
  });
}

template <class T>
void Update<T>::squares(const T* x, std::vector<double>& sums) {
  each_block(
      [&](const Region&, int64_t begin, int64_t n, size_t b) { block_sums_[b] = kernels_.sum_squares(n, x + begin); });
  std::fill(sums.begin(), sums.end(), 0.0);
  for (size_t b = 0; b < blocks_.size(); ++b) sums[blocks_[b].region] += block_sums_[b];
}

template <class T>
void Update<T>::descend(const T* gradient) {
  each_block([&](const Region& r, int64_t begin, int64_t n, size_t) {
    kernels_.sgd(n, layer_rates_[static_cast<size_t>(&r - regions_.data())], gradient + begin, params_ + begin);
  });
}

template <class T>
void Update<T>::clip_norms(T* gradient) {
  if (call_.clipnorm <= 0 && call_.global_clipnorm <= 0) return;
  squares(gradient, sums_);
  // NaN and infinity make a NaN of what is scaled, as in Keras.
  auto factor = [](double norm, double most) { return norm > most ? most / norm : norm == norm ? 1.0 : norm; };
  scale_.resize(regions_.size());
  if (call_.clipnorm > 0) {
    for (size_t r = 0; r < sums_.size(); ++r) scale_[r] = static_cast<T>(factor(std::sqrt(sums_[r]), call_.clipnorm));
    return;
  }
  double all = 0;
  for (const double sum : sums_) all += sum;
  const double norm = std::sqrt(all);
  const T scale = static_cast<T>(factor(norm, call_.global_clipnorm) + (norm - norm));
  std::fill(scale_.begin(), scale_.end(), scale);
}

template <class T>
void Update<T>::all(T* gradient) {
  if (call_.accumulate > 1)
    each_block([&](const Region&, int64_t begin, int64_t n, size_t) { gather(gradient, begin, n); });
  if (updates_) {
    clip_norms(gradient);
    each_block([&](const Region& r, int64_t begin, int64_t n, size_t) { move(r, gradient, begin, n); });
    if (call_.kind == OptimizerKind::lamb) lamb(gradient);
    if (call_.kind == OptimizerKind::adafactor) adafactor(gradient);
    if (call_.kind == OptimizerKind::muon) muon(gradient);
  }
  if (call_.averages()) each_block([&](const Region&, int64_t begin, int64_t n, size_t) { follow(begin, n); });
}

// The gradient has become the direction: w <- w - rate |w| / |direction| direction.
template <class T>
void Update<T>::lamb(T* gradient) {
  squares(params_, weight_sums_);
  squares(gradient, sums_);
  for (size_t r = 0; r < layer_rates_.size(); ++r) {
    const double w = std::sqrt(weight_sums_[r]), d = std::sqrt(sums_[r]);
    layer_rates_[r] = static_cast<T>(static_cast<double>(now_.rate) * (w > 0 && d > 0 ? w / d : 1.0));
  }
  descend(gradient);
}

// Second moments of the rows and of the columns stand for those of a matrix; g <- g over their root.
template <class T>
void Update<T>::adafactor_matrix(T* g, int64_t rows, int64_t columns, T* row, T* column) {
  const double keeps = static_cast<double>(now_.beta_2), fresh = static_cast<double>(now_.fresh_2);
  auto follow = [&](T& moment, double mean) {
    moment = static_cast<T>(keeps * static_cast<double>(moment) + fresh * (mean + call_.epsilon));
  };
  const int threads = team_at_once(flops() * static_cast<double>(rows * columns), threads_);
  split_range(rows, 1, 0, threads, [&](int64_t begin, int64_t n) {
    for (int64_t i = begin; i < begin + n; ++i)
      follow(row[i], kernels_.sum_squares(columns, g + i * columns) / static_cast<double>(columns));
  });
  std::fill_n(moments_.begin(), columns, 0.0);
  split_range(columns, 64, 0, threads, [&](int64_t begin, int64_t n) {
    double* const sums = moments_.data() + begin;
    for (int64_t i = 0; i < rows; ++i) kernels_.add_squares(n, g + i * columns + begin, sums);
    for (int64_t j = 0; j < n; ++j) follow(column[begin + j], sums[j] / static_cast<double>(rows));
  });
  double mean = 0;
  for (int64_t i = 0; i < rows; ++i) mean += static_cast<double>(row[i]);
  mean /= static_cast<double>(rows);
  split_range(rows, 1, 0, threads, [&](int64_t begin, int64_t n) {
    for (int64_t i = begin; i < begin + n; ++i)
      kernels_.divide_by_root(columns, static_cast<T>(static_cast<double>(row[i]) / mean), column, g + i * columns);
  });
}

// Each matrix (the last two axes) by its factored moments, a vector by its own; then w <- w - rate max(epsilon_2,
// rms(w)) / max(1, rms(direction) / clip_threshold) direction.
template <class T>
void Update<T>::adafactor(T* gradient) {
  for (const Region& region : regions_) {
    const Shape& shape = shapes_[region.param].shape;
    if (shape.rank() < 2) continue;
    const int64_t columns = shape.back(), rows = shape[shape.rank() - 2], size = rows * columns;
    for (int64_t i = region.begin, k = 0; i < region.end; i += size, ++k)
      adafactor_matrix(gradient + i, rows, columns, slot(0) + region.begin + k * rows,
                       slot(1) + region.begin + k * columns);
  }
  squares(params_, weight_sums_);
  squares(gradient, sums_);
  for (size_t r = 0; r < layer_rates_.size(); ++r) {
    const double size = static_cast<double>(regions_[r].end - regions_[r].begin);
    const double step = adafactor_rate_ * std::max(call_.epsilon_2, std::sqrt(weight_sums_[r] / size));
    layer_rates_[r] = static_cast<T>(step / std::max(1.0, std::sqrt(sums_[r] / size) / call_.clip_threshold));
  }
  descend(gradient);
}

// Newton and Schulz's iteration as Jordan et al. (2024), "Muon", have it: x <- x / |x|, then ns_steps times
// x <- a x + (b (x x') + c (x x')^2) x, on the matrix or, where it is higher than wide, on its transpose.
template <class T>
const T* Update<T>::orthogonalized(T* g, int64_t rows, int64_t columns) {
  const bool turns = rows > columns;
  const int64_t m = std::min(rows, columns), n = std::max(rows, columns);
  T *x = matrices_.data(), *y = x + m * n, *const square = y + m * n, *const mix = square + m * m;
  const Run<T> run{kernels_, nullptr, nullptr, false, threads_, gemm_scratch_.data(), gemm_stride_};
  if (turns)
    kernels_.transpose(rows, columns, g, x);
  else
    std::copy(g, g + m * n, x);
  kernels_.scale(m * n, static_cast<T>(1 / (std::sqrt(kernels_.sum_squares(m * n, x)) + 1e-7)), x);
  for (int64_t step = 0; step < call_.ns_steps; ++step) {
    gemm<T>(run, {m, m, n, x, n, 1, x, 1, n, square, m});
    gemm<T>(run, {m, m, m, square, m, 1, square, m, 1, mix, m});
    kernels_.combine(m * m, static_cast<T>(call_.ns_b), square, static_cast<T>(call_.ns_c), mix);
    std::copy(x, x + m * n, y);
    kernels_.scale(m * n, static_cast<T>(call_.ns_a), y);
    GemmArgs<T> last{m, n, m, mix, m, 1, x, n, 1, y, n};
    last.accumulate = true;
    gemm<T>(run, last);
    std::swap(x, y);
  }
  if (!turns) return x;
  kernels_.transpose(m, n, x, g);
  return g;
}

template <class T>
void Update<T>::muon(T* gradient) {
  for (const Region& region : regions_) {
    if (region.by_adam) continue;
    const Shape& shape = shapes_[region.param].shape;
    const T* const direction = orthogonalized(gradient + region.begin, shape[0], shape[1]);
    double rate = static_cast<double>(now_.rate);
    if (call_.rms_rate >= 0) rate *= std::sqrt(static_cast<double>(std::max(shape[0], shape[1]))) * call_.rms_rate;
    kernels_.sgd(region.end - region.begin, static_cast<T>(rate), direction, params_ + region.begin);
  }
}

template void Update<float>::all(float*);
template void Update<double>::all(double*);

}  // namespace netlet
