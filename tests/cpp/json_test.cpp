// core/json: what is accepted, what is rejected, and what the messages name.
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>

#include "check.h"
#include "core/json.h"

namespace netlet {
namespace {

using json::parse;
using json::Type;
using json::Value;

void test_values() {
  CHECK(parse("null").is_null());
  CHECK(parse(" true\n").boolean() && !parse("\tfalse\r").boolean());
  CHECK(parse("0").integer() == 0);
  CHECK(parse("-0").integer() == 0);
  CHECK(parse("9223372036854775807").integer() == std::numeric_limits<int64_t>::max());
  CHECK(parse("-9223372036854775808").integer() == std::numeric_limits<int64_t>::min());
  CHECK(parse("9007199254740993").integer() == 9007199254740993);  // 2^53 + 1: lost where it goes through a double
  CHECK(parse("7").number() == 7.0);
  CHECK(parse("1.5").number() == 1.5 && parse("1.5").is(Type::number));
  CHECK(parse("1.0").is(Type::number) && parse("1e0").is(Type::number));
  CHECK(parse("-2.5E+3").number() == -2500.0);
  CHECK(parse("1e-5").number() == 1e-5);
  CHECK(parse("0.1").number() == 0.1);
  CHECK(parse("1.7976931348623157e308").number() == std::numeric_limits<double>::max());
  CHECK(parse("4.9406564584124654e-324").number() == std::numeric_limits<double>::denorm_min());
  CHECK(parse("[]").array().empty() && parse("{ }").object().empty());
  const Value v = parse(R"({"b": [1, [2, {}], "x"], "a": {"c": null}, "": 3})");
  CHECK(v.object().size() == 3 && v.object()[0].key().empty() && v.object()[2].key() == "b");
  CHECK(v["b"][1][0].integer() == 2);
  CHECK(v["a"]["c"].is_null());
  CHECK(v.find("d") == nullptr && v.find("") != nullptr);
}

void test_strings() {
  CHECK(parse(R"("")").string().empty());
  CHECK(parse(R"("\"\\\/\b\f\n\r\t")").string() == "\"\\/\b\f\n\r\t");
  CHECK(parse(R"("\u0041\u00e9\u20ac\ud83d\ude00")").string() == "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
  CHECK(parse("\"A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"").string() == "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
  CHECK(parse(R"("a\u0000b")").string() == std::string_view("a\0b", 3));
  CHECK(parse("\"\xf4\x8f\xbf\xbf\"").string().size() == 4);  // U+10FFFF
  CHECK(parse("\"\x7f\"").string() == "\x7f");
}

void test_rejected() {
  const std::string_view bad[] = {
      "", " ", "nul", "nulll", "True", "NaN", "Infinity", "-Infinity", "nan", "+1", "-", ".5", "1.", "1.e1", "1e",
      "1e+", "01", "-01", "00", "0x10", "1_000", "1 2", "[1] 2", "{}{}", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]",
      "{", "}", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{,}", "{a:1}", "{'a':1}", "{1:2}",
      "{\"a\" 1}", "{\"a\":1 \"b\":2}", "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}", "'a'", "\"", "\"a", "\"\\",
      "\"\\x\"", "\"\\u\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\U0041\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800x\"",
      "\"\\ud800\\n\"", "\"\\ud800\\u0041\"", "\"\\ud800\\ud800\"", "\"\n\"", "\"\t\"", "\"\x1f\"", "// comment\n1",
      "/* c */ 1", "1 // c",
      // Malformed UTF-8: stray and missing continuations, overlong forms, surrogates, beyond U+10FFFF, a byte order
      // mark.
      "\"\x80\"", "\"\xc3\"", "\"\xc3(\"", "\"\xe2\x82\"", "\"\xe2(\xa1\"", "\"\xf0\x9f\x98\"", "\"\xc0\xaf\"",
      "\"\xc1\xbf\"", "\"\xe0\x80\xaf\"", "\"\xf0\x80\x80\xaf\"", "\"\xed\xa0\x80\"", "\"\xed\xbf\xbf\"",
      "\"\xf4\x90\x80\x80\"", "\"\xf5\x80\x80\x80\"", "\"\xfe\"", "\"\xff\"", "\xef\xbb\xbf{}",
      "\xc2\xa0"
      "1",
      // Numbers that no int64 or double holds.
      "9223372036854775808", "-9223372036854775809", "123456789012345678901234567890", "1e400", "-1e400",
      "1e99999999999"};
  for (const std::string_view text : bad)
    CHECK_NOTE(!test::error_of(Kind::format, [&] { parse(text); }).empty(), std::string(text));
  CHECK(!test::error_of(Kind::format, [] { parse(std::string_view("1\0", 2)); }).empty());
  CHECK(!test::error_of(Kind::format, [] { parse(std::string_view("\"a\0b\"", 5)); }).empty());
  CHECK_FAILS(format, "byte 4", parse("[1, x]"));
  CHECK_FAILS(format, "two members 'a'", parse(R"({"a":1,"b":2,"a":3})"));
}

void test_depth() {
  const auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') + std::string(static_cast<std::size_t>(depth), ']');
  };
  CHECK(parse(nested(64)).is(Type::array));
  CHECK_FAILS(format, "nested more than 64", parse(nested(65)));
  CHECK_FAILS(format, "nested more than 64", parse(std::string(10'000'000, '[')));
  std::string objects;
  for (int i = 0; i < 65; ++i) objects += "{\"a\":";
  CHECK_FAILS(format, "nested more than 64", parse(objects));
}

void test_large() {
  std::string text = "{";
  for (int i = 0; i < 100000; ++i) text += "\"k" + std::to_string(i) + "\":" + std::to_string(i) + ",";
  const Value v = parse(text + "\"z\":0}");
  CHECK(v["k99999"].integer() == 99999);
  CHECK(v["k31337"].path() == "k31337");
  CHECK_FAILS(format, "two members 'k500'", parse(text + "\"k500\":0}"));
}

void test_accessors() {
  const Value v = parse(R"({"ops": [{"op": "dense"}, {"attrs": {"alpha": "x", "units": 1.5, "k": 3}}], "n": -1})");
  CHECK_FAILS(format, "ops[1].attrs.alpha: expected a number, got a string", v["ops"][1]["attrs"]["alpha"].number());
  CHECK_FAILS(format, "ops[1].attrs.units: expected an integer, got a number", v["ops"][1]["attrs"]["units"].integer());
  CHECK_FAILS(format, "document: has no 'loss'", v["loss"]);
  CHECK_FAILS(format, "ops[0]: has no 'attrs'", v["ops"][0]["attrs"]);
  CHECK_FAILS(format, "ops: expected more than 2 elements, got 2", v["ops"][2]);
  CHECK_FAILS(format, "ops: expected more than -1 elements", v["ops"][-1]);
  CHECK_FAILS(format, "ops: expected an object, got an array", v["ops"]["x"]);
  CHECK_FAILS(format, "document: expected an array, got an object", v[0]);
  CHECK_FAILS(format, "n: expected an integer in [0, 10], got -1", v["n"].integer(0, 10));
  CHECK_FAILS(format, "n: expected a boolean, got an integer", v["n"].boolean());
  CHECK_FAILS(format, "n: expected a string, got an integer", v["n"].string());
  CHECK_FAILS(format, "document: has an unknown member 'n'", v.allow_only({"ops"}));
  v.allow_only({"n", "ops", "more"});
  CHECK(v["ops"][1]["attrs"]["k"].path() == "ops[1].attrs.k");
  CHECK(v.path() == "document");

  Value moved = parse("[[1]]");
  const Value kept = std::move(moved);
  CHECK(kept[0][0].path() == "[0][0]");
}

// Whatever the bytes, parse returns or throws Kind::format.
void test_mutations() {
  const std::string good = R"({"a":[1,-2.5e3,true,null,"x\u00e9\n"],"b":{"c":"\ud83d\ude00","d":[{},[]]}})";
  std::mt19937 random(7);
  int accepted = 0;
  for (int i = 0; i < 50000; ++i) {
    std::string text = good;
    for (unsigned edits = random() % 4 + 1; edits > 0; --edits) {
      const std::size_t at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text[at] = static_cast<char>(random());
          break;
        case 1:
          text.erase(at, random() % 3 + 1);
          break;
        default:
          text.insert(at, 1, good[random() % good.size()]);
      }
      if (text.empty()) break;
    }
    try {
      parse(text);
      ++accepted;
    } catch (const Error& e) {
      if (e.kind() != Kind::format) CHECK_NOTE(false, text);
    }
  }
  CHECK(accepted > 0 && accepted < 50000);
}

}  // namespace
}  // namespace netlet

int main() {
  using namespace netlet;
  test_values();
  test_strings();
  test_rejected();
  test_depth();
  test_large();
  test_accessors();
  test_mutations();
  return test::report("json_test");
}
