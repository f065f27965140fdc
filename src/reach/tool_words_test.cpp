#include "reach/tool_words.h"

#include <gtest/gtest.h>

namespace hark::reach {
namespace {

struct Case {
  const char* table;
  const char* chain;
  const char* comment;
  const char* words;
};

// Names as the tools write them today.
TEST(tool_words, are_told_by_names) {
  for (const Case& c : {
           Case{"filter", "ufw-user-input", "", "ufw"},
           Case{"filter", "ufw6-before-input", "", "ufw"},
           Case{"filter", "ufw-reject-input", "", "ufw"},
           Case{"firewalld", "filter_IN_public_allow", "", "firewalld zone public"},
           Case{"firewalld", "filter_IN_public", "", "firewalld zone public"},
           Case{"firewalld", "filter_IN_policy_allow-host-ipv6", "",
                "firewalld policy allow-host-ipv6"},
           Case{"firewalld", "filter_INPUT", "", "firewalld"},
           Case{"filter", "IN_dmz_deny", "", "firewalld zone dmz"},
           Case{"nat", "DOCKER", "", "Docker"},
           Case{"filter", "DOCKER-ISOLATION-STAGE-1", "", "Docker's isolation of its networks"},
           Case{"filter", "DOCKER-USER", "", "Docker's chain for your own rules"},
           Case{"filter", "f2b-sshd", "", "fail2ban jail sshd"},
           Case{"f2b-table", "f2b-chain", "", "fail2ban"},
           Case{"nat", "KUBE-SEP-ABC", "", "kube-proxy"},
           Case{"filter", "KUBE-FIREWALL", "", "Kubernetes (kubelet)"},
           Case{"kube-proxy", "services", "", "kube-proxy"},
           Case{"filter", "cali-INPUT", "", "Calico"},
           Case{"filter", "INPUT", "cali:Cz_u1IQiXIMmKD4c", "Calico"},
           Case{"filter", "INPUT", "kubernetes health check service ports", "kube-proxy"},
           Case{"filter", "LIBVIRT_INP", "", "libvirt"},
           Case{"wg-quick-wg0", "preraw", "", "wg-quick of wg0"},
       }) {
    RulePlace place;
    place.table = c.table;
    place.chain = c.chain;
    place.comment = c.comment;
    EXPECT_EQ(tool_words(place), c.words) << c.table << " " << c.chain;
  }
}

TEST(tool_words, conclude_nothing_from_anybodys_names) {
  for (const Case& c : {
           Case{"filter", "input", "", ""},
           Case{"filter", "INPUT", "", ""},
           Case{"nat", "PREROUTING", "lan", ""},
           Case{"", "", "", ""},
           Case{"my-docker", "dockerized", "Dockerfile", ""},
           Case{"filter", "ufwx", "", ""},
           Case{"filter", "INPUT_public", "", ""},
       }) {
    RulePlace place;
    place.table = c.table;
    place.chain = c.chain;
    place.comment = c.comment;
    EXPECT_EQ(tool_words(place), c.words) << c.table << " " << c.chain;
  }
}

}  // namespace
}  // namespace hark::reach
