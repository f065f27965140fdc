#include "host/redact.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/text.h"
#include "host/redact_rules.h"

namespace hark::host {
namespace {

const std::string kHex64 = "4f797c539e6c745de61a93ca3ff892358ecbcaccd8414d5db545c38428142970";

/// Arguments parted by '|' here, by NUL in the command line.
std::string redacted(std::string line) {
  std::ranges::replace(line, '|', '\0');
  std::string out(as_text(redact_command_line(as_bytes(line))));
  std::ranges::replace(out, '\0', '|');
  return out;
}

struct Case {
  std::string line;
  std::string expected;
};

void expect_all(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    EXPECT_EQ(redacted(c.line), c.expected) << c.line;
    EXPECT_EQ(redacted(c.expected), c.expected) << "again: " << c.line;
  }
}

TEST(Redact, OptionsAndVariables) {
  expect_all({
      {"app|--password=hunter2|--port=80|", "app|--password=[redacted]|--port=80|"},
      {"app|--password=my secret words|-x", "app|--password=[redacted]|-x"},
      {"app|--password|hunter2|-x|", "app|--password|[redacted]|-x|"},
      {"app|--password|my secret|", "app|--password|[redacted]|"},
      {"app|--token|abc", "app|--token|[redacted]"},
      {"app|-token|abc", "app|-token|[redacted]"},
      {"app|--apiKey=abc", "app|--apiKey=[redacted]"},
      {"app|--client-secret|abc", "app|--client-secret|[redacted]"},
      {"app|-Dspring.datasource.password=x|", "app|-Dspring.datasource.password=[redacted]|"},
      {"env|PGPASSWORD=x|psql|", "env|PGPASSWORD=[redacted]|psql|"},
      {"env|MYSQL_PWD=x|AWS_SECRET_ACCESS_KEY=y|",
       "env|MYSQL_PWD=[redacted]|AWS_SECRET_ACCESS_KEY=[redacted]|"},
      {"env|DB_PASSWORD_2=x", "env|DB_PASSWORD_2=[redacted]"},
      {"env|SECRET_KEY_BASE=x", "env|SECRET_KEY_BASE=[redacted]"},
      {"redis-server|--requirepass|x|--masterauth|y",
       "redis-server|--requirepass|[redacted]|--masterauth|[redacted]"},
      {"beam.smp|-setcookie|monster|-sname|a", "beam.smp|-setcookie|[redacted]|-sname|a"},
      {"tailscale|up|--authkey=abc", "tailscale|up|--authkey=[redacted]"},
      {"nmcli|dev|wifi|connect|home|password|hunter2",
       "nmcli|dev|wifi|connect|home|password|[redacted]"},
      {"openssl|rsa|-passin|pass:1234", "openssl|rsa|-passin|pass:[redacted]"},
      {"x|--private-key=c2VjcmV0", "x|--private-key=[redacted]"},
      {"grafana|--set|auth.token=a,b", "grafana|--set|auth.token=[redacted]"},
      {"mount|-o|user=foo,password=bar,vers=3", "mount|-o|user=foo,password=[redacted],vers=3"},
      {"x|Server=a;Password=b;Database=c", "x|Server=a;Password=[redacted];Database=c"},
      {"x|--password='a b'", "x|--password='[redacted]'"},
  });
}

TEST(Redact, HarmlessNeighbours) {
  for (const std::string line :
       {"nginx: master process /usr/sbin/nginx -g daemon on;",
        "app|--port|8080|-p|8080|--tokenizer-threads=4|",
        "app|--key-file=/etc/x.key|--token-file|/run/token|",
        "app|--key|/etc/ssl/private.pem|--key=./x.key|--tls-private-key=/etc/k8s/api.key|",
        "app|--password-file=/run/secrets/pw",
        "kube-apiserver|--authorization-mode=Node,RBAC|--service-account-key-file=/a/sa.pub|",
        "app|--token-ttl=3600|--max-tokens|100|--sort-key=port|--public-key=abc|--keyspace=a|",
        "app|--allow-empty-password=yes|ALLOW_EMPTY_PASSWORD=true|--no-password|abc",
        "app|--secret-name=web|--cookie-domain=example.org|--passthrough=x|--bypass=1",
        "ssh|-p|2222|host",
        "docker|run|-p|80:80|nginx",
        "app|--monkey=1|--compass=2",
        "env|PWD=/home/me|OLDPWD=/home",
        "curl|http://token:8080/x|http://10.0.0.5:80/|https://[::1]:443/",
        "app|https://user@host/path",
        "java|-Xmx512m|-jar|/opt/app.jar|--password",
        "x|postgres: 15/main: walwriter ",
        "x|--password=|",
        "-|--|=|:|",
        ""}) {
    EXPECT_EQ(redacted(line), line);
  }
}

TEST(Redact, ShortOptionsBelongToTheirPrograms) {
  expect_all({
      {"mysql|-pSECRET|-h|db|-P|3306", "mysql|-p[redacted]|-h|db|-P|3306"},
      {"/usr/bin/mysqldump|-psecret|db", "/usr/bin/mysqldump|-p[redacted]|db"},
      {"mariadb-dump|-psecret|db", "mariadb-dump|-p[redacted]|db"},
      {"mysql|-p|db", "mysql|-p|db"},
      {"sudo|mysql|-psecret", "sudo|mysql|-p[redacted]"},
      {"sshpass|-p|x|ssh|-p|2222|host", "sshpass|-p|[redacted]|ssh|-p|2222|host"},
      {"sshpass|-px|ssh|host", "sshpass|-p[redacted]|ssh|host"},
      {"redis-cli|-a|x|ping", "redis-cli|-a|[redacted]|ping"},
      {"mongodump|-u|me|-p|x", "mongodump|-u|me|-p|[redacted]"},
      {"ldapsearch|-D|cn=me|-w|x", "ldapsearch|-D|cn=me|-w|[redacted]"},
      {"curl|-u|me:pw|http://h/", "curl|-u|me:[redacted]|http://h/"},
      {"curl|-ume:pw|http://h/", "curl|-ume:[redacted]|http://h/"},
      {"curl|--user|me|http://h/", "curl|--user|me|http://h/"},
      {"smbclient|//h/s|-U|me%pw", "smbclient|//h/s|-U|me%[redacted]"},
      {"docker|login|-u|me|-p|pw|registry", "docker|login|-u|me|-p|[redacted]|registry"},
      {"xfreerdp|/v:host|/p:pw", "xfreerdp|/v:host|/p:[redacted]"},
      {"snmpd|-c|/etc/snmp/snmpd.conf", "snmpd|-c|/etc/snmp/snmpd.conf"},
  });
}

TEST(Redact, ScriptsAndTitles) {
  expect_all({
      {"sh|-c|PGPASSWORD=x psql -h db|", "sh|-c|PGPASSWORD=[redacted] psql -h db|"},
      {"sh|-c|PGPASSWORD='a b' psql", "sh|-c|PGPASSWORD='[redacted]' psql"},
      {"bash|-lc|mysql -psecret --port 3306 && echo",
       "bash|-lc|mysql -p[redacted] --port 3306 && echo"},
      {"sh|-c|app --token abc --port 80", "sh|-c|app --token [redacted] --port 80"},
      {"sh|-c|curl -H 'Authorization: Bearer abc def' http://h/",
       "sh|-c|curl -H 'Authorization: [redacted]' http://h/"},
      {"worker --password=abc --port=80", "worker --password=[redacted] --port=80"},
  });
}

TEST(Redact, HeadersAndJson) {
  expect_all({
      {"curl|-H|Authorization: Bearer abcdefghij|-v", "curl|-H|Authorization: [redacted]|-v"},
      {"curl|-H|X-Api-Key: abc", "curl|-H|X-Api-Key: [redacted]"},
      {"curl|-HAuthorization: Basic abc", "curl|-HAuthorization: [redacted]"},
      {"curl|-H|Cookie: session=abc; x=y", "curl|-H|Cookie: [redacted]"},
      {"x|Bearer|abcdefghijkl", "x|Bearer|[redacted]"},
      {"x|bearer|of|news", "x|bearer|of|news"},
      {R"(x|{"user":"me","password":"a\"b","n":1})",
       R"(x|{"user":"me","password":"[redacted]","n":1})"},
      {R"(x|{"password": 123, "n": 1})", R"(x|{"password": [redacted], "n": 1})"},
      {"x|user: me\npassword: abc\nport: 80", "x|user: me\npassword: [redacted]\nport: 80"},
  });
}

