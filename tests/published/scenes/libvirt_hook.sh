# ORIGIN: libvirt's documentation "Forwarding incoming connections" (a qemu hook that adds DNAT and a
# forward rule to the chains of a NAT network); written anew. Beside it what a transparent proxy and
# a map of ports look like.
#@ listen c1 192.168.122.10 22
#@ listen h 0.0.0.0 3128
#@ published 2222 0.0.0.0 192.168.122.10:22
#@ published 8000 0.0.0.0 192.168.122.10:80
#@ published 8001 0.0.0.0 192.168.122.10:22
#@ published 80 0.0.0.0 -:3128
#@ nobody c1 tcp 80
#@ try out 192.0.2.9 e0 192.0.2.1 2222
#@ try out 192.0.2.9 e0 192.0.2.1 8001
#@ try out 192.0.2.9 e0 192.0.2.1 80
#@ try h 192.0.2.1 lo 192.0.2.1 2222
world c1
bridge virbr0 192.168.122.1/24
plug c1 192.168.122.10/24 virbr0 192.168.122.1
in_h nft -f - <<'NFT'
table ip libvirt_network {
  chain forward {
    type filter hook forward priority filter; policy accept
    oif virbr0 ip daddr 192.168.122.0/24 ct state related,established counter accept
    iif virbr0 ip saddr 192.168.122.0/24 counter accept
  }
  chain guest_nat {
    type nat hook postrouting priority srcnat; policy accept
    ip saddr 192.168.122.0/24 ip daddr != 192.168.122.0/24 counter masquerade
  }
}
table ip qemu_hook {
  map ports { type inet_service : ipv4_addr . inet_service; elements = { 8000 : 192.168.122.10 . 80, 8001 : 192.168.122.10 . 22 } }
  chain prerouting {
    type nat hook prerouting priority dstnat
    iifname e0 tcp dport 2222 dnat to 192.168.122.10:22
    iifname e0 dnat ip addr . port to tcp dport map @ports
    iifname e0 tcp dport 80 redirect to :3128
    iifname nosuch tcp dport 9999 dnat to 192.168.122.10:9999
  }
}
NFT
