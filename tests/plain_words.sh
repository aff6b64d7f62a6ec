#!/usr/bin/env bash
# Finds constructions that slow a reader down: inversions, "behind" for *after*, "yields" for
# *returns*, "is no X" for *is not an X* and others. A part of the lint step of tests/run.sh.
set -euo pipefail
cd "$(dirname "$0")/.."

constructions='\banew\b'
constructions+='|(?<![-"_.])\bbehind\b(?!["_:,]|: )'
constructions+='|\byield(s|ed)\b|\byields?\b(?!_)'
constructions+='|(?<![Tt]here )(?<!answer )\b(is|are|was|were) no\b(?! (longer|more|less)\b)'
constructions+='|\bso (many|much)\b(?! (that|as)\b)'
constructions+='|\b(is|are|was|were|be) told\b'
constructions+='|\bcomes? to (that|this|nothing)\b|\bcame to (that|this|nothing)\b'
constructions+='|\bfor all (its|their|his|her)\b|\bnone that\b'

# This file names them; the option --behind of the command line keeps its name.
found=$(git grep -nIP "$constructions" -- '*.rs' '*.md' '*.toml' '*.sh' '*.py' '*.java' '*.yml' ':!tests/plain_words.sh' |
    grep -vE 'behind: Option|\.behind\b|Position::Behind|def .*yield|^[^:]*\.py:[0-9]+: *yield ' || true)
if [ -n "$found" ]; then
    printf '%s\n' "$found"
    echo "plain words: rewrite the lines above; CONTRIBUTING.md says how the project writes"
    exit 1
fi
