// A database file of bbolt (go.etcd.io/bbolt, "Bolt"): a tree of pages with keys and values, and
// with trees inside. Its form is in its page.go, bucket.go and db.go; the numbers in it are those
// of the machine that wrote it.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace hark::decode {

/// Names of the buckets that lead to a value, from the outside in, and its key.
using BoltPath = std::span<const std::string>;

/// Tells every value that is at most four names deep, as the last whole transaction left them. An
/// error: no such file, or one that is damaged; what was told before it was found does not count.
/// Every page is read once at most.
[[nodiscard]] Result<void> walk_bolt(ByteView file,
                                     const std::function<void(BoltPath, ByteView value)>& tell);

}  // namespace hark::decode
