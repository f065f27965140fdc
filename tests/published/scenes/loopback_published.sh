# ORIGIN: moby/moby #45610: what docker run -p 127.0.0.1:9090:80 published could be had by a neighbour
# who routes 127.0.0.1 by this host. Docker 28 refuses it in the raw table: of the two ports one has
# that rule.
#@ tools iptables-nft iptables-legacy
#@ listen c1 172.17.0.2 80
#@ listen c1 172.17.0.2 81
#@ published 9090 127.0.0.1 172.17.0.2:80
#@ published 9091 127.0.0.1 172.17.0.2:81
#@ try out 192.0.2.9 e0 127.0.0.1 9090
#@ try out 192.0.2.9 e0 127.0.0.1 9091
#@ try out 192.0.2.9 e0 192.0.2.1 9090
#@ try h 127.0.0.1 lo 127.0.0.1 9090
#@ try h 127.0.0.1 lo 127.0.0.1 9091
world c1
bridge docker0 172.17.0.1/16
plug c1 172.17.0.2/16 docker0 172.17.0.1
in_h sh -c 'echo 1 > /proc/sys/net/ipv4/conf/docker0/route_localnet'
# The neighbour gives up a loopback of his own.
ip -n out addr del 127.0.0.1/8 dev lo
ip -n out route add 127.0.0.0/8 via 192.0.2.1
ip netns exec out sh -c 'echo 1 > /proc/sys/net/ipv4/conf/e0/route_localnet'
in_h "$TOOL-restore" <<'RULES'
*raw
-A PREROUTING -d 127.0.0.1/32 ! -i lo -p tcp -m tcp --dport 9091 -j DROP
COMMIT
*nat
:DOCKER -
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A POSTROUTING -o docker0 -m addrtype --src-type LOCAL -j MASQUERADE
-A DOCKER -d 127.0.0.1/32 -p tcp -m tcp --dport 9090 -j DNAT --to-destination 172.17.0.2:80
-A DOCKER -d 127.0.0.1/32 -p tcp -m tcp --dport 9091 -j DNAT --to-destination 172.17.0.2:81
COMMIT
*filter
:FORWARD DROP
:DOCKER -
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 -j ACCEPT
-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80:81 -j ACCEPT
COMMIT
RULES
