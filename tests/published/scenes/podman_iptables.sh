# ORIGIN: podman 4.3.1 with netavark 1.4.0 of Debian 12, run as root in namespaces of its own: two
# containers, one of them with a range of ports, another on 127.0.0.1. What iptables-save said of it,
# counters, comments and the numbers of the containers left out. As there, conmon listens on the ports
# that it keeps for its container.
#@ tools iptables-nft iptables-legacy
#@ listen c1 10.88.0.2 80
#@ listen c2 10.89.0.2 9101
#@ listen h 0.0.0.0 8080
#@ listen h 0.0.0.0 9001
#@ published 8080 0.0.0.0 10.88.0.2:80
#@ published 8081 127.0.0.1 10.88.0.2:80
#@ published 9000 0.0.0.0 10.89.0.2:9100
#@ published 9001 0.0.0.0 10.89.0.2:9101
#@ published 9002 0.0.0.0 10.89.0.2:9102
#@ nobody c2 tcp 9100
#@ nobody c2 tcp 9102
#@ try out 192.0.2.9 e0 192.0.2.1 8080
#@ try out 192.0.2.9 e0 192.0.2.1 9000
#@ try out 192.0.2.9 e0 192.0.2.1 9001
#@ try out 192.0.2.9 e0 192.0.2.1 8081
#@ try h 127.0.0.1 lo 127.0.0.1 8081
#@ try h 192.0.2.1 lo 192.0.2.1 9001
#@ try c2 10.89.0.2 podman1 192.0.2.1 8080
world c1 c2
bridge podman0 10.88.0.1/16
bridge podman1 10.89.0.1/24
plug c1 10.88.0.2/16 podman0 10.88.0.1
plug c2 10.89.0.2/24 podman1 10.89.0.1
for each in podman0 podman1; do
  in_h sh -c "echo 1 > /proc/sys/net/ipv4/conf/$each/route_localnet"
done
in_h "$TOOL-restore" <<'RULES'
*filter
:INPUT ACCEPT
:FORWARD ACCEPT
:OUTPUT ACCEPT
:NETAVARK_FORWARD -
-A FORWARD -m comment --comment "netavark firewall plugin rules" -j NETAVARK_FORWARD
-A NETAVARK_FORWARD -d 10.88.0.0/16 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A NETAVARK_FORWARD -s 10.88.0.0/16 -j ACCEPT
-A NETAVARK_FORWARD -d 10.89.0.0/24 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A NETAVARK_FORWARD -s 10.89.0.0/24 -j ACCEPT
COMMIT
*nat
:PREROUTING ACCEPT
:INPUT ACCEPT
:OUTPUT ACCEPT
:POSTROUTING ACCEPT
:NETAVARK-1D8721804F16F -
:NETAVARK-928D50D1E24DA -
:NETAVARK-DN-1D8721804F16F -
:NETAVARK-DN-928D50D1E24DA -
:NETAVARK-HOSTPORT-DNAT -
:NETAVARK-HOSTPORT-MASQ -
:NETAVARK-HOSTPORT-SETMARK -
-A PREROUTING -m addrtype --dst-type LOCAL -j NETAVARK-HOSTPORT-DNAT
-A OUTPUT -m addrtype --dst-type LOCAL -j NETAVARK-HOSTPORT-DNAT
-A POSTROUTING -j NETAVARK-HOSTPORT-MASQ
-A POSTROUTING -s 10.88.0.0/16 -j NETAVARK-1D8721804F16F
-A POSTROUTING -s 10.89.0.0/24 -j NETAVARK-928D50D1E24DA
-A NETAVARK-1D8721804F16F -d 10.88.0.0/16 -j ACCEPT
-A NETAVARK-1D8721804F16F ! -d 224.0.0.0/4 -j MASQUERADE
-A NETAVARK-928D50D1E24DA -d 10.89.0.0/24 -j ACCEPT
-A NETAVARK-928D50D1E24DA ! -d 224.0.0.0/4 -j MASQUERADE
-A NETAVARK-DN-1D8721804F16F -s 10.88.0.0/16 -p tcp -m tcp --dport 8080 -j NETAVARK-HOSTPORT-SETMARK
-A NETAVARK-DN-1D8721804F16F -s 127.0.0.1/32 -p tcp -m tcp --dport 8080 -j NETAVARK-HOSTPORT-SETMARK
-A NETAVARK-DN-1D8721804F16F -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.88.0.2:80
-A NETAVARK-DN-1D8721804F16F -s 10.88.0.0/16 -d 127.0.0.1/32 -p tcp -m tcp --dport 8081 -j NETAVARK-HOSTPORT-SETMARK
-A NETAVARK-DN-1D8721804F16F -s 127.0.0.1/32 -d 127.0.0.1/32 -p tcp -m tcp --dport 8081 -j NETAVARK-HOSTPORT-SETMARK
-A NETAVARK-DN-1D8721804F16F -d 127.0.0.1/32 -p tcp -m tcp --dport 8081 -j DNAT --to-destination 10.88.0.2:80
-A NETAVARK-DN-928D50D1E24DA -s 10.89.0.0/24 -p tcp -m tcp --dport 9000:9002 -j NETAVARK-HOSTPORT-SETMARK
-A NETAVARK-DN-928D50D1E24DA -s 127.0.0.1/32 -p tcp -m tcp --dport 9000:9002 -j NETAVARK-HOSTPORT-SETMARK
-A NETAVARK-DN-928D50D1E24DA -p tcp -m tcp --dport 9000:9002 -j DNAT --to-destination 10.89.0.2:9100-9102/9000
-A NETAVARK-HOSTPORT-DNAT -p tcp -m tcp --dport 8080 -j NETAVARK-DN-1D8721804F16F
-A NETAVARK-HOSTPORT-DNAT -d 127.0.0.1/32 -p tcp -m tcp --dport 8081 -j NETAVARK-DN-1D8721804F16F
-A NETAVARK-HOSTPORT-DNAT -p tcp -m tcp --dport 9000:9002 -j NETAVARK-DN-928D50D1E24DA
-A NETAVARK-HOSTPORT-MASQ -m comment --comment "netavark portfw masq mark" -m mark --mark 0x2000/0x2000 -j MASQUERADE
-A NETAVARK-HOSTPORT-SETMARK -j MARK --set-xmark 0x2000/0x2000
COMMIT
RULES
