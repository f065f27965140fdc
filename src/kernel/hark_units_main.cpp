// hark-units: what systemd says of units, for hark, which links no D-Bus library itself.
//
// Names come on standard input, each ended by a NUL byte; the answer is one buffer of parts
// (base/unit_parts.h) on standard output. Units that are not loaded are left out. It only reads:
// GetUnit() and GetAll() of org.freedesktop.systemd1(5), which load and start nothing; nothing is
// activated for it, and nobody is asked for a password. The exit status is an errno, 0 if all went
// well. The program ends after a second whatever happens.
//
// usage: hark-units [ADDRESS]   of a bus, for tests
#include <systemd/sd-bus.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/parts.h"
#include "base/text.h"
#include "base/unit_parts.h"

namespace {

using hark::Bytes;
using hark::UnitPart;

constexpr unsigned kSeconds = 1;
constexpr std::uint64_t kCallTimeoutUs = 900'000;
constexpr const char* kSystemd = "org.freedesktop.systemd1";
constexpr const char* kProperties = "org.freedesktop.DBus.Properties";

struct Unref {
  void operator()(sd_bus* bus) const { sd_bus_close_unref(bus); }
  void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};
using Bus = std::unique_ptr<sd_bus, Unref>;
using Message = std::unique_ptr<sd_bus_message, Unref>;

struct Property {
  std::string_view name;
  char type;  ///< as D-Bus writes it; 'a': of strings; '(': two strings, of which the second counts
  UnitPart part;
};
constexpr std::array kOfUnits = {
    Property{"Description", 's', UnitPart::Description},
    Property{"LoadState", 's', UnitPart::LoadState},
    Property{"ActiveState", 's', UnitPart::ActiveState},
    Property{"SubState", 's', UnitPart::SubState},
    Property{"FragmentPath", 's', UnitPart::Fragment},
    Property{"Triggers", 'a', UnitPart::Triggers},
    Property{"LoadError", '(', UnitPart::LoadError},
    Property{"StateChangeTimestamp", 't', UnitPart::StateSince},
};
constexpr std::array kOfServices = {
    Property{"Result", 's', UnitPart::Result},
    Property{"NRestarts", 'u', UnitPart::Restarts},
    Property{"ExecMainCode", 'i', UnitPart::ExitCode},
    Property{"ExecMainStatus", 'i', UnitPart::ExitStatus},
    Property{"ExecMainExitTimestamp", 't', UnitPart::ExitTime},
};
constexpr std::array kOfSockets = {Property{"Result", 's', UnitPart::Result}};

void append_text(Bytes& to, UnitPart part, const char* text) {
  if (text == nullptr || *text == '\0') return;
  hark::append_part(to, static_cast<std::uint16_t>(part), hark::as_bytes(text));
}

template <typename T>
int append_number(sd_bus_message* message, const Property& property, Bytes& to) {
  T value{};
  const int error = sd_bus_message_read_basic(message, property.type, &value);
  if (error < 0) return error;
  Bytes bytes;
  hark::append_value(bytes, value);
  hark::append_part(to, static_cast<std::uint16_t>(property.part), bytes);
  return 0;
}

int append_names(sd_bus_message* message, const Property& property, Bytes& to) {
  int error = sd_bus_message_enter_container(message, SD_BUS_TYPE_ARRAY, "s");
  Bytes names;
  const char* name = nullptr;
  while (error >= 0 && (error = sd_bus_message_read_basic(message, 's', &name)) > 0) {
    hark::append(names, std::string_view(name));
    names.push_back(std::byte{0});
  }
  if (error < 0) return error;
  hark::append_part(to, static_cast<std::uint16_t>(property.part), names);
  return sd_bus_message_exit_container(message);
}

int append_value_of(sd_bus_message* message, const Property& property, Bytes& to) {
  const char* text = nullptr;
  const char* other = nullptr;
  int error = 0;
  switch (property.type) {
    case 's':
      error = sd_bus_message_read_basic(message, 's', &text);
      break;
    case '(':
      error = sd_bus_message_read(message, "(ss)", &other, &text);
      break;
    case 'a':
      return append_names(message, property, to);
    case 'u':
      return append_number<std::uint32_t>(message, property, to);
    case 'i':
      return append_number<std::int32_t>(message, property, to);
    default:
      return append_number<std::uint64_t>(message, property, to);
  }
  if (error >= 0) append_text(to, property.part, text);
  return error;
}

const char* signature_of(const Property& property) {
  switch (property.type) {
    case 's':
      return "s";
    case '(':
      return "(ss)";
    case 'a':
      return "as";
    case 'u':
      return "u";
    case 'i':
      return "i";
    default:
      return "t";
  }
}

/// One entry of a{sv}; what is not asked for, or has another type than it should, is passed over.
template <typename Table>
int take_entry(sd_bus_message* message, const Table& table, Bytes& to) {
  const char* name = nullptr;
  int error = sd_bus_message_read_basic(message, 's', &name);
  if (error < 0) return error;
  const char* contents = nullptr;
  error = sd_bus_message_peek_type(message, nullptr, &contents);
  if (error < 0) return error;
  for (const Property& property : table) {
    if (property.name != name || std::string_view(signature_of(property)) != contents) continue;
    error = sd_bus_message_enter_container(message, SD_BUS_TYPE_VARIANT, contents);
    if (error >= 0) error = append_value_of(message, property, to);
    return error < 0 ? error : sd_bus_message_exit_container(message);
  }
  return sd_bus_message_skip(message, "v");
}

/// A method call that starts no service. 0 or a negative errno; -ENOENT: systemd has no such unit.
int call(sd_bus* bus, const char* path, const char* interface, const char* method,
         const char* argument, Message& reply) {
  sd_bus_message* request = nullptr;
  int error = sd_bus_message_new_method_call(bus, &request, kSystemd, path, interface, method);
  const Message owner(request);
  if (error >= 0) error = sd_bus_message_set_auto_start(request, 0);
  if (error >= 0) error = sd_bus_message_append(request, "s", argument);
  sd_bus_message* answer = nullptr;
  sd_bus_error refusal{};
  if (error >= 0) error = sd_bus_call(bus, request, kCallTimeoutUs, &refusal, &answer);
  reply.reset(answer);
  const bool no_unit = sd_bus_error_has_name(&refusal, "org.freedesktop.systemd1.NoSuchUnit") > 0;
  sd_bus_error_free(&refusal);
  if (no_unit) return -ENOENT;
  if (error == -ENOENT) return -EIO;
  return error < 0 ? error : 0;
}

template <typename Table>
int append_properties(sd_bus* bus, const char* path, const char* interface, const Table& table,
                      Bytes& to) {
  Message reply;
  int error = call(bus, path, kProperties, "GetAll", interface, reply);
  if (error >= 0) error = sd_bus_message_enter_container(reply.get(), SD_BUS_TYPE_ARRAY, "{sv}");
  while (error >= 0) {
    error = sd_bus_message_enter_container(reply.get(), SD_BUS_TYPE_DICT_ENTRY, "sv");
    if (error <= 0) return error;
    error = take_entry(reply.get(), table, to);
    if (error >= 0) error = sd_bus_message_exit_container(reply.get());
  }
  return error;
}

/// The answer of systemd was that there is none, as against no answer.
bool is_refusal(int error) {
  return error != -ETIMEDOUT && error != -ECONNRESET && error != -ENOTCONN && error != -EPIPE;
}

int append_unit(sd_bus* bus, const std::string& name, Bytes& to) {
  Message reply;
  int error = call(bus, "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "GetUnit",
                   name.c_str(), reply);
  // Not loaded: nothing to tell. Nobody there at all: that is told.
  if (error == -ENOENT || error == -EINVAL) return 0;
  if (error < 0) return error;
  const char* path = nullptr;
  error = sd_bus_message_read_basic(reply.get(), 'o', &path);
  if (error < 0) return error;
  Bytes record;
  append_text(record, UnitPart::Name, name.c_str());
  error = append_properties(bus, path, "org.freedesktop.systemd1.Unit", kOfUnits, record);
  if (error >= 0 && name.ends_with(".service")) {
    error = append_properties(bus, path, "org.freedesktop.systemd1.Service", kOfServices, record);
  }
  if (error >= 0 && name.ends_with(".socket")) {
    error = append_properties(bus, path, "org.freedesktop.systemd1.Socket", kOfSockets, record);
  }
  if (error < 0) return is_refusal(error) ? 0 : error;  // it went away in between
  hark::append(to, record);
  return 0;
}

/// `is_bus`: false for a connection straight to systemd.
int connect(const char* address, bool is_bus, Bus& out) {
  sd_bus* bus = nullptr;
  int error = sd_bus_new(&bus);
  if (error < 0) return error;
  out.reset(bus);
  error = sd_bus_set_address(bus, address);
  if (error >= 0) error = sd_bus_set_bus_client(bus, is_bus ? 1 : 0);
  if (error >= 0) error = sd_bus_start(bus);
  return error;
}

/// Root talks to systemd itself, as systemctl does: a bus that does not run yet would be started by
/// being connected to.
int connect_to_systemd(Bus& out) {
  if (::geteuid() == 0 && connect("unix:path=/run/systemd/private", false, out) >= 0) return 0;
  return connect("unix:path=/run/dbus/system_bus_socket", true, out);
}

int read_names(std::vector<std::string>& out) {
  constexpr std::size_t kLargest = std::size_t{2} << 20;
  std::string text;
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -errno;
    if (got == 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > kLargest) return -E2BIG;
  }
  std::string_view rest = text;
  while (!rest.empty()) out.emplace_back(hark::next_piece(rest, '\0'));
  return 0;
}

int write_all(const Bytes& bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t wrote = ::write(STDOUT_FILENO, bytes.data() + done, bytes.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return -errno;
    done += static_cast<std::size_t>(wrote);
  }
  return 0;
}

int run(const char* address) {
  std::vector<std::string> names;
  int error = read_names(names);
  if (error < 0) return error;
  Bus bus;
  error = address != nullptr ? connect(address, true, bus) : connect_to_systemd(bus);
  if (error == -ENOENT) error = -ECONNREFUSED;  // no socket; ENOENT means that we are not there
  Bytes answer;
  for (const std::string& name : names) {
    if (error < 0) return error;
    error = append_unit(bus.get(), name, answer);
  }
  return error < 0 ? error : write_all(answer);
}

}  // namespace

int main(int argc, char** argv) {
  ::alarm(kSeconds);
  const int error = run(argc > 1 ? argv[1] : nullptr);
  constexpr int kLargestStatus = 255;
  if (error >= 0) return 0;
  return -error <= kLargestStatus ? -error : EIO;
}
