#!/bin/sh
# Prints the path of the Bun that this project is built with; installs it into the folder $1 when it is not there yet.
# Needs npm, or curl or wget. Without npm it comes from the mirror that npm_config_registry names (needs tar; the archive
# must have the hash of bun.lock), else from Bun's own releases (needs unzip; the hash is that of the release).
set -eu

folder=$1
version=1.4.5
registry=${npm_config_registry:-}
releases=https://github.com/oven-sh/bun/releases/download/bun-v$version

say() { printf '%s\n' "$*" >&2; }
give_up() {
  say "get-bun: $*"
  exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }
is_right() { [ -x "$1" ] && [ "$("$1" --version 2>/dev/null)" = "$version" ]; }

case $(uname -m) in
  x86_64 | amd64) package="bun-linux-x64" ;;
  aarch64 | arm64) package="bun-linux-aarch64" ;;
  *) give_up "Bun $version has no build for $(uname -m); use an x86-64 or arm64 machine." ;;
esac

wanted_hash() {
  sed -n "s|^ *\"@oven/$package\": .*\"sha512-\([^\"]*\)\".*|\1|p" "$(dirname "$0")/../bun.lock" |
    base64 -d | od -An -v -tx1 | tr -d ' \n'
}

download() {
  if has curl; then
    curl --fail --location --silent --show-error --retry 3 --output "$2" "$1"
  else
    wget -q -O "$2" "$1"
  fi
}

by_mirror() {
  has tar || give_up "tar is missing; install it with your package manager."
  archive=$folder/bun.tgz
  download "${registry%/}/@oven/$package/-/$package-$version.tgz" "$archive" || return 1
  if [ "$(sha512sum "$archive" | cut -d ' ' -f 1)" != "$(wanted_hash)" ]; then
    rm -f "$archive"
    give_up "the downloaded Bun $version does not have the hash in bun.lock; try again, or look who answers for $registry."
  fi
  mkdir -p "$folder/node_modules/@oven/$package"
  tar -xzf "$archive" -C "$folder/node_modules/@oven/$package" --strip-components=1
  rm -f "$archive"
}

by_release() {
  has unzip || give_up "unzip is missing; install it, or npm, with your package manager."
  archive=$folder/$package.zip
  download "$releases/$package.zip" "$archive" && download "$releases/SHASUMS256.txt" "$archive.sums" || return 1
  wanted=$(awk -v name="$package.zip" '$2 == name { print $1 }' "$archive.sums")
  if [ -z "$wanted" ] || [ "$(sha256sum "$archive" | cut -d ' ' -f 1)" != "$wanted" ]; then
    rm -f "$archive" "$archive.sums"
    give_up "the downloaded Bun $version does not have the hash of its release; try again."
  fi
  mkdir -p "${bun%/*}"
  unzip -q -o -j "$archive" "$package/bun" -d "${bun%/*}"
  chmod 755 "$bun"
  rm -f "$archive" "$archive.sums"
}

# The platform's own package holds the program itself, so that no install script needs to run.
by_npm() {
  npm install --prefix "$folder" --no-save --no-package-lock --no-audit --no-fund --no-update-notifier --loglevel=error --ignore-scripts \
    "@oven/$package@$version" >&2
}

bun=$folder/node_modules/@oven/$package/bin/bun
if ! is_right "$bun"; then
  mkdir -p "$folder"
  folder=$(cd "$folder" && pwd)
  bun=$folder/node_modules/@oven/$package/bin/bun
  if has npm; then
    by_npm || give_up "npm could not install @oven/$package; its message is above."
  elif has curl || has wget; then
    if [ -n "$registry" ]; then
      by_mirror || give_up "$registry did not answer; is this machine connected?"
    else
      by_release || give_up "$releases did not answer; is this machine connected?"
    fi
  else
    give_up "none of npm, curl and wget is here; install one of them."
  fi
  is_right "$bun" || give_up "Bun $version does not run here: it needs glibc 2.27 or later, and on x86-64 a CPU with SSE4.2."
fi
printf '%s\n' "$bun"
