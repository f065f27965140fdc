#include "host/rulesets.h"

#include <gtest/gtest.h>

#include <deque>

#include "decode/testing.h"
#include "host/fake_source.h"

namespace hark::host {
namespace {

namespace nft = decode::nft;
using decode::testdata;

constexpr int kNetlinkNetfilter = 12;

/// The recorded answers; generations are given one after the other, the last one for ever.
class NftSource : public FakeSource {
 public:
  NftSource() {
    answer(0, kNetlinkNetfilter, nft::tables_request(), testdata("nft-tables.bin"));
    answer(0, kNetlinkNetfilter, nft::chains_request(), testdata("nft-chains.bin"));
    answer(0, kNetlinkNetfilter, nft::rules_request(), testdata("nft-rules.bin"));
    answer(0, kNetlinkNetfilter, nft::objects_request(), testdata("nft-objects.bin"));
    answer(0, kNetlinkNetfilter, nft::flowtables_request(), {});
    answer(0, kNetlinkNetfilter, nft::sets_request(), {});
  }
  void generations(std::initializer_list<unsigned> ids) { generations_.assign(ids); }
  Result<Bytes> netlink(const kernel::NetnsRef& netns, int protocol, ByteView request) override {
    const Bytes wanted = nft::generation_request();
    if (!std::equal(request.begin(), request.end(), wanted.begin(), wanted.end())) {
      return FakeSource::netlink(netns, protocol, request);
    }
    ++asked;
    if (generations_.empty()) return fail(kernel_error(error, "netlink"));
    const unsigned id = generations_.front();
    if (generations_.size() > 1) generations_.pop_front();
    Bytes messages = testdata("nft-generation.bin");
    // struct nlmsghdr, struct nfgenmsg, then NFTA_GEN_ID: a number of 32 bits, big-endian.
    constexpr std::size_t kLowestByte = 16 + 4 + 4 + 3;
    messages[kLowestByte] = static_cast<std::byte>(id);
    return messages;
  }
  int asked = 0;
  int error = EPERM;

 private:
  std::deque<unsigned> generations_;
};

TEST(ReadNft, OneState) {
  NftSource source;
  source.generations({7});
  const auto ruleset = read_nft(source, {});
  ASSERT_TRUE(ruleset) << reason(ruleset.error());
  EXPECT_EQ(ruleset->generation, 7U);
  EXPECT_TRUE(ruleset->settled);
  EXPECT_EQ(ruleset->rules.size(), 41U);
  EXPECT_EQ(ruleset->chains.size(), 6U);
  EXPECT_EQ(source.asked, 2);
}

TEST(ReadNft, IsReadAgainWhenItChanged) {
  NftSource source;
  source.generations({1, 2, 3, 3});
  const auto ruleset = read_nft(source, {});
  ASSERT_TRUE(ruleset);
  EXPECT_EQ(ruleset->generation, 3U);
  EXPECT_TRUE(ruleset->settled);
  EXPECT_EQ(source.asked, 4);
}

TEST(ReadNft, ButNotForEver) {
  NftSource source;
  source.generations({1, 2, 3, 4, 5, 6, 7, 8});
  const auto ruleset = read_nft(source, {});
  ASSERT_TRUE(ruleset);
  EXPECT_FALSE(ruleset->settled);
  EXPECT_EQ(ruleset->generation, 5U);
  EXPECT_EQ(source.asked, 5);
}

TEST(ReadNft, WithoutTheRightThereIsAnError) {
  NftSource source;
  const auto ruleset = read_nft(source, {});
  ASSERT_FALSE(ruleset);
  EXPECT_EQ(ruleset.error().code, EPERM);
}

TEST(ReadNft, AKernelWithoutNfTablesHasNoRules) {
  NftSource source;
  source.error = EINVAL;
  const auto ruleset = read_nft(source, {});
  ASSERT_TRUE(ruleset);
  EXPECT_EQ(*ruleset, NftRuleset{});
}

TEST(ReadNft, ASetThatIsGoneIsAnErrorOnlyIfNothingChanged) {
  NftSource source;
  source.answer(0, kNetlinkNetfilter, nft::sets_request(), testdata("nft-sets.bin"));
  source.generations({1});
  const auto ruleset = read_nft(source, {});
  ASSERT_FALSE(ruleset);
  EXPECT_EQ(ruleset.error().code, ENOENT);
}

}  // namespace
}  // namespace hark::host
