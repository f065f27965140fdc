#include "host/redact_unit_files.h"

#include <gtest/gtest.h>

#include "decode/unit_file.h"

namespace hark::host {
namespace {

constexpr const char* kPath = "/etc/systemd/system/app.service";

std::string redacted(std::string_view text, const std::string& path = kPath) {
  return std::string(as_text(redact_unit_file(path, as_bytes(text))));
}

TEST(RedactUnitFiles, SecretsOfUnitFiles) {
  const std::string out = redacted(
      "# token=hunter1\n[Unit]\nDescription=my app\n[Service]\nEnvironment=TOKEN=hunter2 \\\n"
      "  B=hunter3\nSetCredential=x:hunter4\nExecStart=/srv/app --password=hunter5 --port 80\n"
      "X-Note=hunter6\nUser=app\n[X-Secrets]\nA=hunter7\n");
  EXPECT_EQ(out.find("hunter"), std::string::npos) << out;
  EXPECT_EQ(out,
            "# redacted\n[Unit]\nDescription=my app \n[Service]\nEnvironment=[redacted] \n"
            "SetCredential=[redacted] \nExecStart=/srv/app --password=[redacted] --port 80 \n"
            "X-Note=[redacted] \nUser=app \n");
}

TEST(RedactUnitFiles, WhatIsReadStaysTheSame) {
  for (const std::string_view text :
       {"[Socket]\nListenStream=80\nListenStream=\nListenStream=[::1]:81%eth0\nAccept=yes\n",
        "[Service]\nType=simple\nExecStart=/bin/a \\\n b\\ \nUser=x\n", "[Service]\n\n", "#\n"}) {
    const auto before = decode::decode_unit_file(as_bytes(text));
    const std::string out = redacted(text);
    const auto after = decode::decode_unit_file(as_bytes(out));
    ASSERT_TRUE(before && after);
    EXPECT_EQ(*before, *after) << out;
    EXPECT_FALSE(out.empty()) << "an empty file would be a masked unit";
    EXPECT_EQ(redacted(out), out);
  }
}

TEST(RedactUnitFiles, MasksAndBrokenOnesStayWhatTheyAre) {
  EXPECT_EQ(redacted(""), "");
  const std::string broken = redacted("[Service\nhunter2\n");
  EXPECT_EQ(broken.find("hunter"), std::string::npos);
  EXPECT_FALSE(decode::decode_unit_file(as_bytes(broken)));
}

TEST(RedactUnitFiles, OtherFilesAreNotTouched) {
  EXPECT_EQ(redacted("root:x:0:0\n", "/etc/passwd"), "root:x:0:0\n");
}

}  // namespace
}  // namespace hark::host
