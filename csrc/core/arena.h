// Memory on 64-byte boundaries: a buffer of one element type, and an arena that many are cut from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <string>
#include <type_traits>
#include <utility>

#include "core/error.h"
#include "core/shape.h"

namespace netlet {

inline constexpr int64_t kAlignment = 64;  // a cache line, and the widest vector

// n elements of T, zero at first, on a 64-byte boundary. Throws std::bad_alloc without memory, Error where n is
// negative or its bytes exceed int64.
template <class T>
class AlignedBuffer {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(int64_t n) {
    const int64_t bytes = checked_mul(n, static_cast<int64_t>(sizeof(T)));
    if (n == 0) return;
    data_ = static_cast<T*>(::operator new(static_cast<std::size_t>(bytes), std::align_val_t(kAlignment)));
    size_ = n;
    for (int64_t i = 0; i < n; ++i) new (data_ + i) T();
  }
  AlignedBuffer(AlignedBuffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~AlignedBuffer() { ::operator delete(data_, std::align_val_t(kAlignment)); }

  T* data() { return data_; }
  const T* data() const { return data_; }
  int64_t size() const { return size_; }
  T& operator[](int64_t i) { return data_[i]; }
  const T& operator[](int64_t i) const { return data_[i]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }

 private:
  T* data_ = nullptr;
  int64_t size_ = 0;
};

// One allocation, handed out from its start in 64-byte steps and given back all at once.
//
//   Arena arena(Arena::bytes<float>(n) + Arena::bytes<double>(m));
//   float* x = arena.take<float>(n);
//   double* y = arena.take<double>(m);
class Arena {
 public:
  Arena() = default;
  explicit Arena(int64_t bytes) : buffer_(bytes) {}

  // What take<T>(n) uses of an arena: the bytes, rounded up to whole 64s.
  template <class T>
  static int64_t bytes(int64_t n) {
    const int64_t exact = checked_mul(n, static_cast<int64_t>(sizeof(T)));
    return checked_add(exact, kAlignment - 1) / kAlignment * kAlignment;
  }

  // n elements of T on a 64-byte boundary; zero where nothing was taken there before. Error (Kind::runtime) where the
  // arena has not as much left.
  template <class T>
  T* take(int64_t n) {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);
    static_assert(alignof(T) <= static_cast<std::size_t>(kAlignment));
    const int64_t need = bytes<T>(n);
    if (need > left())
      fail(Kind::runtime, "arena: " + std::to_string(need) + " bytes asked for, " + std::to_string(left()) + " left");
    T* const p = reinterpret_cast<T*>(buffer_.data() + used_);
    used_ += need;
    return p;
  }

  void reset() { used_ = 0; }  // everything taken before becomes invalid
  int64_t used() const { return used_; }
  int64_t left() const { return buffer_.size() - used_; }
  int64_t capacity() const { return buffer_.size(); }

 private:
  AlignedBuffer<std::byte> buffer_;
  int64_t used_ = 0;
};

}  // namespace netlet
