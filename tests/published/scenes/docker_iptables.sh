# ORIGIN: what dockerd's documentation ("Packet filtering and firewalls") says of its chains, and the
# rules that docker run -p is known to make with the iptables backend; written anew. The userland
# proxy is off: with it a container's packets to a published port would be left to the proxy.
# TOOL: iptables-nft or iptables-legacy.
#@ tools iptables-nft iptables-legacy
#@ listen c1 172.17.0.2 80
#@ listen c2 172.17.0.3 80
#@ published 8080 0.0.0.0 172.17.0.2:80
#@ published 8081 0.0.0.0 172.17.0.2:81
#@ published 9090 127.0.0.1 172.17.0.3:80
#@ nobody c1 tcp 81
#@ try out 192.0.2.9 e0 192.0.2.1 8080
#@ try out 192.0.2.9 e0 192.0.2.1 8081
#@ try out 192.0.2.9 e0 192.0.2.1 8082
#@ try c2 172.17.0.3 docker0 192.0.2.1 8080
#@ try h 192.0.2.1 lo 192.0.2.1 8080
#@ try h 192.0.2.1 lo 192.0.2.1 9090
world c1 c2
bridge docker0 172.17.0.1/16
plug c1 172.17.0.2/16 docker0 172.17.0.1
plug c2 172.17.0.3/16 docker0 172.17.0.1
ip -n h link set vc1 type bridge_slave hairpin on
ip -n h link set vc2 type bridge_slave hairpin on
rule() { in_h "$TOOL" "$@"; }
rule -P FORWARD DROP
rule -t nat -N DOCKER
rule -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
rule -t nat -A OUTPUT -m addrtype --dst-type LOCAL -j DOCKER
rule -t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
rule -t nat -A POSTROUTING -o docker0 -m addrtype --src-type LOCAL -j MASQUERADE
rule -t nat -A DOCKER -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
rule -t nat -A DOCKER -p tcp -m tcp --dport 8081 -j DNAT --to-destination 172.17.0.2:81
rule -t nat -A DOCKER -d 127.0.0.1/32 -p tcp -m tcp --dport 9090 -j DNAT --to-destination 172.17.0.3:80
for chain in DOCKER-USER DOCKER-FORWARD DOCKER; do rule -N $chain; done
rule -A FORWARD -j DOCKER-USER
rule -A FORWARD -j DOCKER-FORWARD
rule -A DOCKER-FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
rule -A DOCKER-FORWARD -o docker0 -j DOCKER
rule -A DOCKER-FORWARD -i docker0 -j ACCEPT
rule -A DOCKER -d 172.17.0.2/32 -p tcp -m tcp --dport 80:81 -j ACCEPT
rule -A DOCKER -d 172.17.0.3/32 -p tcp -m tcp --dport 80 -j ACCEPT
