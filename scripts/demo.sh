#!/bin/sh
# `npm run demo`: a node of its own on this machine, with real containers, for about a minute. `--help` says more.
# Installs what is missing first: npm packages and, as root, Debian packages.
set -eu
here=$(cd -P -- "$(dirname -- "$0")/.." && pwd)

quick=no
for word in "$@"; do
  case $word in
    --help | -h | --stop | --stop=*) quick=yes ;;
  esac
done

sh "$here/scripts/setup.sh"
if [ "$quick" = no ]; then
  if [ "$(id -u)" != 0 ]; then
    echo "demo: containers need root: run 'sudo npm run demo'" >&2
    exit 1
  fi
  sh "$here/scripts/lab/packages.sh"
fi
exec "$here/node_modules/.bin/bun" --config=/dev/null --no-env-file --no-install "$here/scripts/demo/main.ts" "$@"
