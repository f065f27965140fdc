#include <gtest/gtest.h>

#include "decode/manifest.h"

namespace hark::decode {
namespace {

std::string json(std::string_view text) {
  return name_in_json(as_bytes(text)).value_or("-");
}
std::string toml(std::string_view text) {
  return name_in_toml(as_bytes(text)).value_or("-");
}

TEST(Manifest, NameInJson) {
  EXPECT_EQ(json(R"({"name":"shop"})"), "shop");
  EXPECT_EQ(json("\xef\xbb\xbf{ // c\n /* d */ \"name\" : \"shop\" }"), "shop");
  EXPECT_EQ(json(R"({"author":{"name":"me"},"files":["name","x"],"name":"shop"})"), "shop");
  EXPECT_EQ(json(R"({"main":"name","private":true,"name":"sh\"op\u0041"})"), "sh\"op\\u0041");
  for (const char* none :
       {"", "[]", "{}", "{\"name\":1,\"x\":\"y\"}", "{\"name\":\"\"}", "{\"name\":", "{\"name",
        "{\"name\":{\"name\":\"inner\"}}", "{\"x\":\"name\"}", "\"name\":\"x\"",
        "{\"a\":{\"name\":\"inner\"}}", "{\"name\",\"x\"}"}) {
    EXPECT_EQ(json(none), "-") << none;
  }
  EXPECT_EQ(json("{\"name\":\"" + std::string(300, 'x') + "\"}"), "-");
}

TEST(Manifest, DeepAndLongTextIsWalkedOverInLine) {
  EXPECT_EQ(json(std::string(1 << 20, '{')), "-");
  EXPECT_EQ(json("{\"a\":" + std::string(1 << 20, '[') + "\"name\""), "-");
  EXPECT_EQ(json("{" + std::string(1 << 20, ',') + "\"name\":\"x\"}"), "x");
}

TEST(Manifest, NameInToml) {
  EXPECT_EQ(toml("[project]\nversion = \"1\"\nname = \"shop\" # c\n"), "shop");
  EXPECT_EQ(toml("[build-system]\nname='x'\n[tool.poetry] # c\r\nname = 'shop'\r\n"), "shop");
  EXPECT_EQ(toml("name = \"outside\"\n"), "-");
  EXPECT_EQ(toml("[project]\nname = shop\n"), "-");
  EXPECT_EQ(toml("[project]\nname = \"open\n"), "-");
  EXPECT_EQ(toml("[project]\nname"), "-");
}

}  // namespace
}  // namespace hark::decode
