// The random stream by lanes, and the order of an epoch's rows.
#pragma once

#include "core/philox.h"
#include "simd/vec.h"

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

// The same as permutation() in core/philox.h, whose words it draws many at a time.
static void permutation_by_lanes(uint64_t seed, uint64_t epoch, int64_t n, int64_t* order) {
  constexpr int64_t L = Vec<double>::lanes, most = 64;  // blocks at a time, each of which serves two rows
  uint32_t words[4 * most];
  for (int64_t i = 0; i < n; ++i) order[i] = i;
  int64_t i = n - 1;
  while (i >= 1) {
    const int64_t last = i / 2, first = last < most ? 0 : last - most + 1;
    philox_lanes(seed, Purpose::shuffle, epoch, static_cast<uint64_t>(first), (last - first + L) / L * L, words);
    for (const int64_t least = first ? 2 * first : 1; i >= least; --i) {
      const uint32_t* const w = words + 2 * i - 4 * first;
      const uint64_t r = w[0] | static_cast<uint64_t>(w[1]) << 32;
      const int64_t j = static_cast<int64_t>(mul_high(r, static_cast<uint64_t>(i) + 1));
      const int64_t held = order[i];
      order[i] = order[j];
      order[j] = held;
    }
  }
}

}  // namespace
}  // namespace netlet
