#include "reach/shell_word.h"

#include <gtest/gtest.h>

namespace hark::reach {
namespace {

TEST(ShellWord, PlainNamesStayAsTheyAre) {
  for (const char* name : {"eth0", "br-1a2b", "eth0.100", "net.ipv4.conf.all", "KUBE-SVC-X", "a@b",
                           "/system.slice/nginx.service"}) {
    EXPECT_EQ(shell_word(name), name);
  }
}

TEST(ShellWord, WhatAShellWouldRunIsQuoted) {
  EXPECT_EQ(shell_word("$(reboot)"), "'$(reboot)'");
  EXPECT_EQ(shell_word("a;reboot"), "'a;reboot'");
  EXPECT_EQ(shell_word("dev\\x2dsda.mount"), "'dev\\x2dsda.mount'");
  EXPECT_EQ(shell_word("a'b"), "'a'\\''b'");
  EXPECT_EQ(shell_word("a\nb"), "'a\nb'");
  EXPECT_EQ(shell_word(""), "''");
}

TEST(ShellWord, NamesThatNftTakes) {
  EXPECT_TRUE(is_nft_name("input"));
  EXPECT_TRUE(is_nft_name("filter_IN_public.pre-1"));
  EXPECT_FALSE(is_nft_name(""));
  EXPECT_FALSE(is_nft_name("-a"));
  EXPECT_FALSE(is_nft_name("a b"));
  EXPECT_FALSE(is_nft_name("a;b"));
  EXPECT_FALSE(is_nft_name("\x1b[2J"));
}

}  // namespace
}  // namespace hark::reach
