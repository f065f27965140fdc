// Settings of interfaces and of the namespace. Of an interface the link dump tells them all at once
// (network_links.cpp); `all` and the rest are files.
#include <algorithm>
#include <array>
#include <cerrno>

#include "base/text.h"
#include "host/network_reader.h"

namespace hark::host {
namespace {

using decode::Ipv4Setting;
using decode::Ipv6Setting;

template <typename Settings, typename Setting>
struct Row {
  std::int32_t Settings::*member;
  Setting setting;
  const char* file;  ///< below conf/INTERFACE
};

constexpr std::array<Row<Ipv4Settings, Ipv4Setting>, 13> kIpv4 = {{
    {&Ipv4Settings::forwarding, Ipv4Setting::Forwarding, "forwarding"},
    {&Ipv4Settings::rp_filter, Ipv4Setting::RpFilter, "rp_filter"},
    {&Ipv4Settings::accept_local, Ipv4Setting::AcceptLocal, "accept_local"},
    {&Ipv4Settings::route_localnet, Ipv4Setting::RouteLocalnet, "route_localnet"},
    {&Ipv4Settings::src_valid_mark, Ipv4Setting::SrcValidMark, "src_valid_mark"},
    {&Ipv4Settings::arp_ignore, Ipv4Setting::ArpIgnore, "arp_ignore"},
    {&Ipv4Settings::arp_filter, Ipv4Setting::ArpFilter, "arp_filter"},
    {&Ipv4Settings::arp_accept, Ipv4Setting::ArpAccept, "arp_accept"},
    {&Ipv4Settings::proxy_arp, Ipv4Setting::ProxyArp, "proxy_arp"},
    {&Ipv4Settings::proxy_arp_pvlan, Ipv4Setting::ProxyArpPvlan, "proxy_arp_pvlan"},
    {&Ipv4Settings::bc_forwarding, Ipv4Setting::BcForwarding, "bc_forwarding"},
    {&Ipv4Settings::ignore_routes_with_linkdown, Ipv4Setting::IgnoreRoutesWithLinkdown,
     "ignore_routes_with_linkdown"},
    {&Ipv4Settings::drop_unicast_in_l2_multicast, Ipv4Setting::DropUnicastInL2Multicast,
     "drop_unicast_in_l2_multicast"},
}};

constexpr std::array<Row<Ipv6Settings, Ipv6Setting>, 6> kIpv6 = {{
    {&Ipv6Settings::disable_ipv6, Ipv6Setting::DisableIpv6, "disable_ipv6"},
    {&Ipv6Settings::forwarding, Ipv6Setting::Forwarding, "forwarding"},
    {&Ipv6Settings::proxy_ndp, Ipv6Setting::ProxyNdp, "proxy_ndp"},
    {&Ipv6Settings::ignore_routes_with_linkdown, Ipv6Setting::IgnoreRoutesWithLinkdown,
     "ignore_routes_with_linkdown"},
    {&Ipv6Settings::drop_unsolicited_na, Ipv6Setting::DropUnsolicitedNa, "drop_unsolicited_na"},
    {&Ipv6Settings::force_forwarding, Ipv6Setting::ForceForwarding, "force_forwarding"},
}};

bool has_vrf(const Network& network) {
  return std::ranges::any_of(network.links, [](const Link& link) { return link.kind == "vrf"; });
}

bool has_bridge(const Network& network) {
  return std::ranges::any_of(network.links, [](const Link& link) { return link.kind == "bridge"; });
}

bool has_no_cookies(const Network& network) {
  return network.settings.syncookies == 0;
}

struct FileRow {
  std::optional<std::int32_t> NetSettings::*member;
  const char* file;  ///< below /proc/sys/net
  /// Of others it decides nothing; nullptr: of all. Each file is a hundredth of what there is to
  /// read of a namespace.
  bool (*decides)(const Network& network) = nullptr;
};
/// Those of one folder together: that is the fastest to read.
constexpr std::array<FileRow, 11> kFiles = {{
    {&NetSettings::syncookies, "ipv4/tcp_syncookies"},
    {&NetSettings::max_syn_backlog, "ipv4/tcp_max_syn_backlog", has_no_cookies},
    {&NetSettings::l3mdev_accept_tcp, "ipv4/tcp_l3mdev_accept", has_vrf},
    {&NetSettings::l3mdev_accept_udp, "ipv4/udp_l3mdev_accept", has_vrf},
    {&NetSettings::fwmark_reflect, "ipv4/fwmark_reflect"},
    {&NetSettings::fwmark_accept, "ipv4/tcp_fwmark_accept"},
    {&NetSettings::fwmark_reflect6, "ipv6/fwmark_reflect"},
    {&NetSettings::bindv6only, "ipv6/bindv6only"},
    {&NetSettings::conntrack_count, "netfilter/nf_conntrack_count"},
    {&NetSettings::conntrack_max, "netfilter/nf_conntrack_max"},
    {&NetSettings::conntrack_loose, "netfilter/nf_conntrack_tcp_loose"},
}};
/// br_netfilter makes these; without that module nothing of the kind happens.
constexpr std::array<FileRow, 2> kBridgeFiles = {{
    {&NetSettings::bridge_call_iptables, "bridge/bridge-nf-call-iptables", has_bridge},
    {&NetSettings::bridge_call_ip6tables, "bridge/bridge-nf-call-ip6tables", has_bridge},
}};

constexpr auto kSettings = "/proc/sys/net/";
constexpr auto kIpv4All = "ipv4/conf/all/";
constexpr auto kIpv6All = "ipv6/conf/all/";

/// Reads files of one number each, and remembers the first one that should be there and could not
/// be read.
class SettingFiles {
 public:
  explicit SettingFiles(const NetworkReading& reading) : reading_(reading) {}

