#!/bin/sh
# Builds Forecourt from this checkout, installs it, starts it on the demo models and makes a first picture.
# Runs under dash, bash and busybox ash. Running it again is safe: it changes only what is out of date.
set -eu
umask 022

usage() {
  cat <<'END'
Usage: ./install.sh [options]

  --user           install for this user, into ~/.local (the default, unless root)
  --system         install for all users, into /usr/local (the default for root)
  --prefix DIR     install into DIR instead
  --data DIR       data directory
  --port N         port of the server (default 3250)
  --binary FILE    install this executable instead of building one
  --no-start       only build and install
  --dry-run        say what would be done, and change nothing
  --uninstall      stop and remove Forecourt; keys, models and pictures stay
  --purge          with --uninstall: remove the data directory too
  -h, --help       this text

A later run keeps the data directory and the port of an earlier one, unless it is told others.
An update whose server does not become ready, or draws nothing where the version before did, is taken back by itself;
`forecourt rollback` takes one back later.
The environment variables FORECOURT_PREFIX, FORECOURT_DATA, FORECOURT_PORT and FORECOURT_NO_START=1 do the same.
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 this machine cannot run it.
END
}

say() { printf '%s\n' "$*"; }
step() { printf '==> %s\n' "$*"; }
give_up() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 1
}
refuse() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 3
}
wrong_usage() {
  printf 'install.sh: %s\nRun ./install.sh --help to see what is possible.\n' "$*" >&2
  exit 2
}
has() { command -v "$1" >/dev/null 2>&1; }
# act COMMAND...: everything that changes this machine goes through here, so that a dry run tells of it instead.
act() {
  if [ "$is_dry_run" = yes ]; then
    say "would run: $*"
  else
    "$@"
  fi
}

# ---- what is asked for ------------------------------------------------------------------------------------------

read_arguments() {
  prefix=${FORECOURT_PREFIX:-}
  data=${FORECOURT_DATA:-}
  port=${FORECOURT_PORT:-}
  built=
  is_start=yes
  [ "${FORECOURT_NO_START:-}" = 1 ] && is_start=no
  is_uninstall=no
  is_purge=no
  is_dry_run=no
  scope=user
  [ "$(id -u)" = 0 ] && scope=system
  while [ $# -gt 0 ]; do
    case $1 in
      --prefix | --data | --port | --binary) [ $# -ge 2 ] || wrong_usage "$1 needs a value." ;;
    esac
    case $1 in
      --user) scope=user ;;
      --system) scope=system ;;
      --prefix) prefix=$2 && shift ;;
      --data) data=$2 && shift ;;
      --port) port=$2 && shift ;;
      --binary) built=$2 && shift ;;
      --prefix=*) prefix=${1#*=} ;;
      --data=*) data=${1#*=} ;;
      --port=*) port=${1#*=} ;;
      --binary=*) built=${1#*=} ;;
      --no-start) is_start=no ;;
      --uninstall) is_uninstall=yes ;;
      --purge) is_purge=yes ;;
      --dry-run) is_dry_run=yes ;;
      -h | --help) usage && exit 0 ;;
      *) wrong_usage "there is no option $1." ;;
    esac
    shift
  done
  case $port in
    *[!0-9]* | 0* | ??????*) wrong_usage "--port $port is not a number from 1 to 65535." ;;
  esac
  [ "${port:-1}" -le 65535 ] || wrong_usage "--port $port is not a number from 1 to 65535."
  [ -z "$built" ] || [ -x "$built" ] || wrong_usage "--binary $built is no executable."
  [ "$is_purge" = no ] || [ "$is_uninstall" = yes ] || wrong_usage "--purge goes with --uninstall."
}

