# ORIGIN: a container that asks for its own published port by the host's address, as Docker without
# the userland proxy has it: c1's port of the bridge is in hairpin mode (bridge-utils' hairpin_mode,
# IFLA_BRPORT_MODE), c2's is not; written anew. TOOL: whether br_netfilter has the rules see bridged
# packets.
#@ tools 0 1
#@ listen c1 172.17.0.2 80
#@ listen c1 172.17.0.2 81
#@ listen c2 172.17.0.3 80
#@ published 8080 0.0.0.0 172.17.0.2:80
#@ published 8081 0.0.0.0 172.17.0.2:81
#@ published 8082 0.0.0.0 172.17.0.3:80
#@ try c1 172.17.0.2 docker0 192.0.2.1 8080
#@ try c1 172.17.0.2 docker0 192.0.2.1 8081
#@ try c1 172.17.0.2 docker0 192.0.2.1 8082
#@ try c2 172.17.0.3 docker0 192.0.2.1 8082
#@ try c2 172.17.0.3 docker0 192.0.2.1 8080
#@ try c2 172.17.0.3 docker0 192.0.2.1 8081
world c1 c2
bridge docker0 172.17.0.1/16
plug c1 172.17.0.2/16 docker0 172.17.0.1
plug c2 172.17.0.3/16 docker0 172.17.0.1
ip -n h link set vc1 type bridge_slave hairpin on
in_h sysctl -qw "net.bridge.bridge-nf-call-iptables=$TOOL"
in_h nft -f - <<'NFT'
table ip nat {
  chain prerouting {
    type nat hook prerouting priority dstnat
    fib daddr type local tcp dport 8080 dnat to 172.17.0.2:80
    fib daddr type local tcp dport 8081 dnat to 172.17.0.2:81
    fib daddr type local tcp dport 8082 dnat to 172.17.0.3:80
  }
  chain postrouting {
    type nat hook postrouting priority srcnat
    ip saddr 172.17.0.0/16 tcp dport 80 masquerade
  }
}
NFT
