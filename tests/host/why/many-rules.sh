# 10,000 rules in three shapes that people have: chains of single addresses, ports with comments, and a set of
# 5,000 prefixes; the rule that decides is the last.
python3 - >"$work/many" <<'PYTHON'
print("table inet filter {")
print("  set blocked { type ipv4_addr; flags interval; elements = {")
print(",\n".join(f"    100.{i >> 8 & 63}.{i & 255}.0/25" for i in range(5000)))
print("  } }")
print("  chain addresses {")
for i in range(6000):
    print(f"    ip saddr 198.{18 + (i >> 16)}.{i >> 8 & 255}.{i & 255} drop")
print("  }\n  chain ports {")
for i in range(3998):
    print(f'    tcp dport {20000 + i} counter accept comment "port {i}"')
print("  }\n  chain input {\n    type filter hook input priority 0; policy drop;")
print("    ct state established,related accept\n    iif lo accept\n    ip saddr @blocked drop")
print("    jump addresses\n    jump ports\n    tcp dport 80 accept")
print("  }\n}")
PYTHON
nft -f "$work/many"
serve nginx tcp/0.0.0.0:80 tcp/0.0.0.0:23997 tcp/0.0.0.0:22
