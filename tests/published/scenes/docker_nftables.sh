# ORIGIN: the tables that Docker Engine 29's documentation of the nftables backend names
# (docker-bridges, its chains by hook and its jumps by bridge); written anew.
#@ listen c1 172.17.0.2 80
#@ published 8080 0.0.0.0 172.17.0.2:80
#@ try out 192.0.2.9 e0 192.0.2.1 8080
#@ try h 192.0.2.1 lo 192.0.2.1 8080
#@ try c1 172.17.0.2 docker0 192.0.2.1 8080
world c1
bridge docker0 172.17.0.1/16
plug c1 172.17.0.2/16 docker0 172.17.0.1
in_h nft -f - <<'NFT'
table ip docker-bridges {
  map filter-forward-out-jumps { type ifname : verdict; elements = { docker0 : jump filter-forward-in__docker0 } }
  chain filter-forward {
    type filter hook forward priority filter; policy accept
    oifname vmap @filter-forward-out-jumps
  }
  chain filter-forward-in__docker0 {
    ct state established,related counter accept
    iifname docker0 counter accept
    ip daddr 172.17.0.2 tcp dport 80 counter accept
    counter drop comment "UNPUBLISHED PORT DROP"
  }
  chain nat-prerouting {
    type nat hook prerouting priority dstnat; policy accept
    fib daddr type local counter jump nat-prerouting-and-output
  }
  chain nat-output {
    type nat hook output priority -100; policy accept
    ip daddr != 127.0.0.0/8 fib daddr type local counter jump nat-prerouting-and-output
  }
  chain nat-prerouting-and-output {
    iifname != docker0 tcp dport 8080 counter dnat to 172.17.0.2:80 comment "DNAT"
  }
  chain nat-postrouting {
    type nat hook postrouting priority srcnat; policy accept
    oifname != docker0 ip saddr 172.17.0.0/16 counter masquerade
  }
}
NFT
