#!/bin/sh
# Make sure there is a Chromium for the browser tests: one that is installed, else Playwright's own
# download, else Debian's package. Usage: ensure_chromium.sh BIN_DIR_OF_THE_VIRTUAL_ENVIRONMENT
set -u
bin=$1

found() {
    "$bin/python" -m tests.browser >/dev/null 2>&1
}

found && exit 0
echo "No Chromium found; asking Playwright for its own"
timeout 300 "$bin/python" -m playwright install chromium >/dev/null 2>&1 && found && exit 0
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    echo "Playwright's download did not work; installing Debian's chromium package"
    apt-get update -qq >/dev/null 2>&1
    apt-get install -y -qq chromium >/dev/null 2>&1 && found && exit 0
fi
echo "The browser tests need a Chromium and none could be installed. Install the package 'chromium'," >&2
echo "or set CHROMIUM=/path/to/chromium." >&2
exit 1
