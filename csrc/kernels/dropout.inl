// Dropout: y = x * factor, factor = scale where the element's random word is at least the threshold, else 0.
//
// Element e of the batch has word e of the stream (seed, Purpose::dropout, step), so that a mask depends neither on how
// a batch is cut nor on who computes it; backward draws it again.
#pragma once

#include "core/philox.h"
#include "kernels/elementwise.inl"

namespace netlet {
namespace {

// words[4 * count] <- blocks first .. first + count - 1 of the stream (core/philox.h), one a lane: each of a counter's
// four words is the lower half of a double's bits. count is a multiple of the lanes.
static NL_FN void philox_lanes(uint64_t seed, Purpose purpose, uint64_t step, uint64_t first, int64_t count,
                               uint32_t* words) {
  using vec = Vec<double>;
  constexpr int64_t L = vec::lanes;
  auto bits = [](uint64_t b) { return vec(bit_copy<double>(b)); };
  double number[L];
  for (int64_t l = 0; l < L; ++l) number[l] = bit_copy<double>(first + static_cast<uint64_t>(l));
  vec block = vec::load(number);
  const vec low = bits(0xFFFFFFFFu), m0 = bits(0xD2511F53u), m1 = bits(0xCD9E8D57u), next = bits(L);
  for (int64_t b = 0; b < count; b += L, block = int_add(block, next)) {
    vec c0 = block, c1 = bit_or(shift_right<32>(block), bits(uint64_t(purpose) << 16));
    vec c2 = bits(step), c3 = bits(step >> 32);
    uint32_t key0 = static_cast<uint32_t>(seed), key1 = static_cast<uint32_t>(seed >> 32);
    NL_UNROLL for (int round = 0; round < 10; ++round) {  // only the lower halves count, until the end
      const vec p0 = int_mul(m0, c0), p1 = int_mul(m1, c2);
      c0 = bit_xor(bit_xor(shift_right<32>(p1), c1), bits(key0));
      c2 = bit_xor(bit_xor(shift_right<32>(p0), c3), bits(key1));
      c1 = p1;
      c3 = p0;
      key0 += 0x9E3779B9u;
      key1 += 0xBB67AE85u;
    }
    const vec left = bit_or(bit_and(c0, low), shift_left<32>(c1));
    const vec right = bit_or(bit_and(c2, low), shift_left<32>(c3));
    double pairs[2 * L];
    zip_low(left, right).store(pairs);
    zip_high(left, right).store(pairs + L);
    __builtin_memcpy(words + 4 * b, pairs, sizeof pairs);
  }
}

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
