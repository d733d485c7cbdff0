#!/bin/bash
# Try every way in, from a learner's container and from a neighbour of the server: prints each that is not as it should be.
set -uo pipefail
own=$(hostname -I | cut -d' ' -f1)
address() { docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$1"; }
neighbour=$(address neighbour)
platform=$(address platform)
wrong=$(mktemp)

# says WHAT EXPECTED COMMAND...: whether the command prints "here". All at the same time: most have to wait for nothing.
says() {
    {
        found=shut
        [ "$("${@:3}" 2>/dev/null)" != here ] || found=open
        [ $found = "$2" ] || echo "$1: $found" >>"$wrong"
    } &
}
# Seconds that a door has to answer: an open one on a busy machine has time.
patience() { if [ "$1" = open ]; then echo 15; else echo 1; fi; }
knock() { says "$2" "$1" docker exec learner /bin/busybox wget -T "$(patience "$1")" -q -O - "http://$3/"; }
from_outside() { says "$2, from outside" "$1" ip netns exec campus busybox wget -T "$(patience "$1")" -q -O - "http://$3/"; }
by_ipv6() { says "$2, by IPv6" "$1" ip netns exec learner6 busybox wget -T "$(patience "$1")" -q -O - "http://$3/"; }

knock open "the hub's API" 172.30.0.1:8081
knock open "the site" "$own:443"
knock shut "another learner" "$neighbour:8888"
knock shut "a container of another network" "$platform:80"
knock shut "its published port" "$own:9999"
knock shut "its published port by the gateway" 172.30.0.1:9999
knock shut "an engine's API" 172.30.0.1:2375
knock shut "an engine's API by the server's address" "$own:2375"
knock shut "any other service" 172.30.0.1:2222
knock shut "a host of the campus" 10.99.0.2:80
knock "${CAMPUS_PORT:-shut}" "a port of that host which may be listed" 10.99.0.2:8443
knock open "a public host" 203.0.113.2:80
knock shut "its SSH" 203.0.113.2:22
knock open "the resolver, in a private network" 10.99.0.3:53
knock shut "another host's resolver" 10.99.0.2:53
knock shut "the resolver's web page" 10.99.0.3:80
# A neighbour of the server that sends what it asks learners' network by the server.
from_outside open "the site" "10.99.0.1:443"
from_outside open "a published port" "10.99.0.1:9999"
from_outside shut "a learner's notebook" "$neighbour:8888"
from_outside shut "the hub's API" 172.30.0.1:8081
from_outside shut "the desk" 172.30.0.1:2222
from_outside shut "a container that publishes a port, by its own address" "$platform:80"

by_ipv6 open "the site" "[fd77::1]:443"
by_ipv6 shut "any other service" "[fd77::1]:2222"
by_ipv6 open "a public host" "[2a00:77::2]:80"
by_ipv6 shut "its SSH" "[2a00:77::2]:22"
by_ipv6 shut "a host of the campus" "[fd99::2]:80"
says "a learner's server, by IPv6 from outside" shut ip netns exec campus busybox wget -T 1 -q -O - "http://[fd77::2]:8888/"

# The server itself reaches a learner's notebook, and what a container publishes for it.
says "a learner's notebook, from the server" open busybox wget -T 3 -q -O - "http://$neighbour:8888/"
says "a port published for the server" open busybox wget -T 3 -q -O - http://127.0.0.1:8929/
wait

# An address that nothing answers tells nothing: what counts is that this machine itself refuses, at once.
for one in 169.254.169.254 168.63.129.16; do
    iptables --zero ATELIER-OUT
    docker exec learner /bin/busybox wget -T 1 -q -O - "http://$one/" >/dev/null 2>&1
    [ "$(iptables --list ATELIER-OUT --verbose --numeric --exact | awk -v one="$one" '$0 ~ one {print $1}')" -gt 0 ] ||
        echo "the cloud's metadata at $one: not refused" >>"$wrong"
done

cat "$wrong"
[ ! -s "$wrong" ]
