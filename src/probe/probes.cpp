#include "probe/probes.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"

namespace hark::probe {
namespace {

/// One row a port. Ports of TCP that are not here are waited at, and then asked as HTTP/1.0, the
/// one question that nearly every server of another kind refuses in words of its own.
constexpr Usual kUsual[] = {
    {21, "ftp", ""},          {22, "ssh", ""},          {23, "telnet", ""},
    {24, "smtp", ""},         {25, "smtp", ""},         {53, "dns", ""},
    {80, "http", ""},         {110, "pop3", ""},        {111, "rpcbind", ""},
    {119, "nntp", ""},        {143, "imap", ""},        {389, "ldap", ""},
    {443, "http", "https"},   {465, "smtp", "smtps"},   {554, "rtsp", ""},
    {563, "nntp", "nntps"},   {587, "smtp", ""},        {631, "http", ""},
    {636, "ldap", "ldaps"},   {853, "dns", "dns"},      {873, "rsync", ""},
    {990, "ftp", "ftps"},     {993, "imap", "imaps"},   {995, "pop3", "pop3s"},
    {1080, "socks", ""},      {1433, "mssql", ""},      {1883, "mqtt", ""},
    {2049, "nfs", ""},        {2181, "zookeeper", ""},  {2222, "ssh", ""},
    {2375, "http", ""},       {2376, "http", "https"},  {2379, "http", ""},
    {2525, "smtp", ""},       {3000, "http", ""},       {3128, "http", ""},
    {3268, "ldap", ""},       {3269, "ldap", "ldaps"},  {3306, "mysql", ""},
    {3389, "rdp", ""},        {4190, "sieve", ""},      {4222, "nats", ""},
    {5000, "http", ""},       {5060, "sip", ""},        {5061, "sip", "sips"},
    {5432, "postgresql", ""}, {5433, "postgresql", ""}, {5601, "http", ""},
    {5671, "amqp", "amqps"},  {5672, "amqp", ""},       {5900, "vnc", ""},
    {5901, "vnc", ""},        {6379, "redis", ""},      {6380, "redis", ""},
    {6432, "postgresql", ""}, {6443, "http", "https"},  {6667, "irc", ""},
    {6697, "irc", "ircs"},    {8000, "http", ""},       {8008, "http", ""},
    {8080, "http", ""},       {8081, "http", ""},       {8086, "http", ""},
    {8123, "http", ""},       {8200, "http", ""},       {8443, "http", "https"},
    {8500, "http", ""},       {8883, "mqtt", "mqtts"},  {8888, "http", ""},
    {9000, "http", ""},       {9042, "cassandra", ""},  {9090, "http", ""},
    {9092, "kafka", ""},      {9093, "http", ""},       {9100, "http", ""},
    {9200, "http", ""},       {9443, "http", "https"},  {10250, "http", "https"},
    {10255, "http", ""},      {11211, "memcached", ""}, {15672, "http", ""},
    {26379, "redis", ""},     {27017, "mongodb", ""},   {27018, "mongodb", ""},
    {27019, "mongodb", ""},   {50051, "grpc", ""},
};

std::vector<const Probe*> rows_of(std::initializer_list<std::span<const Probe>> files) {
  std::vector<const Probe*> rows;
  for (const std::span<const Probe> file : files) {
    for (const Probe& row : file) rows.push_back(&row);
  }
  return rows;
}

}  // namespace

Reading not_mine() {
  return {};
}

Reading more() {
  Reading reading;
  reading.verdict = Reading::Verdict::More;
  return reading;
}

Reading known(std::string_view protocol, std::string detail, std::string leave) {
  Reading reading;
  reading.verdict = Reading::Verdict::Known;
  reading.service = Service{std::string(protocol), std::move(detail), false};
  reading.leave = std::move(leave);
  return reading;
}

std::span<const Probe* const> tcp_probes() {
  static const std::vector<const Probe*> kRows =
      rows_of({greeting_probes(), line_probes(), http_probes(), store_probes()});
  return kRows;
}

const Probe* tcp_probe(std::string_view name) {
  static const std::vector<const Probe*> kRows =
      rows_of({greeting_probes(), line_probes(), http_probes(), store_probes(), frame_probes()});
  const auto row = std::ranges::find_if(kRows, [&](const Probe* p) { return p->name == name; });
  return row == kRows.end() ? nullptr : *row;
}

const Usual* usual_on_tcp(std::uint16_t port) {
  const auto* const row =
      std::ranges::find_if(kUsual, [&](const Usual& usual) { return usual.port == port; });
  return row == std::end(kUsual) ? nullptr : row;
}

bool is_tls_record(std::string_view bytes) {
  constexpr std::uint8_t kAlert = 0x15;
  constexpr std::uint8_t kHandshake = 0x16;
  const std::uint8_t type = byte_at(bytes, 0);
  return (type == kAlert || type == kHandshake) && (bytes.size() < 2 || byte_at(bytes, 1) == 3);
}

Line first_line(std::string_view bytes) {
  const std::size_t end = bytes.find('\n');
  if (end == std::string_view::npos) return {bytes, false};
  std::string_view text = bytes.substr(0, end);
  if (text.ends_with('\r')) text.remove_suffix(1);
  return {text, true};
}

std::string quoted(std::string_view bytes, std::size_t most) {
  std::string out;
  for (const char byte : bytes.substr(0, most)) {
    out += byte >= 0x20 && byte < 0x7f ? byte : '?';
  }
  if (bytes.size() > most) out += "…";
  return out;
}

bool contains_word(std::string_view text, std::string_view word) {
  return lower(text).find(lower(word)) != std::string::npos;
}

std::string value_in_json(std::string_view text, std::string_view key) {
  const std::string quoted_key = '"' + std::string(key) + '"';
  const std::size_t at = text.find(quoted_key);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + quoted_key.size());
  const auto skip = [&](std::string_view any) {
    text.remove_prefix(std::min(text.find_first_not_of(any), text.size()));
  };
  skip(" \t\r\n");
  if (!text.starts_with(':')) return {};
  text.remove_prefix(1);
  skip(" \t\r\n");
  const bool string = text.starts_with('"');
  if (string) text.remove_prefix(1);
  return quoted(text.substr(0, text.find_first_of(string ? "\"\\" : ",}] \t\r\n")), 40);
}

std::uint8_t byte_at(std::string_view bytes, std::size_t at) {
  return at < bytes.size() ? static_cast<std::uint8_t>(bytes[at]) : std::uint8_t{0};
}

std::uint16_t be16(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(byte_at(bytes, at) << 8U | byte_at(bytes, at + 1));
}

std::uint32_t be32(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint32_t>(be16(bytes, at)) << 16U | be16(bytes, at + 2);
}

std::uint32_t le32(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;) value = value << 8U | byte_at(bytes, at + i);
  return value;
}

void put_be16(std::string& to, std::uint16_t value) {
  to += static_cast<char>(value >> 8U);
  to += static_cast<char>(value & 0xffU);
}

void put_be32(std::string& to, std::uint32_t value) {
  put_be16(to, static_cast<std::uint16_t>(value >> 16U));
  put_be16(to, static_cast<std::uint16_t>(value & 0xffffU));
}

}  // namespace hark::probe
