#include "host/unit_files.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/text.h"

namespace hark::host {
namespace {

using decode::split_unit_name;
using decode::template_of;
using decode::UnitSection;

constexpr unsigned kMostLinks = 8;  // FOLLOW_MAX of src/basic/unit-file.c
constexpr std::string_view kDropIns = ".d";

std::string folder_of(std::string_view path) {
  return std::string(path.substr(0, path.rfind('/')));
}
std::string name_in(std::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));
}

/// "foo@inst.service" for the template "bar@.service" → "bar@inst.service"
std::string with_instance_of(const std::string& name, const std::string& next) {
  const auto pieces = split_unit_name(next);
  const auto own = split_unit_name(name);
  if (!pieces || !own || pieces->instance != "" || !own->instance) return next;
  return std::string(pieces->prefix) + "@" + std::string(*own->instance) + "." +
         std::string(pieces->type);
}

/// The folders of drop-ins of one name, the nearest first: NAME.d, then those of names cut off
/// behind each dash, then the same of the template.
std::vector<std::string> drop_in_names(const std::string& name) {
  std::vector<std::string> out;
  const auto add = [&out](const std::string& whole) {
    out.push_back(whole + std::string(kDropIns));
    const auto pieces = split_unit_name(whole);
    if (!pieces) return;
    const std::string type = "." + std::string(pieces->type) + std::string(kDropIns);
    std::string_view prefix = pieces->prefix;
    for (;;) {
      if (prefix.ends_with('-')) prefix.remove_suffix(1);
      const std::size_t dash = prefix.rfind('-');
      if (dash == std::string_view::npos || dash == 0) break;
      prefix = prefix.substr(0, dash + 1);
      out.push_back(std::string(prefix) + type);
    }
  };
  add(name);
  if (const std::string shared = template_of(name); shared != name) add(shared);
  return out;
}

}  // namespace

std::vector<std::string> system_unit_folders(kernel::Source& source) {
  std::vector<std::string> out = {"/etc/systemd/system.control", "/run/systemd/system.control",
                                  "/run/systemd/transient",      "/run/systemd/generator.early",
                                  "/etc/systemd/system",         "/etc/systemd/system.attached",
                                  "/run/systemd/system",         "/run/systemd/system.attached",
                                  "/run/systemd/generator",      "/usr/local/lib/systemd/system"};
  // Where /lib is a link to usr/lib the same folder would be read twice.
  if (!source.read_link("/lib")) out.emplace_back("/lib/systemd/system");
  out.emplace_back("/usr/lib/systemd/system");
  out.emplace_back("/run/systemd/generator.late");
  return out;
}

std::vector<std::string> user_unit_folders(std::uint32_t uid,
                                           const std::optional<std::string>& home) {
  const std::string runtime = "/run/user/" + std::to_string(uid) + "/systemd/";
  std::vector<std::string> out;
  const auto own = [&](const std::string& path) {
    if (home) out.push_back(path);
  };
  own(home.value_or("") + "/.config/systemd/user.control");
  own(runtime + "user.control");
  own(runtime + "transient");
  own(runtime + "generator.early");
  own(home.value_or("") + "/.config/systemd/user");
  out.emplace_back("/etc/xdg/systemd/user");
  out.emplace_back("/etc/systemd/user");
  own(runtime + "user");
  out.emplace_back("/run/systemd/user");
  own(runtime + "generator");
  own(home.value_or("") + "/.local/share/systemd/user");
  for (const char* path : {"/usr/local/share/systemd/user", "/usr/share/systemd/user",
                           "/usr/local/lib/systemd/user", "/usr/lib/systemd/user"}) {
    out.emplace_back(path);
  }
  own(runtime + "generator.late");
  return out;
}

