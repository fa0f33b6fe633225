// CHECK, for tests that are plain programs: counts, reports what failed, and makes main return non-zero.
#pragma once

#include <cstdio>
#include <string>

#include "core/error.h"

namespace netlet::test {

inline int checks = 0, failures = 0;

inline bool check(bool good, const char* expression, const char* file, int line, const std::string& note = {}) {
  ++checks;
  if (!good && ++failures <= 50)
    std::fprintf(stderr, "%s:%d: failed: %s%s%s\n", file, line, expression, note.empty() ? "" : "; ", note.c_str());
  return good;
}

// What main returns.
inline int report(const char* name) {
  std::printf("%s: %d checks, %d failed\n", name, checks, failures);
  return failures != 0 || checks == 0;
}

// The message of the Error of this kind that f throws; empty where it throws none.
template <class F>
std::string error_of(Kind kind, F&& f) {
  try {
    f();
  } catch (const Error& e) {
    if (e.kind() == kind) return e.what();
  }
  return {};
}

}  // namespace netlet::test

#define CHECK(x) ::netlet::test::check(static_cast<bool>(x), #x, __FILE__, __LINE__)
#define CHECK_NOTE(x, note) ::netlet::test::check(static_cast<bool>(x), #x, __FILE__, __LINE__, note)
// f() throws Error of `kind` whose message contains `part`.
#define CHECK_FAILS(kind, part, ...)                                                                           \
  do {                                                                                                         \
    const std::string message_ = ::netlet::test::error_of(::netlet::Kind::kind, [&] { (void)(__VA_ARGS__); }); \
    CHECK_NOTE(message_.find(part) != std::string::npos, "message: '" + message_ + "'");                       \
  } while (false)
