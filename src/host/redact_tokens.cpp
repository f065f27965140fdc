// Secrets by their looks.
//
// A token is found in the maximal runs of the characters that base64, base64url and hexadecimal
// digits are made of. Known issuers mark theirs with a prefix. Of the others only long ones can be
// told from words, by how often neighbours differ in kind: in random base64 two neighbours are of
// different kinds (upper, lower, digit) six times of ten, in hexadecimal digits nearly five times,
// in names and camelCase two or three times.
#include <algorithm>
#include <array>

#include "host/redact_rules.h"

namespace hark::host {
namespace {

constexpr std::size_t kLongRun = 32;

enum class Kind : std::uint8_t { Other, Upper, Lower, Digit };

Kind kind_of(char c) {
  if (c >= 'A' && c <= 'Z') return Kind::Upper;
  if (c >= 'a' && c <= 'z') return Kind::Lower;
  if (c >= '0' && c <= '9') return Kind::Digit;
  return Kind::Other;
}

bool in_run(char c) {
  return kind_of(c) != Kind::Other || std::string_view("+/=_-").find(c) != std::string_view::npos;
}

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
}

struct Shape {
  std::string_view begin;
  std::size_t shortest;  ///< of what follows
};
constexpr std::array kShapes = {
    Shape{"AKIA", 16},     Shape{"ASIA", 16},        Shape{"ghp_", 20},
    Shape{"gho_", 20},     Shape{"ghu_", 20},        Shape{"ghs_", 20},
    Shape{"ghr_", 20},     Shape{"github_pat_", 20}, Shape{"glpat-", 16},
    Shape{"xoxb-", 10},    Shape{"xoxp-", 10},       Shape{"xoxa-", 10},
    Shape{"xoxr-", 10},    Shape{"xoxs-", 10},       Shape{"xapp-", 10},
    Shape{"sk_live_", 10}, Shape{"rk_live_", 10},    Shape{"sk_test_", 10},
    Shape{"sk-ant-", 10},  Shape{"sk-proj-", 10},    Shape{"AIza", 30},
    Shape{"npm_", 30},     Shape{"pypi-", 40},       Shape{"hf_", 30},
    Shape{"dop_v1_", 30},  Shape{"tskey-", 10},      Shape{"AGE-SECRET-KEY-", 20},
};

bool has_token_shape(std::string_view run) {
  return std::ranges::any_of(kShapes, [&](const Shape& shape) {
    return run.starts_with(shape.begin) && run.size() >= shape.begin.size() + shape.shortest;
  });
}

bool is_uuid(std::string_view run) {
  constexpr std::array<std::size_t, 4> kDashes = {8, 13, 18, 23};
  constexpr std::size_t kLength = 36;
  if (run.size() != kLength) return false;
  for (std::size_t i = 0; i < run.size(); ++i) {
    const bool dash = std::ranges::find(kDashes, i) != kDashes.end();
    if (dash ? run[i] != '-' : !is_hex(run.substr(i, 1))) return false;
  }
  return true;
}

/// Counted over a run: letters and digits, the kinds among them, and how often neighbours differ.
struct Variety {
  std::size_t characters = 0;
  std::size_t changes = 0;
  std::size_t joints = 0;  ///< - _ / between them
  std::array<bool, 4> kinds{};

