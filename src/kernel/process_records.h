// What a recording knows of processes: the answers of all read_processes calls, as one.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "kernel/source.h"

namespace hark::kernel {

class ProcessRecords {
 public:
  /// Adds the records of one answer, which must outlive this. False, and nothing is added, if it is
  /// malformed: cut off, a part before the first pid, numbers of a wrong size.
  [[nodiscard]] bool add(ByteView answer);

  /// The records of the processes asked for, in the order of the recording, their sockets narrowed
  /// to those asked for. A process that was not recorded is left out, as one that is gone.
  ///
  /// One that was recorded several times, for different sockets, is given once: the first record
  /// that holds one of the sockets asked for (else the first), with those of the others added.
  [[nodiscard]] Bytes narrowed(std::span<const ProcessWanted> wanted) const;

 private:
  struct Record {
    std::uint32_t pid = 0;
    ByteView parts;    ///< its Pid part included
    ByteView sockets;  ///< FdInode[], of its Sockets parts the last that did not fail
  };

  std::vector<Record> records_;
  std::map<std::uint32_t, std::vector<std::size_t>> of_pid_;  ///< places in records_, ascending
};

}  // namespace hark::kernel
