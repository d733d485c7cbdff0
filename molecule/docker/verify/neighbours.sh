#!/bin/bash
# Containers, services of the server, and hosts around it, each a network namespace: "campus" is a neighbour on the server's
# segment with private and public addresses, "learner6" is on the learners' bridge with IPv6, as an engine that gives it would do.
set -euo pipefail
mkdir -p /root/probe/bin /root/probe/www
cp /bin/busybox /root/probe/bin/
echo here >/root/probe/www/index.html
docker image inspect probe >/dev/null 2>&1 || tar -C /root/probe -c . | docker import - probe
docker rm --force neighbour platform learner >/dev/null 2>&1 || true
docker run -d --name neighbour --network atelier-learners probe /bin/busybox httpd -f -p 8888 -h /www
docker run -d --name platform -p 9999:80 -p 127.0.0.1:8929:80 probe /bin/busybox httpd -f -p 80 -h /www
docker run -d --name learner --network atelier-learners probe /bin/busybox sleep 3600
serve() { # serve UNIT COMMAND...
    systemctl is-active --quiet "$1" || systemd-run --quiet --unit "$1" --collect "${@:2}"
}
for port in 443 8081 2375 2222; do
    serve "knock-$port" /bin/busybox httpd -f -p "$port" -h /root/probe/www
done

if ! ip netns exec campus true 2>/dev/null; then
    echo 0 >/proc/sys/net/ipv6/conf/all/disable_ipv6
    echo 0 >/proc/sys/net/ipv6/conf/atelier0/disable_ipv6
    echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
    ip netns add campus
    ip link add campus0 type veth peer name eth0 netns campus
    ip address add 10.99.0.1/24 dev campus0
    ip address add 203.0.113.1/24 dev campus0
    ip address add fd99::1/64 dev campus0 nodad
    ip address add 2a00:77::1/64 dev campus0 nodad
    ip link set campus0 up
    for each in 10.99.0.2/24 10.99.0.3/24 203.0.113.2/24; do ip -n campus address add $each dev eth0; done
    for each in fd99::2/64 2a00:77::2/64; do ip -n campus address add $each dev eth0 nodad; done
    ip -n campus link set lo up
    ip -n campus link set eth0 up
    ip -n campus route add 172.16.0.0/12 via 10.99.0.1
    ip -n campus route add fd77::/64 via fd99::1

    ip netns add learner6
    ip link add learner60 type veth peer name eth0 netns learner6
    ip link set learner60 master atelier0 up
    ip address replace fd77::1/64 dev atelier0 nodad
    ip -n learner6 address add fd77::2/64 dev eth0 nodad
    ip -n learner6 link set lo up
    ip -n learner6 link set eth0 up
    ip -n learner6 route add default via fd77::1
fi
for port in 80 22 53 8443; do
    serve "campus-$port" ip netns exec campus /bin/busybox httpd -f -p "[::]:$port" -h /root/probe/www
done
serve learner6-8888 ip netns exec learner6 /bin/busybox httpd -f -p "[::]:8888" -h /root/probe/www
if ! grep -q 10.99.0.3 /etc/resolv.conf; then
    echo nameserver 10.99.0.3 >>/etc/resolv.conf
    /usr/local/sbin/atelier-firewall --refresh
fi
# An address of IPv6 is not of use at once.
for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ "$(ip netns exec learner6 busybox wget -T 1 -q -O - 'http://[2a00:77::2]/' 2>/dev/null)" != here ] || break
done
