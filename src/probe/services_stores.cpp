// Stores and queues that are asked in text, or whose refusals are text: Redis, memcached,
// ZooKeeper, AMQP. What they answer to another protocol's question tells them as well.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "probe/probes.h"

namespace hark::probe {
namespace {

/// INFO reads; it is answered, or refused in words that tell Redis just as well. The goodbye of
/// newer versions needs none: closing is what every client does.
std::string ask_redis(const Asked&) {
  return "INFO server\r\n";
}

/// The value of "key:value" among the lines of INFO.
std::string_view info_of(std::string_view info, std::string_view key) {
  while (!info.empty()) {
    std::string_view line = next_piece(info, '\n');
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == ':') {
      return line.substr(key.size() + 1);
    }
  }
  return {};
}

std::string redis_words(std::string_view info) {
  const std::string_view valkey = info_of(info, "valkey_version");
  const std::string_view fly = info_of(info, "dragonfly_version");
  std::string words;
  if (!valkey.empty()) {
    words = "Valkey " + quoted(valkey, 30);
  } else if (!fly.empty()) {
    words = "Dragonfly " + quoted(fly, 30);
  } else {
    words = "Redis " + quoted(info_of(info, "redis_version"), 30);
  }
  const std::string_view mode = info_of(info, "redis_mode");
  if (!mode.empty()) words += ", " + quoted(mode, 20);
  return words + ", answers without a password";
}

/// Refusals that only Redis has, in its own words (server.c, networking.c of Redis).
struct Refusal {
  std::string_view prefix;
  std::string_view words;
};
constexpr std::array kRefusals = {
    Refusal{"-NOAUTH", "wants a password"},
    Refusal{"-DENIED", "protected mode: refuses all but loopback"},
    Refusal{"-NOPERM", "answers without a password, may not tell its version"},
    Refusal{"-LOADING", "loads its data, serves nobody yet"},
    Refusal{"-MASTERDOWN", "a replica without its master"},
    Refusal{"-ERR unknown command", "answers without a password"},
    Refusal{"-ERR wrong number of arguments for 'get'", "answers without a password"},
    Refusal{"-ERR max number of clients", "refuses: too many clients"},
};

Reading read_redis(const Heard& heard) {
  const std::string_view all = heard.bytes;
  if (all.starts_with('-')) {
    // "-ERR" greets in POP3 too: what follows tells them apart.
    const Line line = first_line(all);
    if (!line.whole && !heard.ended) return more();
    for (const Refusal& row : kRefusals) {
      if (line.text.starts_with(row.prefix)) return known("redis", std::string(row.words));
    }
    return not_mine();
  }
  if (heard.asked == 0 || !all.starts_with('$')) return not_mine();
  const std::size_t end = all.find('\n');
  if (end == std::string_view::npos) return heard.ended ? not_mine() : more();
  const auto length = parse_number<std::size_t>(first_line(all).text.substr(1));
  if (!length || *length > 65536) return not_mine();
  const std::string_view info = all.substr(end + 1);
  if (info.size() < *length && !heard.ended) return more();
  if (info.find("_version:") == std::string_view::npos) return not_mine();
  return known("redis", redis_words(info));
}

std::string ask_memcached(const Asked&) {
  return "version\r\n";
}

/// protocol.txt of memcached: "VERSION 1.6.18", or "ERROR" for what it does not know.
Reading read_memcached(const Heard& heard) {
  const Line line = first_line(heard.bytes);
  for (const std::string_view word : {"VERSION ", "ERROR"}) {
    if (!line.text.starts_with(word.substr(0, line.text.size()))) continue;
    if (!line.whole) return heard.ended ? not_mine() : more();
    if (!line.text.starts_with(word)) continue;
    if (word == "ERROR") {
      const bool alone = line.text == "ERROR" && heard.asked > 0;
      return alone ? known("memcached", "knows no such command", "quit\r\n") : not_mine();
    }
    return known("memcached", quoted(line.text.substr(word.size()), 40), "quit\r\n");
  }
  return not_mine();
}

/// The one four-letter word that is allowed unless the administrator forbids it.
std::string ask_zookeeper(const Asked&) {
  return "srvr";
}

Reading read_zookeeper(const Heard& heard) {
  constexpr std::string_view kVersion = "Zookeeper version: ";
  const Line line = first_line(heard.bytes);
  if (line.text.starts_with("srvr is not executed")) return known("zookeeper", "srvr is forbidden");
  if (line.text.starts_with("This ZooKeeper instance is not currently serving")) {
    return known("zookeeper", "not serving requests");
  }
  if (heard.asked == 0 || !line.text.starts_with(kVersion.substr(0, line.text.size()))) {
    return not_mine();
  }
  if (!heard.ended) return more();
  const std::size_t mode = heard.bytes.find("\nMode: ");
  std::string words = quoted(line.text.substr(std::min(kVersion.size(), line.text.size())), 40);
  if (mode != std::string_view::npos) {
    words += ", " + quoted(first_line(heard.bytes.substr(mode + 7)).text, 20);
  }
  return known("zookeeper", std::move(words));
}

/// AMQP 0-9-1 2.2.4: the protocol header. The broker answers Connection.Start, or the header of
/// the version that it speaks instead.
std::string ask_amqp(const Asked&) {
  return raw("AMQP\0\0\x09\x01");
}

/// The string value of a key of Connection.Start's table: key, 'S', length of 4 bytes, bytes.
std::string amqp_property(std::string_view frame, std::string_view key) {
  std::string field(1, static_cast<char>(key.size()));
  field += key;
  field += 'S';
  const std::size_t at = frame.find(field);
  if (at == std::string_view::npos) return {};
  const std::size_t length = be32(frame, at + field.size());
  if (at + field.size() + 4 > frame.size()) return {};
  return quoted(frame.substr(at + field.size() + 4, length), 40);
}

Reading read_amqp(const Heard& heard) {
  const std::string_view all = heard.bytes;
  constexpr std::string_view kHeader = "AMQP";
  if (kHeader.starts_with(all.substr(0, kHeader.size()))) {
    if (all.size() < 8) return heard.ended ? not_mine() : more();
    std::string version = std::to_string(byte_at(all, 5)) + '-' + std::to_string(byte_at(all, 6)) +
                          '-' + std::to_string(byte_at(all, 7));
    return known("amqp", "speaks version " + version);
  }
  // A method frame of channel 0: type 1, channel 2, size 4, class 10, method 10, version 2.
  constexpr std::size_t kHead = 7;
  if (heard.asked == 0 || byte_at(all, 0) != 1 || be16(all, 1) != 0) return not_mine();
  if (all.size() < kHead + 6) return heard.ended ? not_mine() : more();
  if (be16(all, kHead) != 10 || be16(all, kHead + 2) != 10) return not_mine();
  const std::size_t size = be32(all, 3);
  if (all.size() < kHead + size + 1 && !heard.ended) return more();
  const std::string product = amqp_property(all, "product");
  const std::string version = amqp_property(all, "version");
  std::string words = product.empty() ? "AMQP 0-9-1" : product;
  if (!version.empty()) words += ' ' + version;
  return known("amqp", std::move(words));
}

constexpr Probe kRows[] = {
    {"redis", ask_redis, read_redis},
    {"memcached", ask_memcached, read_memcached},
    {"zookeeper", ask_zookeeper, read_zookeeper},
    {"amqp", ask_amqp, read_amqp},
};

}  // namespace

std::span<const Probe> store_probes() {
  return kRows;
}

}  // namespace hark::probe
