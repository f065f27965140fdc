// HTTP and what is like it (RTSP, SIP), HTTP/2 without TLS, and the products that are told by
// their answers: Docker, etcd, Kubernetes, Prometheus, Elasticsearch and others.
#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"
#include "probe/probes.h"

namespace hark::probe {
namespace {

/// Of a body only the beginning is of interest.
constexpr std::size_t kEnoughBody = 2048;

/// Where a product tells its name and version, or that it is well, to everybody.
struct Page {
  std::uint16_t port = 0;
  std::string_view path;
};
constexpr std::array kPages = {
    Page{2375, "/version"},  Page{2376, "/version"},   Page{2379, "/version"},
    Page{6443, "/version"},  Page{9090, "/-/healthy"}, Page{9093, "/-/healthy"},
    Page{10250, "/healthz"}, Page{10255, "/healthz"},  Page{8086, "/ping"},
    Page{8123, "/ping"},
};

/// The path of a URL is a stranger's too: no byte of it may end the line.
std::string harmless(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (byte > 0x20 && byte != 0x7f) {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4U];
      out += kHex[byte & 0xfU];
    }
  }
  return out;
}

std::string host_header(const Asked& asked) {
  std::string host = asked.host.empty() ? asked.address.text() : harmless(asked.host);
  if (host.find(':') != std::string::npos) host = '[' + host + ']';
  if (asked.port != 80 && asked.port != 443) host += ':' + std::to_string(asked.port);
  return host;
}

std::string path_for(const Asked& asked) {
  if (!asked.path.empty()) return (asked.path.front() == '/' ? "" : "/") + harmless(asked.path);
  if (asked.scheme != Scheme::None) return "/";
  const auto page = std::ranges::find(kPages, asked.port, &Page::port);
  return page == kPages.end() ? "/" : std::string(page->path);
}

std::string ask_http(const Asked& asked) {
  return "GET " + path_for(asked) + " HTTP/1.1\r\nHost: " + host_header(asked) +
         "\r\nUser-Agent: hark/" HARK_VERSION "\r\nAccept: */*\r\nConnection: close\r\n\r\n";
}

/// To a port of which nothing is known. No Host: line, as Redis takes it for an attack and says so
/// in its log; every other server of lines answers with an error.
std::string ask_any(const Asked&) {
  return "GET / HTTP/1.0\r\n\r\n";
}

std::string ask_options(const Asked& asked, std::string_view version) {
  const bool sip = version.starts_with("SIP");
  const std::string scheme = sip ? "sip:" : "rtsp://";
  std::string out = "OPTIONS " + scheme + host_header(asked) + ' ' + std::string(version) + "\r\n";
  if (sip) {
    out +=
        "Via: SIP/2.0/TCP hark.invalid;branch=z9hG4bKhark\r\nFrom: "
        "<sip:hark@hark.invalid>;tag=1\r\n"
        "To: <sip:" +
        host_header(asked) +
        ">\r\nCall-ID: hark\r\nMax-Forwards: 1\r\n"
        "Content-Length: 0\r\n";
  }
  return out + (sip ? "CSeq: 1 OPTIONS\r\n\r\n" : "CSeq: 1\r\n\r\n");
}

std::string ask_rtsp(const Asked& asked) {
  return ask_options(asked, "RTSP/1.0");
}

std::string ask_sip(const Asked& asked) {
  return ask_options(asked, "SIP/2.0");
}

struct Answer {
  std::string_view status;  ///< "200 OK"
  std::string_view head;    ///< all header lines
  std::string_view body;    ///< as much as came
  bool whole_head = false;
};

