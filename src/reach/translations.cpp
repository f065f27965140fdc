#include "reach/translations.h"

#include <algorithm>
#include <array>

#include "decode/xt_blob.h"
#include "reach/aim_ipset.h"

namespace hark::reach {

namespace nft = decode::nft;
namespace xt = decode::xt;
using decode::xt::Field;

namespace {

/// Rules that are looked at, all ways to them counted: a chain that a thousand others jump to is
/// read a thousand times.
constexpr std::size_t kMostRules = 400'000;
constexpr std::size_t kMostFound = 50'000;
constexpr std::size_t kDeepest = 16;  // NFT_JUMP_STACK_SIZE of nf_tables.h

class Walk {
 public:
  Walk(const FirewallRules& rules, const host::Network& network)
      : rules_(rules),
        sets_(sets_by_name(network.nft)),
        ipsets_(network),
        reader_(network, sets_) {}

  Translations run() {
    for (const ChainView& chain : rules_.chains()) {
      if (!chain.hook) continue;
      const bool before_routing = *chain.hook == kHookPrerouting;
      const bool made_here = *chain.hook == kHookOutput && chain.type == "nat";
      if (!before_routing && !made_here) continue;
      Aim aim;
      aim.inet = std::ranges::count(chain.families, Family::Inet) != 0;
      aim.inet6 = std::ranges::count(chain.families, Family::Inet6) != 0;
      visit(chain, aim, 0);
    }
    return std::move(out_);
  }

 private:
  [[nodiscard]] bool spent() {
    if (++seen_ > kMostRules || out_.all.size() > kMostFound) out_.complete = false;
    return !out_.complete;
  }

  void visit(const ChainView& chain, const Aim& aim, std::size_t depth) {
    for (std::size_t i = 0; i < chain.rules.size() && !spent(); ++i) {
      const RuleView& rule = chain.rules[i];
      if (chain.legacy != nullptr) {
        legacy(chain, i, aim, depth);
      } else if (rule.nft != nullptr) {
        of_nft(chain, i, aim, depth);
      }
    }
  }

  void jump(const ChainView& from, const std::string& name, const Aim& aim, std::size_t depth) {
    const ChainView* to = rules_.chain(from, name);
    if (to != nullptr && depth < kDeepest) visit(*to, aim, depth + 1);
  }

  void legacy(const ChainView& chain, std::size_t position, const Aim& before, std::size_t depth) {
    const xt::Rule& rule = chain.legacy->chains[chain.legacy_chain].rules[position];
    using Jump = xt::Rule::Jump;
    if (rule.jump != Jump::Chain && rule.jump != Jump::Target) return;
    Aim aim = before;
    if (!aim.ask_rule(rule)) return;
    for (Aim& way : ipsets_.ask(aim, rule.matches)) {
      if (rule.jump == Jump::Chain) {
        jump(chain, chain.legacy->chains[rule.chain].name, way, depth);
      } else if (auto found = translation_of(rule.target, chain.families.front())) {
        found->aim = std::move(way);
        add(chain, position, std::move(*found), comment_of(rule.matches));
      }
    }
  }

  void of_nft(const ChainView& chain, std::size_t position, const Aim& aim, std::size_t depth) {
    const nft::Rule& rule = *chain.rules[position].nft;
    std::vector<NftWay> ways;
    if (!reader_.read(rule, aim, ways)) out_.complete = false;
    for (NftWay& way : ways) {
      if (way.translation) {
        way.translation->aim = std::move(way.aim);
        add(chain, position, std::move(*way.translation), comment_of(rule));
      } else if (way.verdict) {
        jump(chain, way.verdict->chain, way.aim, depth);
      }
    }
  }

  static std::string comment_of(const std::vector<nft::XtMatch>& matches) {
    for (const nft::XtMatch& match : matches) {
      if (match.name != "comment") continue;
      if (const auto blob = xt::read(match)) return blob->text(Field::Text);
    }
    return {};
  }
  static std::string comment_of(const nft::Rule& rule) {
    for (const nft::Expression& one : rule.expressions) {
      const auto* match = std::get_if<nft::XtMatch>(&one.operation);
      if (match != nullptr && match->name == "comment") return comment_of({*match});
    }
    return rule.comment;
  }