TEST(Redact, Urls) {
  expect_all({
      {"git|clone|https://me:pw@host/x.git", "git|clone|https://me:[redacted]@host/x.git"},
      {"x|postgres://u:p@ss@db:5432/app", "x|postgres://u:[redacted]@db:5432/app"},
      {"x|redis://:pw@h", "x|redis://:[redacted]@h"},
      {"x|amqp://u:a/b@h:5672", "x|amqp://u:[redacted]@h:5672"},
      {"x|a=http://u:p@h,b=http://u:q@h", "x|a=http://u:[redacted]@h,b=http://u:[redacted]@h"},
      {"x|DB_SECRET_URL=postgres://u:p@h/d", "x|DB_SECRET_URL=postgres://u:[redacted]@h/d"},
      {"x|https://h/a?access_token=abc&page=2", "x|https://h/a?access_token=[redacted]&page=2"},
  });
}

TEST(Redact, TokensByTheirLooks) {
  const std::string base64 = "q7Zt2mXv9LkR4wYb8NcJ5hGs1PdF3aTe";
  expect_all({
      {"x|AKIA" + std::string("IOSFODNN7EXAMPLE"), "x|[redacted]"},
      {"x|ghp_" + std::string(36, 'a'), "x|[redacted]"},
      {"x|https://ghp_" + std::string(36, 'a') + "@github.com/a",
       "x|https://[redacted]@github.com/a"},
      {"x|xoxb-1234567890-abc", "x|[redacted]"},
      {"x|eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx.c2lnbmF0dXJl|y", "x|[redacted]|y"},
      {"x|-----BEGIN EC PRIVATE KEY-----\nMHc\n-----END EC PRIVATE KEY-----", "x|[redacted]"},
      {"x|" + base64 + "|y", "x|[redacted]|y"},
      {"x|--data=" + base64, "x|--data=[redacted]"},
      {"x|" + kHex64, "x|[redacted]"},
      {"x|https://hooks.example/services/" + base64, "x|https://hooks.example/services/[redacted]"},
      {"x|0123456789abcdef0123456789abcdef", "x|0123456789abcdef0123456789abcdef"},
      {"x|d2f0a9c81b7e4f6a95c3e8b017d4a6f2", "x|[redacted]"},
  });
}

