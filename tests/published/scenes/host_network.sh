# ORIGIN: docker run --network host: the container's server is in the host's own namespace, publishes
# nothing, and the host's input chain is what it has; beside it docker0 and a container that asks;
# written anew.
#@ tools iptables-nft
#@ listen h 0.0.0.0 80
#@ listen h 0.0.0.0 81
#@ listen h 127.0.0.1 82
#@ try out 192.0.2.9 e0 192.0.2.1 80
#@ try out 192.0.2.9 e0 192.0.2.1 81
#@ try out 192.0.2.9 e0 192.0.2.1 82
#@ try c1 172.17.0.2 docker0 172.17.0.1 80
#@ try c1 172.17.0.2 docker0 192.0.2.1 81
#@ try c1 172.17.0.2 docker0 172.17.0.1 82
#@ try h 127.0.0.1 lo 127.0.0.1 82
#@ try h 192.0.2.1 lo 192.0.2.1 81
world c1
bridge docker0 172.17.0.1/16
plug c1 172.17.0.2/16 docker0 172.17.0.1
in_h "$TOOL-restore" <<'RULES'
*nat
:DOCKER -
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
COMMIT
*filter
:FORWARD DROP
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -i e0 -p tcp -m tcp --dport 81 -j DROP
-A FORWARD -i docker0 -j ACCEPT
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
RULES
