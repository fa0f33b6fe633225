# Installs Netlet without its C++ extension, says so once, and leaves the reason for `netlet.show_runtime()`.

set(netlet_reason_file "${CMAKE_CURRENT_BINARY_DIR}/_native_missing.txt")
file(WRITE "${netlet_reason_file}" "${netlet_missing}\n")
install(FILES "${netlet_reason_file}" DESTINATION netlet COMPONENT python)

set(netlet_warning
  "Netlet is installed without its C++ extension: ${netlet_missing}. Networks will run on Numba where it is installed, \
else on NumPy, and more slowly.")
message(WARNING "${netlet_warning}")

# pip hides what a successful build prints unless it is called with -v, so the person at the terminal is told directly.
if(DEFINED SKBUILD AND EXISTS /dev/tty)
  execute_process(COMMAND sh -c "printf '\\nWARNING: %s\\n' \"$1\" > /dev/tty" sh "${netlet_warning}"
    OUTPUT_QUIET ERROR_QUIET RESULT_VARIABLE netlet_no_terminal)
endif()
