#include "host/program_name.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/text.h"
#include "host/fake_source.h"
#include "host/programs.h"

namespace hark::host {
namespace {

std::vector<std::string> words(std::string_view line) {
  std::vector<std::string> out;
  for (std::string_view word = next_word(line); !word.empty(); word = next_word(line)) {
    out.emplace_back(word);
  }
  return out;
}

struct Case {
  const char* exe;
  const char* command_line;
  const char* program;
};

TEST(ProgramName, OfEachRuntime) {
  const std::vector<Case> cases = {
      {"java", "java -Xmx1g -jar /opt/billing.jar --port 8080", "billing.jar"},
      {"java", "/usr/bin/java -cp a.jar:b.jar -Dx=y com.example.Main start", "com.example.Main"},
      {"java", "java --class-path=a.jar @opts com.example.Main", "com.example.Main"},
      {"java", "java -p mods -m shop/com.shop.Main x", "com.shop.Main"},
      {"java", "java --module=shop/com.shop.Main", "com.shop.Main"},
      {"java", "java --add-opens java.base/java.lang=ALL-UNNAMED -javaagent:/x.jar org.A", "org.A"},
      {"java", "java @all-in-a-file", ""},
      {"python3", "python3 -m http.server 8000", "http.server"},
      {"python3.11", "python3 -um gunicorn app:app", "gunicorn"},
      {"python3", "python3 -mflask run", "flask"},
      {"python3", "/usr/bin/python3 -W ignore -X dev -u /srv/shop.py --x", "shop.py"},
      {"python3", "python3 -Wignore -- /srv/shop.py", "shop.py"},
      {"python3", "python3 /usr/bin/gunicorn app:app", "gunicorn"},
      {"python3", "python3 -c import_this shop.py", ""},
      {"python3", "python3 -Ic import_this shop.py", ""},
      {"python3", "python3 - shop.py", ""},
      {"python3", "python3", ""},
      {"pypy3", "pypy3 shop.py", "shop.py"},
      {"node", "node --require ./tracing.js --max-old-space-size=99 /srv/shop.js", "shop.js"},
      {"node", "node -e server() x.js", ""},
      {"node", "node --eval=server() x.js", ""},
      {"nodejs", "node inspect shop.js", "shop.js"},
      {"node", "node /app/node_modules/.bin/next start", "next"},
      {"deno", "deno run --allow-net --config deno.json shop.ts", "shop.ts"},
      {"deno", "deno shop.ts", "shop.ts"},
      {"deno", "deno task serve", "serve"},
      {"deno", "deno eval x", ""},
      {"bun", "bun run --preload a.ts shop.ts", "shop.ts"},
      {"bun", "bun shop.ts", "shop.ts"},
      {"ruby3.1", "ruby -I lib -rbundler -W2 bin/puma -p 3000", "puma"},
      {"ruby", "ruby -ne print x.rb", ""},
      {"php8.2", "php -d x=1 -S 0.0.0.0:80 -t public router.php", "router.php"},
      {"php", "php -f bot.php", "bot.php"},
      {"php", "php -S 0.0.0.0:80", ""},
      {"perl", "perl -w -MPlack -I lib /usr/bin/starman app.psgi", "starman"},
      {"perl", "perl -MIO::Socket -e listen", ""},
      {"dotnet", "dotnet --roll-forward Major /app/Shop.dll --urls x", "Shop.dll"},
      {"dotnet", "dotnet exec --depsfile x Shop.dll", "Shop.dll"},
      {"bash", "bash -euo pipefail ./serve.sh", "serve.sh"},
      {"bash", "/bin/bash -lc exec", ""},
      {"dash", "sh /srv/run/", "run"},
      {"busybox", "busybox sh /srv/serve.sh", "serve.sh"},
      {"busybox", "httpd -f -p 8080 -h /www", ""},
      {"busybox", "busybox httpd -f -p 8080", "httpd"},
      {"beam.smp", "beam.smp -W w -- -root /x -progname erl -sname rabbit@host -s boot", "rabbit"},
      {"beam.smp", "beam.smp -- -root /x -s cowboy_app start", "cowboy_app"},
      {"beam.smp", "beam.smp -- -elixir x -extra --no-halt /usr/bin/mix phx.server",
       "mix phx.server"},
      {"beam.smp", "beam.smp -- -extra --no-halt shop.exs", "shop.exs"},
      {"nginx", "nginx -c x", ""},
      {"javac", "javac Main.java", ""},
      {"python3", "gunicorn: master [app:app]", ""},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(guess_program(each.exe, words(each.command_line)).name, each.program)
        << each.command_line;
  }
}

TEST(ProgramName, KnowsRuntimes) {
  for (const char* name : {"java", "/usr/bin/python3.11", "node", "php8.2", "beam.smp", "bash"}) {
    EXPECT_TRUE(is_runtime(name)) << name;
  }
  for (const char* name :
       {"", "javaws", "nginx", "3.11", "-", "php-fpm8.2", "pythonista", "beamer"}) {
    EXPECT_FALSE(is_runtime(name)) << name;
  }
}

TEST(ProgramName, VagueScriptsAskForAManifest) {
  const auto guess = guess_program("node", words("node /srv/shop/dist/index.js"));
  EXPECT_EQ(guess.name, "index.js");
  EXPECT_EQ(guess.manifest, Manifest::PackageJson);
  EXPECT_EQ(guess.script, "/srv/shop/dist/index.js");
  EXPECT_EQ(guess_program("node", words("node shop.js")).manifest, Manifest::None);
  EXPECT_EQ(guess_program("python3", words("python3 Main.py")).manifest, Manifest::Pyproject);
}

TEST(ProgramName, HostileWordsEndSomewhere) {
  std::vector<std::string> line(20000, "-W");
  EXPECT_EQ(guess_program("python3", line).name, "");
  line.assign(20000, "");
  EXPECT_EQ(guess_program("python3", line).name, "");
  EXPECT_EQ(guess_program("python3", std::vector<std::string>{"python3", "/"}).name, "");
  EXPECT_EQ(guess_program("java", std::vector<std::string>{"java", "-jar"}).name, "");
  const std::string odd("\x1b[2J\nx.py", 9);
  EXPECT_EQ(guess_program("python3", std::vector<std::string>{"python3", odd}).name, odd);
}

TEST(ProgramName, TheKernelCutsNames) {
  EXPECT_EQ(whole_name("systemd-resolve", "/lib/systemd/systemd-resolved", ""), "systemd-resolved");
  EXPECT_EQ(whole_name("systemd-resolve", "/bin/other", "systemd-resolved"), "systemd-resolved");
  EXPECT_EQ(whole_name("systemd-resolve", "/bin/other", ""), "systemd-resolve");
  EXPECT_EQ(whole_name("short", "/bin/shorter", "shorter"), "short");
}

Host one(std::string_view name, std::string_view exe,
         std::optional<std::vector<std::string>> command_line) {
  Host host;
  Process process;
  process.pid = 41;
  process.name = name;
  if (!exe.empty()) process.exe = exe;
  process.command_line = std::move(command_line);
  host.processes.push_back(std::move(process));
  return host;
}

std::string program(FakeSource& source, Host host) {
  name_programs(source, host);
  return host.processes[0].program;
}

TEST(Programs, ReadsACommandLineOnlyOfARuntimeThatHasNone) {
  FakeSource source;
  source.file("/proc/41/cmdline", std::string_view("python3\0/srv/shop.py\0", 21));
  EXPECT_EQ(program(source, one("python3", "/usr/bin/python3.11", std::nullopt)), "shop.py");
  EXPECT_EQ(program(source, one("python3", "", std::nullopt)), "shop.py");
  EXPECT_EQ(program(source, one("nginx", "/usr/sbin/nginx", std::nullopt)), "nginx");
  EXPECT_EQ(program(source, one("python3", "python3", words("python3 -m shop"))), "shop");
  EXPECT_EQ(program(source, one("python3", "python3", words("python3 -c x"))), "python3");
}

TEST(Programs, TheManifestNearestToTheScript) {
  FakeSource source;
  source.file("/proc/41/root/srv/shop/package.json", R"({"version": "1", "name": "@acme/shop"})");
  source.file("/proc/41/root/package.json", R"({"name": "too-far"})");
  const auto run = [&](const char* line) {
    return program(source, one("node", "/usr/bin/node", words(line)));
  };
  EXPECT_EQ(run("node /srv/shop/dist/index.js"), "@acme/shop");
  EXPECT_EQ(run("node /srv/shop/other.js"), "other.js");
  EXPECT_EQ(run("node /srv/shop/a/b/c/index.js"), "index.js");
  EXPECT_EQ(run("node dist/index.js"), "index.js");
  source.link("/proc/41/cwd", "/srv/shop");
  EXPECT_EQ(run("node dist/index.js"), "@acme/shop");
  EXPECT_EQ(run("node ./index.js"), "@acme/shop");
  source.file("/proc/41/root/srv/shop/pyproject.toml", "[project]\nname = \"billing\"\n");
  EXPECT_EQ(program(source, one("python3", "python3", words("python3 main.py"))), "billing");
}

}  // namespace
}  // namespace hark::host
