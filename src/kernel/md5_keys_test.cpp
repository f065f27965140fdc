#include "kernel/md5_keys.h"

#include <gtest/gtest.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>

namespace hark::kernel {
namespace {

void attribute(Bytes& to, std::uint16_t type, ByteView value) {
  nlattr head{};
  head.nla_type = type;
  head.nla_len = static_cast<std::uint16_t>(sizeof head + value.size());
  append_value(to, head);
  append(to, value);
  to.resize((to.size() + 3) / 4 * 4);
}

Bytes socket_with(ByteView keys) {
  Bytes body;
  append_value(body, inet_diag_msg{});
  attribute(body, INET_DIAG_SHUTDOWN, to_bytes("S"));
  attribute(body, INET_DIAG_MD5SIG, keys);
  attribute(body, INET_DIAG_CGROUP_ID, to_bytes("cgroup12"));
  nlmsghdr head{};
  head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  head.nlmsg_len = static_cast<std::uint32_t>(sizeof head + body.size());
  Bytes out;
  append_value(out, head);
  append(out, body);
  return out;
}

Bytes entries() {
  tcp_diag_md5sig entry{};
  entry.tcpm_family = 2;
  entry.tcpm_prefixlen = 24;
  const std::string_view key = "a secret of forty bytes or thereabouts";
  std::copy(key.begin(), key.end(), entry.tcpm_key);
  Bytes out;
  append_value(out, entry);
  append_value(out, entry);
  return out;
}

bool holds(const Bytes& bytes, std::string_view text) {
  return as_text(bytes).find(text) != std::string_view::npos;
}

TEST(Md5Keys, AreTakenOutAndThePeersStay) {
  Bytes answer = socket_with(entries());
  append(answer, socket_with(entries()));
  const Bytes before = answer;
  ASSERT_TRUE(holds(answer, "secret"));
  blank_md5_keys(answer);
  EXPECT_EQ(answer.size(), before.size());
  EXPECT_FALSE(holds(answer, "secret"));
  EXPECT_TRUE(holds(answer, "cgroup12"));
  // Family and prefix length of the first entry are as they were.
  const std::size_t first = sizeof(nlmsghdr) + sizeof(inet_diag_msg) + 8 + sizeof(nlattr);
  EXPECT_EQ(answer[first], std::byte{2});
  EXPECT_EQ(answer[first + 1], std::byte{24});
}

TEST(Md5Keys, AnEntryOfUnknownSizeIsBlankedWhole) {
  Bytes odd = entries();
  odd.pop_back();
  Bytes answer = socket_with(odd);
  blank_md5_keys(answer);
  EXPECT_FALSE(holds(answer, "secret"));
}

TEST(Md5Keys, NothingHidesBehindABrokenLength) {
  const Bytes whole = socket_with(entries());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    blank_md5_keys(cut);
    EXPECT_EQ(cut.size(), size);
    EXPECT_FALSE(holds(cut, "secret of")) << size;
  }
}

}  // namespace
}  // namespace hark::kernel
