// The few calls of the C library that a runner needs and that JavaScript has no name for.
import { dlopen, FFIType, ptr } from "bun:ffi";

const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;

/** glibc's name; the native libraries need glibc as well. */
const LIBC = "libc.so.6";

/**
 * Linux kills this process when its parent dies, even while native code keeps it from noticing anything itself.
 * The parent must start it from its main thread. Throws when the kernel refuses.
 */
export function dieWithParent(): void {
  const libc = dlopen(LIBC, {
    prctl: { args: [FFIType.i32, FFIType.u64, FFIType.u64, FFIType.u64, FFIType.u64], returns: FFIType.i32 },
  });
  const refused = libc.symbols.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) !== 0;
  libc.close();
  if (refused) throw new Error("prctl(PR_SET_PDEATHSIG) was refused");
}

/** Sets a variable for native code: Bun keeps changes of `process.env` to itself. */
export function setNativeEnvironment(name: string, value: string): void {
  const libc = dlopen(LIBC, { setenv: { args: [FFIType.ptr, FFIType.ptr, FFIType.i32], returns: FFIType.i32 } });
  const [nameBytes, valueBytes] = [cString(name), cString(value)];
  const refused = libc.symbols.setenv(ptr(nameBytes), ptr(valueBytes), 1) !== 0;
  libc.close();
  if (refused) throw new Error(`setenv ${name} was refused`);
}

const [POSIX_FADV_WILLNEED, POSIX_FADV_DONTNEED] = [3, 4];

/** The kernel forgets what it keeps of an open file, apart from pages that are still to be written. */
export const dropFromCache = (descriptor: number) => advise(descriptor, POSIX_FADV_DONTNEED);

/** The kernel begins to read all of an open file and does not wait for it. */
export const readSoon = (descriptor: number) => advise(descriptor, POSIX_FADV_WILLNEED);

function advise(descriptor: number, advice: number): void {
  const libc = dlopen(LIBC, {
    posix_fadvise: { args: [FFIType.i32, FFIType.i64, FFIType.i64, FFIType.i32], returns: FFIType.i32 },
  });
  const refused = libc.symbols.posix_fadvise(descriptor, 0, 0, advice) !== 0;
  libc.close();
  if (refused) throw new Error("posix_fadvise was refused");
}

const cString = (text: string) => Buffer.from(`${text}\0`, "utf8");
