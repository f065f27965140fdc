#include "kernel/live_search.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>

#include <algorithm>
#include <cerrno>

#include "kernel/btf_hints.h"
#include "kernel/live_files.h"
#include "kernel/live_processes.h"
#include "kernel/request_key.h"
#include "kernel/thread_elsewhere.h"

namespace hark::kernel {
namespace {

constexpr const char* kBtfPath = "/sys/kernel/btf/vmlinux";
constexpr std::size_t kLargestBtf = 64U << 20U;
constexpr std::array<std::string_view, 4> kNames = {"survey", "tasks", "files", "proc"};
/// Numbers of processes and times since boot differ inside other namespaces than these
/// (PROC_PID_INIT_INO, PROC_TIME_INIT_INO of linux/proc_ns.h); the BPF programs tell those of the
/// first, /proc those of the reader.
constexpr std::string_view kFirstPidNamespace = "pid:[4026531836]";
constexpr std::string_view kFirstTimeNamespace = "time:[4026531834]";
std::size_t at(Search rung) {
  return static_cast<std::size_t>(rung);
}

}  // namespace

std::string_view name_of(Search search) {
  return kNames[at(search)];
}

std::optional<Search> search_named(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Search>(found - kNames.begin());
}

BtfFile::~BtfFile() {
  if (memory_ != nullptr) ::munmap(memory_, size_);
}

Result<ByteView> BtfFile::view() {
  if (memory_ != nullptr) return ByteView(static_cast<const std::byte*>(memory_), size_);
  if (!read_.empty()) return ByteView(read_);
  UniqueFd file;
  if (const int error = open_at(AT_FDCWD, kBtfPath, O_RDONLY, file); error != 0) {
    return fail(kernel_error(error, kBtfPath));
  }
  struct stat found {};
  if (::fstat(file.get(), &found) == 0 && found.st_size > 0) {
    size_ = static_cast<std::size_t>(found.st_size);
    void* memory = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (memory != MAP_FAILED) {
      memory_ = memory;
      return ByteView(static_cast<const std::byte*>(memory_), size_);
    }
  }
  if (const int error = read_all(file.get(), read_, kLargestBtf); error != 0) {
    return fail(kernel_error(error, kBtfPath));
  }
  return ByteView(read_);
}

Result<KernelTypes> BtfFile::types() {
  if (types_) return *types_;
  const auto btf = view();
  if (!btf) return fail(btf.error());
  types_ = {.btf = *btf, .hints = nullptr};
  Bytes notes;
  constexpr std::size_t kLargestNotes = 65'536;
  if (!kBtfHints.build_id.empty() &&
      read_at(AT_FDCWD, "/sys/kernel/notes", notes, kLargestNotes) == 0 &&
      std::ranges::equal(build_id_in(notes), std::as_bytes(kBtfHints.build_id))) {
    types_->hints = &kBtfHints;
  }
  return *types_;
}

bool LiveSearch::allowed(Search rung) const {
  return rung >= best_ && why_not_[at(rung)].empty();
}

void LiveSearch::refuse(Search rung, const Error& error) {
  std::string why = reason(error);
  if (!error.what.empty() && error.code != 0) why = error.what + ": " + why;
  why_not_[at(rung)] = why;
}

/// Why no BPF program would tell the same as /proc here.
std::optional<Error> LiveSearch::unfit() {
  if (proc_root_ != "/proc") return plain_error("", "another /proc was asked for");
  std::string link;
  if (read_link_at(AT_FDCWD, "/proc/self/ns/pid", link) != 0 || link != kFirstPidNamespace) {
    return plain_error("", "hark is in a pid namespace of its own");
  }
  // Kernels before 5.6 have no time namespaces.
  if (read_link_at(AT_FDCWD, "/proc/self/ns/time", link) == 0 && link != kFirstTimeNamespace) {
    return plain_error("", "hark is in a time namespace of its own");
  }
  return std::nullopt;
}

LiveSearch::~LiveSearch() {
  end_beginning();
}

/// Whether this rung may be tried at all.
bool LiveSearch::may_survey() {
  if (!allowed(Search::Survey)) return false;
  const auto error = unfit();
  if (error) refuse(Search::Survey, *error);
  return !error;
}

void LiveSearch::begin() {
  if (is_surveyed_ || beginning_ || !may_survey()) return;
  const auto run = [](void* search) -> void* {
    auto& self = *static_cast<LiveSearch*>(search);
    if (self.is_begun_.exchange(true)) return nullptr;
    self.begun_ = self.survey_again();
    self.pair_.finish();
    return nullptr;
  };
  beginning_ = start_elsewhere(run, this);
}

void LiveSearch::end_beginning() {
  if (!beginning_) return;
  pthread_join(*beginning_, nullptr);
  beginning_.reset();
}

/// The survey of now, made at the first use, and anew after rest(); null: this rung is out.
BpfSurvey* LiveSearch::survey() {
  if (!is_surveyed_) {
    is_surveyed_ = true;
    if (!beginning_ && !may_survey()) return nullptr;
    // A thread that has not come to it, as other processors are busy, is not waited for.
    if (is_begun_.exchange(true)) {
      pair_.help();
      end_beginning();
    } else {
      begun_ = survey_again();
    }
  } else if (!first_.empty()) {
    begun_ = survey_again();
  }
  if (!begun_ && survey_) survey_.reset();
  if (!begun_ && allowed(Search::Survey)) refuse(Search::Survey, begun_.error());
  return allowed(Search::Survey) && survey_ ? &*survey_ : nullptr;
}

/// One look at all, at sockets as deep as the last one.
Result<void> LiveSearch::look() {
  if (const auto fine = survey_->look_at_sockets(survey_->depth()); !fine) return fine;
  return survey_->look_for_holders(pair_);
}

Result<void> LiveSearch::load() {
  if (survey_) return {};
  struct sysinfo machine {};
  static_cast<void>(::sysinfo(&machine));
  // Without the right for it nothing else need be done.
  auto area = KernelReader::make_area(machine.procs);
  if (!area) return fail(area.error());
  const auto btf = btf_.types();
  if (!btf) return fail(btf.error());
  auto loaded = BpfSurvey::load(*btf, std::move(*area));
  if (!loaded) return fail(loaded.error());
  survey_.emplace(std::move(*loaded));
  return {};
}

Result<void> LiveSearch::survey_again() {
  if (const auto fine = load(); !fine) return fine;
  first_.clear();
  return look();
}

/// A listing is made when all of this has been told, and needs the memory more. The next who asks
/// has a new look.
void LiveSearch::rest() {
  if (!survey_) return;
  first_.clear();
  for (const hark_process& process : survey_->processes()) {
    if (process.first != 0) first_.push_back(process);
  }
  survey_.reset();
  told_.reset();
}

Result<Bytes> LiveSearch::scan_sockets(SurveyDepth depth) {
  BpfSurvey* found = survey();
  if (found == nullptr) return fail(kernel_error(EOPNOTSUPP, "sockets of all namespaces"));
  // Asked for the same again, the answer is a new one: somebody doubts the first.
  Result<void> looked;
  if (told_ == depth) {
    looked = survey_again();
  } else if (depth == SurveyDepth::Full && found->depth() != SurveyDepth::Full) {
    looked = survey_->look_at_sockets(SurveyDepth::Full);
  }
  if (!looked) return fail(looked.error());
  told_ = depth;
  return socket_parts(survey_->namespaces(), survey_->sockets(), depth);
}

Result<Bytes> LiveSearch::scan_namespaces() {
  const BpfSurvey* found = first_.empty() ? survey() : nullptr;
  if (found == nullptr && first_.empty()) return scan_proc_namespaces(proc_root_);
  std::vector<const hark_process*> first;
  for (const hark_process& process : found != nullptr ? found->processes() : std::span(first_)) {
    if (process.first != 0) first.push_back(&process);
  }
  return namespace_parts(proc_root_, std::move(first));
}

bool LiveSearch::knows(std::span<const std::uint32_t> wanted) const {
  std::vector<std::uint32_t> known;
  for (const FoundSocket& socket : survey_->sockets()) known.push_back(socket.told.inode);
  std::ranges::sort(known);
  return std::ranges::all_of(wanted, [&](std::uint32_t inode) {
    return inode == 0 || std::ranges::binary_search(known, inode);
  });
}

/// A socket that sock_diag has told of must be among those surveyed: this is what the reading of
/// private structures is held against. One look more is for sockets that came since.
std::optional<std::vector<Held>> LiveSearch::from_survey(std::span<const std::uint32_t> wanted) {
  if (survey() == nullptr) return std::nullopt;
  if (!knows(wanted)) {
    if (const auto again = survey_again(); !again) {
      refuse(Search::Survey, again.error());
      return std::nullopt;
    }
  }
  if (!knows(wanted)) {
    refuse(Search::Survey,
           plain_error("", "it does not find every socket that sock_diag tells of"));
    return std::nullopt;
  }
  std::vector<Held> out;
  const auto processes = survey_->processes();
  for (const Holding& holding : survey_->holdings()) {
    if (holding.process >= processes.size()) continue;
    if (!std::ranges::binary_search(wanted, holding.inode)) continue;
    out.push_back({.process = &processes[holding.process],
                   .fd = holding.fd,
                   .inode = holding.inode,
                   .is_netns = false});
  }
  return out;
}

std::optional<std::vector<Held>> LiveSearch::from_iterator(Search rung,
                                                           std::span<const std::uint32_t> wanted) {
  if (!allowed(rung)) return std::nullopt;
  if (const auto error = unfit()) {
    refuse(rung, *error);
    return std::nullopt;
  }
  const auto btf = btf_.types();
  if (!btf) {
    refuse(rung, btf.error());
    return std::nullopt;
  }
  auto found = rung == Search::Tasks ? iterate_tasks(*btf) : iterate_files(*btf);
  if (!found) {
    refuse(rung, found.error());
    return std::nullopt;
  }
  iterated_ = std::move(*found);
  std::vector<Held> out;
  for (const hark_found& one : iterated_) {
    if (one.is_netns == 0 && !std::ranges::binary_search(wanted, one.inode)) continue;
    out.push_back(
        {.process = &one.process, .fd = one.fd, .inode = one.inode, .is_netns = one.is_netns != 0});
  }
  return out;
}

Result<Bytes> LiveSearch::scan_descriptors(std::span<const std::uint32_t> wanted) {
  // Every socket, connected ones too, is what only /proc tells.
  if (wanted.empty()) {
    answered_ = Search::Proc;
    return scan_proc_descriptors(proc_root_, wanted);
  }
  for (const Search rung : {Search::Survey, Search::Tasks, Search::Files}) {
    auto held = rung == Search::Survey ? from_survey(wanted) : from_iterator(rung, wanted);
    if (!held) continue;
    answered_ = rung;
    auto parts = holder_parts(proc_root_, std::move(*held));
    rest();
    return parts;
  }
  answered_ = Search::Proc;
  return scan_proc_descriptors(proc_root_, wanted);
}

Result<Bytes> LiveSearch::bound_sockets(const BoundPlace& place) {
  // Nothing but the program is needed for this.
  BpfSurvey* found = !first_.empty() && load() ? &*survey_ : survey();
  if (found == nullptr) return fail(kernel_error(EOPNOTSUPP, bound_what()));
  std::uint64_t inode = place.netns.inode;
  struct stat own {};
  if (inode == 0 && ::stat((proc_root_ + "/self/ns/net").c_str(), &own) == 0) inode = own.st_ino;
  const auto bound = found->look_at_bound({inode, place.protocol, place.port});
  if (!bound) return fail(kernel_error(bound.error().code, bound_what()));
  return bound_parts(*bound);
}

std::string LiveSearch::how() const {
  if (!answered_) return {};
  std::string out = "owners searched by: " + std::string(name_of(*answered_));
  for (const Search rung : {Search::Survey, Search::Tasks, Search::Files}) {
    if (rung >= *answered_) break;
    const std::string& why = why_not_[at(rung)];
    out += "\n  not by " + std::string(name_of(rung)) + ": " +
           (why.empty() ? (rung < best_ ? "not asked for" : "not needed") : why);
  }
  return out;
}

}  // namespace hark::kernel