# Where things go. The data directory is the one that the program itself would take.
plan() {
  [ -n "${HOME:-}" ] || give_up "HOME is not set; it says where your files are."
  if [ -z "$prefix" ]; then
    prefix=/usr/local
    [ "$scope" = user ] && prefix=$HOME/.local
  fi
  prefix=$(absolute "$prefix")
  link=$prefix/bin/forecourt
  releases=$prefix/lib/forecourt
  supervisor=background
  if [ -d /run/systemd/system ]; then
    if [ "$scope" = system ]; then
      [ "$(id -u)" = 0 ] || refuse "--system needs root: run it with sudo, or install with --user."
      supervisor=systemd
    elif systemctl --user show-environment >/dev/null 2>&1; then
      supervisor=systemd-user
    fi
  fi
  # What an earlier run was told holds until a later one is told otherwise. The system service has it in its environment.
  memory=$releases/chosen.env
  [ "$supervisor" = systemd ] && memory=/etc/forecourt/forecourt.env
  [ -n "$data" ] || data=$(remembered FORECOURT_DATA)
  [ -n "$port" ] || port=$(remembered FORECOURT_PORT)
  default_data=${XDG_DATA_HOME:-$HOME/.local/share}/forecourt
  is_own_data=no
  [ -n "$data" ] && is_own_data=yes
  if [ -z "$data" ]; then
    data=$default_data
    [ "$supervisor" = systemd ] && data=/var/lib/forecourt
  fi
  data=$(absolute "$data")
  is_own_port=no
  [ -n "$port" ] && is_own_port=yes
  [ -n "$port" ] || port=$(sed -n 's/^port: *\([0-9]*\).*/\1/p' "$data/appliance.yaml" 2>/dev/null || true)
  [ -n "$port" ] || port=3250
}

remembered() { sed -n "s/^$1=\"\{0,1\}\([^\"]*\).*/\1/p" "$memory" 2>/dev/null || true; }

