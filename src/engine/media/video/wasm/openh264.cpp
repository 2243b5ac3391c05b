// H.264 for WebAssembly: OpenH264's encoder and decoder behind functions of numbers.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include "wels/codec_api.h"

#define EXPORT(name) extern "C" __attribute__((export_name(#name)))

EXPORT(allocate) void* allocate(uint32_t bytes) { return malloc(bytes); }
EXPORT(release) void release(void* at) { free(at); }

static ISVCEncoder* encoder = nullptr;
static SFrameBSInfo coded;

EXPORT(encoder_open)
int encoder_open(int width, int height, float fps, int quantizer, int key_frame_every) {
  if (WelsCreateSVCEncoder(&encoder) != 0 || encoder == nullptr) return -1;
  SEncParamExt settings;
  encoder->GetDefaultParams(&settings);
  settings.iUsageType = CAMERA_VIDEO_REAL_TIME;
  settings.iPicWidth = width;
  settings.iPicHeight = height;
  settings.fMaxFrameRate = fps;
  // The same quality for every frame, whatever it takes: the videos are short.
  settings.iRCMode = RC_OFF_MODE;
  settings.iComplexityMode = HIGH_COMPLEXITY;
  settings.uiIntraPeriod = key_frame_every;
  settings.eSpsPpsIdStrategy = CONSTANT_ID;
  settings.bEnableFrameSkip = false;
  settings.bEnableSceneChangeDetect = true;
  settings.bEnableDenoise = false;
  settings.bEnableBackgroundDetection = false;
  settings.bEnableAdaptiveQuant = false;
  settings.iEntropyCodingModeFlag = 1;
  settings.iMultipleThreadIdc = 1;
  SSpatialLayerConfig& layer = settings.sSpatialLayers[0];
  layer.iVideoWidth = width;
  layer.iVideoHeight = height;
  layer.fFrameRate = fps;
  layer.uiProfileIdc = PRO_MAIN;
  layer.iDLayerQp = quantizer;
  layer.sSliceArgument.uiSliceMode = SM_SINGLE_SLICE;
  // BT.709 (ITU-T H.264 annex E, tables E-3 to E-5), limited range.
  layer.bVideoSignalTypePresent = true;
  layer.uiVideoFormat = VF_UNDEF;
  layer.bFullRange = false;
  layer.bColorDescriptionPresent = true;
  layer.uiColorPrimaries = CP_BT709;
  layer.uiTransferCharacteristics = TRC_BT709;
  layer.uiColorMatrix = CM_BT709;
  int trace = WELS_LOG_QUIET;
  encoder->SetOption(ENCODER_OPTION_TRACE_LEVEL, &trace);
  return encoder->InitializeExt(&settings);
}

/** The planes of 4:2:0 lie one after the other. Returns the number of bytes, 0 = frame left out, negative = failed. */
EXPORT(encode)
int encode(uint8_t* planes, int width, int height, double milliseconds) {
  SSourcePicture picture;
  memset(&picture, 0, sizeof picture);
  picture.iColorFormat = videoFormatI420;
  picture.iPicWidth = width;
  picture.iPicHeight = height;
  picture.iStride[0] = width;
  picture.iStride[1] = picture.iStride[2] = width / 2;
  picture.pData[0] = planes;
  picture.pData[1] = planes + width * height;
  picture.pData[2] = picture.pData[1] + width / 2 * (height / 2);
  picture.uiTimeStamp = static_cast<long long>(milliseconds);
  memset(&coded, 0, sizeof coded);
  const int failed = encoder->EncodeFrame(&picture, &coded);
  if (failed != cmResultSuccess) return -failed;
  return coded.eFrameType == videoFrameTypeSkip ? 0 : coded.iFrameSizeInBytes;
}

/** Of the last frame: its bytes with start codes, all layers after each other. */
EXPORT(coded_copy)
void coded_copy(uint8_t* to) {
  for (int i = 0; i < coded.iLayerNum; i++) {
    const SLayerBSInfo& layer = coded.sLayerInfo[i];
    int bytes = 0;
    for (int j = 0; j < layer.iNalCount; j++) bytes += layer.pNalLengthInByte[j];
    memcpy(to, layer.pBsBuf, bytes);
    to += bytes;
  }
}

EXPORT(coded_is_key) int coded_is_key() { return coded.eFrameType == videoFrameTypeIDR; }

EXPORT(encoder_close)
void encoder_close() {
  if (encoder == nullptr) return;
  encoder->Uninitialize();
  WelsDestroySVCEncoder(encoder);
  encoder = nullptr;
}

static ISVCDecoder* decoder = nullptr;
static uint8_t* planes[3];
static SBufferInfo shown;

EXPORT(decoder_open)
int decoder_open() {
  if (WelsCreateDecoder(&decoder) != 0 || decoder == nullptr) return -1;
  SDecodingParam settings;
  memset(&settings, 0, sizeof settings);
  settings.uiTargetDqLayer = 0xff;
  settings.eEcActiveIdc = ERROR_CON_DISABLE;
  settings.sVideoProperty.size = sizeof settings.sVideoProperty;
  settings.sVideoProperty.eVideoBsType = VIDEO_BITSTREAM_AVC;
  int trace = WELS_LOG_QUIET;
  decoder->SetOption(DECODER_OPTION_TRACE_LEVEL, &trace);
  return static_cast<int>(decoder->Initialize(&settings));
}

/** One access unit with start codes. Returns OpenH264's state, 0 = well. */
EXPORT(decode)
int decode(const uint8_t* bytes, int length, double time) {
  memset(&shown, 0, sizeof shown);
  shown.uiInBsTimeStamp = static_cast<unsigned long long>(time);
  planes[0] = planes[1] = planes[2] = nullptr;
  return decoder->DecodeFrame2(bytes, length, planes, &shown);
}

/** Nothing follows: the frames that wait for their turn come by `decode_rest`. */
EXPORT(decode_end)
void decode_end() {
  bool ended = true;
  decoder->SetOption(DECODER_OPTION_END_OF_STREAM, &ended);
  decode(nullptr, 0, 0);
}

EXPORT(decode_rest)
int decode_rest() {
  memset(&shown, 0, sizeof shown);
  planes[0] = planes[1] = planes[2] = nullptr;
  return decoder->FlushFrame(planes, &shown);
}

EXPORT(shown_is) int shown_is() { return shown.iBufferStatus == 1 && planes[0] != nullptr; }
EXPORT(shown_width) int shown_width() { return shown.UsrData.sSystemBuffer.iWidth; }
EXPORT(shown_height) int shown_height() { return shown.UsrData.sSystemBuffer.iHeight; }
EXPORT(shown_stride) int shown_stride(int plane) { return shown.UsrData.sSystemBuffer.iStride[plane == 0 ? 0 : 1]; }
EXPORT(shown_plane) uint8_t* shown_plane(int plane) { return planes[plane]; }
EXPORT(shown_time) double shown_time() { return static_cast<double>(shown.uiOutYuvTimeStamp); }

EXPORT(decoder_close)
void decoder_close() {
  if (decoder == nullptr) return;
  decoder->Uninitialize();
  WelsDestroyDecoder(decoder);
  decoder = nullptr;
}
