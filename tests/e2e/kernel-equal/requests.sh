#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Prints the requests that both servers answer: always the same ones.
set -eu
for i in $(seq 1 60); do
	k=key$((i * 7 % 23))
	echo "set $k value-$i-$((i * i)) $((i * 37 % 97))"
	echo "get $k"
	echo "get key$((i * 5 % 29))"
	echo "incr counter$((i % 4)) $((i * 13 - 200))"
	echo "peek $k"
	[ $((i % 6)) -ne 0 ] || echo "del key$((i * 7 % 23))"
	echo "types $((i * 12347 % 4099 - 1500))"
done
echo "set a-key-that-is-longer-than-what-probes-read x 1"
echo "set short $(printf 'v%.0s' $(seq 1 200)) 2"
echo "types 0"
echo "types -1"
echo "types 2147483647"
echo "fib 9"
echo "even 11"
echo "even 20"
echo "signal 12"
echo "threads 6 300"
echo "fork 7 20"
echo "incr after-the-children 3"
echo "fib 4"
