# What the scenes have in common: namespaces, wires and bridges. Sourced before each of them, in a
# mount namespace where /run/netns is empty and goes away with the test.
set -eu

spaces() {
  for name in "$@"; do
    ip netns add "$name"
    ip -n "$name" link set lo up
  done
}

# The host h with 192.0.2.1 on e0, and somebody outside with 192.0.2.9, who routes all by it.
world() {
  spaces h out "$@"
  ip link add e0 netns h type veth peer name e0 netns out
  ip -n h addr add 192.0.2.1/24 dev e0
  ip -n out addr add 192.0.2.9/24 dev e0
  ip -n h link set e0 up
  ip -n out link set e0 up
  ip -n h route add default via 192.0.2.9
  ip -n out route add default via 192.0.2.1
  in_h sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'
}

in_h() { ip netns exec h "$@"; }

# bridge NAME ADDRESS/LENGTH: of the host.
bridge() {
  ip -n h link add "$1" type bridge
  ip -n h addr add "$2" dev "$1"
  ip -n h link set "$1" up
}

# plug NAMESPACE ADDRESS/LENGTH BRIDGE GATEWAY: a container's eth0.
plug() {
  ip link add "v$1" netns h type veth peer name eth0 netns "$1"
  ip -n h link set "v$1" master "$3" up
  ip -n "$1" addr add "$2" dev eth0
  ip -n "$1" link set eth0 up
  ip -n "$1" route add default via "$4"
}

# The same in IPv6: h has 2001:db8::1, and who is outside 2001:db8::9.
world6() {
  ip -n h addr add 2001:db8::1/64 nodad dev e0
  ip -n out addr add 2001:db8::9/64 nodad dev e0
  ip -n h route add default via 2001:db8::9
  ip -n out route add default via 2001:db8::1
  in_h sh -c 'echo 1 > /proc/sys/net/ipv6/conf/all/forwarding'
}

# bridge6 NAME ADDRESS/LENGTH, plug6 NAMESPACE ADDRESS/LENGTH GATEWAY: after bridge and plug.
bridge6() {
  ip -n h addr add "$2" nodad dev "$1"
  # By which the bridge asks for neighbours. One that it makes itself it checks for a second first.
  ip -n h addr add fe80::1/64 nodad dev "$1"
}
plug6() {
  ip -n "$1" addr add "$2" nodad dev eth0
  ip -n "$1" route add default via "$3"
}
