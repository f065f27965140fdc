# fail2ban as Debian 12 has it: one jail acts by iptables, one by nftables, each with a client banned.
mkdir -p "$work/f2b/fail2ban.d" "$work/f2b/jail.d" /run/fail2ban
cp -r /etc/fail2ban/action.d /etc/fail2ban/filter.d /etc/fail2ban/*.conf "$work/f2b/"
: >"$work/f2b/auth.log"
cat >"$work/f2b/jail.local" <<JAILS
[DEFAULT]
backend = polling
bantime = 1w
[sshd]
enabled = true
port = ssh
logpath = $work/f2b/auth.log
banaction = iptables-multiport
[postfix]
enabled = true
port = smtp,submission
logpath = $work/f2b/auth.log
banaction = nftables-multiport
JAILS
cat >"$work/f2b/fail2ban.local" <<LOCAL
[Definition]
logtarget = $work/f2b/log
dbfile = :memory:
LOCAL
fail2ban-server -c "$work/f2b" -b -s /run/fail2ban/socket -p /run/fail2ban/pid start \
  >/dev/null 6<&- 7>&- 8<&- 9<&-
fail2ban-client -c "$work/f2b" -s /run/fail2ban/socket ping >/dev/null
fail2ban-client -s /run/fail2ban/socket set sshd banip 10.9.0.66 >/dev/null
fail2ban-client -s /run/fail2ban/socket set postfix banip 10.9.0.67 >/dev/null
# The ban is done by another thread: it is there when its rules are.
for _ in $(seq 200); do
  iptables -nL f2b-sshd 2>/dev/null | grep -q 10.9.0.66 && nft list ruleset | grep -q 10.9.0.67 && break
  sleep 0.1
done
nft list ruleset | grep -q 10.9.0.67
serve sshd tcp/0.0.0.0:22
serve master tcp/0.0.0.0:25
