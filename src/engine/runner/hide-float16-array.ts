// Keeps libraries from using Float16Array, which Bun does not hand to native code as it should.

/**
 * Bun 1.4.5 hands a Float16Array to native code with length 0. Libraries look for that class once, when they are loaded
 * or make their first tensor; hidden from that look, float16 stays a Uint16Array for good. To be removed when Bun passes
 * it on.
 */
export function hideFloat16Array<T>(look: () => T): T {
  const descriptor = Object.getOwnPropertyDescriptor(globalThis, "Float16Array");
  if (!descriptor) return look();
  Reflect.deleteProperty(globalThis, "Float16Array");
  const show = () => Object.defineProperty(globalThis, "Float16Array", descriptor);
  const result = look();
  if (result instanceof Promise) {
    void result.then(show, show);
    return result;
  }
  show();
  return result;
}
