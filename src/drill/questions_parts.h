// What the makers of the kinds share: for the questions_*.cpp files.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "drill/drill_dice.h"
#include "drill/questions.h"
#include "reach/client_view.h"
#include "reach/trace.h"

namespace hark::drill {

/// A host on a link of this one, and the address of this one that it asks.
struct LanClient {
  std::uint32_t interface = 0;
  std::string link;
  IpAddress source, destination;
};

/// Traces packets of single clients, with a Tracer for each namespace.
class Asker {
 public:
  explicit Asker(const Facts& facts) : facts_(facts) {}

  /// The same host with one listener bound otherwise. It belongs to the Asker and changes with the
  /// next call.
  struct Rebound {
    std::size_t listener = 0;
    IpAddress address;
    bool v6only = false;
  };
  /// Nothing: not known for certain, by a fact that was not read or by chance.
  [[nodiscard]] std::optional<reach::Answer> ask(host::NetnsId netns, bool stream,
                                                 std::uint16_t port, const LanClient& client,
                                                 const Rebound* otherwise = nullptr);

 private:
  const Facts& facts_;
  std::map<host::NetnsId, std::unique_ptr<reach::Tracer>> tracers_;
  host::Host changed_ = {};
  bool copied_ = false;
};

struct Making {
  const Facts& facts;
  Asker& asker;
  std::uint64_t seed = 0;
  std::vector<Question>& out;
};

/// Hosts on the same link that could ask for the port, each with what it asks. Two of a class of
/// sources that fares alike are one.
[[nodiscard]] std::vector<LanClient> lan_clients(const Making& making, host::NetnsId netns,
                                                 const reach::ClientView* view,
                                                 const std::vector<reach::Destination>& places,
                                                 Dice& dice);
[[nodiscard]] std::vector<LanClient> lan_clients(const Making& making, const Port& port,
                                                 Dice& dice);

/// "tcp 8080", in another namespace "tcp 53 in container web".
[[nodiscard]] std::string port_words(const Facts& facts, const Port& port);
/// "ss -Htln", "ss -Huln" and `more` of its letters, of this port; with what has to be done before
/// to be in its namespace.
[[nodiscard]] std::string ss_command(const Facts& facts, const Port& port,
                                     std::string_view more = {});
/// A command that is right inside the namespace, made right outside of it; empty: that is not
/// known.
[[nodiscard]] std::string command_in(const Facts& facts, host::NetnsId netns, std::string command);
/// The command that shows what decided; empty: none is known.
[[nodiscard]] std::string command_of(const Facts& facts, host::NetnsId netns,
                                     const reach::Answer& answer);

/// A question begun: kind, key, subject and weight. `what` parts questions of one kind and port.
[[nodiscard]] Question begin(const Making& making, Kind kind, const Port& port,
                             std::string_view what = {});
/// Takes the right choice and the wrong ones, at most three of them, those with some credit first;
/// shuffles and keeps the question. Not kept: without a wrong choice, or where a wrong one reads
/// like the right one.
void finish(const Making& making, Question question, Choice right, std::vector<Choice> wrong);

/// "a-b.c" of any bytes: letters, digits, dot, dash and underscore stay, others become %XX.
[[nodiscard]] std::string key_word(std::string_view text);

void add_command(const Making& making, const Port& port);
void add_protocol(const Making& making, const Port& port);
void add_owner(const Making& making, const Port& port);
void add_home(const Making& making, const Port& port);
void add_reach(const Making& making, const Port& port);
void add_why(const Making& making, const Port& port);
void add_error(const Making& making, const Port& port);
void add_rebound(const Making& making, const Port& port);
/// Of the namespace's links that clients come by.
void add_closed(const Making& making, host::NetnsId netns);

}  // namespace hark::drill
