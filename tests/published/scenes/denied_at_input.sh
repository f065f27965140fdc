# ORIGIN: moby/moby #22054 in short: a host's firewall denies the port at the input chain, and Docker
# has published it. One port is denied where it helps, in DOCKER-USER.
#@ listen c1 172.17.0.2 80
#@ published 8080 0.0.0.0 172.17.0.2:80
#@ published 8443 0.0.0.0 172.17.0.2:443
#@ denied 8080
#@ listen c1 172.17.0.2 443
#@ try out 192.0.2.9 e0 192.0.2.1 8080
#@ try out 192.0.2.9 e0 192.0.2.1 8443
world c1
bridge docker0 172.17.0.1/16
plug c1 172.17.0.2/16 docker0 172.17.0.1
in_h nft -f - <<'NFT'
table inet filter {
  chain input {
    type filter hook input priority 0; policy drop
    ct state established,related accept
    iifname lo accept
    tcp dport 22 accept
  }
}
table ip nat {
  chain PREROUTING {
    type nat hook prerouting priority -100
    fib daddr type local jump DOCKER
  }
  chain DOCKER {
    tcp dport 8080 dnat to 172.17.0.2:80
    tcp dport 8443 dnat to 172.17.0.2:443
  }
}
table ip filter {
  chain DOCKER-USER { iifname e0 tcp dport 443 drop; }
  chain FORWARD {
    type filter hook forward priority 0; policy accept
    jump DOCKER-USER
  }
}
NFT
