#include "server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/unique_fd.h"

namespace hark::servers {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kPatience{60};

sockaddr_in endpoint(const std::string& address, std::uint16_t port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = ::inet_addr(address.c_str());
  to.sin_port = htons(port);
  return to;
}

UniqueFd connected(std::uint16_t port, int type, const std::string& address = "127.0.0.1") {
  UniqueFd fd(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  const sockaddr_in to = endpoint(address, port);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) return {};
  return fd;
}

/// One step of waiting for bytes; what came, or that nothing did.
enum class Came { Bytes, End, Nothing };
Came receive(int fd, std::chrono::milliseconds patience, std::string& bytes) {
  pollfd wait{fd, POLLIN, 0};
  if (::poll(&wait, 1, static_cast<int>(patience.count())) <= 0) return Came::Nothing;
  std::array<char, 65536> buffer{};
  const ssize_t count = ::recv(fd, buffer.data(), buffer.size(), 0);
  if (count <= 0) return Came::End;
  bytes.assign(buffer.data(), static_cast<std::size_t>(count));
  return Came::Bytes;
}

void hold(probe::Conversation& conversation, int fd) {
  const auto limit = Clock::now() + kPatience;
  conversation.begin();
  while (true) {
    const std::string output = conversation.take_output();
    if (!output.empty()) ::send(fd, output.data(), output.size(), MSG_NOSIGNAL);
    if (conversation.finished()) return;
    ASSERT_LT(Clock::now(), limit);
    std::string bytes;
    switch (receive(fd, conversation.patience(), bytes)) {
      case Came::Bytes:
        conversation.receive(bytes);
        break;
      case Came::End:
        conversation.end_of_stream();
        break;
      case Came::Nothing:
        conversation.quiet();
        break;
    }
  }
}

/// In the child: becomes the user, and the program.
[[noreturn]] void become(const std::vector<std::string>& command, const std::string& user,
                         int out) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(out, STDERR_FILENO);
  if (!user.empty()) {
    const passwd* const who = ::getpwnam(user.c_str());
    if (who == nullptr || ::initgroups(user.c_str(), who->pw_gid) != 0 ||
        ::setgid(who->pw_gid) != 0 || ::setuid(who->pw_uid) != 0) {
      ::_exit(126);
    }
  }
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  ::execvp(words[0], words.data());
  ::_exit(127);
}

pid_t start(const std::vector<std::string>& command, const std::string& user, int out) {
  const pid_t pid = ::fork();
  if (pid == 0) become(command, user, out);
  return pid;
}

}  // namespace

Folder::Folder() {
  std::string name = "/tmp/hark-servers-XXXXXX";
  EXPECT_NE(::mkdtemp(name.data()), nullptr);
  ::chmod(name.c_str(), 0755);
  path_ = name;
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void Folder::give_to(const std::string& user) const {
  const passwd* const who = ::getpwnam(user.c_str());
  ASSERT_NE(who, nullptr) << user;
  EXPECT_EQ(::chown(path_.c_str(), who->pw_uid, who->pw_gid), 0);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path_)) {
    EXPECT_EQ(::chown(entry.path().c_str(), who->pw_uid, who->pw_gid), 0);
  }
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
}

