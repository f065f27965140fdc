// Reads a rule's bytecode and writes its statements: behind nft_text.h.
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "reach/nft_operand.h"
#include "reach/nft_text.h"

namespace hark::reach::ruletext {

class Writer {
 public:
  Writer(const host::NftRuleset& ruleset, const decode::nft::Rule& rule, const RuleTextHelp& help,
         unsigned depth)
      : ruleset_(ruleset), rule_(rule), help_(help), depth_(depth), headers_(rule.family) {}

  [[nodiscard]] std::string text();

  // One an operation, called by text().
  void write(const decode::nft::Unknown& it);
  void write(const decode::nft::Immediate& it);
  void write(const decode::nft::Cmp& it);
  void write(const decode::nft::Range& it);
  void write(const decode::nft::Bitwise& it);
  void write(const decode::nft::Byteorder& it);
  void write(const decode::nft::Payload& it);
  void write(const decode::nft::PayloadSet& it);
  void write(const decode::nft::Exthdr& it);
  void write(const decode::nft::Meta& it);
  void write(const decode::nft::Ct& it);
  void write(const decode::nft::Notrack& it);
  void write(const decode::nft::Lookup& it);
  void write(const decode::nft::Dynset& it);
  void write(const decode::nft::Fib& it);
  void write(const decode::nft::Rt& it);
  void write(const decode::nft::Socket& it);
  void write(const decode::nft::Nat& it);
  void write(const decode::nft::Masquerade& it);
  void write(const decode::nft::Redirect& it);
  void write(const decode::nft::Reject& it);
  void write(const decode::nft::Tproxy& it);
  void write(const decode::nft::Synproxy& it);
  void write(const decode::nft::Limit& it);
  void write(const decode::nft::Quota& it);
  void write(const decode::nft::Connlimit& it);
  void write(const decode::nft::Numgen& it);
  void write(const decode::nft::Hash& it);
  void write(const decode::nft::Queue& it);
  void write(const decode::nft::ObjectRef& it);
  void write(const decode::nft::Log& it);
  void write(const decode::nft::Counter& it);
  void write(const decode::nft::Last& it);
  void write(const decode::nft::Dup& it);
  void write(const decode::nft::Fwd& it);
  void write(const decode::nft::FlowOffload& it);
  void write(const decode::nft::Osf& it);
  void write(const decode::nft::Xfrm& it);
  void write(const decode::nft::Tunnel& it);
  void write(const decode::nft::Inner& it);
  void write(const decode::nft::XtMatch& it);
  void write(const decode::nft::XtTarget& it);

 private:
  using Reg = decode::nft::Reg;

  void say(std::string statement) { statements_.push_back(std::move(statement)); }
  void leave_out(std::span<const std::size_t> statements);

  // Registers: nft_writer_registers.cpp.
  void load(Reg first, Operand operand);
  void load_words(Reg first, KeyWords key, std::uint32_t length,
                  Operand::Tells tells = Operand::Tells::Nothing);
  /// What stands there, or words for a register that nothing is known of.
  [[nodiscard]] const Operand& at(Reg first) const;
  /// The values that lie one behind the other from a register on, `length` bytes in all.
  [[nodiscard]] std::vector<Operand> values_at(Reg first, std::uint32_t length) const;
  /// An operand in words, with its mask: "meta mark & 0xff | 0x1". Marks its header as used.
  [[nodiscard]] std::string words_of_operand(const Operand& operand);
  /// The same where a value of this kind is expected; a constant is shown as one.
  [[nodiscard]] std::string value_at(Reg first, Show show, bool host_order, std::uint32_t length);
  [[nodiscard]] std::string joined_words(Reg first, std::uint32_t length);
  [[nodiscard]] std::string raw_words(const Operand& operand);

  // Comparisons: nft_writer_compare.cpp.
  struct Side {
    Bytes value;  ///< big-endian, right-aligned
    Bytes mask;   ///< the same; empty: all of it
  };
  [[nodiscard]] Operand compared(Reg sreg, std::size_t length) const;
  void compare(const Operand& operand, decode::nft::CmpOp op, const Bytes& data);
  void compare_range(const Operand& operand, bool negated, const Bytes& from, const Bytes& to);
  [[nodiscard]] std::string relation(const Part& part, decode::nft::CmpOp op, const Side& side);
  [[nodiscard]] std::string short_name(const Operand& operand, decode::nft::CmpOp op,
                                       const Bytes& data) const;
  [[nodiscard]] std::string value(Show show, ByteView big_endian, bool numeric = false) const {
    return value_text(show, big_endian, help_.link_name, numeric);
  }

  // Sets: nft_writer_sets.cpp.
  [[nodiscard]] const decode::nft::Set* find_set(const std::string& name) const;
  /// "@name", or what is in it.
  [[nodiscard]] std::string set_words(const decode::nft::Set& set, std::span<const Operand> keys);
  [[nodiscard]] std::string elements_text(const decode::nft::Set& set,
                                          std::span<const Operand> keys);
  [[nodiscard]] std::string key_text(std::span<const Operand> keys, ByteView from,
                                     ByteView to) const;
  [[nodiscard]] std::string range_text(const Operand& operand, ByteView from, ByteView to,
                                       bool prefixes) const;
  [[nodiscard]] std::string data_text(const decode::nft::Set& set,
                                      const decode::nft::Element& element);
  [[nodiscard]] std::string verdict_text(const decode::nft::VerdictTo& verdict);
  void load_mapped(const decode::nft::Lookup& it, const decode::nft::Set& set,
                   const std::string& words);

  // Statements with targets: nft_writer_actions.cpp.
  [[nodiscard]] std::string address_and_port(std::optional<Reg> address_min,
                                             std::optional<Reg> address_max,
                                             std::optional<Reg> port_min,
                                             std::optional<Reg> port_max, bool ipv6);
  [[nodiscard]] std::string inline_chain(const std::string& name);
  [[nodiscard]] std::string statement_text(const decode::nft::Expression& expression);

  const host::NftRuleset& ruleset_;
  const decode::nft::Rule& rule_;
  const RuleTextHelp& help_;
  unsigned depth_;  ///< of chains within rules
  Headers headers_;
  std::array<Operand, decode::nft::kRegisters> registers_ = {};
  std::vector<std::string> statements_ = {};
  std::size_t next_ = 0;  ///< position of the expression behind the one being written
};

[[nodiscard]] const char* operator_text(decode::nft::CmpOp op);
/// Turned round where the operand stands in this machine's byte order.
[[nodiscard]] Bytes big_endian_of(const Operand& operand, ByteView value);

}  // namespace hark::reach::ruletext
