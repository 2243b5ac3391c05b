#!/bin/sh
# Builds the codecs of this folder again: sh build.sh FOLDER, where the folder is for sources and objects.
set -eu
# The linker takes objects in the order of their names: the same order, the same bytes.
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
work=$(cd "$1" && pwd)
zig=${ZIG:-python3 -m ziglang}
memory=-Wl,--max-memory=1073741824

sources() { # URL COMMIT FOLDER
  [ -d "$3" ] || git clone --filter=blob:none --no-checkout "$1" "$3"
  git -C "$3" sparse-checkout set --no-cone '/*' '!/res/' '!/autotest/'
  git -C "$3" checkout --quiet "$2"
}
sources https://github.com/cisco/openh264 cf568c83f71a18778f9a16e344effaf40c11b752 "$work/openh264"
sources https://github.com/webmproject/libvpx 0cfc6da392f48f8337a74d446e522f8258c27283 "$work/libvpx"

codec=$work/openh264/codec
objects=$work/objects
# What an earlier run left was built otherwise, perhaps: make does not ask.
rm -rf "$objects" "$work/vpx"
mkdir -p "$objects"
flags="-target wasm32-wasi -O3 -msimd128 -DNDEBUG -D_WASI_EMULATED_SIGNAL -fno-exceptions -fno-rtti -fno-threadsafe-statics
  -fno-sanitize=all -w -I$codec/api -I$codec/api/wels -I$codec/common/inc"
compile() { # PART "INCLUDES" FILE...
  part=$1 includes=$2
  shift 2
  for file; do
    # Both halves of OpenH264 have headers of the same names.
    # shellcheck disable=SC2086
    $zig c++ $flags $includes -c "$file" -o "$objects/$part-$(basename "$file" .cpp).o"
  done
}
processing=$codec/processing
# shellcheck disable=SC2046
compile common "" $(find "$codec/common/src" -name '*.cpp' ! -name WelsThreadLib.cpp) "$here/openh264.cpp" "$here/one-thread.cpp"
compile decoder "-I$codec/decoder/core/inc -I$codec/decoder/plus/inc" "$codec"/decoder/core/src/*.cpp "$codec"/decoder/plus/src/*.cpp
compile encoder "-I$codec/encoder/core/inc -I$codec/encoder/plus/inc -I$processing/interface" \
  "$codec"/encoder/core/src/*.cpp "$codec/encoder/plus/src/welsEncoderExt.cpp"
# shellcheck disable=SC2046
compile processing "-I$processing/interface -I$processing/src/common -I$processing/src/adaptivequantization
  -I$processing/src/downsample -I$processing/src/scrolldetection -I$processing/src/vaacalc" \
  $(find "$processing/src" -name '*.cpp')
$zig c++ -target wasm32-wasi -mexec-model=reactor -O3 -s "$objects"/*.o "$memory" -lwasi-emulated-signal -o "$here/openh264.wasm"

mkdir -p "$work/vpx"
cd "$work/vpx"
printf '#!/bin/sh\nexec %s cc -target wasm32-wasi -msimd128 -fno-sanitize=all -I%s/include "$@"\n' "$zig" "$here" > ./cc
printf '#!/bin/sh\nexec %s ar "$@"\n' "$zig" > ./ar
chmod +x cc ar
CC=$PWD/cc CXX=$PWD/cc LD=$PWD/cc AR=$PWD/ar AS=true STRIP=true NM=true "$work/libvpx/configure" --target=generic-gnu \
  --disable-examples --disable-tools --disable-docs --disable-unit-tests --disable-multithread --disable-vp8-encoder \
  --disable-vp9-encoder --disable-webm-io --disable-runtime-cpu-detect --disable-install-docs --disable-postproc \
  --disable-vp9-postproc --disable-debug --size-limit=8192x8192 --extra-cflags="-O3 -DNDEBUG"
make -j"$(nproc)" libvpx.a
./cc -O3 -s -mexec-model=reactor -I"$work/libvpx" -I. "$here/vpx.c" libvpx.a "$memory" -o "$here/vpx.wasm"
chmod 644 "$here"/*.wasm
sha256sum "$here"/*.wasm
