# Toolchain: AArch64 from an x86-64 Debian, tests run by qemu.
#
#   apt-get install g++-aarch64-linux-gnu qemu-user-static
#   cmake -S . -B build/aarch64 -G Ninja -DCMAKE_TOOLCHAIN_FILE=$PWD/tests/cpp/aarch64.cmake \
#     -DNETLET_BUILD_PYTHON=OFF -DNETLET_BUILD_TESTS=ON
#   cmake --build build/aarch64 && ctest --test-dir build/aarch64 --output-on-failure
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static -L /usr/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
