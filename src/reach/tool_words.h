// Which firewall tool a rule is of, in the words of that tool: a person who never wrote nft rules
// knows "ufw" and "firewalld zone public".
#pragma once

#include <string>

#include "reach/netfilter.h"

namespace hark::reach {

/// "ufw", "firewalld zone public", "Docker", "Docker network isolation", "fail2ban jail sshd",
/// "kube-proxy", "Kubernetes network policy", "CSF" …, told by the names of table and chain, and by
/// the comment. Empty where they say nothing: a name that anybody would choose is no evidence.
[[nodiscard]] std::string tool_words(const RulePlace& place);

}  // namespace hark::reach
