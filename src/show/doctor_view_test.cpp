#include "show/doctor_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "show/doctor_json.h"
#include "show/test_host.h"

namespace hark::show {
namespace {

using diagnose::Finding;
using diagnose::Severity;
using ::testing::HasSubstr;
using ::testing::Not;

class DoctorView : public ::testing::Test {
 protected:
  DoctorView() {
    const auto web = builder_.process(901, "nginx", "nginx.service");
    (void)builder_.owned(Protocol::Tcp, "0.0.0.0", 80, {web});
    (void)builder_.owned(Protocol::Tcp, "::", 443, {web});
  }

  DoctorReport report() {
    DoctorReport out{.host = builder_.host()};
    out.listeners = builder_.all();
    return out;
  }
  static Finding stopped() {
    return {.code = "stopped",
            .severity = Severity::Broken,
            .listener = 0,
            .text = "nginx (901) is stopped by a signal and many more words stand in this sentence",
            .evidence = {{.fact = "state T",
                          .where = "process 901",
                          .verify = "grep State /proc/901/status"}},
            .remedy = "let it go on: kill -CONT 901",
            .also = {1}};
  }

  testing::HostBuilder builder_;
  TableStyle style_{.width = 60};
};

TEST_F(DoctorView, AParagraphForEachFinding) {
  DoctorReport all = report();
  all.findings = {stopped()};
  EXPECT_EQ(doctor_text(all, style_, false),
            "BROKEN  tcp 80,443  nginx (901) is stopped by a signal and\n"
            "                    many more words stand in this sentence\n"
            "                    (stopped)\n"
            "                    see:  grep State /proc/901/status\n"
            "                    mend: let it go on: kill -CONT 901\n");
}

TEST_F(DoctorView, VerboseHasTheFacts) {
  DoctorReport all = report();
  all.findings = {stopped()};
  EXPECT_THAT(doctor_text(all, style_, true), HasSubstr("fact: state T, process 901\n"));
}

TEST_F(DoctorView, ALongSubjectHasALineOfItsOwn) {
  DoctorReport all = report();
  all.findings = {{.code = "x",
                   .severity = Severity::Notice,
                   .subject = "a-unit-with-a-very-long-name.service",
                   .text = "is failed"}};
  EXPECT_EQ(doctor_text(all, style_, false),
            "NOTICE  a-unit-with-a-very-long-name.service\n"
            "                                is failed (x)\n");
}

TEST_F(DoctorView, NothingFound) {
  DoctorReport all = report();
  EXPECT_EQ(doctor_text(all, style_, false), "Nothing wrong was found with 2 listeners.\n");
  all.gaps = {{.code = "one-look", .what = "what only change tells", .hides = "", .remedy = "x"}};
  EXPECT_EQ(doctor_text(all, style_, false),
            "Nothing wrong was found with 2 listeners.\n"
            "Not looked at: what only change tells (x).\n");
}

TEST_F(DoctorView, ProcessesMatterOnlyWhereAnOwnerIsNotKnown) {
  DoctorReport all = report();
  const host::Gap gap{
      .code = "unreadable-processes", .what = "process 1", .hides = "", .remedy = ""};
  EXPECT_FALSE(matters(all, gap));
  builder_.host().listeners[1].owners.reset();
  EXPECT_TRUE(matters(all, gap));
}

TEST_F(DoctorView, HostileNamesAreEscaped) {
  DoctorReport all = report();
  Finding bad = stopped();
  bad.text = "a\x1b[31mb\nc";
  bad.evidence[0].verify = "cat '\n'";
  all.findings = {bad};
  const std::string text = doctor_text(all, {.width = 80, .ascii = true}, true);
  EXPECT_THAT(text, HasSubstr("a\\e[31mb\\nc"));
  EXPECT_THAT(text, HasSubstr("see:  cat '\\n'\n"));
  std::string json;
  write_doctor_json(all, [&json](std::string_view piece) { json += piece; });
  EXPECT_THAT(json, Not(HasSubstr("\x1b")));
}

TEST_F(DoctorView, TheJsonIsThatOfTheContract) {
  DoctorReport all = report();
  all.findings = {stopped(), {.code = "x", .subject = "a.service", .text = "is failed"}};
  std::string text;
  write_doctor_json(all, [&text](std::string_view piece) { text += piece; });
  const auto object = nlohmann::json::parse(text);
  EXPECT_EQ(object["schema"], "hark.doctor/1");
  EXPECT_TRUE(object["target"].is_null());
  EXPECT_TRUE(object["gaps"].empty());
  const auto& first = object["findings"][0];
  EXPECT_EQ(first["severity"], "broken");
  EXPECT_EQ(first["listener"]["port"], 80);
  EXPECT_EQ(first["also"][0]["port"], 443);
  EXPECT_EQ(first["evidence"][0]["verify"], "grep State /proc/901/status");
  const auto& second = object["findings"][1];
  EXPECT_TRUE(second["listener"].is_null());
  EXPECT_EQ(second["subject"], "a.service");
  EXPECT_TRUE(second["remedy"].is_null());
}

}  // namespace
}  // namespace hark::show
