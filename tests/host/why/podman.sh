# Containers of podman itself, started as root: netavark's rules, conmon that keeps the published ports, a
# range of ports that is moved, one on localhost alone, one whose server listens on its own loopback or at
# another port, and one in the host's own network. Needs podman, crun, netavark and conmon.
mkdir -p /var/lib/containers
mount -t tmpfs tmpfs /var/lib/containers
mount -t cgroup2 none /sys/fs/cgroup
mkdir -p /etc/containers/networks
mount -t tmpfs tmpfs /etc/containers/networks
sysctl -qw net.ipv4.ip_forward=1
mkdir "$work/image"
for folder in bin lib lib64; do ln -s "usr/$folder" "$work/image/$folder"; done
tar -C "$work/image" -cf "$work/image.tar" bin lib lib64
by_podman() {
  podman --storage-driver vfs --cgroup-manager cgroupfs --events-backend none "$@" 6<&- 7>&- 8<&- 9<&-
}
by_podman import "$work/image.tar" image >/dev/null
# Its cgroups would outlive the namespaces.
trap 'by_podman rm -fa -t 0 >/dev/null
  find /sys/fs/cgroup/libpod_parent -depth -type d -exec rmdir {} +' EXIT
# published NAME WORDS SERVER: WORDS are podman's.
published() {
  cp "$here/why/listener" "$work/bin/$1"
  # shellcheck disable=SC2086
  by_podman run -d --pids-limit 0 --cgroups=no-conmon --privileged -v /usr:/usr:ro \
    -v "$work/bin:/srv:ro" --name "$1" $2 image \
    sh -c "tail -f /dev/null | exec /srv/$1 $3" >/dev/null
  inside=$(by_podman inspect -f "{{.State.Pid}}" "$1")
  for _ in $(seq 100); do
    nsenter --net="/proc/$inside/ns/net" ss -Htuln "sport = :${3##*:}" | grep -q . && return
    sleep 0.1
  done
  echo "$1 does not listen" >&2
  return 1
}
by_podman network create second >/dev/null
published web "-p 8080:80" tcp/0.0.0.0:80
published private "-p 127.0.0.1:8081:80" tcp/0.0.0.0:80
published astray "-p 8082:82" tcp/0.0.0.0:80
published inward "-p 8083:80" tcp/127.0.0.1:80
published names "-p 5353:53/udp" udp/0.0.0.0:53
published range "--network second -p 9000-9002:9100-9102" tcp/0.0.0.0:9101
published open "--network host" tcp/0.0.0.0:7000
