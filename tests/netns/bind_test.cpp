// `hark bind` against bind(2) and listen(2): random sets of sockets, then the program itself.
//
// BIND_SETS and BIND_SEED choose how many sets are made and which; the acceptance run is
// BIND_SETS=20000 hark_netns_test --gtest_filter='Bind.*Kernel*'.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <random>
#include <string>

#include "base/text.h"
#include "bind_sets.h"
#include "bind_world.h"
#include "run_in.h"

namespace hark::netns {
namespace {

using nlohmann::json;

std::uint64_t number(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : parse_number<std::uint64_t>(text).value_or(otherwise);
}

BindTally run(BindSets wanted, const char* what) {
  wanted.sets = static_cast<std::uint32_t>(number("BIND_SETS", wanted.sets));
  wanted.seed = number("BIND_SEED", wanted.seed);
  BindTally out = run_bind_sets(wanted);
  std::cout << what << ": seed " << wanted.seed << ", " << out.sets << " sets, " << out.agreed
            << " agreed, " << out.open << " open, " << out.in_use << " in use, " << out.refused
            << " otherwise refused, " << out.holders << " holders named, " << out.proved
            << " sets proved by closing them\n";
  EXPECT_EQ(out.sets, wanted.sets);
  EXPECT_EQ(out.mismatches, "");
  return out;
}

class Bind : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(::geteuid(), 0U) << "needs root"; }
};

TEST_F(Bind, AgreesWithTheKernel) {
  const BindTally tally = run({.seed = 1, .sets = 400, .exact = true}, "fixed");
  EXPECT_EQ(tally.agreed, tally.sets);
  // The sets are such that something is in the way, and holders can be closed.
  EXPECT_GT(tally.in_use * 5, tally.sets);
  EXPECT_GT(tally.refused * 20, tally.sets);
  EXPECT_GT(tally.proved * 10, tally.sets);
}

TEST_F(Bind, AgreesWithTheKernelWhateverTheSeed) {
  const BindTally tally =
      run({.seed = std::random_device()(), .sets = 300, .exact = true}, "fresh");
  EXPECT_EQ(tally.agreed, tally.sets);
}

// Without the kernel's own tables some answers stay open; none is wrong.
TEST_F(Bind, GuessesNothingWithoutTheKernelsTables) {
  const BindTally tally = run({.seed = 2, .sets = 300, .exact = false}, "by sock_diag");
  EXPECT_EQ(tally.agreed + tally.open, tally.sets);
  EXPECT_LT(tally.open * 10, tally.sets);
}

/// A process in a place of its own that holds sockets until it is told to end.
class Holder {
 public:
  explicit Holder(const std::vector<Wanted>& wanted) {
    int ready[2];
    int until[2];
    if (::pipe2(ready, O_CLOEXEC) != 0 || ::pipe2(until, O_CLOEXEC) != 0) return;
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(until[1]);
      hold(wanted, ready[1], until[0]);
    }
    ::close(until[0]);
    ::close(ready[1]);
    until_ = UniqueFd(until[1]);
    const UniqueFd from(ready[0]);
    char byte = 1;
    up_ = ::read(from.get(), &byte, 1) == 1 && byte == 0;
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  ~Holder() {
    until_ = UniqueFd();
    if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
  }
  [[nodiscard]] bool up() const { return up_; }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  [[noreturn]] static void hold(const std::vector<Wanted>& wanted, int ready, int until) {
    bool up = make_place({});
    std::vector<UniqueFd> held;
    for (const Wanted& one : wanted) {
      held.emplace_back();
      up = up && make_socket(one, true, held.back()).error == 0;
    }
    char byte = up ? 0 : 1;
    if (::write(ready, &byte, 1) == 1) static_cast<void>(!::read(until, &byte, 1));
    ::_exit(0);
  }

  pid_t pid_ = -1;
  UniqueFd until_;
  bool up_ = false;
};

Wanted wanted(const char* address, std::uint16_t port) {
  Wanted out;
  out.address = *IpAddress::parse(address);
  out.port = port;
  out.reuseaddr = true;
  return out;
}

class BindProgram : public Bind {
 protected:
  void SetUp() override {
    Bind::SetUp();
    ASSERT_TRUE(holder_.up());
  }

  /// Nothing that hark must not do to find out may happen.
  [[nodiscard]] json ask(const std::vector<std::string>& words, int status, uid_t uid = 0) const {
    std::vector<std::string> all = {"bind", "--json"};
    all.insert(all.end(), words.begin(), words.end());
    const Finished done =
        run_hark({.netns_of = holder_.pid(), .uid = uid, .forbidden = Forbidden::InetSockets}, all);
    EXPECT_EQ(done.status, status) << done.out << done.err;
    const json out = json::parse(done.out, nullptr, false);
    EXPECT_TRUE(out.is_object()) << done.err;
    return out.is_object() ? out : json::object();
  }

