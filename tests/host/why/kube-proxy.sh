# kube-proxy's rules in iptables mode, over nf_tables: a service with two pods, one of which is dead, a node
# port, and a service without endpoints.
sysctl -qw net.ipv4.ip_forward=1
ip link add cni0 address 02:00:00:00:00:10 type bridge
sysctl -qw net.ipv6.conf.cni0.disable_ipv6=1
ip address add 10.244.0.1/24 dev cni0
ip link set cni0 up
container web-1 cni0 10.244.0.2/24 10.244.0.1 tcp/0.0.0.0:8080
container web-2 cni0 10.244.0.3/24 10.244.0.1 tcp/0.0.0.0:8080
container half-1 cni0 10.244.0.4/24 10.244.0.1 tcp/0.0.0.0:9090
container half-2 cni0 10.244.0.5/24 10.244.0.1 tcp/127.0.0.1:9090
iptables-nft-restore <<'RULES'
*filter
:INPUT ACCEPT
:FORWARD ACCEPT
:OUTPUT ACCEPT
:KUBE-EXTERNAL-SERVICES -
:KUBE-FIREWALL -
:KUBE-FORWARD -
:KUBE-NODEPORTS -
:KUBE-PROXY-CANARY -
:KUBE-PROXY-FIREWALL -
:KUBE-SERVICES -
-A INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL
-A INPUT -m comment --comment "kubernetes health check service ports" -j KUBE-NODEPORTS
-A INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals" -j KUBE-EXTERNAL-SERVICES
-A INPUT -j KUBE-FIREWALL
-A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL
-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
-A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals" -j KUBE-EXTERNAL-SERVICES
-A OUTPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL
-A OUTPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A OUTPUT -j KUBE-FIREWALL
-A KUBE-EXTERNAL-SERVICES -p tcp -m comment --comment "default/broken has no endpoints" -m addrtype --dst-type LOCAL -m tcp --dport 30090 -j REJECT --reject-with icmp-port-unreachable
-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment "block incoming localnet connections" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x4000/0x4000 -j ACCEPT
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A KUBE-SERVICES -d 10.96.0.20/32 -p tcp -m comment --comment "default/broken has no endpoints" -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable
COMMIT
*nat
:PREROUTING ACCEPT
:INPUT ACCEPT
:OUTPUT ACCEPT
:POSTROUTING ACCEPT
:KUBE-EXT-WEBAAAAAAAAAAAAA -
:KUBE-MARK-MASQ -
:KUBE-NODEPORTS -
:KUBE-POSTROUTING -
:KUBE-SEP-WEB1AAAAAAAAAAAA -
:KUBE-SEP-WEB2AAAAAAAAAAAA -
:KUBE-SEP-HALF1AAAAAAAAAAA -
:KUBE-SEP-HALF2AAAAAAAAAAA -
:KUBE-SERVICES -
:KUBE-SVC-WEBAAAAAAAAAAAAA -
:KUBE-SVC-HALFAAAAAAAAAAAA -
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
-A KUBE-EXT-WEBAAAAAAAAAAAAA -m comment --comment "masquerade traffic for default/web external destinations" -j KUBE-MARK-MASQ
-A KUBE-EXT-WEBAAAAAAAAAAAAA -j KUBE-SVC-WEBAAAAAAAAAAAAA
-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
-A KUBE-NODEPORTS -p tcp -m comment --comment "default/web" -m tcp --dport 30080 -j KUBE-EXT-WEBAAAAAAAAAAAAA
-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
-A KUBE-SEP-WEB1AAAAAAAAAAAA -s 10.244.0.2/32 -m comment --comment "default/web" -j KUBE-MARK-MASQ
-A KUBE-SEP-WEB1AAAAAAAAAAAA -p tcp -m comment --comment "default/web" -m tcp -j DNAT --to-destination 10.244.0.2:8080
-A KUBE-SEP-WEB2AAAAAAAAAAAA -s 10.244.0.3/32 -m comment --comment "default/web" -j KUBE-MARK-MASQ
-A KUBE-SEP-WEB2AAAAAAAAAAAA -p tcp -m comment --comment "default/web" -m tcp -j DNAT --to-destination 10.244.0.3:8080
-A KUBE-SEP-HALF1AAAAAAAAAAA -s 10.244.0.4/32 -m comment --comment "default/half" -j KUBE-MARK-MASQ
-A KUBE-SEP-HALF1AAAAAAAAAAA -p tcp -m comment --comment "default/half" -m tcp -j DNAT --to-destination 10.244.0.4:9090
-A KUBE-SEP-HALF2AAAAAAAAAAA -s 10.244.0.5/32 -m comment --comment "default/half" -j KUBE-MARK-MASQ
-A KUBE-SEP-HALF2AAAAAAAAAAA -p tcp -m comment --comment "default/half" -m tcp -j DNAT --to-destination 10.244.0.5:9090
-A KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m comment --comment "default/web cluster IP" -m tcp --dport 80 -j KUBE-SVC-WEBAAAAAAAAAAAAA
-A KUBE-SERVICES -d 10.96.0.30/32 -p tcp -m comment --comment "default/half cluster IP" -m tcp --dport 90 -j KUBE-SVC-HALFAAAAAAAAAAAA
-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
-A KUBE-SVC-WEBAAAAAAAAAAAAA ! -s 10.244.0.0/16 -d 10.96.0.10/32 -p tcp -m comment --comment "default/web cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ
-A KUBE-SVC-WEBAAAAAAAAAAAAA -m comment --comment "default/web -> 10.244.0.2:8080" -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-WEB1AAAAAAAAAAAA
-A KUBE-SVC-WEBAAAAAAAAAAAAA -m comment --comment "default/web -> 10.244.0.3:8080" -j KUBE-SEP-WEB2AAAAAAAAAAAA
-A KUBE-SVC-HALFAAAAAAAAAAAA -m comment --comment "default/half -> 10.244.0.4:9090" -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-HALF1AAAAAAAAAAA
-A KUBE-SVC-HALFAAAAAAAAAAAA -m comment --comment "default/half -> 10.244.0.5:9090" -j KUBE-SEP-HALF2AAAAAAAAAAA
COMMIT
RULES
