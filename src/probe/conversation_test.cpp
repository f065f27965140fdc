#include "probe/conversation.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace hark::probe {
namespace {

Asked tcp(std::uint16_t port, Scheme scheme = Scheme::None) {
  Asked asked;
  asked.address = *IpAddress::parse("127.0.0.1");
  asked.port = port;
  asked.scheme = scheme;
  return asked;
}

Asked udp(std::uint16_t port) {
  Asked asked = tcp(port);
  asked.protocol = Protocol::Udp;
  return asked;
}

/// "protocol: detail" of what answers `says`, whole or byte by byte, to each of our questions.
struct Played {
  std::string words;
  std::string sent;
  bool finished = false;
};
Played play(const Asked& asked, const std::vector<std::string>& says, bool dripping = false) {
  Conversation talk(asked);
  Played out;
  talk.begin();
  std::size_t next = 0;
  for (int turns = 0; turns < 20 && !talk.finished(); ++turns) {
    const std::string sent = talk.take_output();
    out.sent += sent;
    // A server that is asked first says nothing before: its first piece is empty.
    const bool spoken = next < says.size();
    if (spoken && says[next].empty()) {
      ++next;
      talk.quiet();
    } else if (spoken && dripping) {
      for (const char byte : says[next]) talk.receive(std::string_view(&byte, 1));
      ++next;
    } else if (spoken) {
      talk.receive(says[next++]);
    } else {
      talk.end_of_stream();
    }
  }
  out.sent += talk.take_output();
  out.finished = talk.finished();
  const std::optional<Service> service = talk.service();
  if (service) out.words = service->protocol + ": " + service->detail;
  return out;
}

struct Row {
  std::uint16_t port;
  std::vector<std::string> says;  ///< "" first: waits to be asked
  std::string words;
  std::string sent;  ///< has to be contained; empty: nothing may be sent
};

TEST(Conversation, ServicesAreKnownByWhatTheySay) {
  const std::vector<Row> rows = {
      {22,
       {"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"},
       "ssh: OpenSSH_9.2p1 Debian-2",
       "SSH-2.0-hark\r\n"},
      {8080, {"SSH-2.0-dropbear\r\n"}, "ssh: dropbear", "SSH-2.0-hark\r\n"},
      {80,
       {"", "HTTP/1.1 301 Moved\r\nServer: nginx\r\nLocation: https://a.example/\r\n\r\n"},
       "http: 301 Moved to https://a.example/, server nginx",
       "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"},
  };
  for (const Row& row : rows) {
    for (const bool dripping : {false, true}) {
      const Played played = play(tcp(row.port), row.says, dripping);
      EXPECT_EQ(played.words, row.words) << row.port;
      EXPECT_NE(played.sent.find(row.sent), std::string::npos) << played.sent;
      EXPECT_TRUE(played.finished);
      EXPECT_TRUE(!row.sent.empty() || played.sent.empty()) << played.sent;
    }
  }
}

TEST(Conversation, AMuteServerIsNoService) {
  EXPECT_EQ(play(tcp(80), {"", ""}).words, "");
  EXPECT_EQ(play(tcp(22), {""}).sent, "");
}

TEST(Conversation, UdpPortsWithoutAQuestionAreSilentByNature) {
  EXPECT_TRUE(Conversation(udp(514)).silent_by_nature());
  EXPECT_FALSE(Conversation(udp(53)).silent_by_nature());
  EXPECT_FALSE(Conversation(tcp(514)).silent_by_nature());
}

}  // namespace
}  // namespace hark::probe
