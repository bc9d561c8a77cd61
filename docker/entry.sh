#!/bin/sh
# Runs the main job. A container is started again whatever its exit code was; wrong settings (64), refused credentials
# (69) and folders that cannot be written (73) are mended by people alone. So after these the container stays, does
# nothing and is unhealthy, and its last line says why, until it is stopped or made anew (`docker compose up -d`).
node /app/dist/main.js "$@" &
main=$!
asked=no
trap 'asked=yes; kill -TERM "$main" 2>/dev/null' TERM INT
trap 'kill -HUP "$main" 2>/dev/null' HUP
wait "$main"
code=$?
# A signal ends the wait; the program goes on draining.
while kill -0 "$main" 2>/dev/null; do
  wait "$main"
  code=$?
done
case "$asked $code" in
  "no 64" | "no 69" | "no 73") ;;
  *) exit "$code" ;;
esac
echo "observer: ended with $code, which no restart mends; this container waits to be stopped" >&2
trap 'exit "$code"' TERM INT
trap '' HUP
while :; do
  sleep 3600 &
  wait $!
done
