# ufw as Debian 12 has it, over iptables-nft, with rules of its own making.
cp -r /etc/ufw "$work/ufw"
cp /etc/default/ufw "$work/default-ufw"
mount --bind "$work/ufw" /etc/ufw
mount --bind "$work/default-ufw" /etc/default/ufw
{
  ufw default deny incoming
  ufw allow 80/tcp
  ufw limit 22/tcp
  ufw deny from 10.9.0.66
  ufw reject 113/tcp
  ufw allow from 10.9.0.0/28 to any port 5432 proto tcp comment 'the database'
  ufw --force enable
} >/dev/null
# ufw's sysctls are the namespace's; what it wrote there stays.
serve nginx tcp/0.0.0.0:80 'tcp/[fd09::5]:80'
serve sshd tcp/0.0.0.0:22
serve postgres tcp/0.0.0.0:5432
serve redis tcp/0.0.0.0:6379
serve dnsmasq udp/0.0.0.0:53