  Holder holder_{{wanted("::", 8080), wanted("10.9.0.1", 8081), wanted("127.0.0.1", 8083)}};
};

TEST_F(BindProgram, NamesTheHolder) {
  const json said = ask({"tcp/10.9.0.1:8081"}, 1);
  EXPECT_EQ(said["schema"], "hark.bind/1");
  EXPECT_EQ(said["outcome"], "EADDRINUSE");
  EXPECT_EQ(said["call"], "bind");
  EXPECT_EQ(said["cause"]["code"], "port-in-use");
  ASSERT_EQ(said["conflicts"].size(), 1U);
  EXPECT_EQ(said["conflicts"][0]["address"], "10.9.0.1");
  EXPECT_EQ(said["conflicts"][0]["state"], "LISTEN");
  EXPECT_EQ(said["conflicts"][0]["owners"][0]["pid"], holder_.pid());
  EXPECT_EQ(said["nearest_free"], 8082);
  EXPECT_EQ(said["question"]["reuseaddr"], true);
  EXPECT_EQ(said["question"]["user"], "root");
}

TEST_F(BindProgram, ExplainsADualStackHolder) {
  const json said = ask({"0.0.0.0:8080"}, 1);
  EXPECT_EQ(said["cause"]["code"], "dual-stack-holder");
  EXPECT_EQ(said["conflicts"][0]["address"], "::");
  EXPECT_EQ(said["conflicts"][0]["v6only"], false);
}

TEST_F(BindProgram, SaysWhatIsFree) {
  EXPECT_EQ(ask({"127.0.0.1:8081"}, 0)["outcome"], "succeeds");
  EXPECT_EQ(ask({"udp/[::]:8080"}, 0)["outcome"], "succeeds");
  EXPECT_EQ(ask({"0"}, 0)["outcome"], "succeeds");
  // Bound to every address it would meet the one of 127.0.0.1, and need not if it were of IPv6.
  const json both = ask({"8083"}, 1);
  EXPECT_THAT(both["notes"].dump(), testing::HasSubstr("only IPv4 is taken"));
  EXPECT_EQ(ask({"8083", "--v6only"}, 0)["outcome"], "succeeds");
}

TEST_F(BindProgram, KnowsWhatElseIsInTheWay) {
  EXPECT_EQ(ask({"80", "--user", "61001"}, 1)["outcome"], "EACCES");
  EXPECT_EQ(ask({"80"}, 0)["outcome"], "succeeds");
  EXPECT_EQ(ask({"198.51.100.7:9000"}, 1)["outcome"], "EADDRNOTAVAIL");
  EXPECT_EQ(ask({"9000", "--device", "nowhere"}, 1)["outcome"], "ENODEV");
  EXPECT_EQ(ask({"[fe80::9]:9000"}, 1)["outcome"], "EINVAL");
  EXPECT_EQ(ask({"[fe80::9%one]:9000"}, 0)["outcome"], "succeeds");
}

// The flags of another user's sockets are not his to read, and need not be where they listen.
TEST_F(BindProgram, AnswersAnOrdinaryUser) {
  const json said = ask({"10.9.0.1:8081"}, 1, 61001);
  EXPECT_EQ(said["outcome"], "EADDRINUSE");
  EXPECT_EQ(said["conflicts"][0]["owners"], nullptr);
  const json open = ask({"10.9.0.1:8081", "--reuseport"}, 1, 61001);
  EXPECT_EQ(open["outcome"], "EADDRINUSE");  // another user's port is never shared
}

TEST_F(BindProgram, AnswersFromARecording) {
  const std::string file = "/tmp/hark-bind-" + std::to_string(::getpid()) + ".hark";
  const Finished saved = run_hark({.netns_of = holder_.pid()}, {"save", file});
  ASSERT_EQ(saved.status, 0) << saved.err;
  const auto replayed = [&](const std::string& target, int status) {
    const Finished done = run_hark({.uid = 0}, {"-r", file, "bind", "--json", target});
    EXPECT_EQ(done.status, status) << done.err;
    return json::parse(done.out, nullptr, false);
  };
  const json taken = replayed("10.9.0.1:8081", 1);
  EXPECT_EQ(taken["outcome"], "EADDRINUSE");
  EXPECT_EQ(taken["conflicts"][0]["owners"][0]["pid"], holder_.pid());
  EXPECT_EQ(taken["nearest_free"], 8082);
  EXPECT_EQ(replayed("9000", 0)["outcome"], "succeeds");
  ::unlink(file.c_str());
}

}  // namespace
}  // namespace hark::netns