  void add(const ChainView& chain, std::size_t position, Translation found,
           const std::string& comment) {
    found.chain = &chain;
    found.position = position;
    found.service = kubernetes_service(chain.name, comment);
    out_.all.push_back(std::move(found));
  }

  const FirewallRules& rules_;
  const SetsByName sets_;
  AimSets ipsets_;
  NftReader reader_;
  Translations out_;
  std::size_t seen_ = 0;
};

// NF_NAT_RANGE_*
constexpr std::uint32_t kMapAddress = 1U << 0U;
constexpr std::uint32_t kPortGiven = 1U << 1U;
constexpr std::uint32_t kPortOffset = 1U << 5U;

}  // namespace

Translations translations_of(const FirewallRules& rules, const host::Network& network) {
  return Walk(rules, network).run();
}

std::optional<Translation> translation_of(const nft::XtTarget& target, Family family) {
  using Kind = Translation::Kind;
  struct Known {
    std::string_view name;
    Kind kind;
  };
  constexpr std::array<Known, 4> kTargets = {{{"DNAT", Kind::Dnat},
                                              {"REDIRECT", Kind::Redirect},
                                              {"NETMAP", Kind::Netmap},
                                              {"TPROXY", Kind::Tproxy}}};
  const auto known = std::ranges::find(kTargets, target.name, &Known::name);
  if (known == kTargets.end()) return std::nullopt;
  Translation out;
  out.kind = known->kind;
  const auto blob = xt::read(target);
  if (!blob) {
    out.open = true;
    return out;
  }
  const bool tproxy = out.kind == Kind::Tproxy;
  const std::uint32_t flags = tproxy ? kPortGiven : blob->u32(Field::Flags);
  if ((flags & kMapAddress) != 0) {
    out.address = blob->address(Field::FirstAddress, family);
    const IpAddress last = blob->address(Field::LastAddress, family);
    if (last != *out.address) out.last_address = last;
  }
  if ((flags & kPortGiven) != 0) {
    const std::uint16_t port = blob->u16(Field::FirstPort);
    if (port != 0) out.port = port;
    if ((flags & kPortOffset) != 0) out.moved_from = blob->u16(Field::BasePort);
  }
  if (tproxy) {
    const IpAddress address = blob->address(Field::FirstAddress, family);
    if (!address.is_unspecified()) out.address = address;
  }
  return out;
}

std::string kubernetes_service(std::string_view chain, std::string_view comment) {
  if (chain.starts_with("KUBE-")) {
    const std::string_view first = comment.substr(0, comment.find(' '));
    return first.find('/') == std::string_view::npos ? std::string() : std::string(first);
  }
  constexpr std::array<std::string_view, 3> kKinds = {"service-", "external-", "endpoint-"};
  const auto kind =
      std::ranges::find_if(kKinds, [&](std::string_view one) { return chain.starts_with(one); });
  if (kind == kKinds.end()) return {};
  // KIND-HASH-NAMESPACE/SERVICE/PROTOCOL/PORT, and of an endpoint "__ADDRESS/PORT" behind it.
  chain.remove_prefix(kind->size());
  const std::size_t dash = chain.find('-');
  if (dash == std::string_view::npos) return {};
  chain.remove_prefix(dash + 1);
  chain = chain.substr(0, chain.find("__"));
  std::array<std::string_view, 4> parts;
  for (std::string_view& part : parts) {
    const std::size_t slash = chain.find('/');
    part = chain.substr(0, slash);
    chain = slash == std::string_view::npos ? std::string_view() : chain.substr(slash + 1);
  }
  if (parts[2].empty()) return {};
  std::string out = std::string(parts[0]) + "/" + std::string(parts[1]);
  if (!parts[3].empty()) out += ":" + std::string(parts[3]);
  return out;
}

}  // namespace hark::reach
