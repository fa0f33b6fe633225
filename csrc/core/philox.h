// Netlet's random stream: Philox4x32-10, a number for each (seed, purpose, step, element), whoever asks and when.
//
// Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
// python/netlet/random.py computes the same bits. Words of one (seed, purpose, step) are numbered from 0: word e is
// word e % 4 of block e / 4; a block is Philox of
//   key = (seed mod 2^32, seed / 2^32)
//   counter = (block mod 2^32, block / 2^32 + purpose * 2^16, step mod 2^32, step / 2^32),   block < 2^48.
#pragma once

#include <cstdint>

#include "core/macros.h"

namespace netlet {

enum class Purpose : uint32_t { shuffle = 0, initialize = 1, dropout = 2, data = 3, seeds = 4 };

struct PhiloxBlock {
  uint32_t word[4];
};

// Ten rounds of Philox on one counter.
NL_FN PhiloxBlock philox4x32(PhiloxBlock c, uint32_t key0, uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t(0xD2511F53u) * c.word[0];
    const uint64_t p1 = uint64_t(0xCD9E8D57u) * c.word[2];
    c = {{static_cast<uint32_t>(p1 >> 32) ^ c.word[1] ^ key0, static_cast<uint32_t>(p1),
          static_cast<uint32_t>(p0 >> 32) ^ c.word[3] ^ key1, static_cast<uint32_t>(p0)}};
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  return c;
}

// Words 4 * block .. 4 * block + 3 of the stream of (seed, purpose, step).
NL_FN PhiloxBlock philox_block(uint64_t seed, Purpose purpose, uint64_t step, uint64_t block) {
  const PhiloxBlock counter = {{static_cast<uint32_t>(block),
                                static_cast<uint32_t>(block >> 32) | static_cast<uint32_t>(purpose) << 16,
                                static_cast<uint32_t>(step), static_cast<uint32_t>(step >> 32)}};
  return philox4x32(counter, static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32));
}

// The upper half of the product of two 64-bit numbers.
NL_FN uint64_t mul_high(uint64_t a, uint64_t b) {
#if defined(__SIZEOF_INT128__)
  __extension__ using Wide = unsigned __int128;
  return static_cast<uint64_t>(static_cast<Wide>(a) * b >> 64);
#else
  const uint64_t a0 = static_cast<uint32_t>(a), a1 = a >> 32, b0 = static_cast<uint32_t>(b), b1 = b >> 32;
  const uint64_t middle = a1 * b0 + (a0 * b0 >> 32);
  const uint64_t carry = static_cast<uint32_t>(middle) + a0 * b1;
  return a1 * b1 + (middle >> 32) + (carry >> 32);
#endif
}

// Uniform numbers in [0, 1): 24 bits from one word, 53 bits from two.
NL_FN float uniform_float(uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24f; }
NL_FN double uniform_double(uint32_t word0, uint32_t word1) {
  return (static_cast<double>(word0 >> 5) * 0x1p26 + static_cast<double>(word1 >> 6)) * 0x1p-53;
}

// words[count] <- words first .. first + count - 1 of the stream.
void philox_words(uint64_t seed, Purpose purpose, uint64_t step, uint64_t first, int64_t count, uint32_t* words);

// order[n] <- a permutation of 0 .. n-1 drawn from (seed, Purpose::shuffle, epoch), by Durstenfeld's shuffle:
// for i = n-1 .. 1: swap order[i], order[j] with j = r (i + 1) / 2^64 rounded down, r = words 2i and 2i+1 (low, high).
void permutation(uint64_t seed, uint64_t epoch, int64_t n, int64_t* order);

}  // namespace netlet
