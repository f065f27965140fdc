# ORIGIN: the chains of kube-proxy's iptables mode as Kubernetes' documentation of virtual IPs and its
# proxier describe them: a ClusterIP with two endpoints, a NodePort of it, one with
# externalTrafficPolicy Local; written anew.
#@ tools iptables-nft iptables-legacy
#@ listen c1 10.244.0.3 8080
#@ listen c2 10.244.0.4 8080
#@ published 80 10.96.0.20 10.244.0.3:8080,10.244.0.4:8080
#@ published 30080 0.0.0.0 10.244.0.3:8080,10.244.0.4:8080
#@ published 30081 0.0.0.0 10.244.0.3:8080,10.244.0.4:8080
#@ service 30080 default/web:http
#@ try out 192.0.2.9 e0 192.0.2.1 30080
#@ try out 192.0.2.9 e0 192.0.2.1 30081
#@ try out 192.0.2.9 e0 10.96.0.20 80
#@ try h 192.0.2.1 lo 10.96.0.20 80
#@ try c1 10.244.0.3 cni0 10.96.0.20 80
world c1 c2
bridge cni0 10.244.0.1/24
plug c1 10.244.0.3/24 cni0 10.244.0.1
plug c2 10.244.0.4/24 cni0 10.244.0.1
ip -n h link set vc1 type bridge_slave hairpin on
ip -n h link set vc2 type bridge_slave hairpin on
nat() { in_h "$TOOL" -t nat "$@"; }
for chain in SERVICES NODEPORTS MARK-MASQ POSTROUTING SVC-WEB EXT-WEB EXT-LOC SVL-LOC SEP-A SEP-B; do
  nat -N KUBE-$chain
done
nat -A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
nat -A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
nat -A POSTROUTING -j KUBE-POSTROUTING
nat -A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
nat -A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
nat -A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0
nat -A KUBE-POSTROUTING -j MASQUERADE --random-fully
nat -A KUBE-SERVICES -d 10.96.0.20/32 -p tcp -m comment --comment "default/web:http cluster IP" -m tcp --dport 80 -j KUBE-SVC-WEB
nat -A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
nat -A KUBE-NODEPORTS -p tcp -m comment --comment "default/web:http" -m tcp --dport 30080 -j KUBE-EXT-WEB
nat -A KUBE-NODEPORTS -p tcp -m comment --comment "default/loc:http" -m tcp --dport 30081 -j KUBE-EXT-LOC
nat -A KUBE-EXT-WEB -j KUBE-MARK-MASQ
nat -A KUBE-EXT-WEB -j KUBE-SVC-WEB
nat -A KUBE-SVC-WEB ! -s 10.244.0.0/16 -d 10.96.0.20/32 -p tcp -m tcp --dport 80 -j KUBE-MARK-MASQ
nat -A KUBE-SVC-WEB -m statistic --mode random --probability 0.5 -j KUBE-SEP-A
nat -A KUBE-SVC-WEB -j KUBE-SEP-B
nat -A KUBE-EXT-LOC -s 10.244.0.0/16 -j KUBE-SVC-WEB
nat -A KUBE-EXT-LOC -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ
nat -A KUBE-EXT-LOC -m addrtype --src-type LOCAL -j KUBE-SVC-WEB
nat -A KUBE-EXT-LOC -j KUBE-SVL-LOC
nat -A KUBE-SVL-LOC -j KUBE-SEP-A
nat -A KUBE-SEP-A -s 10.244.0.3/32 -j KUBE-MARK-MASQ
nat -A KUBE-SEP-A -p tcp -m comment --comment "default/web:http" -m tcp -j DNAT --to-destination 10.244.0.3:8080
nat -A KUBE-SEP-B -s 10.244.0.4/32 -j KUBE-MARK-MASQ
nat -A KUBE-SEP-B -p tcp -m comment --comment "default/web:http" -m tcp -j DNAT --to-destination 10.244.0.4:8080
