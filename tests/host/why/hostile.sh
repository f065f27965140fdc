# Names that were made to deceive: tables, chains, comments and processes whose names hold escape sequences,
# line ends, text that runs from right to left, and more than fits on a screen. nft itself takes only plain
# names; the kernel takes any byte but 0, so these go to it by netlink.
python3 "$here/why/hostile_rules"
serve "$(printf 'nginx\033[2J\033[1;1Hall is well\n\342\200\256gnihton')" tcp/0.0.0.0:80
serve "$(printf 'a%0200d' 7)" tcp/0.0.0.0:81
serve plain tcp/0.0.0.0:82 tcp/0.0.0.0:83
ip link set dev lo alias "$(printf 'x\033[31m')"
