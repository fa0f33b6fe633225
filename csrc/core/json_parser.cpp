// The JSON parser: recursive descent, one pass, depth at most 64.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <locale>
#include <sstream>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "core/json.h"

namespace netlet::json {

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Value document() {
    Value root;
    skip_space();
    value(root, 0);
    skip_space();
    if (at_ != text_.size()) reject("expected the end of the text");
    return root;
  }

 private:
  static constexpr int kMaxDepth = 64;

  [[noreturn]] void reject(const std::string& message) const {
    netlet::fail(Kind::format, "JSON, byte " + std::to_string(at_) + ": " + message);
  }

  bool ended() const { return at_ == text_.size(); }
  char peek() const { return ended() ? '\0' : text_[at_]; }  // '\0' is no token either
  unsigned char byte(std::size_t i) const { return static_cast<unsigned char>(text_[i]); }

  void skip_space() {
    while (!ended() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) ++at_;
  }

  bool accept(char c) {
    if (ended() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  void word(std::string_view w) {
    if (text_.substr(at_, w.size()) != w) reject("expected a value");
    at_ += w.size();
  }

  void value(Value& out, int depth) {
    switch (peek()) {
      case '{':
        return object(out, depth + 1);
      case '[':
        return array(out, depth + 1);
      case '"':
        out.type_ = Type::string;
        out.string_ = string();
        return;
      case 't':
        word("true");
        out.type_ = Type::boolean;
        out.boolean_ = true;
        return;
      case 'f':
        word("false");
        out.type_ = Type::boolean;
        return;
      case 'n':
        return word("null");
      default:
        return number(out);
    }
  }

  void enter(int depth) {
    if (depth > kMaxDepth) reject("nested more than " + std::to_string(kMaxDepth) + " deep");
    ++at_;
    skip_space();
  }

  void array(Value& out, int depth) {
    enter(depth);
    out.type_ = Type::array;
    if (accept(']')) return;
    do {
      skip_space();
      value(out.items_.emplace_back(), depth);
      skip_space();
    } while (accept(','));
    if (!accept(']')) reject("expected ',' or ']'");
    out.adopt_items();
  }

  void object(Value& out, int depth) {
    enter(depth);
    out.type_ = Type::object;
    if (accept('}')) return;
    do {
      skip_space();
      if (peek() != '"') reject("expected a member's name in quotes");
      Value& member = out.items_.emplace_back();
      member.key_ = string();
      skip_space();
      if (!accept(':')) reject("expected ':'");
      skip_space();
      value(member, depth);
      skip_space();
    } while (accept(','));
    if (!accept('}')) reject("expected ',' or '}'");
    std::sort(out.items_.begin(), out.items_.end(), [](const Value& a, const Value& b) { return a.key_ < b.key_; });
    const auto twice = std::adjacent_find(out.items_.begin(), out.items_.end(),
                                          [](const Value& a, const Value& b) { return a.key_ == b.key_; });
    if (twice != out.items_.end()) reject("an object has two members '" + twice->key_.substr(0, 64) + "'");
    out.adopt_items();
  }

  static bool digit(char c) { return c >= '0' && c <= '9'; }

  void digits() {
    if (!digit(peek())) reject("expected a digit");
    while (digit(peek())) ++at_;
  }

  void number(Value& out) {
    const std::size_t start = at_;
    accept('-');
    if (!digit(peek())) reject(start == at_ ? "expected a value" : "expected a digit");
    if (!accept('0')) digits();
    bool whole = true;
    if (accept('.')) {
      whole = false;
      digits();
    }
    if (peek() == 'e' || peek() == 'E') {
      whole = false;
      ++at_;
      if (!accept('+')) accept('-');
      digits();
    }
    const std::string_view token = text_.substr(start, at_ - start);
    if (whole) {
      out.type_ = Type::integer;
      const auto [stop, error] = std::from_chars(token.data(), token.data() + token.size(), out.integer_);
      if (error != std::errc()) reject("the integer before here does not fit 64 bits");
    } else {
      out.type_ = Type::number;
      if (!to_double(token, out.number_)) reject("the number before here is out of range");
    }
  }

  // Whatever the process's locale says about decimal points.
  static bool to_double(std::string_view token, double& out) {
#if defined(__cpp_lib_to_chars)
    return std::from_chars(token.data(), token.data() + token.size(), out).ec == std::errc();
#else
    std::istringstream in{std::string(token)};
    in.imbue(std::locale::classic());
    return static_cast<bool>(in >> out) && std::isfinite(out);
#endif
  }

  std::string string() {
    ++at_;  // the opening quote
    std::string out;
    for (;;) {
      const std::size_t start = at_;
      while (!ended() && text_[at_] != '"' && text_[at_] != '\\' && byte(at_) >= 0x20 && byte(at_) < 0x80) ++at_;
      out.append(text_.substr(start, at_ - start));
      if (ended()) reject("a string has no end");
      if (accept('"')) return out;
      if (accept('\\')) {
        escape(out);
      } else if (byte(at_) < 0x20) {
        reject("a control character in a string");
      } else {
        const std::size_t length = utf8_length();
        out.append(text_.substr(at_, length));
        at_ += length;
      }
    }
  }

  // Bytes of the multi-byte character here; rejects what is not in Unicode's table of well-formed UTF-8 sequences.
  std::size_t utf8_length() const {
    const unsigned char lead = byte(at_);
    unsigned char low = 0x80, high = 0xbf;  // bounds of the second byte
    std::size_t length = 0;
    if (lead >= 0xc2 && lead <= 0xdf) {
      length = 2;
    } else if (lead >= 0xe0 && lead <= 0xef) {
      length = 3;
      if (lead == 0xe0) low = 0xa0;   // no overlong forms
      if (lead == 0xed) high = 0x9f;  // no surrogates
    } else if (lead >= 0xf0 && lead <= 0xf4) {
      length = 4;
      if (lead == 0xf0) low = 0x90;
      if (lead == 0xf4) high = 0x8f;  // nothing above U+10FFFF
    }
    bool good = length != 0 && text_.size() - at_ >= length && byte(at_ + 1) >= low && byte(at_ + 1) <= high;
    for (std::size_t i = 2; good && i < length; ++i) good = (byte(at_ + i) & 0xc0) == 0x80;
    if (!good) reject("invalid UTF-8");
    return length;
  }

  void escape(std::string& out) {
    const char c = peek();
    const std::string_view from = "\"\\/bfnrt", to = "\"\\/\b\f\n\r\t";
    if (const std::size_t i = from.find(c); i != std::string_view::npos) {
      ++at_;
      out += to[i];
      return;
    }
    if (c != 'u') reject("an unknown escape in a string");
    ++at_;
    uint32_t code = hex4();
    if (code >= 0xdc00 && code <= 0xdfff) reject("a lone surrogate in a string");
    if (code >= 0xd800 && code <= 0xdbff) {
      if (!accept('\\') || !accept('u')) reject("a lone surrogate in a string");
      const uint32_t low = hex4();
      if (low < 0xdc00 || low > 0xdfff) reject("a lone surrogate in a string");
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    append_utf8(out, code);
  }

  uint32_t hex4() {
    uint32_t code = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = peek();
      const int value = digit(c)               ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (value < 0) reject("expected four hexadecimal digits");
      code = code << 4 | static_cast<uint32_t>(value);
    }
    return code;
  }

  static void append_utf8(std::string& out, uint32_t code) {
    const auto tail = [&](int shift) { out += static_cast<char>(0x80 | (code >> shift & 0x3f)); };
    if (code < 0x80) {
      out += static_cast<char>(code);
    } else if (code < 0x800) {
      out += static_cast<char>(0xc0 | code >> 6);
      tail(0);
    } else if (code < 0x10000) {
      out += static_cast<char>(0xe0 | code >> 12);
      tail(6), tail(0);
    } else {
      out += static_cast<char>(0xf0 | code >> 18);
      tail(12), tail(6), tail(0);
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

Value parse(std::string_view text) { return Parser(text).document(); }

}  // namespace netlet::json