std::string resolved_path(std::string_view folder, std::string_view target) {
  std::vector<std::string_view> parts;
  const auto add = [&parts](std::string_view path) {
    while (!path.empty()) {
      const std::string_view part = next_piece(path, '/');
      if (part.empty() || part == ".") continue;
      if (part != "..") {
        parts.push_back(part);
      } else if (!parts.empty()) {
        parts.pop_back();
      }
    }
  };
  if (!target.starts_with('/')) add(folder);
  add(target);
  std::string out;
  for (const std::string_view part : parts) out += "/" + std::string(part);
  return out.empty() ? "/" : out;
}

std::optional<bool> file_exists(kernel::Source& source, const std::string& path) {
  std::string at = path;
  for (unsigned i = 0; i < kMostLinks; ++i) {
    const auto target = source.read_link(at);
    if (target) {
      at = resolved_path(folder_of(at), *target);
      continue;
    }
    const int code = target.error().code;
    if (code == EINVAL) return true;  // there, and no link
    if (code == ENOENT || code == ENOTDIR) return false;
    return std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::string> LoadedUnit::text(UnitSection section, std::string_view key) const {
  const auto value = decode::last_value(settings, section, key);
  if (!value) return std::nullopt;
  return decode::without_specifiers(*value, name);
}

std::set<std::string> enabled_units(kernel::Source& source) {
  constexpr const char* kFolder = "/etc/systemd/system";
  std::set<std::string> out;
  const auto names = source.list_folder(kFolder);
  if (!names) return out;
  for (const std::string& name : *names) {
    if (!name.ends_with(".wants") && !name.ends_with(".requires")) continue;
    if (auto wanted = source.list_folder(std::string(kFolder) + "/" + name)) {
      out.insert(wanted->begin(), wanted->end());
    }
  }
  return out;
}

UnitFiles::UnitFiles(kernel::Source& source, std::vector<std::string> folders)
    : source_(source), folders_(std::move(folders)) {
  for (std::size_t i = 0; i < folders_.size(); ++i) {
    auto names = source_.list_folder(folders_[i]);
    if (!names) {
      if (!error_ || error_->code == ENOENT) error_ = names.error();
      continue;
    }
    readable_ = true;
    listed_.insert(folders_[i]);
    for (std::string& name : *names) {
      if (name.ends_with(kDropIns)) {
        drop_in_folders_[std::move(name)].push_back(i);
      } else if (name.ends_with(".wants") || name.ends_with(".requires")) {
        wants_folders_.push_back(folders_[i] + "/" + name);
      } else if (split_unit_name(name)) {
        units_.emplace(std::move(name), i);
      }
    }
  }
}

std::vector<std::string> UnitFiles::names_of_type(std::string_view type) {
  std::set<std::string> out;
  bool templates = false;
  for (const auto& [name, folder] : units_) {
    const auto pieces = split_unit_name(name);
    if (pieces->type != type) continue;
    if (pieces->instance == "") {
      templates = true;
    } else {
      out.insert(name);
    }
  }
  // Which instances there are shows only in what wants them.
  for (const std::string& folder : templates ? wants_folders_ : std::vector<std::string>{}) {
    const auto names = source_.list_folder(folder);
    if (!names) continue;
    for (const std::string& name : *names) {
      const auto pieces = split_unit_name(name);
      if (pieces && pieces->type == type && pieces->instance.value_or("") != "") out.insert(name);
    }
  }
  return {out.begin(), out.end()};
}

std::vector<std::string> UnitFiles::wanted_of_type(std::string_view type) {
  std::set<std::string> out;
  for (const std::string& folder : wants_folders_) {
    const auto names = source_.list_folder(folder);
    if (!names) continue;
    for (const std::string& name : *names) {
      const auto pieces = split_unit_name(name);
      if (pieces && pieces->type == type && pieces->instance != "") out.insert(name);
    }
  }
  return {out.begin(), out.end()};
}

std::optional<UnitFiles::Found> UnitFiles::find(const std::string& name) const {
  for (const std::string& file : {name, template_of(name)}) {
    const auto found = units_.find(file);
    if (found != units_.end()) return Found{folders_[found->second], file};
  }
  return std::nullopt;
}

bool UnitFiles::in_load_path(std::string_view folder) const {
  constexpr std::string_view kUsr = "/usr";
  return std::ranges::any_of(folders_, [&](const std::string& one) {
    return one == folder || (one.starts_with(kUsr) && one.substr(kUsr.size()) == folder);
  });
}

LoadedUnit UnitFiles::load(const std::string& name) {
  LoadedUnit out;
  out.name = name;
  std::vector<std::string> names = {name};
  for (unsigned i = 0; i < kMostLinks; ++i) {
    const auto found = find(out.name);
    if (!found) return out;
    const std::string path = found->folder + "/" + found->file;
    out.fragment = path;
    std::string file = path;
    if (const auto target = source_.read_link(path)) {
      file = resolved_path(found->folder, *target);
      if (file == "/dev/null") {
        out.load = UnitLoad::Masked;
        return out;
      }
      const std::string next = name_in(file);
      if (in_load_path(folder_of(file)) && next != found->file && split_unit_name(next)) {
        out.name = with_instance_of(out.name, next);
        names.push_back(out.name);
        continue;
      }
    }
    read_fragment(path, out);
    if (out.load == UnitLoad::Loaded) add_drop_ins(names, out);
    return out;
  }
  out.load = UnitLoad::Broken;
  out.why = "its links go round";
  return out;
}

void UnitFiles::read_fragment(const std::string& path, LoadedUnit& unit) {
  const auto bytes = source_.read_file(path);
  if (!bytes) {
    unit.load = UnitLoad::Unreadable;
    // A link whose target is not there.
    if (bytes.error().code == ENOENT) unit.load = UnitLoad::NotFound;
    unit.why = reason(bytes.error());
    return;
  }
  if (bytes->empty()) {
    unit.load = UnitLoad::Masked;
    return;
  }
  auto settings = decode::decode_unit_file(*bytes);
  unit.load = settings ? UnitLoad::Loaded : UnitLoad::Broken;
  if (settings) {
    unit.settings = std::move(*settings);
  } else {
    unit.why = reason(settings.error());
  }
}

/// Files of all folders are taken in the order of their names; of the same name the nearest one.
void UnitFiles::add_drop_ins(const std::vector<std::string>& names, LoadedUnit& unit) {
  std::vector<std::string> places;
  const auto add = [&](const std::string& drop_in, std::size_t folder) {
    const auto found = drop_in_folders_.find(drop_in);
    if (found == drop_in_folders_.end()) return;
    if (std::ranges::find(found->second, folder) == found->second.end()) return;
    places.push_back(folders_[folder] + "/" + drop_in);
  };
  for (const std::string& name : names) {
    const auto wanted = drop_in_names(name);
    for (std::size_t folder = 0; folder < folders_.size(); ++folder) {
      for (const std::string& drop_in : wanted) add(drop_in, folder);
    }
  }
  const auto pieces = split_unit_name(unit.name);
  const std::string of_type = std::string(pieces ? pieces->type : "") + std::string(kDropIns);
  for (std::size_t folder = 0; folder < folders_.size(); ++folder) add(of_type, folder);

  std::map<std::string, std::string> files;  // name → the place that has it first
  for (const std::string& place : places) {
    const auto entries = source_.list_folder(place);
    if (!entries) {
      unit.whole = unit.whole && entries.error().code == ENOENT;
      continue;
    }
    for (const std::string& entry : *entries) {
      if (entry.ends_with(".conf")) files.emplace(entry, place);
    }
  }
  for (const auto& [file, place] : files) {
    const auto bytes = source_.read_file(place + "/" + file);
    if (!bytes) {
      unit.whole = false;
      continue;
    }
    auto settings = decode::decode_unit_file(*bytes);
    if (!settings) continue;  // systemd passes over a drop-in that it cannot read
    for (decode::UnitSetting& one : *settings) unit.settings.push_back(std::move(one));
  }
}

}  // namespace hark::host