  /// `required`: every kernel has the file.
  std::optional<std::int32_t> number(const std::string& file, bool required = false) {
    const std::string path = kSettings + file;
    const auto text = reading_.source.read_net_file(reading_.netns, path);
    if (!text) {
      if (required || text.error().code != ENOENT) remember(text.error());
      return std::nullopt;
    }
    std::string_view line = as_text(*text);
    line = line.substr(0, line.find('\n'));
    const auto value = parse_number<std::int32_t>(next_word(line));
    if (!value) remember(plain_error(path, "not a number"));
    return value;
  }

  template <typename Settings, typename Rows>
  void fill(const Rows& rows, const std::string& folder, bool required, Settings& to) {
    for (const auto& row : rows) {
      // What every kernel has stands first in its rows.
      to.*row.member = number(folder + row.file, required).value_or(0);
      required = false;
    }
  }

  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  void remember(const Error& error) {
    if (!error_) error_ = error;
  }
  const NetworkReading& reading_;
  std::optional<Error> error_;
};

template <typename Settings, typename Rows>
std::optional<Settings> settings_of(const std::vector<std::int32_t>& told, const Rows& rows) {
  if (told.empty()) return std::nullopt;
  Settings out;
  for (const auto& row : rows) out.*row.member = decode::setting(told, row.setting);
  return out;
}

}  // namespace

std::optional<Ipv4Settings> ipv4_settings_of(const decode::LinkFacts& link) {
  return settings_of<Ipv4Settings>(link.ipv4_settings, kIpv4);
}

std::optional<Ipv6Settings> ipv6_settings_of(const decode::LinkFacts& link) {
  return settings_of<Ipv6Settings>(link.ipv6_settings, kIpv6);
}

void read_settings(const NetworkReading& reading) {
  NetSettings& settings = reading.network.settings;
  SettingFiles files(reading);
  files.fill(kIpv4, kIpv4All, true, settings.ipv4_all);
  // Who may not enter a namespace need not knock fifty times.
  if (!files.error()) {
    files.fill(kIpv6, kIpv6All, false, settings.ipv6_all);
    const auto decides = [&](const FileRow& row) {
      return row.decides == nullptr || row.decides(reading.network);
    };
    for (const FileRow& row : kFiles) {
      if (decides(row)) settings.*row.member = files.number(row.file);
    }
    for (const FileRow& row : kBridgeFiles) {
      if (!decides(row)) continue;
      settings.*row.member = files.number(row.file);
      if (!(settings.*row.member) && !files.error()) settings.*row.member = 0;
    }
  }
  if (files.error()) {
    note_unread(reading, NetworkFact::Settings, "settings of the namespace", *files.error());
  }
}

}  // namespace hark::host
