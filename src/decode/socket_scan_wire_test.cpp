#include <gtest/gtest.h>

#include "base/parts.h"
#include "decode/socket_scan.h"

namespace hark::decode {
namespace {

template <typename T>
void add(Bytes& to, SocketPart tag, const std::vector<T>& all) {
  append_part(to, static_cast<std::uint16_t>(tag), std::as_bytes(std::span(all)));
}

SurveyedSocket socket() {
  SurveyedSocket out;
  out.netns = 4026531840;
  out.inode = 77;
  out.family = 2;
  out.protocol = 6;
  out.state = 10;
  out.port = 8080;
  out.address = {10, 0, 0, 5};
  out.has_file = 1;
  return out;
}

SocketSurvey survey_of(const SurveyedSocket& one) {
  Bytes bytes;
  add(bytes, SocketPart::Sockets, std::vector{one});
  const auto survey = decode_socket_survey(bytes);
  EXPECT_TRUE(survey);
  return survey.value_or(SocketSurvey{});
}

TEST(SocketSurvey, Fields) {
  const SocketSurvey survey = survey_of(socket());
  ASSERT_EQ(survey.sockets.size(), 1U);
  EXPECT_TRUE(survey.full);
  const SurveyRecord& record = survey.sockets[0];
  EXPECT_EQ(record.netns_inode, 4026531840U);
  EXPECT_EQ(record.socket.protocol, Protocol::Tcp);
  EXPECT_EQ(record.socket.local.text(), "10.0.0.5");
  EXPECT_EQ(record.socket.local_port, 8080);
  EXPECT_EQ(record.socket.has_file, true);
  EXPECT_FALSE(record.socket.v6only) << "IPv4 knows no such thing";
  EXPECT_FALSE(record.socket.cookie) << "0 is none";
}

TEST(SocketSurvey, V6AndProtocols) {
  SurveyedSocket one = socket();
  one.family = 10;
  one.address = {0x20, 0x01, 0x0d, 0xb8};
  for (const auto& [number, protocol] :
       {std::pair{262, Protocol::Mptcp}, std::pair{17, Protocol::Udp},
        std::pair{136, Protocol::Udplite}, std::pair{255, Protocol::Raw}}) {
    one.protocol = static_cast<std::uint16_t>(number);
    const SocketSurvey survey = survey_of(one);
    EXPECT_EQ(survey.sockets.at(0).socket.protocol, protocol);
    EXPECT_EQ(survey.sockets.at(0).socket.local.text(), "2001:db8::");
    EXPECT_EQ(survey.sockets.at(0).socket.v6only, protocol == Protocol::Raw);
  }
}

// A table that two namespaces share is gone through twice.
TEST(SocketSurvey, EachSocketOnce) {
  Bytes bytes;
  SurveyedSocket other = socket();
  other.inode = 5;
  add(bytes, SocketPart::Sockets, std::vector{socket(), other, socket()});
  add(bytes, SocketPart::Files, std::vector<SurveyedFile>{{.netns = 1, .inode = 9, .state = 10}});
  const auto survey = decode_socket_survey(bytes);
  ASSERT_TRUE(survey);
  ASSERT_EQ(survey->sockets.size(), 2U);
  EXPECT_EQ(survey->sockets[0].socket.inode, 5U);
  EXPECT_EQ(survey->files.at(0).inode, 9U);
}

TEST(SocketSurvey, NonsenseIsAnError) {
  SurveyedSocket family = socket();
  family.family = 1;
  SurveyedSocket protocol = socket();
  protocol.protocol = 1;
  for (const SurveyedSocket& bad : {family, protocol}) {
    Bytes bytes;
    add(bytes, SocketPart::Sockets, std::vector{bad});
    EXPECT_FALSE(decode_socket_survey(bytes));
  }
  Bytes odd;
  append_part(odd, static_cast<std::uint16_t>(SocketPart::Sockets), to_bytes("seven"));
  EXPECT_FALSE(decode_socket_survey(odd));
  Bytes cut;
  add(cut, SocketPart::Sockets, std::vector{socket()});
  cut.pop_back();
  EXPECT_FALSE(decode_socket_survey(cut));
  EXPECT_TRUE(decode_socket_survey({})) << "nothing was told";
}

}  // namespace
}  // namespace hark::decode
