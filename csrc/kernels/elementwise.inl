// Plain loops over arrays: column sums, add.
#pragma once

#include "kernels/kernels.h"
#include "simd/pair.h"
#include "simd/vec.h"

namespace netlet {
namespace {

// Calls body(i, mask, whole) over [0, n): whole vectors first, then one masked tail that runs the same instructions,
// so that where n is cut cannot change a bit.
template <class T, class Body>
static NL_FN void for_lanes(int64_t n, Body body) {
  using vec = Vec<T>;
  int64_t i = 0;
  for (; i + vec::lanes <= n; i += vec::lanes)
    body([i](const T* p) { return vec::load(p + i); }, [i](T* p, vec v) { v.store(p + i); });
  if (i < n) {
    const auto tail = vec::first(n - i);
    body([i, tail](const T* p) { return vec::load(p + i, tail); }, [i, tail](T* p, vec v) { v.store(p + i, tail); });
  }
}

// The same, two vectors at a time where there are as many: for bodies that are long chains of operations (simd/pair.h).
// load returns a Pair<Vec> then; what the body captures of Vec becomes one by itself.
template <class T, class Body>
static NL_FN void for_pairs(int64_t n, Body body) {
  using pair = Pair<Vec<T>>;
  int64_t i = 0;
  for (; i + pair::lanes <= n; i += pair::lanes)
    body([i](const T* p) { return pair::load(p + i); }, [i](T* p, pair v) { v.store(p + i); });
  for_lanes<T>(n - i, [&](auto load, auto store) {
    body([&](const T* p) { return load(p + i); }, [&](T* p, Vec<T> v) { store(p + i, v); });
  });
}

// sums[N] <- (accumulate ? sums : 0) + sum over m of x[M,N], in order of m.
template <class T>
static void column_sums(int64_t m, int64_t n, const T* x, int64_t ldx, T* sums, bool accumulate) {
  using vec = Vec<T>;
  constexpr int64_t L = vec::lanes;
  int64_t j = 0;
  for (; j + 4 * L <= n; j += 4 * L) {  // four chains hide the latency of the add
    vec s[4];
    for (int v = 0; v < 4; ++v) s[v] = accumulate ? vec::load(sums + j + v * L) : vec(T(0));
    for (int64_t i = 0; i < m; ++i)
      for (int v = 0; v < 4; ++v) s[v] = s[v] + vec::load(x + i * ldx + j + v * L);
    for (int v = 0; v < 4; ++v) s[v].store(sums + j + v * L);
  }
  for (; j < n; j += L) {
    const auto mask = vec::first(n - j < L ? n - j : L);
    vec s = accumulate ? vec::load(sums + j, mask) : vec(T(0));
    for (int64_t i = 0; i < m; ++i) s = s + vec::load(x + i * ldx + j, mask);
    s.store(sums + j, mask);
  }
}

// y[N] <- y + x
template <class T>
static void add(int64_t n, const T* x, T* y) {
  for_lanes<T>(n, [&](auto load, auto store) { store(y, load(y) + load(x)); });
}

}  // namespace
}  // namespace netlet