absolute() {
  case $1 in
    /*) printf '%s\n' "$1" ;;
    *) printf '%s/%s\n' "$PWD" "$1" ;;
  esac
}

# ---- can this machine do it? ------------------------------------------------------------------------------------

check_machine() {
  [ "$(uname -s)" = Linux ] || refuse "Forecourt runs on Linux; this is $(uname -s)."
  case $(uname -m) in
    x86_64 | amd64) loader=/lib64/ld-linux-x86-64.so.2 ;;
    aarch64 | arm64) loader=/lib/ld-linux-aarch64.so.1 ;;
    *) refuse "Forecourt runs on x86-64 and arm64; this is $(uname -m)." ;;
  esac
  [ -e "$loader" ] || refuse "there is no glibc here ($loader is missing; Alpine has musl): use Debian, Ubuntu, Fedora or the like."
  case $(cat /proc/version 2>/dev/null) in
    *-Microsoft*) refuse "this is WSL 1, which lacks what the server needs: convert it with 'wsl --set-version NAME 2'." ;;
  esac
  check_tools
  for folder in "$source" "$prefix" "$data"; do
    check_space "$folder"
  done
}

check_tools() {
  missing=
  for tool in awk base64 cat chmod cp cut df dirname grep head id kill ln mkdir mktemp mv nohup od readlink rm sed sha256sum sleep tail tr; do
    has "$tool" || missing="$missing $tool"
  done
  if [ -z "$built" ] && ! has npm; then
    has curl || has wget || missing="$missing curl"
    tools=unzip
    [ -z "${npm_config_registry:-}" ] || tools="gzip sha512sum tar"
    for tool in $tools; do
      has "$tool" || missing="$missing $tool"
    done
  fi
  [ -z "$missing" ] || refuse "these tools are missing:$missing. Install them with your package manager."
}

# At least 1 GiB where the folder is, or will be.
check_space() {
  folder=$1
  while [ ! -d "$folder" ]; do folder=$(dirname "$folder"); done
  free=$(df -Pk "$folder" | awk 'NR == 2 { print $4 }')
  [ "$free" -ge 1048576 ] || refuse "only $((free / 1024)) MiB are free in $folder; 1024 MiB are needed."
  [ -w "$folder" ] || refuse "this user may not write to $folder; use sudo, --user, --prefix or --data."
}

# A listener in the kernel's tables (state 0A) that is not our own server.
check_port() {
  hex=$(printf '%04X' "$port")
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -q ":$hex [0-9A-F]*:0000 0A " || return 0
  if server_pid >/dev/null || is_unit_active; then return 0; fi
  refuse "port $port is used by another program; stop it, or choose another with --port N."
}

# ---- the server that runs now -----------------------------------------------------------------------------------

# The process that holds the data directory, if it lives and is ours. The kernel names its program without any links on
# the way, such as a home directory may be.
server_pid() {
  pid=$(cat "$data/server.pid" 2>/dev/null) || return 1
  builds=$(cd "$releases" 2>/dev/null && pwd -P) || return 1
  case $(readlink "/proc/$pid/exe" 2>/dev/null) in
    "$builds"/*) printf '%s\n' "$pid" ;;
    *) return 1 ;;
  esac
}

# Is this process one of the build that is in place now?
is_current() { [ "$(readlink "/proc/$1/exe")" = "$(readlink -f "$release")" ]; }

is_unit_active() {
  case $supervisor in
    systemd) systemctl --quiet is-active forecourt ;;
    systemd-user) systemctl --user --quiet is-active forecourt ;;
    *) return 1 ;;
  esac
}

stop_server() {
  case $supervisor in
    systemd) act systemctl stop forecourt 2>/dev/null || true ;;
    systemd-user) act systemctl --user stop forecourt 2>/dev/null || true ;;
  esac
  pid=$(server_pid) || return 0
  if [ "$is_dry_run" = yes ]; then
    say "would end the server (process $pid) and wait for it"
    return
  fi
  kill "$pid" 2>/dev/null || return 0
  waited=0
  while kill -0 "$pid" 2>/dev/null; do
    [ "$waited" -lt 60 ] || give_up "the running server (process $pid) does not end; end it by 'kill -9 $pid' and try again."
    sleep 1
    waited=$((waited + 1))
  done
}

# ---- build and install ------------------------------------------------------------------------------------------

# Long output goes to a file that is shown only if the command fails.
quietly() {
  if [ "$is_dry_run" = yes ]; then
    act "$@"
    return
  fi
  if ! "$@" >"$scratch/output" 2>&1; then
    tail -n 30 "$scratch/output" >&2
    give_up "'$*' failed; its last lines are above."
  fi
}

build() {
  if [ "$is_dry_run" = yes ]; then
    step "Would build the executable in $source, with Bun and the dependencies that its lock file names"
    return
  fi
  step "Getting Bun, dependencies and the build (a few minutes the first time)"
  bun=$(sh "$source/config/get-bun.sh" "$source/.cache/bun") || exit 1
  # The vendor's postinstall would fetch CUDA libraries, which the build does not use.
  export ONNXRUNTIME_NODE_INSTALL=skip
  PATH=$(dirname "$bun"):$PATH
  export PATH
  (cd "$source" && quietly bun install --frozen-lockfile && quietly bun run build)
  built=$source/dist/forecourt
  [ -x "$built" ] || give_up "the build left no dist/forecourt."
}

# One folder for each build; the name in bin/ changes by a rename, so that it is never absent or half-written.
put_in_place() {
  is_update=no
  if [ -z "$built" ]; then
    release=$releases/VERSION-HASH/forecourt
    step "Would install it as $release, and lead $link to it"
    return
  fi
  hash=$(sha256sum "$built" | cut -c 1-12)
  version=$("$built" --version 2>/dev/null) || version=
  case $version in
    "forecourt "*) version=$(printf '%s' "$version" | cut -d ' ' -f 2) ;;
    *) give_up "$built is not Forecourt, or not built for $(uname -m): it does not tell its version. Nothing was changed." ;;
  esac
  release=$releases/$version-$hash/forecourt
  if [ -x "$release" ] && [ "$(readlink "$link" 2>/dev/null)" = "$release" ]; then
    step "forecourt $version is already current in $link"
    return
  fi
  step "Installing forecourt $version as $link"
  previous=$(readlink "$link" 2>/dev/null || true)
  act mkdir -p "${release%/*}" "${link%/*}"
  # Names of their own: two installers may run at once.
  act cp "$built" "$release.$$"
  act chmod 755 "$release.$$"
  act mv -f "$release.$$" "$release"
  # What `forecourt rollback` goes back to.
  case $previous in
    "$releases"/*)
      is_update=yes
      act ln -sf "$previous" "$releases/previous.$$"
      act mv -f "$releases/previous.$$" "$releases/previous"
      ;;
  esac
  act ln -sf "$release" "$link.$$"
  act mv -f "$link.$$" "$link"
  drop_old_releases "$previous"
  put_completions_in_place
}

# The build before this one stays, to go back to.
drop_old_releases() {
  for folder in "$releases"/*/; do
    folder=${folder%/}
    case $folder/forecourt in
      "$release" | "$1" | "$releases/*/forecourt") ;;
      *) act rm -rf "$folder" ;;
    esac
  done
}

