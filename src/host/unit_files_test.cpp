#include "host/unit_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/units_fixture.h"

namespace hark::host {
namespace {

using decode::UnitSection;
using ::testing::ElementsAre;

/// Three folders of a load path.
struct Files : SystemdHost {
  UnitFiles files() {
    for (const auto& [path, names] : folders) source.folder(path, names);
    return UnitFiles(source, {kEtc, "/run/systemd/system", kUsr});
  }
  LoadedUnit load(const std::string& name) { return files().load(name); }
  std::string description(const std::string& name) {
    return load(name).text(UnitSection::Unit, "Description").value_or("none");
  }
};

std::string described(std::string_view text) {
  return "[Unit]\nDescription=" + std::string(text) + "\n";
}

TEST(UnitFiles, TheFirstFolderWins) {
  Files box;
  box.unit(kEtc, "a.service", described("etc"));
  box.unit(kUsr, "a.service", described("usr"));
  box.unit(kUsr, "b.service", described("b"));
  EXPECT_EQ(box.description("a.service"), "etc");
  EXPECT_EQ(box.load("a.service").fragment, "/etc/systemd/system/a.service");
  EXPECT_EQ(box.description("b.service"), "b");
  EXPECT_EQ(box.load("c.service").load, UnitLoad::NotFound);
}

TEST(UnitFiles, Masks) {
  Files box;
  box.link(kEtc, "a.service", "/dev/null");
  box.link(kEtc, "b.service", "../../../dev/null");
  box.unit(kEtc, "c.service", "");
  for (const char* name : {"a.service", "b.service", "c.service"}) {
    box.unit(kUsr, name, described("usr"));
    EXPECT_EQ(box.load(name).load, UnitLoad::Masked) << name;
  }
}

TEST(UnitFiles, Aliases) {
  Files box;
  box.unit(kUsr, "ssh.service", described("ssh"));
  box.unit(kUsr, "t@.service", described("t %i"));
  box.link(kEtc, "sshd.service", "/usr/lib/systemd/system/ssh.service");
  box.link(kEtc, "old.service", "/lib/systemd/system/ssh.service");
  box.link(kEtc, "near.service", "sshd.service");
  box.link(kEtc, "u@.service", "/usr/lib/systemd/system/t@.service");
  box.link(kEtc, "one@x.service", "/usr/lib/systemd/system/t@.service");
  box.link(kEtc, "gone.service", "missing.service");
  for (const char* name : {"sshd.service", "old.service", "near.service"}) {
    EXPECT_EQ(box.load(name).name, "ssh.service") << name;
    EXPECT_EQ(box.description(name), "ssh") << name;
  }
  EXPECT_EQ(box.load("u@7.service").name, "t@7.service");
  EXPECT_EQ(box.description("u@7.service"), "t 7");
  EXPECT_EQ(box.description("one@x.service"), "t x");
  EXPECT_EQ(box.load("gone.service").load, UnitLoad::NotFound);
}

TEST(UnitFiles, LinksOutOfTheLoadPathAreRead) {
  Files box;
  box.link(kEtc, "app.service", "/srv/app/units/app.service");
  box.source.file("/etc/systemd/system/app.service", described("linked"));
  EXPECT_EQ(box.load("app.service").name, "app.service");
  EXPECT_EQ(box.description("app.service"), "linked");
}

TEST(UnitFiles, LinksThatGoRound) {
  Files box;
  box.link(kEtc, "a.service", "b.service");
  box.link(kEtc, "b.service", "a.service");
  EXPECT_EQ(box.load("a.service").load, UnitLoad::Broken);
}

TEST(UnitFiles, DropIns) {
  Files box;
  const auto drop_in = [&box](const std::string& folder, const std::string& unit,
                              const std::string& name, std::string_view text) {
    if (std::ranges::find(box.folders[folder], unit) == box.folders[folder].end()) {
      box.entry(folder, unit);
    }
    box.unit(folder + "/" + unit, name, text);
  };
  box.unit(kUsr, "foo-bar@.service", described("file") + "Documentation=a\n");
  drop_in(kUsr, "foo-bar@.service.d", "20.conf", described("20"));
  EXPECT_EQ(box.description("foo-bar@x.service"), "20");
  drop_in(kUsr, "foo-bar@x.service.d", "20.conf", described("20 of x"));
  EXPECT_EQ(box.description("foo-bar@x.service"), "20 of x") << "the same name, nearer";
  EXPECT_EQ(box.description("foo-bar@y.service"), "20");
  drop_in(kUsr, "foo-.service.d", "30.conf", described("30"));
  EXPECT_EQ(box.description("foo-bar@x.service"), "30") << "in the order of names";
  drop_in(kUsr, "service.d", "40.conf", described("40"));
  EXPECT_EQ(box.description("foo-bar@x.service"), "40");
  drop_in(kEtc, "foo-bar@.service.d", "40.conf", "");
  EXPECT_EQ(box.description("foo-bar@x.service"), "30") << "an empty one hides its namesakes";
  drop_in(kEtc, "foo-bar@.service.d", "99.txt", described("no drop-in"));
  EXPECT_EQ(box.description("foo-bar@x.service"), "30");
  drop_in(kEtc, "foo-bar@.service.d", "50.conf", "[Unit]\nDescription=\n");
  EXPECT_EQ(box.description("foo-bar@x.service"), "none") << "an empty value takes back";
}

TEST(UnitFiles, InstancesThatAreWanted) {
  Files box;
  box.unit(kUsr, "a.socket", "[Socket]\n");
  box.unit(kUsr, "t@.socket", "[Socket]\n");
  box.unit(kUsr, "b.service", "");
  box.entry(kEtc, "sockets.target.wants");
  box.link("/etc/systemd/system/sockets.target.wants", "t@80.socket", "/x/t@.socket");
  box.link("/etc/systemd/system/sockets.target.wants", "a.socket", "/x/a.socket");
  EXPECT_THAT(box.files().names_of_type("socket"), ElementsAre("a.socket", "t@80.socket"));
}

TEST(UnitFiles, PathsAreResolvedAsText) {
  EXPECT_EQ(resolved_path("/a/b", "../c"), "/a/c");
  EXPECT_EQ(resolved_path("/a/b", "/x/./y//z"), "/x/y/z");
  EXPECT_EQ(resolved_path("/a", "../../.."), "/");
}

TEST(UnitFiles, ProgramsBehindLinks) {
  FakeSource source;
  source.file("/usr/bin/x", "");
  source.link("/bin/x", "/usr/bin/x");
  source.link("/bin/y", "z");
  source.link("/loop", "/loop");
  EXPECT_EQ(file_exists(source, "/usr/bin/x"), true);
  EXPECT_EQ(file_exists(source, "/bin/x"), true);
  EXPECT_EQ(file_exists(source, "/bin/y"), false);
  EXPECT_EQ(file_exists(source, "/loop"), std::nullopt);
}

}  // namespace
}  // namespace hark::host
