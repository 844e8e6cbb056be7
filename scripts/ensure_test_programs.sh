#!/bin/sh
# Install the programs that the tests start, if they are missing: `chromium` (from Playwright, or
# else Debian's package), `redis-server`, `nginx`, `libapache2-mod-auth-openidc`.
# Usage: ensure_test_programs.sh BIN_DIR_OF_THE_VIRTUAL_ENVIRONMENT PROGRAM...
set -u
bin=$1
shift
policy=/usr/sbin/policy-rc.d

found() {
    if [ "$1" = chromium ]; then
        "$bin/python" -m tests.browser >/dev/null 2>&1
    elif [ "$1" = libapache2-mod-auth-openidc ]; then
        [ -e /usr/lib/apache2/modules/mod_auth_openidc.so ]
    else
        PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null
    fi
}

from_debian() {
    command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] || return 1
    echo "Installing Debian's package $1 for the tests"
    # Debian starts a service when it is installed; this prevents it.
    made=no
    [ -e "$policy" ] || { printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy" && made=yes; }
    apt-get update -qq >/dev/null 2>&1
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$1" >/dev/null 2>&1
    [ "$made" = no ] || rm -f "$policy"
}

for program in "$@"; do
    found "$program" && continue
    if [ "$program" = chromium ]; then
        echo "No Chromium found; installing that of Playwright"
        timeout 300 "$bin/python" -m playwright install chromium >/dev/null 2>&1 && found chromium && continue
        echo "Playwright's Chromium could not be installed"
    fi
    from_debian "$program" && found "$program" && continue
    echo "These tests need $program, which could not be installed. Install the package '$program'" >&2
    [ "$program" != chromium ] || echo "or set CHROMIUM=/path/to/chromium" >&2
    exit 1
done
