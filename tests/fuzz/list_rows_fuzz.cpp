// A host made of arbitrary facts: every selected listener stands in exactly one row, no line is
// longer than the width unless a port or an address alone is, the JSON is JSON.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "base/bytes.h"
#include "base/text.h"
#include "show/escape.h"
#include "show/list_json.h"
#include "show/list_view.h"

namespace {

using namespace hark;

void require(bool holds) {
  if (!holds) std::abort();
}

/// Facts from bytes; zeros after their end.
class Facts {
 public:
  explicit Facts(ByteView bytes) : bytes_(bytes) {}
  std::uint8_t byte() { return bytes_.value<std::uint8_t>(); }
  std::uint16_t word() { return bytes_.value<std::uint16_t>(); }
  bool flag() { return byte() % 2 == 1; }
  std::string text() {
    const std::size_t wanted = byte() % 24U;
    return std::string(as_text(bytes_.take(std::min(wanted, bytes_.left()))));
  }
  [[nodiscard]] bool empty() const { return bytes_.empty(); }

 private:
  ByteReader bytes_;
};

constexpr std::array kAddresses = {"0.0.0.0",    "127.0.0.1",     "127.0.0.53", "10.0.0.5",
                                   "::",         "::1",           "fe80::1",    "2001:db8::1",
                                   "::ffff:0:0", "::ffff:1.2.3.4"};

host::Process process_of(Facts& facts, std::uint32_t pid) {
  host::Process p;
  p.pid = pid;
  p.name = facts.text();
  if (facts.flag()) p.command_line = std::vector<std::string>{facts.text(), facts.text()};
  if (facts.flag()) p.exe = facts.text();
  p.exe_deleted = facts.flag();
  if (facts.flag()) p.started_at_ms = facts.word();
  p.state = static_cast<char>(facts.byte());
  p.user = facts.text();
  return p;
}

host::Listener listener_of(Facts& facts, const host::Host& host) {
  host::Listener l;
  l.protocol = static_cast<Protocol>(facts.byte() % 5U);
  l.address = IpAddress::parse(kAddresses[facts.byte() % kAddresses.size()]).value();
  l.port = facts.word();
  if (facts.flag()) l.v6only = facts.flag();
  if (facts.flag()) l.interface = facts.flag() ? "lo" : facts.text().substr(0, 15);
  l.interface_index = facts.byte() % 3U;
  l.netns = static_cast<host::NetnsId>(facts.byte() % host.namespaces.size());
  l.state = facts.flag() ? host::State::Listen : host::State::Unconn;
  l.socket.uid = facts.byte() % 3U;
  l.socket.user = facts.text();
  if (facts.flag()) l.socket.cgroup = facts.text();
  if (facts.flag())
    l.queue = {.length = facts.word(), .limit = facts.word(), .drops = facts.word()};
  l.scope = static_cast<host::Scope>(facts.byte() % 4U);
  l.probable_client = facts.flag();
  if (facts.flag()) l.unit = facts.text() + ".service";
  if (facts.flag()) l.container = host::Container{facts.text(), facts.text(), facts.text()};
  if (facts.flag()) {
    l.owners.emplace();
    for (std::size_t id = 0; id < host.processes.size(); ++id) {
      if (facts.flag()) l.owners->push_back({static_cast<host::ProcessId>(id), {facts.byte()}});
    }
  }
  return l;
}

host::Host host_of(Facts& facts) {
  host::Host host;
  host.name = facts.text();
  host.owners_asked = facts.flag();
  host.taken_at_ms = facts.word();
  host.namespaces.push_back({.inode = 1, .name = "host", .own = true});
  host.namespaces.push_back({.inode = std::nullopt, .name = facts.text()});
  for (std::uint32_t pid = 1; pid <= 3; ++pid) host.processes.push_back(process_of(facts, pid));
  if (facts.flag()) host.gaps.push_back({facts.text(), facts.text(), facts.text(), facts.text()});
  while (!facts.empty() && host.listeners.size() < 8) {
    host.listeners.push_back(listener_of(facts, host));
  }
  return host;
}

void check_rows(const host::Host& host, const std::vector<std::size_t>& all,
                show::SortOrder order) {
  std::vector<std::size_t> met;
  for (const show::ListRow& row : show::fold(host, all, order, false)) {
    require(!row.listeners.empty() && !row.ports.empty());
    met.insert(met.end(), row.listeners.begin(), row.listeners.end());
  }
  std::sort(met.begin(), met.end());
  require(met == all);
}

/// The widest line that port and address alone make.
std::size_t uncuttable(const host::Host& host, const std::vector<std::size_t>& all, bool ascii) {
  std::size_t port = 4;
  std::size_t bound = 8;
  for (const show::ListRow& row : show::fold(host, all, {}, false)) {
    const auto width = [&](const std::string& text) {
      return show::display_width(show::for_terminal(text, ascii));
    };
    const auto protocol = name_of(host.listeners[row.listeners.front()].protocol);
    port = std::max(port, protocol.size() + 1 + width(show::port_words(host, row)));
    bound = std::max(bound, width(show::bound_words(host, row)));
  }
  return port + 2 + bound;
}

void check_text(const host::Host& host, const std::vector<std::size_t>& all, std::size_t width,
                bool ascii) {
  show::ListOptions options;
  options.style.width = width;
  options.style.ascii = ascii;
  const std::string text = show::list_text(host, all, options);
  const std::size_t table_end = text.find("\n\n");
  const std::size_t longest = std::max(width, uncuttable(host, all, ascii));
  for (const std::string_view line : split(std::string_view(text).substr(0, table_end), '\n')) {
    if (table_end != std::string::npos) require(show::display_width(line) <= longest);
    require(!ascii ||
            std::all_of(line.begin(), line.end(), [](char c) { return c >= 0x20 && c < 0x7F; }));
  }
}

void check_json(const host::Host& host, const std::vector<std::size_t>& all) {
  std::string json;
  show::write_list_json(host, all, {}, [&](std::string_view piece) { json += piece; });
  require(nlohmann::json::accept(json));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Facts facts(ByteView(reinterpret_cast<const std::byte*>(data), size));
  const show::SortOrder order{static_cast<show::SortKey>(facts.byte() % 13U), facts.flag()};
  const std::size_t width = 20U + facts.byte() % 181U;
  const bool ascii = facts.flag();
  const unsigned property = facts.byte() % 3U;
  const host::Host host = host_of(facts);
  std::vector<std::size_t> all(host.listeners.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  // One property a run: a run is then short, and the fuzzer mixes them well enough.
  if (property == 0) check_rows(host, all, order);
  if (property == 1) check_text(host, all, width, ascii);
  if (property == 2) check_json(host, all);
  return 0;
}
