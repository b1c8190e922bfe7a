#!/bin/sh
# Make sure that the browser tests find a Chromium: the machine's own, Debian's, or Playwright's.
set -eu
for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null 2>&1; then
        echo "Browser tests will use $(command -v "$name")"
        exit 0
    fi
done
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    echo "Installing Chromium with apt-get"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null
else
    echo "Installing Playwright's Chromium"
    "$1" -m playwright install chromium
fi
