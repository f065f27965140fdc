// Where servers are told to listen: the configuration files of the programs that most hosts have.
//
// Each format is read as its program reads it, as far as addresses, ports and further files go:
// sshd_config(5); nginx, src/core/ngx_conf_file.c; Apache, server/config.c; postgresql.conf,
// src/backend/utils/misc/guc-file.l; redis.conf, src/config.c; my.cnf, mysys/my_default.c;
// haproxy, doc/configuration.txt. What holds only under a condition (Match, <IfModule>) is left
// out, as is what only the program can work out (variables): to say nothing is better than to say
// something wrong. Anything else is passed over; a file in another format gives nothing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/protocol.h"

namespace hark::decode {

enum class ServerFormat : std::uint8_t { Sshd, Nginx, Apache, Postgres, Redis, Mysql, Haproxy };

struct ServerSetting {
  enum class Kind : std::uint8_t {
    Listen,         ///< an address, a port, or both: a socket of its own
    Port,           ///< the port for all addresses that have none
    Address,        ///< an address for all ports
    Include,        ///< a file, or a pattern of files
    IncludeFolder,  ///< a folder of files
    Root,           ///< the folder below which names of files are meant
    Off,            ///< it does not listen at all
  };
  Kind kind = Kind::Listen;
  std::string value;  ///< without quotes, any bytes but NUL and newline
  Protocol protocol = Protocol::Tcp;
  std::uint32_t line = 0;
  bool operator==(const ServerSetting&) const = default;
};

constexpr std::size_t kMostServerSettings = 4096;
constexpr std::size_t kLongestServerValue = 256;

/// In the order of the file; at most kMostServerSettings.
[[nodiscard]] std::vector<ServerSetting> decode_server_config(ServerFormat format, ByteView file);

/// The file with nothing in it but what decode_server_config() takes from it, whatever its format,
/// line by line: passwords and keys of other settings do not go into a recording. What is decoded
/// from the result is what is decoded from the file. To do it twice is to do it once.
[[nodiscard]] Bytes without_other_settings(ByteView file);

}  // namespace hark::decode
