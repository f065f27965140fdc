# ORIGIN: ipset(8), iptables-extensions(8): ports and addresses of a service kept in sets, which rules of
# NAT ask. Sets of ports, of pairs with an address, of pairs with a network, and a list of the latter two.
#@ tools iptables-nft iptables-legacy
#@ listen c1 172.17.0.2 80
#@ listen h 0.0.0.0 3128
#@ published 8080 0.0.0.0 172.17.0.2:80
#@ published 8443 192.0.2.1 -:3128
#@ published 7000 192.0.2.0/24 -:3128
#@ try out 192.0.2.9 e0 192.0.2.1 8080
#@ try out 192.0.2.9 e0 192.0.2.1 8443
#@ try out 192.0.2.9 e0 192.0.2.1 7000
#@ try out 192.0.2.9 e0 192.0.2.1 8444
#@ try out 192.0.2.9 e0 192.0.2.1 8081
#@ try c1 172.17.0.2 docker0 192.0.2.1 8443
world c1
bridge docker0 172.17.0.1/16
plug c1 172.17.0.2/16 docker0 172.17.0.1
in_h ipset restore <<'SETS'
create doors bitmap:port range 8000-9000
add doors 8080
add doors 8090
create pairs hash:ip,port
add pairs 192.0.2.1,tcp:8443
add pairs 192.0.2.1,udp:8444
create nets hash:net,port
add nets 192.0.2.0/24,tcp:7000
create both list:set
add both pairs
add both nets
SETS
in_h "$TOOL" -t nat -A PREROUTING -p tcp -m set --match-set doors dst -j DNAT --to-destination 172.17.0.2:80
in_h "$TOOL" -t nat -A PREROUTING -p tcp -m set --match-set both dst,dst -j REDIRECT --to-ports 3128
