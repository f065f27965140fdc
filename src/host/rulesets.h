// The nf_tables of one network namespace, read as one state.
#pragma once

#include "base/result.h"
#include "host/network.h"
#include "kernel/source.h"

namespace hark::host {

/// Reads everything, between two looks at the generation's number: nf_tables_commit of
/// net/netfilter/nf_tables_api.c gives every change a new one. When it changed in between, all is
/// read again, at most 4 times; of the last one `settled` is false then. Elements that packets add
/// or that time takes away change no generation.
///
/// Of a set that is known to have more than kMostElements, or that may have more and does not tell,
/// the elements are not read: the dump of a set takes time that grows with the square of its size.
///
/// EPERM: needs CAP_NET_ADMIN over the namespace. A kernel without nf_tables has an empty ruleset.
[[nodiscard]] Result<NftRuleset> read_nft(kernel::Source& source, const kernel::NetnsRef& netns);

/// Asks the kernel whether a set whose elements were not read has this key, and notes the answer in
/// the set. False: it was not to be learnt, or is known already.
[[nodiscard]] bool ask_element(kernel::Source& source, const kernel::NetnsRef& netns,
                               NftRuleset& ruleset, const ElementQuestion& question);

}  // namespace hark::host
