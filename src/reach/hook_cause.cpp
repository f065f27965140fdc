// How the end of a hook is told: code, sentence, evidence.
#include <array>
#include <string>
#include <string_view>

#include "base/text.h"
#include "reach/passage.h"
#include "reach/tool_words.h"

namespace hark::reach {
namespace {

struct HookWords {
  HookPoint hook;
  const char* drop;
  const char* policy;
  const char* reject;
  const char* words;  ///< "dropped on its way in"
};
constexpr std::array<HookWords, 11> kWords = {{
    {HookPoint::Ingress, "nft-netdev-ingress", "nft-netdev-ingress", "nft-netdev-ingress",
     "ingress"},
    {HookPoint::Prerouting, "prerouting-drop", "prerouting-drop", "prerouting-reject",
     "prerouting"},
    {HookPoint::Input, "input-drop", "input-policy-drop", "input-reject", "input"},
    {HookPoint::Forward, "forward-drop", "forward-policy-drop", "forward-reject", "forward"},
    {HookPoint::Output, "output-drop", "output-policy-drop", "output-reject", "output"},
    {HookPoint::Postrouting, "postrouting-drop", "postrouting-drop", "postrouting-reject",
     "postrouting"},
    {HookPoint::Egress, "nft-netdev-egress", "nft-netdev-egress", "nft-netdev-egress", "egress"},
    {HookPoint::ArpIn, "arp-filtered", "arp-filtered", "arp-filtered", "arp input"},
    {HookPoint::ArpOut, "arp-filtered", "arp-filtered", "arp-filtered", "arp output"},
    {HookPoint::BridgePrerouting, "bridge-filter", "bridge-filter", "bridge-filter",
     "bridge prerouting"},
    {HookPoint::BridgeInput, "bridge-filter", "bridge-filter", "bridge-filter", "bridge input"},
}};

const HookWords& words_for(HookPoint hook) {
  for (const HookWords& words : kWords) {
    if (words.hook == hook) return words;
  }
  return kWords.front();
}

const char* code_of(HookPoint hook, const HookResult& result) {
  const HookWords& words = words_for(hook);
  if (!result.place) return words.drop;
  if (result.end == HookResult::End::Ipvs) return "ipvs";
  if (result.place->tool == "ipvs") return "ipvs-no-server";
  const bool at_ip = hook == HookPoint::Prerouting || hook == HookPoint::Input ||
                     hook == HookPoint::Output || hook == HookPoint::Postrouting;
  if (at_ip && result.place->tool != "nft" && result.place->table == "security") {
    return "security-drop";
  }
  if (result.end == HookResult::End::Reject) return words.reject;
  if (result.place->nat && at_ip) return "nat-chain-drop";
  return result.place->policy ? words.policy : words.drop;
}

const char* verb_of(HookResult::End end) {
  switch (end) {
    case HookResult::End::Drop:
      return "dropped";
    case HookResult::End::Reject:
      return "rejected";
    case HookResult::End::Stolen:
      return "taken away";
    case HookResult::End::Queue:
      return "dropped by the program that it is queued to,";
    case HookResult::End::Ipvs:
      return "sent on";
    case HookResult::End::Accept:
    case HookResult::End::Synproxy:
      break;
  }
  return "passed";
}

/// Does a rule ask for state `invalid`, but not for `new`? Its text tells: the states of a match
/// stand behind the word that names it, of a verdict map in the map.
bool asks_for_invalid(const std::string& rule) {
  for (const std::string_view word : {"ct state ", "--ctstate ", "--state "}) {
    const std::size_t at = rule.find(word);
    if (at == std::string::npos) continue;
    std::string_view states = std::string_view(rule).substr(at + word.size());
    if (states.starts_with("vmap ")) return true;
    const bool set = states.starts_with("{");
    states = states.substr(0, states.find(set ? '}' : ' '));
    const std::string low = lower(states);
    return low.find("invalid") != std::string::npos && low.find("new") == std::string::npos;
  }
  return false;
}

/// A client's packet that conntrack takes for invalid, dropped for that: what is said besides.
const char* invalid_words(const Packet& packet) {
  if (packet.ct == CtState::Invalid) return "conntrack takes the packet for invalid";
  return "conntrack has not seen the packet yet, so its state is invalid";
}

bool dropped_as_invalid(const HookResult& result, const Packet& packet) {
  if (result.end != HookResult::End::Drop || !result.place || result.place->policy) return false;
  const bool invalid = packet.ct == CtState::Invalid || packet.ct == CtState::None;
  return invalid && asks_for_invalid(result.place->rule);
}

}  // namespace

Blocker blocker_of(const World&, HookPoint hook, const Packet& packet, const HookResult& result) {
  Blocker out;
  out.cause.code = code_of(hook, result);
  if (!result.place) {
    out.key = out.cause.code;
    out.cause.text = std::string(verb_of(result.end)) + " at " + words_for(hook).words;
    return out;
  }
  const ToldPlace& place = *result.place;
  out.key = key_of(place);
  out.cause.text = std::string(verb_of(result.end)) + " by " + place.words();
  if (!place.rule.empty()) out.cause.text += ": " + place.rule;
  out.cause.tool = tool_words(place);
  out.cause.evidence.push_back({.fact = place.policy ? "policy drop" : place.rule,
                                .where = place.words(),
                                .verify = place.command()});
  if (dropped_as_invalid(result, packet)) {
    out.cause.code = "ct-invalid-drop";
    const std::string why = invalid_words(packet);
    out.cause.text += " (" + why + ")";
    out.cause.evidence.push_back({.fact = why, .where = "conntrack", .verify = ""});
  }
  return out;
}

}  // namespace hark::reach
