#include "host/redact_rules.h"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "base/text.h"
#include "host/select_text.h"

namespace hark::host {
namespace {

constexpr std::size_t kLongestName = 128;

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_one_of(std::string_view word, std::span<const std::string_view> list) {
  return std::ranges::find(list, word) != list.end();
}

/// "PGPASSWORD" → pgpassword; "dbPassword2" → db password2; "X-Api-Key" → x api key; an upper case
/// run ends before its last letter if a lower case one follows: "HTTPToken" → http token.
std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> out(1);
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if (!is_upper(c) && !is_lower(c) && !is_digit(c)) {
      if (!out.back().empty()) out.emplace_back();
      continue;
    }
    const bool after_lower = i > 0 && (is_lower(name[i - 1]) || is_digit(name[i - 1]));
    const bool before_lower =
        i > 0 && is_upper(name[i - 1]) && i + 1 < name.size() && is_lower(name[i + 1]);
    if (is_upper(c) && (after_lower || before_lower) && !out.back().empty()) out.emplace_back();
    out.back() += c;
  }
  if (out.back().empty()) out.pop_back();
  for (std::string& word : out) word = lower(word);
  return out;
}

constexpr std::array<std::string_view, 5> kSecretInside = {"password", "passwd", "passphrase",
                                                           "secret", "credential"};
constexpr std::array<std::string_view, 23> kSecretWords = {
    "pass", "pwd",         "pw",         "passcode",  "token",         "tokens",
    "psk",  "creds",       "cred",       "bearer",    "authorization", "cookie",
    "jwt",  "setcookie",   "apikey",     "accesskey", "masterauth",    "authkey",
    "pat",  "requirepass", "privatekey", "sshkey",    "signingkey"};
constexpr std::array<std::string_view, 3> kSecretEnds = {"pass", "pwd", "token"};
constexpr std::array<std::string_view, 5> kNoSecretEnds = {"bypass", "compass", "oldpwd", "surpass",
                                                           "encompass"};
/// What a value is if its name ends so: something about a secret, not the secret.
constexpr std::array<std::string_view, 69> kAboutSecrets = {
    "file",     "files",    "path",     "paths",    "dir",        "directory", "folder",
    "url",      "uri",      "endpoint", "name",     "names",      "id",        "ids",
    "type",     "types",    "length",   "len",      "size",       "min",       "max",
    "ttl",      "expiry",   "timeout",  "lifetime", "age",        "policy",    "count",
    "limit",    "threads",  "format",   "alg",      "algorithm",  "enabled",   "disabled",
    "prompt",   "stdin",    "mode",     "provider", "issuer",     "audience",  "location",
    "interval", "version",  "bits",     "usage",    "server",     "host",      "port",
    "service",  "manager",  "command",  "cmd",      "program",    "domain",    "secure",
    "samesite", "httponly", "fd",       "store",    "backend",    "driver",    "engine",
    "field",    "header",   "method",   "rate",     "expiration", "jar"};
constexpr std::array<std::string_view, 7> kDenials = {"no",  "disable", "skip", "without",
                                                      "max", "min",     "num"};
/// What "key" belongs to where it is no secret.
constexpr std::array<std::string_view, 20> kOpenKeys = {
    "public", "pub",    "sort", "primary", "foreign", "partition", "cache",
    "group",  "hot",    "map",  "shard",   "order",   "routing",   "meta",
    "row",    "column", "host", "index",   "by",      "peer"};

bool is_secret_word(const std::string& word) {
  const auto inside = [&](std::string_view part) { return word.find(part) != std::string::npos; };
  const auto ends = [&](std::string_view part) { return word.ends_with(part); };
  return std::ranges::any_of(kSecretInside, inside) || is_one_of(word, kSecretWords) ||
         (std::ranges::any_of(kSecretEnds, ends) && !is_one_of(word, kNoSecretEnds));
}

bool is_key_name(const std::vector<std::string>& words) {
  const std::string& last = words.back();
  if (words.size() == 1) return last == "key";
  const std::string& before = words[words.size() - 2];
  if (last == "base") return before == "key";
  return last == "key" && !is_one_of(before, kOpenKeys);
}

