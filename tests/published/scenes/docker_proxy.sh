# ORIGIN: the rules that docker run -p is known to make with the iptables backend where the userland
# proxy is on, as it is unless somebody turns it off, and direct access to a container's address is
# refused (Docker 28's raw table); written anew. docker-proxy is a program of that name that does
# what it does.
#@ tools iptables-nft iptables-legacy
#@ listen c1 172.17.0.2 80
#@ listen c2 172.17.0.3 80
#@ proxy 0.0.0.0 8080 172.17.0.2 80
#@ proxy 127.0.0.1 9090 172.17.0.3 80
#@ try out 192.0.2.9 e0 192.0.2.1 8080
#@ try out 192.0.2.9 e0 192.0.2.1 9090
#@ try out 192.0.2.9 e0 172.17.0.2 80
#@ try c2 172.17.0.3 docker0 192.0.2.1 8080
#@ try c1 172.17.0.2 docker0 192.0.2.1 8080
#@ try c1 172.17.0.2 docker0 172.17.0.1 8080
#@ try c1 172.17.0.2 docker0 172.17.0.1 9090
#@ try c2 172.17.0.3 eth0 172.17.0.2 80 c1
#@ try h 192.0.2.1 lo 192.0.2.1 8080
#@ try h 127.0.0.1 lo 127.0.0.1 8080
#@ try h 127.0.0.1 lo 127.0.0.1 9090
#@ try h 172.17.0.1 lo 172.17.0.2 80
world c1 c2
bridge docker0 172.17.0.1/16
plug c1 172.17.0.2/16 docker0 172.17.0.1
plug c2 172.17.0.3/16 docker0 172.17.0.1
in_h "$TOOL-restore" <<'RULES'
*raw
-A PREROUTING -d 172.17.0.2/32 ! -i docker0 -j DROP
-A PREROUTING -d 172.17.0.3/32 ! -i docker0 -j DROP
-A PREROUTING -d 127.0.0.1/32 ! -i lo -p tcp -m tcp --dport 9090 -j DROP
COMMIT
*nat
:DOCKER -
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
-A DOCKER -d 127.0.0.1/32 ! -i docker0 -p tcp -m tcp --dport 9090 -j DNAT --to-destination 172.17.0.3:80
COMMIT
*filter
:FORWARD DROP
:DOCKER -
:DOCKER-BRIDGE -
:DOCKER-CT -
:DOCKER-FORWARD -
:DOCKER-USER -
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-FORWARD
-A DOCKER-FORWARD -j DOCKER-CT
-A DOCKER-FORWARD -j DOCKER-BRIDGE
-A DOCKER-FORWARD -i docker0 -j ACCEPT
-A DOCKER-CT -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A DOCKER-BRIDGE -o docker0 -j DOCKER
-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
-A DOCKER -d 172.17.0.3/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
-A DOCKER ! -i docker0 -o docker0 -j DROP
COMMIT
RULES
