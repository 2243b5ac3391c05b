// VP8 and VP9 for WebAssembly: libvpx's decoders behind functions of numbers.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "vpx/vp8dx.h"
#include "vpx/vpx_decoder.h"

#define EXPORT(name) __attribute__((export_name(name)))

EXPORT("allocate") void* allocate(uint32_t bytes) { return malloc(bytes); }
EXPORT("release") void release(void* at) { free(at); }

static vpx_codec_ctx_t decoder;
static const vpx_image_t* shown;
static vpx_codec_iter_t next;

/* `version`: 8 or 9. */
EXPORT("decoder_open")
int decoder_open(int version) {
  vpx_codec_dec_cfg_t settings;
  memset(&settings, 0, sizeof settings);
  settings.threads = 1;
  return vpx_codec_dec_init(&decoder, version == 8 ? vpx_codec_vp8_dx() : vpx_codec_vp9_dx(), &settings, 0);
}

/* Returns vpx_codec_err_t, 0 = well. */
EXPORT("decode")
int decode(const uint8_t* bytes, uint32_t length) {
  next = NULL;
  return vpx_codec_decode(&decoder, bytes, length, NULL, 0);
}

/* Whether there is another picture of what was decoded last, which the functions below tell of. */
EXPORT("decode_next")
int decode_next(void) {
  shown = vpx_codec_get_frame(&decoder, &next);
  return shown != NULL;
}

EXPORT("shown_is_420") int shown_is_420(void) { return shown->fmt == VPX_IMG_FMT_I420; }
EXPORT("shown_width") uint32_t shown_width(void) { return shown->d_w; }
EXPORT("shown_height") uint32_t shown_height(void) { return shown->d_h; }
EXPORT("shown_stride") int shown_stride(int plane) { return shown->stride[plane]; }
EXPORT("shown_plane") const uint8_t* shown_plane(int plane) { return shown->planes[plane]; }
EXPORT("shown_color_space") int shown_color_space(void) { return shown->cs; }
EXPORT("shown_is_full_range") int shown_is_full_range(void) { return shown->range == VPX_CR_FULL_RANGE; }

EXPORT("decoder_close") void decoder_close(void) { vpx_codec_destroy(&decoder); }
