# ORIGIN: netavark's nftables driver as its documentation and its names of chains tell: one table
# inet netavark, NETAVARK-HOSTPORT-DNAT, a chain for each network; written anew.
#@ listen c1 10.88.0.7 3000
#@ published 3000 0.0.0.0 10.88.0.7:3000
#@ published 5353/udp 0.0.0.0 10.88.0.7:53
#@ nobody c1 udp 53
#@ try out 192.0.2.9 e0 192.0.2.1 3000
#@ try h 192.0.2.1 lo 192.0.2.1 3000
#@ try c1 10.88.0.7 podman0 192.0.2.1 3000
world c1
bridge podman0 10.88.0.1/16
plug c1 10.88.0.7/16 podman0 10.88.0.1
ip -n h link set vc1 type bridge_slave hairpin on
in_h nft -f - <<'NFT'
table inet netavark {
  chain INPUT { type filter hook input priority filter; policy accept; }
  chain FORWARD {
    type filter hook forward priority filter; policy accept
    ct state invalid drop
    jump NETAVARK-ISOLATION-1
    ip daddr 10.88.0.0/16 ct state { established, related } accept
    ip saddr 10.88.0.0/16 accept
  }
  chain NETAVARK-ISOLATION-1 { }
  chain POSTROUTING {
    type nat hook postrouting priority srcnat; policy accept
    meta mark & 0x2000 == 0x2000 masquerade
    ip saddr 10.88.0.0/16 jump nv_2f259bab_10_88_0_0_nm16
  }
  chain nv_2f259bab_10_88_0_0_nm16 {
    ip daddr 10.88.0.0/16 accept
    ip daddr != 224.0.0.0/4 masquerade
  }
  chain PREROUTING {
    type nat hook prerouting priority dstnat; policy accept
    fib daddr type local jump NETAVARK-HOSTPORT-DNAT
  }
  chain OUTPUT {
    type nat hook output priority -100; policy accept
    fib daddr type local jump NETAVARK-HOSTPORT-DNAT
  }
  chain NETAVARK-HOSTPORT-SETMARK { meta mark set meta mark | 0x2000; }
  chain NETAVARK-HOSTPORT-DNAT {
    tcp dport 3000 jump nv_2f259bab_10_88_0_0_nm16_dnat
    udp dport 5353 jump nv_2f259bab_10_88_0_0_nm16_dnat
  }
  chain nv_2f259bab_10_88_0_0_nm16_dnat {
    ip saddr 10.88.0.0/16 tcp dport 3000 jump NETAVARK-HOSTPORT-SETMARK
    ip saddr 127.0.0.1 tcp dport 3000 jump NETAVARK-HOSTPORT-SETMARK
    tcp dport 3000 dnat ip to 10.88.0.7:3000
    udp dport 5353 dnat ip to 10.88.0.7:53
  }
}
NFT