completion_files() {
  say "bash $prefix/share/bash-completion/completions/forecourt"
  say "zsh $prefix/share/zsh/site-functions/_forecourt"
  say "fish $prefix/share/fish/vendor_completions.d/forecourt.fish"
}

# Where shells look by themselves. A shell that completes nothing is no reason to give up.
put_completions_in_place() {
  completion_files | while read -r shell file; do
    if [ "$is_dry_run" = yes ]; then
      say "would write $file"
    elif ! { mkdir -p "${file%/*}" && "$release" completions "$shell" >"$file.new" && mv -f "$file.new" "$file"; } 2>/dev/null; then
      rm -f "$file.new" 2>/dev/null || true
      say "The completions of $shell could not be written to $file."
    fi
  done
}

# ---- start ------------------------------------------------------------------------------------------------------

start() {
  remember
  export FORECOURT_DATA="$data" FORECOURT_PORT="$port"
  see_version_before
  start_with_supervisor
  if [ "$is_dry_run" = yes ] || wait_until_ready; then return; fi
  tail -n 20 "$scratch/output" "$data/logs/server.log" >&2 2>/dev/null || true
  [ "$is_update" = no ] || take_back "does not become ready"
  give_up "the server did not become ready within a minute; see above, or run '$link doctor'."
}

# Where the version before runs and draws nothing either, the new one is not to blame.
see_version_before() {
  may_blame=$is_update
  if [ "$is_update" = yes ] && [ "$is_dry_run" = no ] && "$previous" ps >/dev/null 2>&1; then
    picture=$(picture_by "$previous" "$scratch") && [ -s "$picture" ] || may_blame=no
  fi
}

start_with_supervisor() {
  is_failed=no
  started=
  case $supervisor in
    systemd) start_system_unit ;;
    systemd-user) start_user_unit ;;
    background) start_in_background ;;
  esac
}

# For a minute, and no longer than the server lives.
wait_until_ready() {
  waited=0
  while [ "$is_failed" = no ] && [ "$waited" -lt 60 ]; do
    if "$link" ps --wait 5 >"$scratch/output" 2>&1; then return 0; fi
    if [ -n "$started" ] && ! kill -0 "$started" 2>/dev/null; then return 1; fi
    waited=$((waited + 5))
  done
  return 1
}

# The version before serves again, on the database from before where the new one changed it in a way that the other cannot read.
# What came in meanwhile is told of, and kept beside.
take_back() {
  step "forecourt $version $1: going back to the version before"
  failed=$version
  stop_server
  if ! "$release" rollback --yes --data "$data" >&2; then
    give_up "forecourt $failed $1, and there is no way back by itself; the reasons are above."
  fi
  release=$(readlink "$link")
  put_completions_in_place
  start_with_supervisor
  if wait_until_ready; then
    give_up "forecourt $failed $1; the version before serves again. The reason is above."
  fi
  give_up "forecourt $failed $1, and the version before does not become ready; see above, or run '$link doctor'."
}

remember() {
  is_changed=no
  if [ "$is_dry_run" = no ]; then
    mkdir -p "${memory%/*}"
    [ -f "$memory" ] || (umask 077 && echo '# FORECOURT_* variables of the service.' >"$memory")
  fi
  [ "$is_own_data" = no ] || set_line "$memory" "FORECOURT_DATA=$data"
  [ "$is_own_port" = no ] || set_line "$memory" "FORECOURT_PORT=$port"
}

start_in_background() {
  log=$data/logs/server.log
  if pid=$(server_pid); then
    if is_current "$pid" && tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q -- "--port $port "; then
      step "The server already runs (process $pid)"
      return
    fi
    step "Restarting the server"
    stop_server
  else
    step "Starting the server"
  fi
  if [ "$is_dry_run" = yes ]; then
    act "$release" serve --data "$data" --port "$port"
    return
  fi
  (umask 077 && mkdir -p "$data/logs" && : >>"$log")
  nohup "$release" serve --data "$data" --port "$port" >>"$log" 2>&1 </dev/null &
  started=$!
  afterwards="It runs in the background until this machine restarts; start it again by: $link serve"
}

