#include <gtest/gtest.h>

#include "decode/passwd.h"
#include "decode/testing.h"

namespace hark::decode {
namespace {

std::string decoded(std::string_view text) {
  std::string out;
  for (const UserName& user : decode_passwd(as_bytes(text))) {
    out += std::to_string(user.uid) + "=" + user.name + " ";
  }
  return out;
}

TEST(Passwd, IsSortedByUid) {
  EXPECT_EQ(decoded("www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n"
                    "nobody:x:65534:65534::/:\n"
                    "root:x:0:0:root:/root:/bin/bash\n"),
            "0=root 33=www-data 65534=nobody ");
}

TEST(Passwd, TheFirstLineOfAUidWins) {
  EXPECT_EQ(decoded("b:x:5:5:::\nroot:x:0:0:::\na:x:5:5:::\ntoor:x:0:0:::\n"), "0=root 5=b ");
}

TEST(Passwd, OtherLinesArePassedOver) {
  EXPECT_EQ(decoded("# comment:x:1:1\n\n:x:2:2:::\n+::::::\nno-uid:x\nbad:x:3x:3:::\n"
                    "negative:x:-1:1:::\nlarge:x:4294967296:1:::\nempty:x::1:::\n"
                    "last:x:4294967295:1:::"),
            "4294967295=last ");
  EXPECT_EQ(decoded(""), "");
}

TEST(Passwd, HomesAreKept) {
  const auto users =
      decode_passwd(as_bytes("a:x:1:1:A, B:/home/a:/bin/sh\nb:x:2:2::/h\nc:x:3:3\n"));
  ASSERT_EQ(users.size(), 3U);
  EXPECT_EQ(users[0].home, "/home/a");
  EXPECT_EQ(users[1].home, "/h");
  EXPECT_EQ(users[2].home, "");
}

TEST(Passwd, ManyUsersAreQuick) {
  std::string text;
  for (unsigned uid = 100000; uid > 0; --uid) text += "u:x:" + std::to_string(uid) + ":1:::\n";
  EXPECT_EQ(decode_passwd(as_bytes(text)).size(), 100000U);
}

}  // namespace
}  // namespace hark::decode
