// The cells of a row with a published port. What is the port's own is made here; of who stands
// behind it the columns are made as ever.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "reach/published.h"
#include "show/list_columns.h"
#include "show/published_words.h"

namespace hark::show {
namespace {

using reach::PublishedPort;

struct Own {
  const RowView& view;
  const PublishedPort& port;
};

CellValue port_cell(const Own& own) {
  return {.text = fmt::format("{} {} {}", name_of(own.port.protocol), published_ports(own.port),
                              own.view.ascii ? "->" : "\u2192")};
}

CellValue bound_cell(const Own& own) {
  return {.text = published_target(own.port, own.view.ascii)};
}

CellValue who_cell(const Own& own) {
  const bool nobody = std::ranges::all_of(
      own.port.leads_to, [](const reach::LeadsTo& lead) { return lead.somebody_listens == false; });
  return {.text = published_who(own.view.host, own.port, own.view.ascii),
          .colour = nobody ? Colour::Red : Colour::None};
}

CellValue reach_cell(const Own& own) {
  const auto open = own.port.reach.openness;
  Colour colour = open == reach::Openness::Nobody ? Colour::Red : Colour::None;
  const bool outside = open == reach::Openness::Anywhere || open == reach::Openness::Some;
  if (outside && own.port.denied) colour = Colour::Yellow;
  return {.text = published_reach(*own.view.reach->network(own.port.netns), own.port),
          .colour = colour};
}

/// As ss would write it.
CellValue address_cell(const Own& own) {
  std::string address = own.port.family == Family::Inet6 ? "::" : "0.0.0.0";
  if (own.port.addresses) address = own.port.addresses->ranges().front().first.text();
  if (own.port.family == Family::Inet6) address = "[" + address + "]";
  return {.text = address + ":" + published_ports(own.port)};
}

CellValue netns_cell(const Own& own) {
  return {.text = host::netns_words(own.view.host.at(own.port.netns))};
}
CellValue protocol_cell(const Own& own) {
  return {.text = std::string(name_of(own.port.protocol))};
}
CellValue family_cell(const Own& own) {
  if (own.view.row.published.size() > 1) return {.text = "ipv4,ipv6"};
  return {.text = own.port.family == Family::Inet ? "ipv4" : "ipv6"};
}
CellValue container_cell(const Own& own) {
  for (const reach::LeadsTo& lead : own.port.leads_to) {
    if (lead.container) return {.text = host::container_words(*lead.container)};
  }
  return {};
}
CellValue nothing(const Own& /*own*/) {
  return {};
}

struct OwnColumn {
  std::string_view word;
  CellValue (*make)(const Own& own);
};
constexpr std::array<OwnColumn, 17> kOwn = {{{"port", port_cell},
                                             {"bound", bound_cell},
                                             {"who", who_cell},
                                             {"reach", reach_cell},
                                             {"address", address_cell},
                                             {"netns", netns_cell},
                                             {"protocol", protocol_cell},
                                             {"family", family_cell},
                                             {"container", container_cell},
                                             {"scope", nothing},
                                             {"interface", nothing},
                                             {"state", nothing},
                                             {"queue", nothing},
                                             {"limit", nothing},
                                             {"drops", nothing},
                                             {"inode", nothing},
                                             {"v6only", nothing}}};

}  // namespace

CellValue published_cell(const ColumnSpec& column, const RowView& view) {
  const PublishedPort& port = view.reach->published()[view.row.published.front()];
  const auto own = std::ranges::find(kOwn, column.column.word, &OwnColumn::word);
  if (own != kOwn.end()) return own->make({view, port});
  const std::vector<std::size_t> owners = published_owners(port);
  if (owners.empty()) return {.text = {}, .known = false};
  const ListRow behind{owners, view.row.ports};
  return column.make({view.host, behind, view.holders, view.whole, view.ascii, nullptr});
}

}  // namespace hark::show
