// Pieces of JSON that more than one command prints: docs/contract.md. Only the files of this folder
// that write JSON include this: the library is large.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "host/host.h"
#include "host/select.h"
#include "show/escape.h"
#include "show/list_json.h"

namespace hark::diagnose {
struct Finding;
}
namespace hark::reach {
class ReachTable;
}

namespace hark::show {

using Json = nlohmann::ordered_json;

/// Null where the text is empty; escaped.
[[nodiscard]] Json text_or_null(const std::string& text);

/// CONTAINER of docs/contract.md.
[[nodiscard]] Json container_json(const host::Container& container);

/// LISTENER of docs/contract.md.
[[nodiscard]] Json listener_json(const host::Host& host, const host::Listener& listener);

/// A listener as `hark list` gives it: with its scope, who reaches it, and what is wrong with it.
[[nodiscard]] Json entry_json(const host::Host& host, std::size_t listener,
                              const reach::ReachTable* reach);

/// FINDING of docs/contract.md.
[[nodiscard]] Json finding_json(const host::Host& host, const diagnose::Finding& finding);

[[nodiscard]] Json netns_json(const host::Netns& netns);
[[nodiscard]] Json gap_json(const host::Gap& gap);
[[nodiscard]] Json near_json(const host::Host& host, const host::Near& near);

/// Writes the members of one object line by line; members of a list have a line each.
class JsonWriter {
 public:
  explicit JsonWriter(const Sink& sink) : sink_(sink) { sink_("{"); }

  void member(std::string_view name, const Json& value);
  /// What every answer about a host begins with.
  void head(std::string_view schema, const host::Host& host);

  /// `make(i)` gives the value of each of `count` lines, one at a time.
  template <typename Make>
  void list(std::string_view name, std::size_t count, const Make& make) {
    begin(name);
    sink_("[");
    for (std::size_t i = 0; i < count; ++i) {
      sink_(i == 0 ? "\n    " : ",\n    ");
      sink_(line_of(make(i)));
    }
    sink_(count == 0 ? "]" : "\n  ]");
  }

  void end() { sink_("\n}\n"); }

 private:
  void begin(std::string_view name);

  [[nodiscard]] static std::string line_of(const Json& value);

  const Sink& sink_;
  bool first_ = true;
};

}  // namespace hark::show
