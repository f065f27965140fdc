# ORIGIN: two networks of docker compose with the chains that Docker had until 28
# (DOCKER-ISOLATION-STAGE-1 and -2) and an internal third one; the userland proxy is on; written anew.
#@ tools iptables-legacy
#@ listen c1 172.18.0.2 80
#@ listen c2 172.19.0.2 80
#@ listen c4 172.20.0.2 80
#@ proxy 0.0.0.0 8080 172.18.0.2 80
#@ try out 192.0.2.9 e0 192.0.2.1 8080
#@ try c2 172.19.0.2 br-b 192.0.2.1 8080
#@ try c2 172.19.0.2 br-b 172.18.0.2 80
#@ try c3 172.18.0.3 eth0 172.18.0.2 80 c1
#@ try c3 172.18.0.3 br-a 172.19.0.2 80
#@ try c4 172.20.0.2 br-c 172.18.0.2 80
#@ try c2 172.19.0.2 br-b 172.20.0.2 80
#@ try out 192.0.2.9 e0 172.20.0.2 80
#@ try h 172.20.0.1 lo 172.20.0.2 80
#@ try h 192.0.2.1 lo 192.0.2.1 8080
world c1 c2 c3 c4
for net in a:172.18 b:172.19 c:172.20; do bridge "br-${net%:*}" "${net#*:}.0.1/16"; done
plug c1 172.18.0.2/16 br-a 172.18.0.1
plug c2 172.19.0.2/16 br-b 172.19.0.1
plug c3 172.18.0.3/16 br-a 172.18.0.1
plug c4 172.20.0.2/16 br-c 172.20.0.1
in_h "$TOOL-restore" <<'RULES'
*nat
:DOCKER -
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.18.0.0/16 ! -o br-a -j MASQUERADE
-A POSTROUTING -s 172.19.0.0/16 ! -o br-b -j MASQUERADE
-A DOCKER -i br-a -j RETURN
-A DOCKER -i br-b -j RETURN
-A DOCKER ! -i br-a -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.18.0.2:80
COMMIT
*filter
:FORWARD DROP
:DOCKER -
:DOCKER-ISOLATION-STAGE-1 -
:DOCKER-ISOLATION-STAGE-2 -
:DOCKER-USER -
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o br-a -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o br-a -j DOCKER
-A FORWARD -i br-a ! -o br-a -j ACCEPT
-A FORWARD -i br-a -o br-a -j ACCEPT
-A FORWARD -o br-b -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o br-b -j DOCKER
-A FORWARD -i br-b ! -o br-b -j ACCEPT
-A FORWARD -i br-b -o br-b -j ACCEPT
-A FORWARD -i br-c -o br-c -j ACCEPT
-A DOCKER -d 172.18.0.2/32 ! -i br-a -o br-a -p tcp -m tcp --dport 80 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 ! -s 172.20.0.0/16 -o br-c -j DROP
-A DOCKER-ISOLATION-STAGE-1 ! -d 172.20.0.0/16 -i br-c -j DROP
-A DOCKER-ISOLATION-STAGE-1 -i br-a ! -o br-a -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -i br-b ! -o br-b -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-2 -o br-b -j DROP
-A DOCKER-ISOLATION-STAGE-2 -o br-a -j DROP
-A DOCKER-USER -j RETURN
COMMIT
RULES
