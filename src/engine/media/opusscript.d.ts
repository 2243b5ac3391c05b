// libopus as opusscript brings it: the build's own factory, which takes the WebAssembly that we embed.
declare module "opusscript/build/opusscript_native_wasm.js" {
  export type Handler = {
    /** Addresses in the module's memory; bytes of input, samples a channel. The packet's length, or a negative error. */
    _encode(from: number, bytes: number, to: number, samples: number): number;
    _encoder_ctl(request: number, value: number): number;
  };
  export type Libopus = {
    HEAPU8: Uint8Array;
    _malloc(bytes: number): number;
    _free(address: number): void;
    OpusScriptHandler: {
      new (rate: number, channels: number, application: number): Handler;
      destroy_handler(handler: Handler): void;
    };
    ready: Promise<Libopus>;
  };
  const make: (options: { wasmBinary: Uint8Array }) => Libopus;
  export = make;
}
declare module "opusscript/build/opusscript_native_wasm.wasm" {
  const path: string;

  export = path;
}
