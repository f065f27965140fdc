# firewalld as Debian 12 has it, with its nftables backend: three zones and a rich rule.
cp -r /etc/firewalld "$work/firewalld"
mount --bind "$work/firewalld" /etc/firewalld
mkdir -p /run/dbus
cat >"$work/bus.conf" <<'BUS'
<busconfig>
  <type>system</type>
  <listen>unix:path=/run/dbus/system_bus_socket</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/><allow user="*"/>
  </policy>
</busconfig>
BUS
dbus-daemon --config-file="$work/bus.conf" --nopidfile --fork 6<&- 7>&- 8<&- 9<&-
change() { firewall-offline-cmd "$@" >/dev/null; }
change --zone=public --add-service=http
change --zone=public --remove-service-from-zone=dhcpv6-client
rich='rule family="ipv4" source address="10.9.0.32/27" port port="80" protocol="tcp" reject'
change --zone=public --add-rich-rule="$rich"
change --zone=trusted --add-source=10.9.0.200
change --zone=drop --add-source=10.9.0.66
change --zone=internal --add-source=10.9.0.128/26
change --zone=internal --add-port=5432/tcp
change --zone=public --add-forward-port=port=8080:proto=tcp:toport=80
firewalld --nofork --nopid >"$work/firewalld.log" 2>&1 6<&- 7>&- 8<&- 9<&- &
for _ in $(seq 100); do firewall-cmd -q --state >/dev/null 2>/dev/null && break; sleep 0.1; done
firewall-cmd -q --state || { cat "$work/firewalld.log"; exit 1; }
serve nginx tcp/0.0.0.0:80 'tcp/[fd09::5]:80'
serve sshd tcp/0.0.0.0:22
serve postgres tcp/0.0.0.0:5432