start_system_unit() {
  id forecourt >/dev/null 2>&1 || quietly useradd --system --user-group --home-dir "$data" --shell /usr/sbin/nologin forecourt
  for group in render video; do
    if grep -q "^$group:" /etc/group; then act usermod -aG "$group" forecourt; fi
  done
  if [ "$is_own_data" = yes ]; then
    act mkdir -p "$data"
    act chown forecourt: "$data"
    replace /etc/systemd/system/forecourt.service.d/data.conf "[Service]
ReadWritePaths=$(unit_word "$data")"
  fi
  show_homes
  replace /etc/systemd/system/forecourt.service "$(
    sed '/^ExecStart=/,$d' "$source/config/forecourt.service"
    say "ExecStart=$(unit_word "$link") serve"
    sed '1,/^ExecStart=/d' "$source/config/forecourt.service"
  )"
  activate systemctl
}

# The unit hides all home directories from the server: what of it lies in one is shown to it, and nothing else there.
show_homes() {
  shown=
  show BindPaths "$data"
  show BindReadOnlyPaths "$prefix"
  drop_in=/etc/systemd/system/forecourt.service.d/home.conf
  if [ -n "$shown" ]; then
    replace "$drop_in" "[Service]
ProtectHome=tmpfs$shown"
  elif [ -f "$drop_in" ]; then
    act rm "$drop_in"
    is_changed=yes
  fi
}

