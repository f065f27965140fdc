# ORIGIN: dockerd's documentation of IPv6: ip6tables on, a network with a ULA prefix, whose ports are
# published in both families, and one port whose container has IPv4 alone: docker-proxy takes it from
# [::]; written anew.
#@ tools iptables-nft iptables-legacy
#@ listen c1 172.17.0.2 80
#@ listen c1 fd00:17::2 80
#@ listen c2 172.17.0.3 80
#@ proxy :: 8081 172.17.0.3 80
#@ published 8080 0.0.0.0 172.17.0.2:80
#@ published 8080/6 :: [fd00:17::2]:80
#@ published 8081 0.0.0.0 172.17.0.3:80
#@ try out 192.0.2.9 e0 192.0.2.1 8080
#@ try out 2001:db8::9 e0 2001:db8::1 8080
#@ try out 192.0.2.9 e0 192.0.2.1 8081
#@ try out 2001:db8::9 e0 2001:db8::1 8081
#@ try out 2001:db8::9 e0 fd00:17::2 80
#@ try out 2001:db8::9 e0 fd00:17::2 81
#@ try c2 fd00:17::3 docker0 2001:db8::1 8080
#@ try c2 fd00:17::3 docker0 2001:db8::1 8081
#@ try c1 fd00:17::2 docker0 2001:db8::1 8080
#@ try h ::1 lo ::1 8080
#@ try h ::1 lo ::1 8081
#@ try h 2001:db8::1 lo 2001:db8::1 8080
#@ try h 192.0.2.1 lo 192.0.2.1 8081
world c1 c2
world6
bridge docker0 172.17.0.1/16
bridge6 docker0 fd00:17::1/64
plug c1 172.17.0.2/16 docker0 172.17.0.1
plug6 c1 fd00:17::2/64 fd00:17::1
plug c2 172.17.0.3/16 docker0 172.17.0.1
plug6 c2 fd00:17::3/64 fd00:17::1
ip -n h link set vc1 type bridge_slave hairpin on
in_h "$TOOL-restore" <<'RULES'
*nat
:DOCKER -
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A POSTROUTING -o docker0 -m addrtype --src-type LOCAL -j MASQUERADE
-A DOCKER -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
-A DOCKER -p tcp -m tcp --dport 8081 -j DNAT --to-destination 172.17.0.3:80
COMMIT
*filter
:FORWARD DROP
:DOCKER -
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 -j ACCEPT
-A DOCKER -d 172.17.0.2/31 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
COMMIT
RULES
in_h "ip6${TOOL#ip}-restore" <<'RULES'
*nat
:DOCKER -
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d ::1/128 -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s fd00:17::/64 ! -o docker0 -j MASQUERADE
-A POSTROUTING -s fd00:17::2/128 -d fd00:17::2/128 -p tcp -m tcp --dport 80 -j MASQUERADE
-A DOCKER -p tcp -m tcp --dport 8080 -j DNAT --to-destination [fd00:17::2]:80
COMMIT
*filter
:FORWARD DROP
:DOCKER -
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 -j ACCEPT
-A DOCKER -d fd00:17::2/128 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
COMMIT
RULES
