// One base chain of nf_tables run on one packet: nft_do_chain() of net/netfilter/nf_tables_core.c.
// The expressions themselves are in nft_match.cpp, nft_meta.cpp, nft_lookup.cpp, nft_state.cpp and
// nft_end.cpp; each is what the eval function of the kernel's nft_*.c does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reach/netfilter.h"
#include "reach/nft_registers.h"
#include "reach/packet_bytes.h"
#include "reach/prepared_ruleset.h"
#include "reach/rule_memory.h"

namespace hark::reach {

/// What all chains at one hook share.
struct HookRun {
  World& world;
  const PreparedRuleset& rules;
  HookPoint hook;
  Packet& packet;
  ConntrackView& view;
  HookResult& result;  ///< for its notes and `rerouted`
};

/// How an expression went on.
enum class Next : std::uint8_t {
  Go,       ///< to the next expression
  Break,    ///< the rule does not match
  Verdict,  ///< Machine::verdict says what
};

class Machine {
 public:
  Machine(HookRun& hook_run, const PreparedChain& base)
      : here(hook_run), chain(&base), base_(base) {}

  /// What the chain comes to; its policy included.
  [[nodiscard]] HookResult execute();

  // For the expressions.
  HookRun& here;
  Registers registers;
  const PreparedChain* chain;
  const decode::nft::Rule* rule = nullptr;
  std::size_t position = 0;  ///< of the expression in its rule

  /// Of Next::Verdict: one of a chain, or an end.
  struct Ruling {
    decode::nft::Verdict verdict = decode::nft::Verdict::Continue;
    HookResult::End end = HookResult::End::Accept;  ///< of Verdict::Drop, Stolen and Queue
    std::string chain = {};                         ///< of jump and goto
    bool tcp_reset = false;
    std::uint8_t icmp_type = 0, icmp_code = 0;
    bool nat = false;
  };
  Ruling ruling;
  [[nodiscard]] Next end(HookResult::End end);
  [[nodiscard]] Next drop() { return end(HookResult::End::Drop); }
  [[nodiscard]] Next accept();
  [[nodiscard]] Next follow(const decode::nft::VerdictTo& to);

  [[nodiscard]] const PacketBytes& bytes();
  /// The packet's header fields were changed.
  void packet_changed() { bytes_.reset(); }
  /// The packet's destination port, where it has one that is known and not the client's.
  [[nodiscard]] std::optional<std::uint16_t> port();

  /// Remembers where unknown bits come from; a number for Registers.
  [[nodiscard]] std::uint8_t origin(Origin origin);
  /// Of bytes that are the client's, where many clients are followed at once.
  [[nodiscard]] std::uint8_t origin_of_clients();
  /// Decides about bits that are not known: `question` follows the origin's words.
  [[nodiscard]] bool decide(std::uint8_t origin, const std::string& question);
  [[nodiscard]] unsigned decide(std::uint8_t origin, const std::string& question, unsigned ways);
  /// Asks about what this very expression does.
  [[nodiscard]] bool ask(std::string_view code, const std::string& what, Doubt doubt);
  [[nodiscard]] unsigned ask(std::string_view code, const std::string& what, Doubt doubt,
                             unsigned ways);

  /// Of the present rule, or of the chain's policy.
  [[nodiscard]] std::shared_ptr<const ToldPlace> place() const;
  /// "inet filter input handle 7"
  [[nodiscard]] std::string where() const;
  /// Of a rule that asks about the client: what stands behind the present expression matches for
  /// nobody. Then it does not matter whom that one would tell apart (nft_clients.cpp).
  [[nodiscard]] bool fails_anyway();
  /// The present rule asked about the client, or about something that is open.
  void may_differ() { may_differ_ = true; }
  void note(std::string text) { here.result.notes.push_back(std::move(text)); }

 private:
  struct Return {
    const PreparedChain* chain;
    std::size_t rule;
  };
  enum class Step : std::uint8_t { Rule, Chain, Done };

  [[nodiscard]] Next run_rule(const OpenRules::Rule* open);
  /// The first that may match from that one of the chain on, or what it begins, is run.
  [[nodiscard]] Step run_from(std::size_t& next, std::vector<Return>& stack);
  [[nodiscard]] Next run_expressions();
  void look_up_memory();
  [[nodiscard]] bool fails_for_all(Next next) const;
  /// … into the packet: the rule that was run last.
  [[nodiscard]] bool may_have_written() const;
  // nft_client_runs.cpp
  [[nodiscard]] const ClientRun* run_at(OpenRules& open, OpenRules::Rule& first);
  [[nodiscard]] std::shared_ptr<const ClientRun> find_run(OpenRules& open, std::size_t first);
  /// True: a rule of the run has given its verdict. `next` is behind that rule, or the run.
  [[nodiscard]] bool follow_run(const ClientRun& run, std::size_t& next);
  [[nodiscard]] Step after_verdict(std::size_t& next, std::vector<Return>& stack);
  [[nodiscard]] bool waived() const;
  [[nodiscard]] HookResult ended(HookResult::End how) const;
  [[nodiscard]] HookResult policy() const;

