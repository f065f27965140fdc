#include "show/bind_json.h"

#include <array>
#include <cerrno>
#include <string>

#include "base/protocol.h"
#include "show/class_json.h"
#include "show/json_parts.h"
#include "show/why_words.h"

namespace hark::show {
namespace {

using decode::SocketRecord;

/// A socket without a file has no process; what lies beyond the sockets whose owners were looked
/// for is not known.
host::Listener as_listener(const BindReport& report, const host::PortSocket& socket) {
  const SocketRecord& record = socket.bound.socket;
  host::Listener out;
  if (socket.listener) out = report.host.listeners[*socket.listener];
  out.protocol = record.protocol;
  out.address = record.local;
  out.port = record.local_port;
  out.netns = report.network.netns;
  out.socket.inode = record.inode;
  out.socket.uid = record.uid;
  if (!socket.listener) {
    out.socket.cookie = record.cookie;
    if (record.inode == 0) out.owners.emplace();
  }
  return out;
}

Json endpoint_json(const IpAddress& address, std::uint16_t port) {
  if (port == 0) return nullptr;
  return {{"address", address.text()}, {"port", port}};
}

Json conflict_json(const BindReport& report, const host::PortSocket& socket) {
  if (is_listener(socket) && socket.listener) {
    return listener_json(report.host, report.host.listeners[*socket.listener]);
  }
  const SocketRecord& record = socket.bound.socket;
  const Json known = listener_json(report.host, as_listener(report, socket));
  const auto index = record.interface_index.value_or(0);
  const bool inet = record.local.family == Family::Inet;
  return {{"protocol", std::string(name_of(record.protocol))},
          {"family", known["family"]},
          {"address", known["address"]},
          {"port", known["port"]},
          {"v6only", inet || !record.v6only ? Json(nullptr) : Json(*record.v6only)},
          {"interface", index == 0 ? Json(nullptr) : link_json(report.network, index)},
          {"netns", known["netns"]},
          {"remote", endpoint_json(record.remote, record.remote_port)},
          {"state", state_word(socket)},
          {"socket", known["socket"]},
          {"unit", known["unit"]},
          {"container", known["container"]},
          {"owners", known["owners"]}};
}

Json question_json(const BindReport& report) {
  const diagnose::BindQuestion& asked = report.answer.question;
  const host::BindUser& user = report.facts.user;
  const bool v6 = asked.address.family == Family::Inet6;
  return {{"target", for_json(report.written)},
          {"protocol", std::string(name_of(asked.protocol))},
          {"address", asked.address.text()},
          {"port", asked.port},
          {"interface", text_or_null(asked.zone)},
          {"reuseaddr", asked.reuseaddr},
          {"reuseport", asked.reuseport},
          {"v6only", v6 ? Json(asked.v6only) : Json(nullptr)},
          {"device", text_or_null(asked.device)},
          {"user", user.name.empty() ? Json(std::to_string(user.uid)) : Json(for_json(user.name))},
          {"uid", user.uid},
          {"netns", netns_json(report.host.at(report.network.netns))}};
}

}  // namespace

void write_bind_json(const BindReport& report, const Sink& sink) {
  const diagnose::BindAnswer& answer = report.answer;
  const bool failed = answer.error && *answer.error != 0;
  JsonWriter writer(sink);
  writer.head("hark.bind/1", report.host);
  writer.member("question", question_json(report));
  writer.member("outcome", outcome_word(answer));
  writer.member("call", failed ? Json(std::string(name_of(answer.call))) : Json(nullptr));
  writer.member("cause", cause_json(answer.cause));
  writer.list("conflicts", answer.conflicts.size(), [&](std::size_t i) {
    return conflict_json(report, report.facts.sockets[answer.conflicts[i]]);
  });
  writer.member("nearest_free", answer.nearest_free ? Json(*answer.nearest_free) : Json(nullptr));
  writer.list("notes", report.notes.size(),
              [&](std::size_t i) { return Json(for_json(report.notes[i])); });
  writer.list("gaps", report.gaps.size(), [&](std::size_t i) { return gap_json(report.gaps[i]); });
  writer.end();
}

bool is_listener(const host::PortSocket& socket) {
  const SocketRecord& record = socket.bound.socket;
  if (record.protocol == Protocol::Tcp) return record.state == kTcpListen;
  return record.state == kTcpClose;
}

std::string state_word(const host::PortSocket& socket) {
  constexpr std::array<const char*, 13> kStates = {
      "UNKNOWN", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT",
      "BOUND",   "CLOSE_WAIT",  "LAST_ACK", "LISTEN",   "CLOSING",   "SYN_RECV"};
  const SocketRecord& record = socket.bound.socket;
  if (socket.bound.time_wait) return "TIME_WAIT";
  if (record.protocol != Protocol::Tcp && record.state == kTcpClose) return "UNCONN";
  return record.state < kStates.size() ? kStates[record.state] : kStates[0];
}

std::string outcome_word(const diagnose::BindAnswer& answer) {
  if (!answer.error) return "unknown";
  return *answer.error == 0 ? "succeeds" : errno_name(*answer.error);
}

}  // namespace hark::show
