#include "host/option_words.h"

#include <algorithm>

namespace hark::host {
namespace {

using Words = std::vector<std::string>;

bool is_one_of(std::string_view word, std::span<const std::string_view> set) {
  return std::ranges::find(set, word) != set.end();
}

class OptionReader {
 public:
  OptionReader(const Words& words, const OptionRules& rules) : words_(words), rules_(rules) {}

  ParsedWords read() {
    for (at_ = 1; at_ < words_.size(); ++at_) {
      const std::string& word = words_[at_];
      const bool ends = word == "--";
      if (ends || (rules_.stops_at_word && !is_option(word))) {
        out_.others.assign(words_.begin() + static_cast<std::ptrdiff_t>(at_ + (ends ? 1 : 0)),
                           words_.end());
        break;
      }
      if (!is_option(word)) {
        out_.others.push_back(word);
      } else if (word.starts_with("--") || rules_.one_dash_is_long) {
        read_long(std::string_view(word).substr(word.starts_with("--") ? 2 : 1));
      } else {
        read_short(std::string_view(word).substr(1));
      }
    }
    return std::move(out_);
  }

 private:
  static bool is_option(const std::string& word) { return word.size() > 1 && word[0] == '-'; }

  void read_long(std::string_view text) {
    const std::size_t equals = text.find('=');
    const std::string_view name = text.substr(0, equals);
    if (equals != std::string_view::npos) {
      out_.options.push_back({std::string(name), std::string(text.substr(equals + 1))});
      return;
    }
    const bool takes = rules_.unknown_takes_value ? !is_one_of(name, rules_.long_without_value)
                                                  : is_one_of(name, rules_.long_with_value);
    out_.options.push_back({std::string(name), takes ? next_value() : std::string()});
  }

  void read_short(std::string_view letters) {
    for (std::size_t i = 0; i < letters.size(); ++i) {
      const std::string name(1, letters[i]);
      if (rules_.short_with_value.find(letters[i]) == std::string_view::npos) {
        out_.options.push_back({name, {}});
        continue;
      }
      std::string_view attached = letters.substr(i + 1);
      if (attached.starts_with('=')) attached.remove_prefix(1);
      out_.options.push_back({name, attached.empty() ? next_value() : std::string(attached)});
      return;
    }
  }

  std::string next_value() { return at_ + 1 < words_.size() ? words_[++at_] : std::string(); }

  const Words& words_;
  const OptionRules& rules_;
  std::size_t at_ = 0;
  ParsedWords out_;
};

}  // namespace

const std::string* ParsedWords::find(std::string_view one, std::string_view other) const {
  const std::string* out = nullptr;
  for (const Option& option : options) {
    if (option.name == one || (!other.empty() && option.name == other)) out = &option.value;
  }
  return out;
}

ParsedWords parse_words(const std::vector<std::string>& words, const OptionRules& rules) {
  return OptionReader(words, rules).read();
}

}  // namespace hark::host