std::string read_file(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

int run(const std::vector<std::string>& command, const std::string& user) {
  const UniqueFd null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  int status = 0;
  ::waitpid(start(command, user, null.get()), &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Server::Server(const std::vector<std::string>& command, std::string log, const std::string& user)
    : log_(std::move(log)) {
  const UniqueFd out(::open(log_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  pid_ = start(command, user, out.get());
}

bool Server::ended() {
  int status = 0;
  if (pid_ < 0 || ::waitpid(pid_, &status, WNOHANG) != pid_) return pid_ < 0;
  pid_ = -1;
  return true;
}

void Server::wait_for(std::uint16_t port, const std::string& address) {
  const auto limit = Clock::now() + kPatience;
  while (connected(port, SOCK_STREAM, address).get() < 0) {
    ASSERT_FALSE(ended()) << "the server has ended:\n" << log();
    ASSERT_LT(Clock::now(), limit) << log();
    ::poll(nullptr, 0, 10);
  }
}

void Server::wait_for_udp(std::uint16_t port) {
  const auto limit = Clock::now() + kPatience;
  while (!talk(port, probe::Scheme::None, {}, Protocol::Udp)) {
    ASSERT_FALSE(ended()) << "the server has ended:\n" << log();
    ASSERT_LT(Clock::now(), limit) << log();
    ::poll(nullptr, 0, 10);
  }
}

void Server::end(int signal) {
  if (pid_ < 0) return;
  ::kill(pid_, signal == 0 ? SIGTERM : signal);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

std::optional<probe::Service> talk(std::uint16_t port, probe::Scheme scheme,
                                   const std::string& host, Protocol protocol) {
  probe::Asked asked;
  asked.protocol = protocol;
  asked.address = *IpAddress::parse("127.0.0.1");
  asked.port = port;
  asked.scheme = scheme;
  asked.host = host;
  asked.now = std::time(nullptr);
  probe::Conversation conversation(asked);
  const UniqueFd fd = connected(port, protocol == Protocol::Udp ? SOCK_DGRAM : SOCK_STREAM);
  if (fd.get() < 0) return std::nullopt;
  hold(conversation, fd.get());
  return conversation.service();
}

std::string words(const std::optional<probe::Service>& service) {
  return service ? service->protocol + ": " + service->detail : "nothing";
}

std::string hark_test(const std::vector<std::string>& arguments, int status) {
  const Folder folder;
  std::string command = HARK_TEST_PROGRAM " test";
  for (const std::string& word : arguments) command += " '" + word + "'";
  EXPECT_EQ(run({"sh", "-c", command + " > " + folder.path("out") + " 2> " + folder.path("err")}),
            status)
      << command << read_file(folder.path("err")) << read_file(folder.path("out"));
  return read_file(folder.path("out"));
}

std::string tried(const std::vector<std::string>& targets) {
  std::vector<std::string> arguments = {"--json"};
  arguments.insert(arguments.end(), targets.begin(), targets.end());
  const auto answer = nlohmann::json::parse(hark_test(arguments, 0), nullptr, false);
  if (!answer.is_object()) return "no JSON";
  std::string out;
  const auto word = [&out](const nlohmann::json& value) {
    out += ' ' + (value.is_string() ? value.get<std::string>()
                  : value.is_null() ? "-"
                                    : value.dump());
  };
  for (const auto& attempt : answer["attempts"]) {
    out += attempt["to"].get<std::string>();
    word(attempt["outcome"]);
    word(attempt["phase"]);
    word(attempt["service"].is_null() ? attempt["service"] : attempt["service"]["protocol"]);
    word(attempt["agrees"]);
    out += '\n';
  }
  return out;
}

std::string ask(std::uint16_t port, const std::string& text) {
  const UniqueFd fd = connected(port, SOCK_STREAM);
  ::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL);
  std::string all;
  std::string bytes;
  while (receive(fd.get(), std::chrono::milliseconds(300), bytes) == Came::Bytes) all += bytes;
  return all;
}

void make_certificate(const std::string& file, const std::string& name, long begins, long ends) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> made(X509_new(), X509_free);
  X509_set_version(made.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), begins);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), ends);
  X509_set_pubkey(made.get(), key.get());
  X509_NAME* const subject = X509_get_subject_name(made.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(made.get(), subject);
  const std::string names = "DNS:" + name;
  X509_EXTENSION* const extension =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
  X509_add_ext(made.get(), extension, -1);
  X509_EXTENSION_free(extension);
  X509_sign(made.get(), key.get(), EVP_sha256());
  FILE* const out = ::fopen(file.c_str(), "we");
  ASSERT_NE(out, nullptr) << file;
  PEM_write_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  PEM_write_X509(out, made.get());
  ::fclose(out);
  ::chmod(file.c_str(), 0600);
}

std::string hashed_name(const std::string& file) {
  FILE* const in = ::fopen(file.c_str(), "re");
  if (in == nullptr) return {};
  X509* const certificate = PEM_read_X509(in, nullptr, nullptr, nullptr);
  ::fclose(in);
  std::array<char, 16> name{};
  std::snprintf(name.data(), name.size(), "%08lx.0", X509_subject_name_hash(certificate));
  X509_free(certificate);
  return name.data();
}

bool installed(const std::string& program) {
  if (program.starts_with('/')) return ::access(program.c_str(), X_OK) == 0;
  for (const char* const folder : {"/usr/bin/", "/usr/sbin/"}) {
    if (::access((folder + program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

void ServersTest::SetUp() {
  ASSERT_EQ(::geteuid(), 0U) << "namespaces need root";
  static const bool made = [] {
    return ::unshare(CLONE_NEWNET) == 0 && run({"ip", "link", "set", "lo", "up"}) == 0;
  }();
  ASSERT_TRUE(made) << "no network namespace";
}

}  // namespace hark::servers