# show SETTING PATH: by its own name, and by the one that links lead to.
show() {
  for each in "$2" "$(readlink -f "$2")"; do
    line="
$1=$(unit_word "$each")"
    case $each/ in /home/* | /root/* | /run/user/*) ;; *) continue ;; esac
    case $shown in *"$line"*) ;; *) shown=$shown$line ;; esac
  done
}

start_user_unit() {
  replace "$HOME/.config/systemd/user/forecourt.service" "[Unit]
Description=Forecourt, a model server
[Service]
Type=notify
ExecStart=$(unit_word "$link") serve --data $(unit_word "$data") --port $port
Restart=on-failure
RestartSec=2
KillMode=mixed
TimeoutStartSec=30min
TimeoutStopSec=60
OOMPolicy=continue
LimitCORE=0
UMask=0077
[Install]
WantedBy=default.target"
  activate systemctl --user
  afterwards="It runs while you are logged in; to keep it running: loginctl enable-linger"
}

# One word of a unit's line, whatever is in it: systemd splits at spaces and replaces what follows a percent sign.
unit_word() { printf '"%s"' "$1" | sed 's/%/%%/g'; }

# Restarts only when the program, the unit or its environment changed.
activate() {
  [ "$is_changed" = no ] || quietly "$@" daemon-reload
  quietly "$@" enable forecourt
  if [ "$is_changed" = no ] && pid=$(server_pid) && is_current "$pid"; then
    step "The server already runs (process $pid)"
    return
  fi
  step "Starting the service"
  if [ "$is_dry_run" = yes ]; then
    act "$@" restart forecourt
  elif ! "$@" restart forecourt >"$scratch/output" 2>&1; then
    is_failed=yes
  fi
}

# replace FILE TEXT: writes the file unless it has this text already.
replace() {
  [ "$(cat "$1" 2>/dev/null)" = "$2" ] && return
  is_changed=yes
  if [ "$is_dry_run" = yes ]; then
    say "would write $1"
    return
  fi
  mkdir -p "${1%/*}"
  printf '%s\n' "$2" >"$1.new"
  mv -f "$1.new" "$1"
}

# set_line FILE NAME=VALUE: sets one variable and leaves the others.
set_line() {
  grep -qxF "$2" "$1" 2>/dev/null && return
  is_changed=yes
  if [ "$is_dry_run" = yes ]; then
    say "would set $2 in $1"
    return
  fi
  (umask 077 && { grep -v "^${2%%=*}=" "$1" || true; echo "$2"; } >"$1.new")
  mv -f "$1.new" "$1"
}

# ---- key, picture, farewell -------------------------------------------------------------------------------------

make_key() {
  key_file=$data/client.key
  [ -s "$key_file" ] && return
  if [ "$is_dry_run" = yes ]; then
    say "would make a key and write it to $key_file"
    return
  fi
  if ! (umask 077 && "$link" keys create --name first-client 2>"$scratch/output" >"$key_file.new"); then
    cat "$scratch/output" >&2
    give_up "no key could be made; the reason is above."
  fi
  mv -f "$key_file.new" "$key_file"
}

prompt="a big red circle on a blue ground"

# picture_by PROGRAM FOLDER: prints the name of the picture's file.
picture_by() { "$1" run forecourt/demo-diffusion "prompt=$prompt" seed=7 --output "$2" 2>"$scratch/output" | tail -n 1; }

draw() {
  step "Drawing: $prompt"
  picture=$(picture_by "$link" "$data/first-picture")
  [ ! -s "$picture" ] || return 0
  cat "$scratch/output" >&2
  [ "$may_blame" = no ] || take_back "draws no picture"
  give_up "no picture came back; see above, $data/logs or run '$link doctor'."
}

farewell() {
  url=http://127.0.0.1:$port
  say ""
  say "Forecourt is ready."
  say "  picture     $picture"
  say "  server      $url"
  say "  docs page   $url/swagger"
  say "  client key  $key_file"
  say "  admin key   $data/admin.key"
  say "  program     $link"
  [ -z "${afterwards:-}" ] || say "$afterwards"
  hint_path
  [ "$data" = "$default_data" ] || say "For the commands to find this server's data: export FORECOURT_DATA=\"$data\""
  [ "$port" = 3250 ] || say "For the commands to find this server: export FORECOURT_PORT=$port"
}

hint_path() {
  case :$PATH: in
    *":$prefix/bin:"*) ;;
    *) say "Add it to your path: export PATH=\"$prefix/bin:\$PATH\"" ;;
  esac
}

# ---- uninstall --------------------------------------------------------------------------------------------------

uninstall() {
  if [ ! -d "$releases" ] && [ "$is_purge" = no ]; then
    say "There is no Forecourt in $prefix. If it is elsewhere, say so with --user, --system or --prefix."
    return
  fi
  stop_server
  case $supervisor in
    systemd) remove_unit /etc/systemd/system systemctl ;;
    systemd-user) remove_unit "$HOME/.config/systemd/user" systemctl --user ;;
  esac
  case $(readlink "$link" 2>/dev/null) in
    "$releases"/*) act rm -f "$link" ;;
  esac
  act rm -rf "$releases"
  completion_files | while read -r _ file; do
    [ ! -f "$file" ] || act rm -f "$file"
  done
  if [ "$is_purge" = yes ]; then
    purge
  elif [ "$is_dry_run" = yes ]; then
    say "Nothing was changed. Keys, models and pictures in $data would stay."
  elif [ -d "$data" ]; then
    say "Forecourt is removed. Your keys, models and pictures are still in $data; --uninstall --purge removes them."
  else
    say "Forecourt is removed."
  fi
}

remove_unit() {
  folder=$1
  shift
  act "$@" disable forecourt 2>/dev/null || true
  act rm -rf "$folder/forecourt.service" "$folder/forecourt.service.d"
  act "$@" daemon-reload
}

# Only a folder that is a data directory is removed, whatever --data says.
purge() {
  if [ -d "$data" ] && [ ! -f "$data/forecourt.sqlite" ]; then
    give_up "$data is not a data directory of Forecourt (it has no forecourt.sqlite), so it stays."
  fi
  # It may be a link to where there is room for it.
  [ ! -d "$data" ] || act rm -rf "$(cd "$data" && pwd -P)"
  act rm -rf "$data"
  if [ "$is_dry_run" = yes ]; then
    say "Nothing was changed."
  else
    say "Forecourt and its data are removed."
  fi
}

# The rest of a dry run: what follows the program.
foretell() {
  start
  make_key
  say "would draw a first picture into $data/first-picture"
}

main() {
  source=$(cd "$(dirname "$0")" && pwd)
  read_arguments "$@"
  plan
  if [ "$is_uninstall" = yes ]; then
    uninstall
    exit 0
  fi
  check_machine
  [ "$is_start" = no ] || check_port
  if [ "$is_dry_run" = no ]; then
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
  fi
  [ -n "$built" ] || build
  put_in_place
  if [ "$is_dry_run" = yes ]; then
    [ "$is_start" = no ] || foretell
    say "Nothing was changed."
    exit 0
  fi
  if [ "$is_start" = no ]; then
    say "Installed. Start it with: $link serve"
    hint_path
    exit 0
  fi
  start
  make_key
  draw
  farewell
}

main "$@"