  const PreparedChain& base_;
  std::optional<PacketBytes> bytes_;
  std::vector<Origin> origins_;
  std::uint8_t origin_of_clients_ = 0;  ///< 0: not asked for yet
  std::optional<bool> fails_anyway_;    ///< of the present rule
  bool may_differ_ = false;             ///< of the present rule, from one trace to another
  RuleMemory::Rules* memory_ = nullptr;
};

/// One expression. Every alternative of nft::Operation has its own function; those that are not
/// known ask.
[[nodiscard]] Next evaluate(Machine& machine, const decode::nft::Expression& expression);
/// The expressions of an element, or of an object, in the midst of another one.
[[nodiscard]] Next evaluate_all(Machine& machine,
                                const std::vector<decode::nft::Expression>& expressions);

// nft_match.cpp
[[nodiscard]] Next run(Machine& machine, const decode::nft::Immediate& op);
[[nodiscard]] Next run(Machine& machine, const decode::nft::Cmp& op);
[[nodiscard]] Next run(Machine& machine, const decode::nft::Range& op);
[[nodiscard]] Next run(Machine& machine, const decode::nft::Bitwise& op);
[[nodiscard]] Next run(Machine& machine, const decode::nft::Byteorder& op);
[[nodiscard]] Next run(Machine& machine, const decode::nft::Payload& op);
[[nodiscard]] Next run(Machine& machine, const decode::nft::PayloadSet& op);
[[nodiscard]] Next run(Machine& machine, const decode::nft::Exthdr& op);
// nft_meta.cpp
[[nodiscard]] Next run(Machine& machine, const decode::nft::Meta& op);
[[nodiscard]] Next run(Machine& machine, const decode::nft::Rt& op);
[[nodiscard]] Next run(Machine& machine, const decode::nft::Socket& op);
[[nodiscard]] Next run(Machine& machine, const decode::nft::Fib& op);
[[nodiscard]] Next run(Machine& machine, const decode::nft::Osf& op);
// nft_lookup.cpp
[[nodiscard]] Next run(Machine& machine, const decode::nft::Lookup& op);
[[nodiscard]] Next run(Machine& machine, const decode::nft::Dynset& op);
[[nodiscard]] Next run(Machine& machine, const decode::nft::ObjectRef& op);
// nft_state.cpp
[[nodiscard]] Next run(Machine& machine, const decode::nft::Ct& op);
[[nodiscard]] Next run(Machine& machine, const decode::nft::Notrack& op);
[[nodiscard]] Next run(Machine& machine, const decode::nft::Limit& op);
[[nodiscard]] Next run(Machine& machine, const decode::nft::Quota& op);
[[nodiscard]] Next run(Machine& machine, const decode::nft::Connlimit& op);
[[nodiscard]] Next run(Machine& machine, const decode::nft::Numgen& op);
[[nodiscard]] Next run(Machine& machine, const decode::nft::Hash& op);
// nft_end.cpp
[[nodiscard]] Next run(Machine& machine, const decode::nft::Nat& op);
[[nodiscard]] Next run(Machine& machine, const decode::nft::Masquerade& op);
[[nodiscard]] Next run(Machine& machine, const decode::nft::Redirect& op);
[[nodiscard]] Next run(Machine& machine, const decode::nft::Reject& op);
[[nodiscard]] Next run(Machine& machine, const decode::nft::Tproxy& op);
[[nodiscard]] Next run(Machine& machine, const decode::nft::Synproxy& op);
[[nodiscard]] Next run(Machine& machine, const decode::nft::Queue& op);
[[nodiscard]] Next run(Machine& machine, const decode::nft::Fwd& op);
[[nodiscard]] Next run(Machine& machine, const decode::nft::Inner& op);
[[nodiscard]] Next run(Machine& machine, const decode::nft::Unknown& op);
[[nodiscard]] Next run(Machine& machine, const decode::nft::XtMatch& op);
[[nodiscard]] Next run(Machine& machine, const decode::nft::XtTarget& op);

}  // namespace hark::reach
