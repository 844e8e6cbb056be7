#!/bin/sh
# Run the unit, access and lifted tests on the oldest Reflex that the layer supports and on the one
# that requirements.txt pins, each in a virtual environment of its own below .cache/compat.
# Usage: compat.sh PYTHON [PYTEST_ARGUMENT...]
set -u
python=$1
shift
oldest=0.10.0
pinned=$(sed -n 's/^reflex==\([^ ]*\).*/\1/p' requirements.txt)
tests="tests/unit tests/access tests/e2e/lifted tests/e2e/test_readme_app.py"
result=
status=0

for version in "$oldest" "$pinned"; do
    folder=.cache/compat/$version
    mkdir -p "$folder"
    sed "s/^reflex==[^ ]*/reflex==$version/" requirements.txt >"$folder.txt"
    if ! cmp -s "$folder.txt" "$folder/installed.txt"; then
        echo "Setting up $folder"
        "$python" -m venv --clear "$folder" &&
            "$folder/bin/python" -m pip install --quiet --disable-pip-version-check -r "$folder.txt" &&
            cp "$folder.txt" "$folder/installed.txt"
    fi
    if [ ! -e "$folder/installed.txt" ]; then
        outcome="could not be installed"
    elif ! sh scripts/ensure_test_programs.sh "$folder/bin" chromium redis-server; then
        outcome="not tested: a program is missing"
    elif "$folder/bin/python" -m pytest $tests "$@"; then
        outcome=passed
    else
        outcome=FAILED
    fi
    [ "$outcome" = passed ] || status=1
    result="${result}Reflex $version: $outcome
"
done
printf '\n%s' "$result"
exit $status
