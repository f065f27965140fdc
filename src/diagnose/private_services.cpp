#include "diagnose/private_services.h"

#include <algorithm>

#include "base/text.h"

namespace hark::diagnose {
namespace {

using enum PrivateKind;
using enum Protocol;
using enum ToldBy;

constexpr std::array<PrivateKindWords, 8> kKinds = {{
    {Database, "exposed-database", "a database", "whoever has or guesses a password has the data"},
    {Cache, "exposed-cache", "a cache or message queue",
     "most ask for no password, and give and take whatever they hold"},
    {Debugger, "exposed-debugger", "a debugger or notebook", "whoever connects runs code here"},
    {Control, "exposed-control", "a control interface",
     "whoever connects starts what he likes, as root most often"},
    {Files, "exposed-files", "a file service", "whoever connects reads, or writes, what it shares"},
    {Desktop, "exposed-desktop", "a screen and keyboard",
     "whoever has or guesses a password sees and types"},
    {Rpc, "exposed-rpc", "a directory or management service",
     "it tells strangers about this host, and amplifies attacks on others"},
    {Metrics, "exposed-metrics", "a metrics or administration page",
     "it tells strangers how this host is built and how it fares"},
}};

/// Ports are those of the projects' own documentation.
constexpr std::array kServices = {
    PrivateService{"PostgreSQL", Database, Tcp, Port, {5432}, "postgres postmaster"},
    PrivateService{"MySQL", Database, Tcp, Port, {3306, 33060}, "mysqld mariadbd"},
    PrivateService{"SQL Server", Database, Tcp, Port, {1433}, "sqlservr"},
    PrivateService{"Oracle Database", Database, Tcp, Port, {1521}, "tnslsnr"},
    PrivateService{"MongoDB", Database, Tcp, Port, {27017, 27018, 27019}, "mongod mongos"},
    PrivateService{"CouchDB", Database, Tcp, Port, {5984}, "couchdb"},
    PrivateService{"Cassandra", Database, Tcp, Port, {9042, 9160}, "cassandra scylla"},
    PrivateService{"Elasticsearch", Database, Tcp, Port, {9200, 9300}, "elasticsearch opensearch*"},
    PrivateService{"ClickHouse", Database, Tcp, ProgramAtPort, {8123, 9000}, "clickhouse*"},
    PrivateService{"InfluxDB", Database, Tcp, Port, {8086}, "influxd"},
    PrivateService{"Neo4j", Database, Tcp, Port, {7687}, "neo4j"},
    PrivateService{"CockroachDB", Database, Tcp, Port, {26257}, "cockroach"},
    PrivateService{"LDAP", Database, Tcp, ProgramAtPort, {389}, "slapd ns-slapd"},
    PrivateService{"PostgreSQL", Database, Tcp, Program, {}, "postgres postmaster"},
    PrivateService{"MySQL", Database, Tcp, Program, {}, "mysqld mariadbd"},
    PrivateService{"MongoDB", Database, Tcp, Program, {}, "mongod mongos"},
    PrivateService{"Redis", Cache, Tcp, Port, {6379, 26379, 16379}, "redis-* valkey-*"},
    PrivateService{"Redis", Cache, Tcp, Program, {}, "redis-server valkey-server"},
    PrivateService{"memcached", Cache, Tcp, Port, {11211}, "memcached"},
    PrivateService{"memcached", Cache, Udp, Port, {11211}, "memcached"},
    PrivateService{"memcached", Cache, Tcp, Program, {}, "memcached"},
    PrivateService{"Kafka", Cache, Tcp, Port, {9092}, "kafka*"},
    PrivateService{"ZooKeeper", Cache, Tcp, Port, {2181}, "zookeeper*"},
    PrivateService{"NATS", Cache, Tcp, ProgramAtPort, {4222, 8222}, "nats-server"},
    PrivateService{"a Java debugger", Debugger, Tcp, WordOfProgram, {}, "-agentlib:jdwp"},
    PrivateService{"a Java debugger", Debugger, Tcp, WordOfProgram, {}, "-Xrunjdwp"},
    PrivateService{"Java's JMX", Debugger, Tcp, WordOfProgram, {}, "jmxremote.port="},
    PrivateService{"Node's inspector", Debugger, Tcp, Port, {9229}, "node nodejs"},
    PrivateService{"Python's debugger", Debugger, Tcp, ProgramAtPort, {5678}, "debugpy*"},
    PrivateService{"gdbserver", Debugger, Tcp, Program, {}, "gdbserver lldb-server dlv"},
    PrivateService{"Jupyter", Debugger, Tcp, Program, {}, "jupyter*"},
    PrivateService{"adb", Debugger, Tcp, ProgramAtPort, {5037, 5555}, "adb adbd"},
    PrivateService{"Docker's API", Control, Tcp, Port, {2375, 2376}, "dockerd"},
    PrivateService{"etcd", Control, Tcp, Port, {2379, 2380}, "etcd"},
    PrivateService{"the kubelet", Control, Tcp, Port, {10250, 10255}, "kubelet k3s*"},
    PrivateService{"Kubernetes' scheduler", Control, Tcp, Port, {10257, 10259}, "kube-*"},
    PrivateService{"Consul", Control, Tcp, ProgramAtPort, {8500}, "consul"},
    PrivateService{"Nomad", Control, Tcp, ProgramAtPort, {4646}, "nomad"},
    PrivateService{"Salt", Control, Tcp, Port, {4505, 4506}, "salt-master"},
    PrivateService{"libvirt", Control, Tcp, Port, {16509, 16514}, "libvirtd virtproxyd"},
    PrivateService{"a network block device", Files, Tcp, Port, {10809}, "nbd-server qemu-nbd"},
    PrivateService{"Spark", Control, Tcp, ProgramAtPort, {7077}, "spark*"},
    PrivateService{"SMB", Files, Tcp, Port, {445, 139}, "smbd"},
    PrivateService{"NFS", Files, Tcp, Port, {2049}, "nfsd rpc.nfsd"},
    PrivateService{"rsync", Files, Tcp, Port, {873}, "rsync"},
    PrivateService{"TFTP", Files, Udp, Port, {69}, "in.tftpd tftpd"},
    PrivateService{"iSCSI", Files, Tcp, Port, {3260}, "tgtd"},
    PrivateService{"VNC", Desktop, Tcp, Port, {5900, 5901, 5902}, "x11vnc Xvnc* vino-server"},
    PrivateService{"X11", Desktop, Tcp, Port, {6000}, "Xorg X"},
    PrivateService{"RDP", Desktop, Tcp, Port, {3389}, "xrdp gnome-remote-*"},
    PrivateService{"rpcbind", Rpc, Tcp, Port, {111}, "rpcbind portmap"},
    PrivateService{"rpcbind", Rpc, Udp, Port, {111}, "rpcbind portmap"},
    PrivateService{"SNMP", Rpc, Udp, Port, {161}, "snmpd"},
    PrivateService{"SSDP", Rpc, Udp, ProgramAtPort, {1900}, "minissdpd miniupnpd"},
    PrivateService{"Erlang's port mapper", Rpc, Tcp, Port, {4369}, "epmd"},
    PrivateService{"IPMI", Rpc, Udp, Port, {623}, "ipmi*"},
    PrivateService{"Prometheus", Metrics, Tcp, ProgramAtPort, {9090}, "prometheus"},
    PrivateService{"a Prometheus exporter", Metrics, Tcp, Program, {}, "*_exporter *-exporter"},
    PrivateService{"a Prometheus exporter", Metrics, Tcp, Port, {9100}, "node_exporter"},
    PrivateService{"Alertmanager", Metrics, Tcp, ProgramAtPort, {9093}, "alertmanager"},
    PrivateService{"cAdvisor", Metrics, Tcp, Program, {}, "cadvisor"},
    PrivateService{"RabbitMQ's console", Metrics, Tcp, Port, {15672}, "beam.smp rabbitmq*"},
    PrivateService{"netdata", Metrics, Tcp, Port, {19999}, "netdata"},
};

}  // namespace

const PrivateKindWords& words_of(PrivateKind kind) {
  return *std::ranges::find(kKinds, kind, &PrivateKindWords::kind);
}

std::span<const PrivateService> private_services() {
  return kServices;
}

bool is_gatekeeper(std::string_view program) {
  constexpr std::array<std::string_view, 12> kPrograms = {
      "nginx", "apache2", "httpd",   "haproxy",  "caddy",    "envoy",
      "sshd",  "traefik", "stunnel", "varnishd", "lighttpd", "nginx-ingress"};
  return std::ranges::find(kPrograms, program) != kPrograms.end();
}

bool is_named(const PrivateService& service, std::string_view program) {
  std::string_view names = service.programs;
  while (!names.empty()) {
    if (matches_glob(next_word(names), program)) return true;
  }
  return false;
}

}  // namespace hark::diagnose
