#!/bin/sh
# Make sure that the programs which the tests start are there: `chromium` (one that is installed,
# else Playwright's own download, else Debian's package), `redis-server`, `nginx`.
# Usage: ensure_test_programs.sh BIN_DIR_OF_THE_VIRTUAL_ENVIRONMENT PROGRAM...
set -u
bin=$1
shift
policy=/usr/sbin/policy-rc.d

found() {
    if [ "$1" = chromium ]; then
        "$bin/python" -m tests.browser >/dev/null 2>&1
    else
        PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null
    fi
}

from_debian() {
    command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] || return 1
    echo "Installing Debian's package $1 for the tests"
    # No service is to start by being installed.
    made=no
    [ -e "$policy" ] || { printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy" && made=yes; }
    apt-get update -qq >/dev/null 2>&1
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$1" >/dev/null 2>&1
    [ "$made" = no ] || rm -f "$policy"
}

for program in "$@"; do
    found "$program" && continue
    if [ "$program" = chromium ]; then
        echo "No Chromium found; asking Playwright for its own"
        timeout 300 "$bin/python" -m playwright install chromium >/dev/null 2>&1 && found chromium && continue
        echo "Playwright's download did not work"
    fi
    from_debian "$program" && found "$program" && continue
    echo "These tests need $program and it could not be installed. Install the package '$program'" >&2
    [ "$program" != chromium ] || echo "or set CHROMIUM=/path/to/chromium" >&2
    exit 1
done
