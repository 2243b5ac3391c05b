#!/bin/sh
# `npm test`: brings what the checks need, builds the program once and runs everything.
# Ends with the line `N passed, N failed, N skipped`; format, lint, types, shell scripts and the build count as one check each.
set -u
cd "$(dirname "$0")/.." || exit 1

passed=0
failed=0
skipped=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

step() { printf '\n==> %s\n' "$*"; }
has() { command -v "$1" >/dev/null 2>&1; }
give_up() {
  printf 'test/run.sh: %s\n' "$*" >&2
  exit 1
}

# check NAME COMMAND...: one thing that passes or fails as a whole.
check() {
  step "$1"
  name=$1
  shift
  if "$@"; then
    passed=$((passed + 1))
  else
    printf 'FAILED: %s\n' "$name" >&2
    failed=$((failed + 1))
  fi
}

skip() {
  printf 'SKIPPED: %s\n' "$*"
  skipped=$((skipped + 1))
}

# bring PACKAGE COMMAND: installs it with apt where that is possible.
bring() {
  has "$2" && return 0
  [ "$(id -u)" = 0 ] && has apt-get || return 1
  step "Installing $1"
  DEBIAN_FRONTEND=noninteractive
  export DEBIAN_FRONTEND
  apt-get install -y -q --no-install-recommends "$1" >"$scratch/apt" 2>&1 ||
    { apt-get update -q && apt-get install -y -q --no-install-recommends "$1"; } >"$scratch/apt" 2>&1 ||
    { tail -n 5 "$scratch/apt" && return 1; }
  has "$2"
}

shell_scripts() { shellcheck install.sh config/get-bun.sh test/run.sh test/install/boot-machine.sh .ci/run; }

# Bun's closing lines are ` N pass`, ` N skip`, ` N todo` and ` N fail`; the latter counts broken files too.
count() { sed -n "s/^ *\([0-9][0-9]*\) $1\$/\1/p" "$scratch/tests" | tail -n 1; }

tests() {
  # A pipe would hide the exit code in POSIX sh.
  { bun run test:all 2>&1 && echo ok >"$scratch/ok"; } | tee "$scratch/tests"
  passed=$((passed + $(count pass | grep . || echo 0)))
  skipped=$((skipped + $(count skip | grep . || echo 0) + $(count todo | grep . || echo 0)))
  broken=$(count fail | grep . || echo 0)
  [ -f "$scratch/ok" ] || [ "$broken" -gt 0 ] || broken=1
  failed=$((failed + broken))
}

step "Getting Bun and the dependencies"
bun=$(sh config/get-bun.sh .cache/bun) || give_up "there is no Bun to test with."
PATH=$(dirname "$bun"):$PWD/node_modules/.bin:$PATH
# The vendor's postinstall would fetch CUDA libraries, which the tests do not use.
ONNXRUNTIME_NODE_INSTALL=skip
export PATH ONNXRUNTIME_NODE_INSTALL
bun install --frozen-lockfile || give_up "the dependencies could not be installed."

check "Format" bun run format
check "Lint" bun run lint
check "Types" bun run types
if bring shellcheck shellcheck; then check "Shell scripts" shell_scripts; else skip "shell scripts: there is no shellcheck"; fi
check "Build" bun run build
bring espeak-ng espeak-ng && bring ffmpeg ffmpeg || printf 'There is no espeak-ng or no ffmpeg: tests of sound formats will be skipped.\n'
bring chromium chromium || printf 'There is no chromium: tests in a browser will be skipped.\n'
# Brings libvulkan1, the loader; chromium carries a Vulkan driver in software.
bring vulkan-tools vulkaninfo || printf 'There is no Vulkan loader: tests of WebGPU will be skipped.\n'
bring zsh zsh && bring fish fish || printf 'There is no zsh or no fish: tests of their completions will be skipped.\n'
has promtool || printf 'There is no promtool (of Debian'"'"'s prometheus): tests of the alerting rules by it will be skipped.\n'
step "Tests"
rm -f .cache/conformance.jsonl
tests
check "Conformance table" bun run conformance --check

printf '\n%s passed, %s failed, %s skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" = 0 ]
