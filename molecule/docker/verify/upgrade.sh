#!/bin/bash
# Rules of the version before are replaced by today's; nothing is open for a moment meanwhile.
set -euo pipefail
for chain in ATELIER-FORWARD ATELIER-INPUT ATELIER-OUT ATELIER-HOST; do iptables --flush $chain; done
iptables --delete DOCKER-USER --jump ATELIER-FORWARD
iptables --delete INPUT --jump ATELIER-INPUT
iptables-restore --noflush <<RULES
*filter
-A ATELIER-FORWARD -o atelier0 -j DROP
-A ATELIER-INPUT -p tcp --dport 8081 -j ACCEPT
-A ATELIER-INPUT -j REJECT --reject-with icmp-admin-prohibited
-I DOCKER-USER 1 -i atelier0 -j ATELIER-FORWARD
-I INPUT 1 -i atelier0 -j ATELIER-INPUT
COMMIT
RULES
docker exec learner /bin/busybox sh -c 'while :; do /bin/busybox wget -T 1 -q -O - http://172.30.0.1:2375/; done' >/tmp/meanwhile 2>/dev/null &
sleep 0.5
for _ in 1 2 3 4 5; do /usr/local/sbin/atelier-firewall; done
docker restart --time 0 learner >/dev/null
[ ! -s /tmp/meanwhile ] || { echo "an engine's API was open for a moment" && exit 1; }
/usr/local/sbin/atelier-firewall --check
! iptables --list-rules | grep -e '-A \(INPUT\|DOCKER-USER\) -i atelier0'
