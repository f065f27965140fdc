# ORIGIN: libvirt's documentation of virtual networks (forward mode nat, nat ipv6='yes') and the
# LIBVIRT_ chains that its iptables backend is known to make, with the hook that forwards ports in
# both families; written anew.
#@ tools iptables-nft
#@ listen c1 192.168.122.10 22
#@ listen c1 fd00:122::10 22
#@ published 2222 192.0.2.1 192.168.122.10:22
#@ published 2222/6 2001:db8::1 [fd00:122::10]:22
#@ published 8000 192.0.2.1 192.168.122.10:80
#@ published 8000/6 2001:db8::1 [fd00:122::10]:80
#@ nobody c1 tcp 80
#@ try out 192.0.2.9 e0 192.0.2.1 2222
#@ try out 2001:db8::9 e0 2001:db8::1 2222
#@ try out 2001:db8::9 e0 2001:db8::1 8000
#@ try out 2001:db8::9 e0 fd00:122::10 22
#@ try out 2001:db8::9 e0 fd00:122::10 23
#@ try out 192.0.2.9 e0 192.168.122.10 23
#@ try c2 192.168.122.11 eth0 192.168.122.10 22 c1
#@ try c2 fd00:122::11 eth0 fd00:122::10 22 c1
#@ try h 192.168.122.1 lo 192.168.122.10 22
#@ try h fd00:122::1 lo fd00:122::10 22
#@ try h 192.0.2.1 lo 192.0.2.1 2222
world c1 c2
world6
bridge virbr0 192.168.122.1/24
bridge6 virbr0 fd00:122::1/64
plug c1 192.168.122.10/24 virbr0 192.168.122.1
plug6 c1 fd00:122::10/64 fd00:122::1
plug c2 192.168.122.11/24 virbr0 192.168.122.1
plug6 c2 fd00:122::11/64 fd00:122::1
network() { # COMMAND NET HOST-ADDRESS GUEST TARGET-PREFIX REJECT
  in_h "$1-restore" <<RULES
*nat
:LIBVIRT_PRT -
-A PREROUTING -d $3 -p tcp -m tcp --dport 2222 -j DNAT --to-destination $5:22
-A PREROUTING -d $3 -i e0 -p tcp -m tcp --dport 8000 -j DNAT --to-destination $5:80
-A POSTROUTING -j LIBVIRT_PRT
-A LIBVIRT_PRT -s $2 ! -d $2 -p tcp -j MASQUERADE --to-ports 1024-65535
-A LIBVIRT_PRT -s $2 ! -d $2 -j MASQUERADE
COMMIT
*filter
:LIBVIRT_FWI -
:LIBVIRT_FWO -
:LIBVIRT_FWX -
:LIBVIRT_INP -
-A INPUT -j LIBVIRT_INP
-A FORWARD -d $4 -o virbr0 -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT
-A FORWARD -j LIBVIRT_FWX
-A FORWARD -j LIBVIRT_FWI
-A FORWARD -j LIBVIRT_FWO
-A LIBVIRT_FWI -d $2 -o virbr0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A LIBVIRT_FWI -o virbr0 -j REJECT --reject-with $6
-A LIBVIRT_FWO -s $2 -i virbr0 -j ACCEPT
-A LIBVIRT_FWO -i virbr0 -j REJECT --reject-with $6
-A LIBVIRT_FWX -i virbr0 -o virbr0 -j ACCEPT
-A LIBVIRT_INP -i virbr0 -p udp -m udp --dport 53 -j ACCEPT
COMMIT
RULES
}
network "$TOOL" 192.168.122.0/24 192.0.2.1/32 192.168.122.10/32 192.168.122.10 icmp-port-unreachable
network "ip6${TOOL#ip}" fd00:122::/64 2001:db8::1/128 fd00:122::10/128 "[fd00:122::10]" icmp6-port-unreachable
