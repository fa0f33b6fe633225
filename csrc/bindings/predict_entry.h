// What netlet._predictor (Cython) knows of a predictor that netlet._native made: plain C, handed over in a capsule that
// owns it. So the engine is linked once, and the two extensions share no C++ type.
#pragma once

#include <stdint.h>

// The capsule's name. Its number changes with the struct: extensions of two builds don't understand each other wrongly.
#define NETLET_PREDICT_ENTRY "netlet._native.predict_entry.1"

enum { NETLET_OK, NETLET_NO_MEMORY, NETLET_RAISED, NETLET_FAILED };

struct netlet_predict_entry {
  // out [rows, output_size] <- the network of x [rows, input_size], C-contiguous and aligned; they must not overlap.
  // Any number of threads may call this at once, with the GIL or without. NETLET_RAISED: a Python exception is set.
  int (*run)(void* predictor, int64_t rows, const void* x, void* out);
  void* predictor;
  int64_t input_size, output_size;  // elements of a row
  int element_size;                 // 4: float, 8: double
  double row_flops;
};
