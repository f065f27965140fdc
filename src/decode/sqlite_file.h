// Tables of a database file of SQLite: https://www.sqlite.org/fileformat2.html
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace hark::decode {

/// The texts of a row, column by column; what is no text is empty.
using SqliteRow = std::span<const std::string>;

/// Tells every row of the table with this name, in the order of its rowids; none if there is no
/// such table. An error: no such file, one of another encoding than UTF-8, or one that is damaged;
/// what was told before it was found does not count. What is in the journal (-wal) alone is not
/// seen.
[[nodiscard]] Result<void> read_sqlite_table(ByteView file, std::string_view table,
                                             const std::function<void(SqliteRow)>& tell);

}  // namespace hark::decode
