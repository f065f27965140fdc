// Today's state as a policy: `hark check --learn`.
#pragma once

#include <string>
#include <vector>

#include "diagnose/policy.h"
#include "host/policy_file.h"

namespace hark::diagnose {

/// One [[expect]], of all ports that the same is to be said of.
struct LearntExpectation {
  std::vector<std::string> ports;      ///< "tcp/443", "tcp/8000-8010"
  std::string owner = {};              ///< empty: not known, or not the same for all
  std::string address = {};            ///< where the same port is bound twice, otherwise
  std::optional<bool> published = {};  ///< where sockets have the port as well
  std::string netns = {};              ///< empty: the one that is looked at
  host::ReachWish reach = {};  ///< NotSaid: not known, or not to be said in the policy's words
  std::string heading = {};    ///< who it is, any bytes: entries of one stand together
  std::string note = {};       ///< what it does not say, and why
};

/// As tight as today's answer is: nobody but who reaches it now. In groups by owner, by port.
[[nodiscard]] std::vector<LearntExpectation> learn_policy(const PolicyFacts& facts);

/// Takes out of `learnt` what `results`, of a policy with these expectations in this order, say is
/// not met, with a note; false: there was nothing to take out. What it learns is always met: where
/// several entries meet at one port, what one of them says may be too much of another.
[[nodiscard]] bool loosen(std::vector<LearntExpectation>& learnt, const host::Policy& policy,
                          const std::vector<PolicyResult>& results);

}  // namespace hark::diagnose
