// The main of tests that are compiled for one instruction set: runs them where the processor has it, else exits
// with 77.
//
// NL_TEST_ISA names the set; NL_TEST_EMULATED: the test needs no support, its instructions are emulated.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/error.h"
#include "core/isa.h"

namespace netlet::test {
int run(int argc, char** argv);  // in the file with the ISA's flags
}

int main(int argc, char** argv) {
#if !defined(NL_TEST_EMULATED)
  if (!netlet::supported(netlet::parse(NL_TEST_ISA))) {
    const char* const require = std::getenv("NETLET_REQUIRE");
    if (require && std::strstr(require, "native:" NL_TEST_ISA)) {
      std::fprintf(stderr, "NETLET_REQUIRE names native:%s, which this processor does not have\n", NL_TEST_ISA);
      return 1;
    }
    std::printf("skipped: this processor does not have %s\n", NL_TEST_ISA);
    return 77;
  }
#endif
  return netlet::test::run(argc, argv);
}
