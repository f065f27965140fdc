# ORIGIN: kube-proxy's nftables mode as Kubernetes' documentation and the blog post on it describe it:
# verdict maps by address, protocol and port, a chain for each service and endpoint, numgen between
# them, a set of clients for session affinity; written anew.
#@ listen c1 10.244.0.3 8080
#@ listen c2 10.244.0.4 8080
#@ published 80 10.96.0.20 10.244.0.3:8080,10.244.0.4:8080
#@ published 30080 192.0.2.1 10.244.0.3:8080,10.244.0.4:8080
#@ service 80 default/web:http
#@ try out 192.0.2.9 e0 192.0.2.1 30080
#@ try h 192.0.2.1 lo 10.96.0.20 80
#@ try c1 10.244.0.3 cni0 10.96.0.20 80
world c1 c2
bridge cni0 10.244.0.1/24
plug c1 10.244.0.3/24 cni0 10.244.0.1
plug c2 10.244.0.4/24 cni0 10.244.0.1
ip -n h link set vc1 type bridge_slave hairpin on
ip -n h link set vc2 type bridge_slave hairpin on
in_h nft -f - <<'NFT'
table ip kube-proxy {
  set nodeport-ips { type ipv4_addr; elements = { 192.0.2.1 } }
  map service-ips {
    type ipv4_addr . inet_proto . inet_service : verdict
    elements = { 10.96.0.20 . tcp . 80 : goto service-AAAA-default/web/tcp/http }
  }
  map service-nodeports {
    type inet_proto . inet_service : verdict
    elements = { tcp . 30080 : goto external-AAAA-default/web/tcp/http }
  }
  chain nat-prerouting { type nat hook prerouting priority dstnat; jump services; }
  chain nat-output { type nat hook output priority -100; jump services; }
  chain nat-postrouting { type nat hook postrouting priority srcnat; meta mark & 0x4000 == 0x4000 masquerade; }
  chain services {
    ip daddr . meta l4proto . th dport vmap @service-ips
    ip daddr @nodeport-ips meta l4proto . th dport vmap @service-nodeports
  }
  chain mark-for-masquerade { meta mark set meta mark | 0x4000; }
  chain external-AAAA-default/web/tcp/http {
    jump mark-for-masquerade
    goto service-AAAA-default/web/tcp/http
  }
  chain service-AAAA-default/web/tcp/http {
    ip daddr 10.96.0.20 tcp dport 80 ip saddr != 10.244.0.0/16 jump mark-for-masquerade
    numgen random mod 2 vmap { 0 : goto endpoint-BBBB-default/web/tcp/http__10.244.0.3/8080, 1 : goto endpoint-CCCC-default/web/tcp/http__10.244.0.4/8080 }
  }
  chain endpoint-BBBB-default/web/tcp/http__10.244.0.3/8080 {
    ip saddr 10.244.0.3 jump mark-for-masquerade
    meta l4proto tcp dnat to 10.244.0.3:8080
  }
  chain endpoint-CCCC-default/web/tcp/http__10.244.0.4/8080 {
    ip saddr 10.244.0.4 jump mark-for-masquerade
    meta l4proto tcp dnat to 10.244.0.4:8080
  }
}
NFT
