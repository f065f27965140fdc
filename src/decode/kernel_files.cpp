#include "decode/kernel_files.h"

#include <algorithm>

#include "base/text.h"

namespace hark::decode {
namespace {

constexpr std::size_t kMostRecords = 4096;

Error malformed(const char* what, std::size_t line) {
  return plain_error(what, "line " + std::to_string(line) + " is malformed");
}

/// Calls `read` with each line that is not empty; false ends it with an error.
template <typename Read>
Result<void> each_line(ByteView text, const char* what, const Read& read) {
  std::string_view rest = as_text(text);
  for (std::size_t number = 1; !rest.empty() && number <= kMostRecords; ++number) {
    const std::string_view line = next_piece(rest, '\n');
    if (!line.empty() && !read(line, number)) return fail(malformed(what, number));
  }
  return {};
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  return text;
}

}  // namespace

std::optional<KernelSocket> decode_portal(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const auto port = parse_number<std::uint16_t>(text.substr(colon + 1));
  if (host.starts_with('[') != host.ends_with(']')) return std::nullopt;
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  host = host.substr(0, host.find('%'));
  const auto address = IpAddress::parse(host);
  if (!port || *port == 0 || !address) return std::nullopt;
  return KernelSocket{.protocol = Protocol::Tcp,
                      .family = address->family,
                      .address = *address,
                      .port = *port,
                      .name = {}};
}

Result<std::vector<KernelSocket>> decode_rxrpc_locals(ByteView text) {
  std::vector<KernelSocket> out;
  const auto done =
      each_line(text, "/proc/net/rxrpc/locals", [&](std::string_view line, std::size_t number) {
        const std::string_view protocol = next_word(line);
        if (number == 1) return protocol == "Proto";
        auto socket = decode_portal(next_word(line));
        if (protocol != "UDP" || !socket) return false;
        socket->protocol = Protocol::Udp;
        out.push_back(std::move(*socket));
        return true;
      });
  if (!done) return fail(done.error());
  return out;
}

Result<std::vector<KernelSocket>> decode_nfsd_portlist(ByteView text) {
  std::vector<KernelSocket> out;
  const auto done = each_line(text, "portlist of nfsd", [&](std::string_view line, std::size_t) {
    const std::string_view transport = next_word(line);
    const auto port = parse_number<std::uint16_t>(next_word(line));
    if (!port) return false;
    if (*port == 0 || (transport != "tcp" && transport != "udp")) return true;
    out.push_back({.protocol = transport == "tcp" ? Protocol::Tcp : Protocol::Udp,
                   .family = std::nullopt,
                   .address = std::nullopt,
                   .port = *port,
                   .name = {}});
    return true;
  });
  if (!done) return fail(done.error());
  return out;
}

std::optional<std::uint16_t> decode_port(ByteView text) {
  const auto port = parse_number<std::uint16_t>(trimmed(as_text(text)));
  return port && *port != 0 ? port : std::nullopt;
}

std::optional<RingFiles> decode_ring_fdinfo(ByteView text) {
  constexpr std::string_view kHeading = "UserFiles:";
  constexpr std::string_view kSocket = "socket:[";
  std::string_view rest = as_text(text);
  RingFiles out;
  bool found = false;
  while (!rest.empty()) {
    std::string_view line = next_piece(rest, '\n');
    if (!found) {
      if (!line.starts_with(kHeading)) continue;
      found = true;
      line.remove_prefix(kHeading.size());
      while (line.starts_with('\t') || line.starts_with(' ')) line.remove_prefix(1);
      const auto count = parse_number<std::uint32_t>(line);
      if (!count) return std::nullopt;
      out.count = *count;
      continue;
    }
    if (!line.starts_with(' ')) break;  // the next heading
    const std::size_t colon = line.find(": ");
    if (colon == std::string_view::npos) break;
    const std::string_view name = trimmed(line.substr(colon + 2));
    if (out.sockets.size() + out.names.size() >= kMostRecords) break;
    if (name.starts_with(kSocket) && name.ends_with(']')) {
      const auto inode = parse_number<std::uint32_t>(
          name.substr(kSocket.size(), name.size() - kSocket.size() - 1));
      if (inode) out.sockets.push_back(*inode);
    } else if (!name.empty() && name != "<none>") {
      out.names.emplace_back(name);
    }
  }
  if (!found) return std::nullopt;
  return out;
}

std::optional<std::uint32_t> decode_scm_fds(ByteView text) {
  constexpr std::string_view kHeading = "scm_fds:";
  std::string_view rest = as_text(text);
  while (!rest.empty()) {
    const std::string_view line = next_piece(rest, '\n');
    if (line.starts_with(kHeading)) {
      return parse_number<std::uint32_t>(trimmed(line.substr(kHeading.size())));
    }
  }
  return std::nullopt;
}

}  // namespace hark::decode
