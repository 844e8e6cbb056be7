#!/bin/sh
# Run tests on each supported Python that this machine has: on 3.11 with the oldest versions that
# pyproject.toml allows, and on each with those that requirements.txt pins. Every environment is a
# folder of .cache/compat. Exit status 0: nothing failed, and something was tested.
# Usage: [TESTS="tests/unit ..."] compat.sh [PYTEST_ARGUMENT...]
set -u
tests=${TESTS:-tests/unit tests/access tests/setup/test_package.py tests/e2e/installed tests/e2e/test_readme_app.py}
result=

find_python() { # VERSION: an interpreter that runs (a shim of pyenv may be there and refuse to)
    for python in "python$1" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/python; do
        "$python" -c 'import venv' 2>/dev/null && echo "$python" && return
    done
    return 1
}

oldest() { # requirements.txt with each version at the lower bound of pyproject.toml, but for what
    # the tests need: plugins of pytest need a newer one, and FastAPI has to fit Starlette
    grep -oE '"[a-z0-9-]+>=[0-9.]+' pyproject.toml | grep -v pytest |
        sed -E 's/"(.*)>=(.*)/s|^\1==[^ ]*|\1==\2|/; $a s|^fastapi==[^ ]*|fastapi|' |
        sed -E -f /dev/stdin requirements.txt
}

try() { # PYTHON FOLDER PYTEST_ARGUMENT...: set `outcome`; $2.txt has the requirements
    python=$1 folder=$2
    shift 2
    if ! cmp -s "$folder.txt" "$folder/installed.txt"; then
        echo "Setting up $folder"
        "$python" -m venv --clear "$folder" &&
            "$folder/bin/python" -m pip install --quiet --disable-pip-version-check -r "$folder.txt" &&
            cp "$folder.txt" "$folder/installed.txt"
    fi
    if [ ! -e "$folder/installed.txt" ]; then
        outcome="FAILED: could not be installed"
    elif ! sh scripts/ensure_test_programs.sh "$folder/bin" chromium redis-server; then
        outcome="FAILED: a program for the tests is missing"
    elif "$folder/bin/python" -m pytest $tests "$@"; then
        outcome=passed
    else
        outcome=FAILED
    fi
}

mkdir -p .cache/compat
for version in 3.11 3.12 3.13 3.14; do
    if ! python=$(find_python "$version"); then
        result="${result}Python $version: not on this machine
"
        continue
    fi
    for versions in oldest pinned; do
        folder=.cache/compat/$version-$versions
        case $version-$versions in
        3.11-oldest) oldest >"$folder.txt" ;;
        *-oldest) continue ;;
        *) cp requirements.txt "$folder.txt" ;;
        esac
        try "$python" "$folder" "$@"
        reflex=$(sed -n 's/^reflex==\([^ ]*\).*/\1/p' "$folder.txt")
        result="${result}Python $version, Reflex $reflex, $versions versions: $outcome
"
    done
done
printf '\n%s' "$result"
case $result in
*FAILED*) exit 1 ;;
*passed*) exit 0 ;;
*) exit 1 ;;
esac