constexpr SecretPart kAll = SecretPart::All;
constexpr std::array kShortOptions = {
    ShortOption{"mysql*", "-p", true, false, false, kAll},
    ShortOption{"mariadb*", "-p", true, false, false, kAll},
    ShortOption{"sshpass", "-p", true, true, true, kAll},
    ShortOption{"redis-cli", "-a", false, true, false, kAll},
    ShortOption{"valkey-cli", "-a", false, true, false, kAll},
    ShortOption{"mongo*", "-p", false, true, false, kAll},
    ShortOption{"ldap*", "-w", true, true, false, kAll},
    ShortOption{"curl", "-u", true, true, false, SecretPart::AfterColon},
    ShortOption{"curl", "--user", false, true, false, SecretPart::AfterColon},
    ShortOption{"curl", "-U", true, true, false, SecretPart::AfterColon},
    ShortOption{"curl", "--proxy-user", false, true, false, SecretPart::AfterColon},
    ShortOption{"curl", "-b", true, true, false, kAll},
    ShortOption{"http", "-a", false, true, false, SecretPart::AfterColon},
    ShortOption{"smbclient", "-U", true, true, false, SecretPart::AfterPercent},
    ShortOption{"rpcclient", "-U", true, true, false, SecretPart::AfterPercent},
    ShortOption{"lftp", "-u", false, true, false, SecretPart::AfterComma},
    ShortOption{"mosquitto_*", "-P", false, true, false, kAll},
    ShortOption{"rabbitmqadmin", "-p", false, true, false, kAll},
    ShortOption{"sqlcmd", "-P", true, true, false, kAll},
    ShortOption{"bcp", "-P", true, true, false, kAll},
    ShortOption{"7z*", "-p", true, false, false, kAll},
    ShortOption{"zip", "-P", true, true, false, kAll},
    ShortOption{"unzip", "-P", true, true, false, kAll},
    ShortOption{"snmpget", "-c", true, true, false, kAll},
    ShortOption{"snmpwalk", "-c", true, true, false, kAll},
    ShortOption{"snmpset", "-c", true, true, false, kAll},
    ShortOption{"snmpbulk*", "-c", true, true, false, kAll},
    ShortOption{"ipmitool", "-P", true, true, false, kAll},
    ShortOption{"xfreerdp", "/p:", true, false, false, kAll},
    ShortOption{"rdesktop", "-p", true, true, false, kAll},
    ShortOption{"ncftp", "-p", true, true, false, kAll},
    ShortOption{"login", "-p", false, true, true, kAll},  // docker login, helm registry login
};
static_assert(kShortOptions.size() <= 64);

constexpr std::array<std::string_view, 9> kRuntimes = {
    "containerd-shim", "conmon", "runc", "crun", "docker", "podman", "crictl", "nerdctl", "ctr"};

}  // namespace

NameSays name_says(std::string_view name) {
  if (name.size() > kLongestName) name = name.substr(name.size() - kLongestName);
  std::vector<std::string> words = words_of(name);
  // DB_PASSWORD_2, password2
  while (!words.empty() && std::ranges::all_of(words.back(), is_digit)) words.pop_back();
  if (words.empty()) return NameSays::Nothing;
  while (is_digit(words.back().back())) words.back().pop_back();
  if (is_one_of(words.front(), kDenials) || is_one_of(words.back(), kAboutSecrets)) {
    return NameSays::Nothing;
  }
  if (words.size() == 1 && words.front() == "pwd") return NameSays::Key;  // PWD=/home/me
  const bool basic_auth = words.size() > 1 && words.back() == "auth" &&
                          (words[words.size() - 2] == "basic" || words[words.size() - 2] == "http");
  if (basic_auth || std::ranges::any_of(words, is_secret_word)) return NameSays::Secret;
  return is_key_name(words) ? NameSays::Key : NameSays::Nothing;
}

bool is_harmless_value(std::string_view value) {
  constexpr std::array<std::string_view, 6> kAnswers = {"yes", "no", "true", "false", "on", "off"};
  return value.empty() || is_one_of(lower(value), kAnswers);
}

bool is_path_like(std::string_view value) {
  constexpr std::array<std::string_view, 4> kBegins = {"/", "./", "../", "~/"};
  constexpr std::array<std::string_view, 13> kEnds = {".pem", ".key", ".crt", ".json", ".der",
                                                      ".p12", ".pfx", ".pub", ".txt",  ".gpg",
                                                      ".asc", ".jks", ".yaml"};
  // A path with parameters is a request, and these may be secret.
  if (value.find_first_of("?=&") != std::string_view::npos) return false;
  return std::ranges::any_of(kBegins, [&](auto part) { return value.starts_with(part); }) ||
         std::ranges::any_of(kEnds, [&](auto part) { return value.ends_with(part); });
}

std::uint64_t options_of_program(std::string_view word) {
  const std::string_view program = last_part(word);
  std::uint64_t rows = 0;
  for (std::size_t i = 0; i < kShortOptions.size(); ++i) {
    if (matches_glob(kShortOptions[i].program, program)) rows |= std::uint64_t{1} << i;
  }
  return rows;
}

const ShortOption* short_option(std::size_t row) {
  return row < kShortOptions.size() ? &kShortOptions[row] : nullptr;
}

bool handles_containers(std::string_view program) {
  const std::string_view name = last_part(program);
  return std::ranges::any_of(kRuntimes, [&](auto begin) { return name.starts_with(begin); });
}

}  // namespace hark::host
