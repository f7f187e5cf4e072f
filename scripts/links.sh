#!/usr/bin/env bash
# The packaged documents link to packaged files alone.
set -euo pipefail
cd "$(dirname "$0")/.."

packaged=$(cargo package --list --allow-dirty --offline)
broken=0
while read -r document; do
    while read -r target; do
        path=$(realpath --relative-to=. --canonicalize-missing "$(dirname "$document")/${target%%#*}")
        if ! grep -qxF -- "$path" <<<"$packaged"; then
            echo "$document links to $target, which is not packaged" >&2
            broken=1
        fi
    done < <({ grep -oE '\]\([^)#]+' "$document" || true; } | cut -c3- | grep -vE '^[a-z]+:' || true)
done < <(grep -E '\.md$' <<<"$packaged" | grep -v '^src/')
exit "$broken"