/// The value of a header, by its name in any case.
std::optional<std::string_view> header(const Answer& answer, std::string_view name) {
  std::string_view head = answer.head;
  while (!head.empty()) {
    std::string_view line = next_piece(head, '\n');
    const std::size_t colon = line.find(':');
    if (colon != name.size() || lower(line.substr(0, colon)) != lower(name)) continue;
    line.remove_prefix(colon + 1);
    while (line.starts_with(' ')) line.remove_prefix(1);
    while (line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
    return line;
  }
  return std::nullopt;
}

Answer parse(std::string_view bytes) {
  Answer out;
  const Line line = first_line(bytes);
  const std::size_t blank = line.text.find(' ');
  if (blank != std::string_view::npos) out.status = line.text.substr(blank + 1);
  if (!line.whole) return out;
  const std::string_view rest = bytes.substr(bytes.find('\n') + 1);
  std::size_t end = rest.starts_with("\r\n") ? 0 : rest.find("\r\n\r\n");
  std::size_t gap = end == 0 ? 2 : 4;
  if (end == std::string_view::npos) {
    end = rest.find("\n\n");
    gap = 2;
  }
  out.whole_head = end != std::string_view::npos;
  out.head = rest.substr(0, end);
  if (out.whole_head) out.body = rest.substr(end + gap);
  return out;
}

/// What a header, or the body, says of the product. The version is that header's value, or the
/// value of that key of a JSON body.
struct Product {
  std::string_view name;
  std::string_view header;       ///< that has to be there; empty: any answer
  std::string_view body;         ///< what the body has to contain; empty: any
  std::string_view version_key;  ///< of the body; empty: the header's value is the version
};
constexpr std::array kProducts = {
    Product{"Elasticsearch", "X-elastic-product", "", "number"},
    Product{"Elasticsearch", "", "\"lucene_version\"", "number"},
    Product{"etcd", "", "\"etcdserver\"", "etcdserver"},
    Product{"Kubernetes API", "", "\"gitVersion\"", "gitVersion"},
    Product{"Kubernetes API", "X-Kubernetes-Pf-Flowschema-Uid", "", "gitVersion"},
    Product{"Docker API", "Docker-Experimental", "", "Version"},
    Product{"Podman API", "Libpod-API-Version", "", ""},
    Product{"Prometheus", "", "Prometheus Server is Healthy", "-"},
    Product{"Prometheus", "", "Prometheus is Healthy", "-"},
    Product{"ClickHouse", "X-ClickHouse-Summary", "", "-"},
    Product{"InfluxDB", "X-Influxdb-Version", "", ""},
    Product{"Jenkins", "X-Jenkins", "", ""},
    Product{"CouchDB", "", "\"couchdb\":\"Welcome\"", "version"},
    Product{"MongoDB", "", "trying to access MongoDB over HTTP", "-"},
    Product{"node exporter", "", "Node Exporter", "-"},
};

std::string product_of(const Answer& answer) {
  for (const Product& row : kProducts) {
    const std::optional<std::string_view> value =
        row.header.empty() ? std::nullopt : header(answer, row.header);
    if (!row.header.empty() && !value) continue;
    if (!row.body.empty() && answer.body.find(row.body) == std::string_view::npos) continue;
    const std::string version =
        row.version_key.empty() ? quoted(*value, 40) : value_in_json(answer.body, row.version_key);
    return std::string(row.name) + (version.empty() ? "" : " ") + version;
  }
  return {};
}

/// What servers of TLS say when they are asked in plain HTTP: nginx, Apache, Go, Node and Java.
bool wanted_tls(const Answer& answer) {
  constexpr std::array<std::string_view, 5> kSaid = {
      "plain HTTP request was sent to HTTPS port", "speaking plain HTTP to an SSL-enabled",
      "Client sent an HTTP request to an HTTPS server",
      "This combination of host and port requires TLS", "Use the HTTPS scheme to access this URL"};
  return answer.status.starts_with('4') && std::ranges::any_of(kSaid, [&](std::string_view said) {
           return contains_word(answer.body, said);
         });
}

std::string words_of(const Answer& answer) {
  std::string out = product_of(answer);
  if (!out.empty()) out += ": ";
  out += quoted(answer.status, 60);
  if (const auto to = header(answer, "Location")) out += " to " + quoted(*to);
  if (const auto server = header(answer, "Server")) out += ", server " + quoted(*server, 60);
  if (const auto by = header(answer, "X-Powered-By")) out += ", by " + quoted(*by, 40);
  if (const auto want = header(answer, "WWW-Authenticate")) out += ", wants " + quoted(*want, 60);
  return out;
}

/// Is the body needed, and not all here yet?
bool waits_for_body(const Answer& answer, const Heard& heard) {
  if (heard.ended || answer.body.size() >= kEnoughBody) return false;
  const auto length = header(answer, "Content-Length");
  if (length) {
    const auto bytes = parse_number<std::uint64_t>(*length);
    if (bytes && answer.body.size() >= *bytes) return false;
  }
  if (answer.body.ends_with("\r\n0\r\n\r\n")) return false;
  const std::string_view type = header(answer, "Content-Type").value_or("");
  const bool told = answer.status.starts_with("400") || contains_word(type, "json") ||
                    std::ranges::find(kPages, heard.port, &Page::port) != kPages.end();
  return told;
}

Reading read_like(const Heard& heard, std::string_view prefix, std::string_view name) {
  if (!heard.bytes.starts_with(prefix.substr(0, heard.bytes.size()))) return not_mine();
  const Answer answer = parse(heard.bytes);
  if (!heard.ended && (!answer.whole_head || waits_for_body(answer, heard))) return more();
  if (answer.status.size() < 3) return not_mine();
  if (name == "http" && wanted_tls(answer)) {
    Reading reading = known("https", "asked in plain HTTP it wants TLS: " + words_of(answer));
    return reading;
  }
  if (name == "http" && contains_word(answer.body, "trying to access MongoDB over HTTP")) {
    return known("mongodb", "says so to an HTTP client");
  }
  return known(name, words_of(answer));
}

Reading read_http(const Heard& heard) {
  return read_like(heard, "HTTP/", "http");
}

Reading read_rtsp(const Heard& heard) {
  return read_like(heard, "RTSP/", "rtsp");
}

Reading read_sip(const Heard& heard) {
  return read_like(heard, "SIP/", "sip");
}

/// A page without a status: what servers send to what they take for HTTP/0.9.
Reading read_page(const Heard& heard) {
  const std::string start = lower(heard.bytes.substr(0, 14));
  for (const std::string_view tag : {"<html", "<!doctype html"}) {
    if (start.starts_with(tag)) {
      const bool tls = wanted_tls(Answer{"400", {}, heard.bytes, true});
      if (tls) return known("https", "asked in plain HTTP it wants TLS");
      return heard.ended ? known("http", "a page without a status") : more();
    }
    if (std::string_view(tag).starts_with(start) && !heard.ended) return more();
  }
  return not_mine();
}

/// RFC 9113 3.4: the preface, and an empty SETTINGS frame.
std::string ask_http2(const Asked&) {
  return raw("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") + raw("\0\0\0\4\0\0\0\0\0");
}

/// A SETTINGS frame: length a multiple of 6, type 4, no flags, stream 0. Servers of HTTP/2 alone
/// send it whatever they are asked. GOAWAY, with no stream used and no error, is the goodbye.
Reading read_http2(const Heard& heard) {
  constexpr std::size_t kFrameHead = 9;
  const std::string_view all = heard.bytes;
  if (byte_at(all, 0) != 0 || byte_at(all, 1) != 0) return not_mine();
  if (all.size() < kFrameHead) return heard.ended || all.size() < 4 ? not_mine() : more();
  if (byte_at(all, 2) % 6 != 0 || byte_at(all, 3) != 4 || byte_at(all, 4) != 0) return not_mine();
  if (be32(all, 5) != 0) return not_mine();
  const bool grpc = heard.port == 50051;
  const bool spoken = heard.asked > 0 && grpc;
  return known("http2", grpc ? "HTTP/2 without TLS, as gRPC speaks it" : "HTTP/2 without TLS only",
               spoken ? raw("\0\0\x08\7\0\0\0\0\0\0\0\0\0\0\0\0\0") : std::string());
}

constexpr Probe kRows[] = {
    {"http", ask_http, read_http}, {"any", ask_any, read_page},     {"rtsp", ask_rtsp, read_rtsp},
    {"sip", ask_sip, read_sip},    {"grpc", ask_http2, read_http2},
};

}  // namespace

std::span<const Probe> http_probes() {
  return kRows;
}

}  // namespace hark::probe
