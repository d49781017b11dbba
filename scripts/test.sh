#!/bin/sh
# `npm test`: from a clean clone to tested, on Bun and Deno. `npm test -- --help` lists the options.
# Installs what is missing first: npm packages always, Debian packages where the chosen tests can use them.
set -eu
cd "$(dirname -- "$0")/.."

sh scripts/setup.sh

case " $* " in
  *" --help "* | *" -h "* | *" --only unit "* | *" --only=unit "* | *" --only checks "* | *" --only=checks "*) ;;
  *)
    if [ -f scripts/lab/packages.sh ]; then
      sh scripts/lab/packages.sh --tests || echo "test: going on; the tests that need those packages are skipped, and say so" >&2
      sh scripts/lab/kernel.sh || echo "test: going on without a kernel for the virtual machine; its tests are skipped, and say so" >&2
      sh scripts/lab/newer-containerd.sh || echo "test: going on without newer containerds; their tests are skipped, and say so" >&2
      sh scripts/lab/newer-runc.sh || echo "test: going on without a newer runc; the tests of user namespaces are skipped, and say so" >&2
    fi
    sh scripts/lab/chromium.sh || echo "test: going on without chromium; the tests that need it are skipped, and say so" >&2
    ;;
esac

exec node_modules/.bin/bun --no-install scripts/test.ts "$@"
