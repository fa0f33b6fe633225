// The one exception type of Netlet's C++. bindings/ translates it to Python in one place.
#pragma once

#include <exception>
#include <string>

namespace netlet {

enum class Kind {
  value,      // an argument of the right type is wrong: ValueError
  type,       // an argument has the wrong type: TypeError
  format,     // a program or file is malformed: ModelFormatError
  runtime,    // the machine or the library cannot do it: RuntimeError
  interrupt,  // the user asked to stop: KeyboardInterrupt
};

class Error : public std::exception {
 public:
  Error(Kind kind, std::string message);
  ~Error() override;
  Kind kind() const noexcept { return kind_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  Kind kind_;
  std::string message_;
};

// Throws Error. The message names the thing, what was expected and what came.
[[noreturn]] void fail(Kind kind, std::string message);

}  // namespace netlet
