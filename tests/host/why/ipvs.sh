# A host of kube-proxy's mode ipvs: the addresses of services on kube-ipvs0, sets that its rules ask, pods,
# and a firewall that keeps one client away. IPVS itself is put in afterwards: ipvs.ip_vs.
sysctl -qw net.ipv4.ip_forward=1
ip link add cni0 address 02:00:00:00:00:10 type bridge
sysctl -qw net.ipv6.conf.cni0.disable_ipv6=1
ip address add 10.244.0.1/24 dev cni0
ip link set cni0 up
# Of kube-proxy it is a dummy link; not every kernel has these.
ip link add kube-ipvs0 address 02:00:00:00:00:20 type ifb
for vip in 10.96.0.10/32 10.96.0.20/32 10.96.0.30/32 10.96.0.40/32; do
  ip address add "$vip" dev kube-ipvs0
done
container web-1 cni0 10.244.0.2/24 10.244.0.1 tcp/0.0.0.0:8080
container web-2 cni0 10.244.0.3/24 10.244.0.1 tcp/127.0.0.1:8080
container dns-1 cni0 10.244.0.4/24 10.244.0.1 udp/0.0.0.0:53
serve local-server tcp/10.9.0.5:8000
ipset restore <<'SETS'
create KUBE-CLUSTER-IP hash:ip,port
add KUBE-CLUSTER-IP 10.96.0.10,tcp:80
add KUBE-CLUSTER-IP 10.96.0.20,udp:53
add KUBE-CLUSTER-IP 10.96.0.30,tcp:90
add KUBE-CLUSTER-IP 10.96.0.40,tcp:443
create KUBE-NODE-PORT-TCP bitmap:port range 0-65535
add KUBE-NODE-PORT-TCP 30080
SETS
iptables-nft-restore <<'RULES'
*filter
:INPUT ACCEPT
:FORWARD ACCEPT
:OUTPUT ACCEPT
:KUBE-FORWARD -
:KUBE-NODE-PORT -
-A INPUT -m comment --comment "kubernetes health check rules" -j KUBE-NODE-PORT
-A INPUT -s 10.9.0.66/32 -p tcp -m tcp --dport 80 -j DROP
-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x4000/0x4000 -j ACCEPT
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
*nat
:PREROUTING ACCEPT
:INPUT ACCEPT
:OUTPUT ACCEPT
:POSTROUTING ACCEPT
:KUBE-MARK-MASQ -
:KUBE-NODE-PORT -
:KUBE-POSTROUTING -
:KUBE-SERVICES -
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
-A KUBE-NODE-PORT -p tcp -m comment --comment "Kubernetes nodeport TCP port for masquerade purpose" -m set --match-set KUBE-NODE-PORT-TCP dst -j KUBE-MARK-MASQ
-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE
-A KUBE-SERVICES -m comment --comment "Kubernetes service cluster ip + port for masquerade purpose" -m set --match-set KUBE-CLUSTER-IP src,dst -j KUBE-MARK-MASQ
-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODE-PORT
-A KUBE-SERVICES -m set --match-set KUBE-CLUSTER-IP dst,dst -j ACCEPT
COMMIT
RULES
