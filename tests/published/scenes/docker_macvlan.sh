# ORIGIN: docker network create -d macvlan -o parent=e0 as its documentation has it (mode bridge): no
# rules of the host see its containers, which have addresses of the network outside, and which the
# host itself does not reach; beside them one of mode private; written anew.
#@ listen m1 192.0.2.21 80
#@ listen m2 192.0.2.22 80
#@ listen m3 192.0.2.23 80
#@ listen h 0.0.0.0 80
#@ try out 192.0.2.9 eth0 192.0.2.21 80 m1
#@ try out 192.0.2.9 lo 192.0.2.21 80 out
#@ try out 192.0.2.9 lo 192.0.2.23 80 out
#@ try out 192.0.2.9 lo 192.0.2.21 81 out
#@ try out 192.0.2.9 lo 192.0.2.1 80 out
#@ try h 192.0.2.1 lo 192.0.2.21 80
#@ try m1 192.0.2.21 lo 192.0.2.22 80 m1
#@ try m1 192.0.2.21 lo 192.0.2.23 80 m1
#@ try m1 192.0.2.21 lo 192.0.2.1 80 m1
#@ try m3 192.0.2.23 lo 192.0.2.21 80 m3
#@ try m2 192.0.2.22 eth0 192.0.2.21 80 m1
world m1 m2 m3
macvlan() { # NAMESPACE MODE ADDRESS/LENGTH
  ip -n h link add "x$1" link e0 type macvlan mode "$2"
  ip -n h link set "x$1" netns "$1" name eth0
  ip -n "$1" addr add "$3" dev eth0
  ip -n "$1" link set eth0 up
  ip -n "$1" route add default via 192.0.2.9
}
macvlan m1 bridge 192.0.2.21/24
macvlan m2 bridge 192.0.2.22/24
macvlan m3 private 192.0.2.23/24
