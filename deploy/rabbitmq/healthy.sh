#!/bin/bash
# Succeed if the broker accepts connections: it answers an AMQP header with its first frame. It
# listens once definitions are loaded. rabbitmq-diagnostics needs a second of CPU for the same.
exec 3<>/dev/tcp/127.0.0.1/5672 || exit 1
printf 'AMQP\x00\x00\x09\x01' >&3
[ "$(timeout 3 head -c 1 <&3 | od -An -tx1)" = ' 01' ]
