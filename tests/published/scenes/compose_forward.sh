# ORIGIN: two networks of docker compose with Docker 29's chains, in which a bridge's own chain drops
# what is not published to it (DOCKER-FORWARD, DOCKER-BRIDGE, DOCKER-INTERNAL); the userland proxy is
# off; written anew. A container may ask what another network publishes by the host's address.
#@ tools iptables-nft
#@ listen c1 172.18.0.2 80
#@ listen c1 172.18.0.2 81
#@ listen c2 172.19.0.2 80
#@ published 8080 0.0.0.0 172.18.0.2:80
#@ try out 192.0.2.9 e0 192.0.2.1 8080
#@ try c2 172.19.0.2 br-b 192.0.2.1 8080
#@ try c2 172.19.0.2 br-b 172.18.0.2 80
#@ try c2 172.19.0.2 br-b 172.18.0.2 81
#@ try c3 172.18.0.3 br-a 192.0.2.1 8080
#@ try c3 172.18.0.3 eth0 172.18.0.2 81 c1
#@ try c1 172.18.0.2 br-a 192.0.2.1 8080
#@ try c3 172.18.0.3 br-a 172.19.0.2 80
#@ try h 192.0.2.1 lo 192.0.2.1 8080
#@ try h 172.18.0.1 lo 172.18.0.2 81
world c1 c2 c3
bridge br-a 172.18.0.1/16
bridge br-b 172.19.0.1/16
plug c1 172.18.0.2/16 br-a 172.18.0.1
plug c2 172.19.0.2/16 br-b 172.19.0.1
plug c3 172.18.0.3/16 br-a 172.18.0.1
for port in vc1 vc2 vc3; do ip -n h link set "$port" type bridge_slave hairpin on; done
in_h "$TOOL-restore" <<'RULES'
*nat
:DOCKER -
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.18.0.0/16 ! -o br-a -j MASQUERADE
-A POSTROUTING -s 172.19.0.0/16 ! -o br-b -j MASQUERADE
-A POSTROUTING -o br-a -m addrtype --src-type LOCAL -j MASQUERADE
-A POSTROUTING -s 172.18.0.2/32 -d 172.18.0.2/32 -p tcp -m tcp --dport 80 -j MASQUERADE
-A DOCKER -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.18.0.2:80
COMMIT
*filter
:FORWARD DROP
:DOCKER -
:DOCKER-BRIDGE -
:DOCKER-CT -
:DOCKER-FORWARD -
:DOCKER-INTERNAL -
:DOCKER-USER -
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-FORWARD
-A DOCKER-FORWARD -j DOCKER-CT
-A DOCKER-FORWARD -j DOCKER-INTERNAL
-A DOCKER-FORWARD -j DOCKER-BRIDGE
-A DOCKER-FORWARD -i br-a -j ACCEPT
-A DOCKER-FORWARD -i br-b -j ACCEPT
-A DOCKER-CT -o br-a -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A DOCKER-CT -o br-b -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A DOCKER-BRIDGE -o br-a -j DOCKER
-A DOCKER-BRIDGE -o br-b -j DOCKER
-A DOCKER -d 172.18.0.2/32 ! -i br-a -o br-a -p tcp -m tcp --dport 80 -j ACCEPT
-A DOCKER ! -i br-a -o br-a -j DROP
-A DOCKER ! -i br-b -o br-b -j DROP
COMMIT
RULES