  explicit Variety(std::string_view run) {
    Kind before = Kind::Other;
    for (const char c : run) {
      const Kind kind = kind_of(c);
      if (kind == Kind::Other) {
        joints += c == '+' || c == '=' ? 0U : 1U;
      } else {
        ++characters;
        changes += before != Kind::Other && kind != before ? 1U : 0U;
      }
      kinds[static_cast<std::size_t>(kind)] = true;
      before = kind;
    }
  }
  [[nodiscard]] bool has(Kind kind) const { return kinds[static_cast<std::size_t>(kind)]; }
  /// At least `tenths` of ten neighbours differ.
  [[nodiscard]] bool changes_often(std::size_t tenths) const {
    return changes * 10 >= characters * tenths;
  }
};

bool looks_random(std::string_view run) {
  const Variety variety(run);
  if (variety.characters < kLongRun) return false;
  const bool letters = variety.has(Kind::Upper) || variety.has(Kind::Lower);
  if (!letters || !variety.has(Kind::Digit)) return false;
  if (variety.has(Kind::Upper) && variety.has(Kind::Lower)) return variety.changes_often(4);
  // One case: hexadecimal, base32. Names joined by dashes change seldom, but are long.
  return variety.joints == 0 && variety.changes_often(3);
}

bool in_path(std::string_view run, std::string_view before) {
  return run.front() == '/' || before.ends_with('.') || before.ends_with('~') ||
         before.ends_with(':') || before.ends_with('@');
}

/// "sha256:", as a word of its own: at the end of a token it may be taken out with the token.
bool names_digest(std::string_view before) {
  constexpr std::size_t kLength = std::string_view("sha256:").size();
  if (!before.ends_with("sha256:") && !before.ends_with("sha512:")) return false;
  before.remove_suffix(kLength);
  return before.empty() || before.back() == '=' || (!in_run(before.back()) && before.back() != '.');
}

bool is_secret_piece(std::string_view piece, std::string_view before, bool keep_ids) {
  if (has_token_shape(piece)) return true;
  if (piece.size() < kLongRun || is_uuid(piece)) return false;
  constexpr std::string_view kPublicKey = "AAAA";  // how base64 of an ssh public key begins
  if (piece.starts_with(kPublicKey)) return false;
  if (is_hex(piece) && (names_digest(before) || (keep_ids && piece.size() == 64))) return false;
  return looks_random(piece);
}

/// Takes a run apart where it is a path: there only pieces of mixed case count, because ids and
/// digests are common names of folders.
void append_run(std::string& out, std::string_view run, std::string_view before, bool keep_ids) {
  const bool path = in_path(run, before) && run.find('/') != std::string_view::npos;
  if (!path) {
    if (is_secret_piece(run, before, keep_ids)) {
      out += kRedacted;
    } else {
      out += run;
    }
    return;
  }
  while (!run.empty()) {
    const std::size_t slash = std::min(run.find('/'), run.size());
    const std::string_view piece = run.substr(0, slash);
    const Variety variety(piece);
    const bool mixed = variety.has(Kind::Upper) && variety.has(Kind::Lower);
    if (!piece.empty() && (mixed || has_token_shape(piece)) &&
        is_secret_piece(piece, {}, keep_ids)) {
      out += kRedacted;
    } else {
      out += piece;
    }
    if (slash < run.size()) out += '/';
    run.remove_prefix(std::min(slash + 1, run.size()));
  }
}

/// The length of a JSON web token at the front (RFC 7519): three base64url parts, the first of
/// which is the text {" encoded; 0: there is none.
std::size_t jwt_length(std::string_view text) {
  if (!text.starts_with("eyJ")) return 0;
  const auto part = [&](std::size_t from) {
    std::size_t end = from;
    while (end < text.size() &&
           (kind_of(text[end]) != Kind::Other || text[end] == '-' || text[end] == '_')) {
      ++end;
    }
    return end;
  };
  const std::size_t header = part(0);
  constexpr std::size_t kShortestHeader = 10;
  if (header < kShortestHeader || header >= text.size() || text[header] != '.') return 0;
  const std::size_t payload = part(header + 1);
  if (payload < text.size() && text[payload] == '.') return part(payload + 1);
  return payload;
}

/// "-----BEGIN … PRIVATE KEY-----": the whole of the text from there on is taken for the key.
bool is_private_key(std::string_view text) {
  constexpr std::string_view kBegin = "-----BEGIN ";
  constexpr std::size_t kLongestLabel = 48;
  if (!text.starts_with(kBegin)) return false;
  text = text.substr(kBegin.size(), kLongestLabel);
  const auto in_label = [](char c) { return kind_of(c) == Kind::Upper || c == ' '; };
  std::size_t end = 0;
  while (end < text.size() && in_label(text[end])) ++end;
  return text.substr(0, end).find("PRIVATE KEY") != std::string_view::npos;
}

}  // namespace

std::string without_tokens(std::string_view text, bool keep_ids) {
  std::string out;
  out.reserve(text.size());
  std::size_t at = 0;
  while (at < text.size()) {
    if (!in_run(text[at])) {
      out += text[at++];
      continue;
    }
    if (is_private_key(text.substr(at))) return out += kRedacted;
    // Dashes in front belong to an option, not to the token.
    if (text[at] == '-') {
      out += text[at++];
      continue;
    }
    if (const std::size_t length = jwt_length(text.substr(at)); length > 0) {
      out += kRedacted;
      at += length;
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && in_run(text[end])) ++end;
    // NAME=VALUE: the name is no part of the token, the padding behind it is.
    // NAME=VALUE: the name is no part of the token. Padding, which nothing follows, is.
    std::size_t equals = at + std::min(text.substr(at, end - at).find('='), end - at);
    while (equals < end && text[equals] == '=') ++equals;
    end = equals;
    append_run(out, text.substr(at, end - at), text.substr(0, at), keep_ids);
    at = end;
  }
  return out;
}

}  // namespace hark::host
