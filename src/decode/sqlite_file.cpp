#include "decode/sqlite_file.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <vector>

namespace hark::decode {
namespace {

constexpr std::string_view kMagic("SQLite format 3\0", 16);
constexpr std::size_t kFileHead = 100;
constexpr std::uint8_t kLeaf = 0x0d;
constexpr std::uint8_t kInterior = 0x05;
constexpr unsigned kDeepest = 32;
constexpr std::size_t kMostColumns = 64;

/// Numbers of the file are big-endian.
std::uint64_t number(ByteView bytes, std::size_t at, std::size_t size) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < size && at + i < bytes.size(); ++i) {
    out = out << 8U | static_cast<std::uint64_t>(bytes[at + i]);
  }
  return out;
}

/// Takes a variable-length number from the front; nothing: there is none.
std::optional<std::uint64_t> varint(ByteView& from) {
  constexpr std::size_t kLongest = 9;
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < kLongest && i < from.size(); ++i) {
    const auto byte = static_cast<std::uint64_t>(from[i]);
    const bool last = i + 1 == kLongest;
    out = last ? out << 8U | byte : out << 7U | (byte & 0x7fU);
    if (last || byte < 0x80) {
      from = from.subspan(i + 1);
      return out;
    }
  }
  return std::nullopt;
}

/// How many bytes a value of this serial type has.
std::size_t size_of(std::uint64_t type) {
  constexpr std::array<std::size_t, 12> kSizes = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0};
  return type < kSizes.size() ? kSizes[type] : (type - kSizes.size()) / 2;
}

bool is_text(std::uint64_t type) {
  return type > 12 && type % 2 == 1;
}

struct Row {
  std::vector<std::string> columns;
  std::vector<std::uint64_t> numbers;  ///< of those that are whole and not negative
};

std::optional<Row> row_of(ByteView record) {
  ByteView rest = record;
  const auto head_size = varint(rest);
  if (!head_size || *head_size > record.size()) return std::nullopt;
  const std::size_t taken = record.size() - rest.size();
  if (*head_size < taken) return std::nullopt;
  ByteView types = rest.first(*head_size - taken);
  ByteView values = record.subspan(*head_size);
  Row out;
  while (!types.empty()) {
    const auto type = varint(types);
    if (!type || out.columns.size() == kMostColumns || size_of(*type) > values.size()) {
      return std::nullopt;
    }
    const ByteView value = values.first(size_of(*type));
    values = values.subspan(value.size());
    out.columns.emplace_back(is_text(*type) ? as_text(value) : std::string_view());
    constexpr std::uint64_t kLastWhole = 6;
    std::uint64_t whole = *type == 9 ? 1 : 0;
    if (*type > 0 && *type <= kLastWhole) whole = number(value, 0, value.size());
    out.numbers.push_back(whole);
  }
  return out;
}

class Tables {
 public:
  Tables(ByteView file, std::size_t page_size, std::size_t usable)
      : file_(file), page_size_(page_size), usable_(usable) {}

  /// A tree of rows; false: it is damaged.
  template <typename Tell>
  bool rows(std::uint64_t page, const Tell& tell, unsigned depth = 0) {
    if (depth == 0) {
      met_.clear();
      left_ = file_.size();
    }
    if (depth > kDeepest || !met_.insert(page).second) return false;
    const ByteView whole = page_at(page);
    // The first page begins with the file's head.
    const std::size_t at = page == 1 ? kFileHead : 0;
    const std::size_t head = at + 12;
    if (whole.size() < head) return false;
    const auto kind = static_cast<std::uint8_t>(whole[at]);
    const std::size_t count = number(whole, at + 3, 2);
    const std::size_t cells = kind == kLeaf ? at + 8 : head;
    if ((kind != kLeaf && kind != kInterior) || cells + 2 * count > whole.size()) return false;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t cell = number(whole, cells + 2 * i, 2);
      if (cell + 4 > whole.size()) return false;
      const bool good = kind == kLeaf ? leaf(whole.subspan(cell), tell)
                                      : rows(number(whole, cell, 4), tell, depth + 1);
      if (!good) return false;
    }
    return kind == kLeaf || rows(number(whole, at + 8, 4), tell, depth + 1);
  }

 private:
  [[nodiscard]] ByteView page_at(std::uint64_t page) const {
    if (page == 0 || page > file_.size() / page_size_) return {};
    return file_.subspan((page - 1) * page_size_, page_size_).first(usable_);
  }

  template <typename Tell>
  bool leaf(ByteView cell, const Tell& tell) {
    const auto size = varint(cell);
    if (!size || !varint(cell) || *size > left_) return false;  // the second is its rowid
    left_ -= *size;
    const auto record = payload(cell, *size);
    const auto row = record ? row_of(*record) : std::nullopt;
    if (row) tell(*row);
    return row.has_value();
  }

  /// What does not fit into the page goes on in a chain of others: section 1.6 of the format.
  [[nodiscard]] std::optional<Bytes> payload(ByteView cell, std::size_t size) const {
    const std::size_t most = usable_ - 35;
    std::size_t local = size;
    if (size > most) {
      const std::size_t least = (usable_ - 12) * 32 / 255 - 23;
      const std::size_t some = least + (size - least) % (usable_ - 4);
      local = some <= most ? some : least;
    }
    if (cell.size() < local + (local < size ? 4 : 0)) return std::nullopt;
    Bytes out;
    append(out, cell.first(local));
    std::uint64_t next = local < size ? number(cell, local, 4) : 0;
    while (out.size() < size) {
      const ByteView page = page_at(next);
      if (page.size() < 5) return std::nullopt;
      append(out, page.subspan(4, std::min(size - out.size(), page.size() - 4)));
      next = number(page, 0, 4);
    }
    return out;
  }

  ByteView file_;
  std::size_t page_size_;
  std::size_t usable_;
  std::set<std::uint64_t> met_;
  std::size_t left_ = 0;  ///< rows that lie over each other would be more than the file
};

}  // namespace

Result<void> read_sqlite_table(ByteView file, std::string_view table,
                               const std::function<void(SqliteRow)>& tell) {
  const auto error = [](const char* why) { return fail(plain_error("SQLite database", why)); };
  if (file.size() < kFileHead || !as_text(file).starts_with(kMagic)) {
    return error("no file of SQLite");
  }
  constexpr std::size_t kLargestPage = 65536;
  constexpr std::size_t kLeastUsable = 480;
  const std::size_t written = number(file, 16, 2);
  const std::size_t page_size = written == 1 ? kLargestPage : written;
  const std::size_t reserved = number(file, 20, 1);
  constexpr std::uint64_t kUtf8 = 1;
  if (page_size < kLeastUsable + reserved) return error("no size of its pages");
  if (number(file, 56, 4) != kUtf8) return error("no UTF-8");
  Tables tables(file, page_size, page_size - reserved);
  std::uint64_t root = 0;
  constexpr std::size_t kSchemaColumns = 5;  // type, name, table, root page, SQL
  const bool good = tables.rows(1, [&](const Row& row) {
    if (row.columns.size() < kSchemaColumns || row.columns[0] != "table") return;
    if (row.columns[1] == table) root = row.numbers[3];
  });
  if (!good) return error("damaged");
  if (root == 0) return {};
  if (tables.rows(root, [&](const Row& row) { tell(row.columns); })) return {};
  return error("damaged");
}

}  // namespace hark::decode
