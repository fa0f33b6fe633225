// Normalizations, forward beside backward: of rows by their own moments (layer), of columns by theirs (batch).
//
//   unit = (x - mean) * scale, scale = 1 / sqrt(variance + epsilon);   y = unit * gamma + beta
//   dgamma = sum of dy unit, dbeta = sum of dy;   with d = dy gamma and means over what shares a moment:
//   dx = scale * (d - mean(d) - unit * mean(d unit))      rms: mean is 0, and so is mean(d)
//   or dx = scale * d where the moments don't depend on x
// A variance is the mean of squared distances from a mean found before, so that nothing cancels. Sums along a row run
// as softmax's do, sums along a column in order of the rows: both depend on shapes alone.
#pragma once

#include <type_traits>

#include "kernels/softmax.inl"

namespace netlet {
namespace {

template <class T>
struct RowMoments {
  T mean, scale;
};

template <class T>
static NL_FN RowMoments<T> moments_of_row(int64_t n, T epsilon, bool rms, const T* x) {
  const T count = static_cast<T>(n);
  const T mean = rms ? T(0) : row_sum<T>(n, [&](auto load) { return load(x); }) / count;
  const Vec<T> centre(mean);
  const T squares = row_sum<T>(n, [&](auto load) {
    const Vec<T> d = load(x) - centre;
    return d * d;
  });
  T scale[Vec<T>::lanes];
  (Vec<T>(T(1)) / sqrt(Vec<T>(squares / count + epsilon))).store(scale);
  return {mean, scale[0]};
}

// moments[R, 2] <- mean and scale of each row of x[R, N].
template <class T>
static void row_moments(int64_t rows, int64_t n, T epsilon, bool rms, const T* x, T* moments) {
  for (int64_t r = 0; r < rows; ++r) {
    const RowMoments<T> m = moments_of_row(n, epsilon, rms, x + r * n);
    moments[2 * r] = m.mean;
    moments[2 * r + 1] = m.scale;
  }
}

template <class T>
static void row_norm_forward(int64_t rows, int64_t n, T epsilon, bool rms, const T* x, const T* gamma, const T* beta,
                             T* y) {
  const Vec<T> zero(T(0)), one(T(1));
  for (int64_t r = 0; r < rows; ++r, x += n, y += n) {
    const RowMoments<T> m = moments_of_row(n, epsilon, rms, x);
    const Vec<T> mean(m.mean), scale(m.scale);
    for_lanes<T>(n, [&](auto load, auto store) {
      const Vec<T> unit = (load(x) - mean) * scale;
      store(y, fma(unit, gamma ? load(gamma) : one, beta ? load(beta) : zero));
    });
  }
}

// dx[R, N] of rows with these moments.
template <class T>
static void row_norm_backward(int64_t rows, int64_t n, bool rms, const T* moments, const T* x, const T* gamma,
                              const T* dy, T* dx) {
  const T count = static_cast<T>(n);
  for (int64_t r = 0; r < rows; ++r, x += n, dy += n, dx += n) {
    const Vec<T> mean(moments[2 * r]), scale(moments[2 * r + 1]), one(T(1));
    auto d = [&](auto load) { return gamma ? load(dy) * load(gamma) : load(dy); };
    auto unit = [&](auto load) { return (load(x) - mean) * scale; };
    const Vec<T> flat(rms ? T(0) : row_sum<T>(n, d) / count);
    const Vec<T> along(row_sum<T>(n, [&](auto load) { return d(load) * unit(load); }) / count);
    for_lanes<T>(n, [&](auto load, auto store) { store(dx, scale * fnma(unit(load), along, d(load) - flat)); });
  }
}

// dgamma[N], dbeta[N] (or null) <- (accumulate ? what is there : 0) + sums over the rows of x and dy, whose rows are ld
// apart.
template <class T>
static void row_norm_sums(int64_t rows, int64_t n, int64_t ld, const T* moments, const T* x, const T* dy, T* dgamma,
                          T* dbeta, bool accumulate) {
  const Vec<T> zero(T(0));
  if (!accumulate && dgamma) for_lanes<T>(n, [&](auto, auto store) { store(dgamma, zero); });
  if (!accumulate && dbeta) for_lanes<T>(n, [&](auto, auto store) { store(dbeta, zero); });
  for (int64_t r = 0; r < rows; ++r, x += ld, dy += ld) {
    const Vec<T> mean(moments[2 * r]), scale(moments[2 * r + 1]);
    for_lanes<T>(n, [&](auto load, auto store) {
      const Vec<T> d = load(dy);
      if (dgamma) store(dgamma, fma(d, (load(x) - mean) * scale, load(dgamma)));
      if (dbeta) store(dbeta, load(dbeta) + d);
    });
  }
}

// Calls body(width, j, load, store) over columns [0, N): the stretch from j on is `width` vectors wide, chains that
// hide each other's latency, or one vector that may be masked.
template <class T, class Body>
static NL_FN void for_columns(int64_t n, Body body) {
  using vec = Vec<T>;
  constexpr int64_t L = vec::lanes;
  int64_t j = 0;
  for (; j + 4 * L <= n; j += 4 * L)
    body(std::integral_constant<int, 4>(), j, [](const T* p) { return vec::load(p); }, [](T* p, vec v) { v.store(p); });
  for (; j < n; j += L) {
    const auto mask = vec::first(n - j < L ? n - j : L);
    body(
        std::integral_constant<int, 1>(), j, [mask](const T* p) { return vec::load(p, mask); },
        [mask](T* p, vec v) { v.store(p, mask); });
  }
}

// mean[N], variance[N] <- those of the columns of x[R, N], R > 0, whose rows are ld apart.
template <class T>
static void column_moments(int64_t rows, int64_t n, int64_t ld, const T* x, T* mean, T* variance) {
  using vec = Vec<T>;
  const vec count(static_cast<T>(rows));
  for_columns<T>(n, [&](auto width, int64_t j, auto load, auto store) {
    constexpr int W = decltype(width)::value;
    vec sum[W], centre[W];
    for (int v = 0; v < W; ++v) sum[v] = vec(T(0));
    for (int64_t r = 0; r < rows; ++r)
      for (int v = 0; v < W; ++v) sum[v] = sum[v] + load(x + r * ld + j + v * vec::lanes);
    for (int v = 0; v < W; ++v) {
      centre[v] = sum[v] / count;
      sum[v] = vec(T(0));
    }
    for (int64_t r = 0; r < rows; ++r)
      for (int v = 0; v < W; ++v) {
        const vec d = load(x + r * ld + j + v * vec::lanes) - centre[v];
        sum[v] = fma(d, d, sum[v]);
      }
    for (int v = 0; v < W; ++v) {
      store(mean + j + v * vec::lanes, centre[v]);
      store(variance + j + v * vec::lanes, sum[v] / count);
    }
  });
}

// scale[N] <- gamma / sqrt(variance + epsilon)
template <class T>
static void column_scales(int64_t n, T epsilon, const T* variance, const T* gamma, T* scale) {
  const Vec<T> one(T(1)), least(epsilon);
  for_lanes<T>(n, [&](auto load, auto store) {
    const Vec<T> s = one / sqrt(load(variance) + least);
    store(scale, gamma ? s * load(gamma) : s);
  });
}

// y[R, N] <- (x - mean) * scale + beta, where scale holds gamma.
template <class T>
static void column_norm_forward(int64_t rows, int64_t n, const T* x, const T* mean, const T* scale, const T* beta,
                                T* y) {
  const Vec<T> zero(T(0));
  for (int64_t r = 0; r < rows; ++r, x += n, y += n)
    for_lanes<T>(
        n, [&](auto load, auto store) { store(y, fma(load(x) - load(mean), load(scale), beta ? load(beta) : zero)); });
}

// dgamma[N], dbeta[N] <- sums over the rows of x and dy, whose rows are ld apart; scale without gamma.
template <class T>
static void column_norm_sums(int64_t rows, int64_t n, int64_t ld, const T* x, const T* mean, const T* scale,
                             const T* dy, T* dgamma, T* dbeta) {
  using vec = Vec<T>;
  for_columns<T>(n, [&](auto width, int64_t j, auto load, auto store) {
    constexpr int W = decltype(width)::value;
    vec along[W], flat[W], centre[W], s[W];
    for (int v = 0; v < W; ++v) {
      along[v] = flat[v] = vec(T(0));
      centre[v] = load(mean + j + v * vec::lanes);
      s[v] = load(scale + j + v * vec::lanes);
    }
    for (int64_t r = 0; r < rows; ++r)
      for (int v = 0; v < W; ++v) {
        const int64_t at = r * ld + j + v * vec::lanes;
        const vec d = load(dy + at);
        along[v] = fma(d, (load(x + at) - centre[v]) * s[v], along[v]);
        flat[v] = flat[v] + d;
      }
    for (int v = 0; v < W; ++v) {
      store(dgamma + j + v * vec::lanes, along[v]);
      store(dbeta + j + v * vec::lanes, flat[v]);
    }
  });
}

// dx[R, N] of columns with these moments, of `count` rows in all: the moments move with x. scale without gamma.
template <class T>
static void column_norm_backward(int64_t rows, int64_t n, T count, const T* x, const T* mean, const T* scale,
                                 const T* gamma, const T* dgamma, const T* dbeta, const T* dy, T* dx) {
  const Vec<T> all(count);
  for (int64_t r = 0; r < rows; ++r, x += n, dy += n, dx += n)
    for_lanes<T>(n, [&](auto load, auto store) {
      const Vec<T> s = load(scale);
      const Vec<T> unit = (load(x) - load(mean)) * s;
      const Vec<T> d = load(dy) - fma(unit, load(dgamma), load(dbeta)) / all;
      store(dx, d * (gamma ? s * load(gamma) : s));
    });
}

}  // namespace
}  // namespace netlet
