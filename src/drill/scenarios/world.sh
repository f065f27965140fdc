# What scenarios are set up with: their places and the wires between them. Runs before the set-up of
# each scenario, in the host's network namespace; places are namespaces with a name.
set -eu

# Addresses can be used at once: there is nobody who could have them already.
quiet() {
  "$@" sh -c 'for n in all default; do echo 0 > /proc/sys/net/ipv6/conf/$n/accept_dad; done'
}

# on PLACE COMMAND...
on() {
  place=$1
  shift
  if [ "$place" = host ]; then "$@"; else ip netns exec "$place" "$@"; fi
}

place() {
  ip netns add "$1"
  quiet ip netns exec "$1"
  ip -n "$1" link set lo up
}

# wire INTERFACE ADDRESS... - PLACE INTERFACE ADDRESS...: a cable from the host to a place.
wire() {
  own=$1
  shift
  addresses=
  while [ "$1" != - ]; do
    addresses="$addresses $1"
    shift
  done
  far=$2
  theirs=$3
  shift 3
  ip link add "$own" type veth peer name "$theirs" netns "$far"
  for address in $addresses; do ip addr add "$address" dev "$own"; done
  for address in "$@"; do ip -n "$far" addr add "$address" dev "$theirs"; done
  ip link set "$own" up
  ip -n "$far" link set "$theirs" up
}

# On the host's network, eth0.
add_neighbour() {
  place neighbour
  wire eth0 10.0.0.5/24 fd00::5/64 - neighbour eth0 10.0.0.9/24 fd00::9/64
  ip -n neighbour route add default via 10.0.0.5
}

# At eth1: the way to the rest of the world, where remote is.
add_router() {
  place router
  place remote
  wire eth1 192.0.2.5/24 2001:db8:1::5/64 - router eth0 192.0.2.1/24 2001:db8:1::1/64
  ip -n router link add eth1 type veth peer name eth0 netns remote
  ip -n router addr add 198.51.100.1/24 dev eth1
  ip -n router addr add 2001:db8:2::1/64 dev eth1
  ip -n remote addr add 198.51.100.7/24 dev eth0
  ip -n remote addr add 2001:db8:2::7/64 dev eth0
  ip -n router link set eth1 up
  ip -n remote link set eth0 up
  ip -n remote route add default via 198.51.100.1
  ip -n remote route add default via 2001:db8:2::1
  on router sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward
    echo 1 > /proc/sys/net/ipv6/conf/all/forwarding'
  ip route add default via 192.0.2.1
  ip route add default via 2001:db8:1::1
}

# Behind a bridge of the host.
add_container() {
  place container
  ip link add br0 type bridge
  ip addr add 172.20.0.1/24 dev br0
  ip link set br0 up
  ip link add veth0 type veth peer name eth0 netns container
  ip link set veth0 master br0 up
  ip -n container addr add 172.20.0.2/24 dev eth0
  ip -n container link set eth0 up
  ip -n container route add default via 172.20.0.1
  echo 1 > /proc/sys/net/ipv4/ip_forward
}

quiet env
ip link set lo up
