// Dropout: y = x * factor, factor = scale where the element's random word is at least the threshold, else 0.
//
// Element e of the batch has word e of the stream (seed, Purpose::dropout, step), so that a mask depends neither on how
// a batch is cut nor on who computes it; backward draws it again.
#pragma once

#include "kernels/elementwise.inl"
#include "kernels/random.inl"

namespace netlet {
namespace {

template <class T>
static void dropout(int64_t n, const DropoutArgs<T>& a, const T* x, T* y) {
  constexpr int64_t L = Vec<double>::lanes, blocks = 64, most = 4 * blocks;
  uint32_t words[most];
  T factors[most];
  const uint32_t threshold = a.threshold;
  const T scale = a.scale;
  uint64_t block = a.first / 4;
  int64_t skip = static_cast<int64_t>(a.first % 4);  // words of the first block that are another's
  while (n > 0) {
    const int64_t part = n < most - skip ? n : most - skip, used = skip + part;
    philox_lanes(a.seed, Purpose::dropout, a.step, block, ((used + 3) / 4 + L - 1) / L * L, words);
    for (int64_t i = skip; i < used; ++i) factors[i] = words[i] >= threshold ? scale : T(0);
    for_lanes<T>(part, [&](auto load, auto store) { store(y, load(x) * load(factors + skip)); });
    block += blocks;
    x += part;
    y += part;
    n -= part;
    skip = 0;
  }
}

}  // namespace
}  // namespace netlet