TEST(Redact, LongWordsThatAreNoSecrets) {
  const std::vector<std::string> lines = {
      "x|2403ccfe-427f-1dc7-b612-0dccb9ac58c2",
      "x|/nix/store/0c0b3v4ib9g6wcx5p8jrkn1v3zy2k1qd-hello-2.12/bin/hello",
      "x|/var/lib/docker/overlay2/" + kHex64 + "/merged",
      "x|image@sha256:" + kHex64,
      "x|--digest=sha256:" + kHex64,
      "containerd-shim-runc-v2|-namespace|moby|-id|" + kHex64 + "|-address|/run/x.sock",
      "/usr/bin/conmon|-c|" + kHex64,
      "x|-id|" + kHex64,
      "x|my-service-deployment-with-a-long-name-7d9f8b6c5d-x2k4q",
      "x|org.apache.catalina.startup.BootstrapWithAVeryLongClassNameIndeed1",
      "x|ssh-ed25519|AAAAC3NzaC1lZDI1NTE5AAAAIG4rT3vTt99Ox5kndS4HmgTrKBT8SKzhK4rhGkEVGlCI",
      "x|--a-very-long-option-name-that-is-not-random-at-all-2=yes",
      "x|00000000000000000000000000000000000001"};
  for (const std::string& line : lines) EXPECT_EQ(redacted(line), line);
}

TEST(Redact, AnyBytesAndNoArguments) {
  EXPECT_TRUE(redact_command_line({}).empty());
  EXPECT_EQ(redacted("||"), "||");
  EXPECT_EQ(redacted("a|--password||b|"), "a|--password||b|");
  EXPECT_EQ(redacted("a\xff|--password=\xfe\xff|"), "a\xff|--password=[redacted]|");
}

TEST(Redact, NamesSayWhatTheyHold) {
  for (const char* name : {"password", "--db-password", "PGPASSWORD", "dbPassword2", "X-Auth-Token",
                           "HTTPToken", "client_secret", "storepass", "AWS_SESSION_TOKEN"}) {
    EXPECT_EQ(name_says(name), NameSays::Secret) << name;
  }
  for (const char* name : {"key", "--api-key", "SECRETLESS_KEY", "PWD", "private-key"}) {
    EXPECT_NE(name_says(name), NameSays::Nothing) << name;
  }
  for (const char* name : {"", "--", "2", "port", "tokenizer", "token-file", "passwordFile",
                           "no-password", "primary_key", "monkey", "user", "bypass"}) {
    EXPECT_EQ(name_says(name), NameSays::Nothing) << name;
  }
}

TEST(Redact, LongCommandLinesTakeLinearTime) {
  // Repetitions that could make a search start over at each of them: a quadratic walk over a
  // megabyte would run into the time limit of the test.
  for (const std::string unit : {"eyJ", "?token='\\", "x://a:b", "token=\"", "a:", "-p '",
                                 "{\"key\":", "sha256:", "=", "/a", "AKIA", "password: "}) {
    std::string line = "mysql|curl|";
    while (line.size() < 1'000'000) line += unit;
    EXPECT_FALSE(redacted(line).empty());
  }
}

}  // namespace
}  // namespace hark::host
