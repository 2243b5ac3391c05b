// Takes the network away from this process for good: native code that reads strangers' files has no use for it.
import { dlopen, FFIType, ptr } from "bun:ffi";

/** From the kernel's headers: linux/seccomp.h, linux/audit.h, linux/filter.h, asm/unistd.h, errno-base.h. */
const PR_SET_NO_NEW_PRIVS = 38;
const SECCOMP_SET_MODE_FILTER = 1;
const SECCOMP_FILTER_FLAG_TSYNC = 1;
const ALLOW = 0x7fff0000;
const ERRNO = 0x00050000;
const [EACCES, ENOSYS] = [13, 38];
const [LOAD, JUMP_EQUAL, JUMP_SET, RETURN] = [0x20, 0x15, 0x45, 0x06];
const OFFSET = { number: 0, architecture: 4, firstArgument: 16 };
const [AF_UNIX, AF_NETLINK] = [1, 16];
/** Calls of the 32-bit-pointer interface of x86-64 carry this bit. */
const X32_BIT = 0x40000000;

type Numbers = { architecture: number; seccomp: number; socket: number; ioUring: number };
const numbers: Partial<Record<NodeJS.Architecture, Numbers>> = {
  x64: { architecture: 0xc000003e, seccomp: 317, socket: 41, ioUring: 425 },
  arm64: { architecture: 0xc00000b7, seccomp: 277, socket: 198, ioUring: 425 },
};

/**
 * From now on no thread of this process, and no child of it, can make a socket but local ones (drivers talk over those).
 * Sockets that exist stay. Undefined when it is done, else the reason why this system does not let it.
 */
export function closeNetwork(): string | undefined {
  const system = process.platform === "linux" ? numbers[process.arch] : undefined;
  if (!system) return `there is no filter for ${process.platform} on ${process.arch}`;
  const filter = filterOf(system);
  const program = Buffer.alloc(16);
  program.writeUInt16LE(filter.byteLength / 8, 0);
  program.writeBigUInt64LE(BigInt(ptr(filter)), 8);
  const word = FFIType.u64;
  const libc = dlopen("libc.so.6", {
    prctl: { args: [FFIType.i32, word, word, word, word], returns: FFIType.i32 },
    syscall: { args: [FFIType.i64, word, word, FFIType.ptr], returns: FFIType.i64 },
  });
  try {
    if (libc.symbols.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) !== 0) return "the kernel refuses no_new_privs";
    const refused = libc.symbols.syscall(
      system.seccomp,
      SECCOMP_SET_MODE_FILTER,
      SECCOMP_FILTER_FLAG_TSYNC,
      ptr(program),
    );
    return Number(refused) === 0
      ? undefined
      : "the kernel, or the container around this process, refuses seccomp filters";
  } finally {
    libc.close();
  }
}

/** A program of the kernel's packet filter: each step is a code, two jump distances and a value. */
function filterOf({ architecture, socket, ioUring }: Numbers): Buffer {
  const refuse = (errno: number) => [RETURN, 0, 0, ERRNO | errno] as const;
  const steps: (readonly [code: number, ifTrue: number, ifFalse: number, value: number])[] = [
    [LOAD, 0, 0, OFFSET.architecture],
    [JUMP_EQUAL, 0, 8, architecture], // calls of other architectures are refused
    [LOAD, 0, 0, OFFSET.number],
    [JUMP_SET, 6, 0, X32_BIT],
    [JUMP_EQUAL, 6, 0, ioUring], // it makes sockets past this filter
    [JUMP_EQUAL, 0, 3, socket],
    [LOAD, 0, 0, OFFSET.firstArgument],
    [JUMP_EQUAL, 1, 0, AF_UNIX],
    [JUMP_EQUAL, 0, 1, AF_NETLINK],
    [RETURN, 0, 0, ALLOW],
    refuse(EACCES),
    refuse(ENOSYS),
  ];
  const filter = Buffer.alloc(steps.length * 8);
  for (const [at, [code, ifTrue, ifFalse, value]] of steps.entries()) {
    filter.writeUInt16LE(code, at * 8);
    filter.writeUInt8(ifTrue, at * 8 + 2);
    filter.writeUInt8(ifFalse, at * 8 + 3);
    filter.writeUInt32LE(value, at * 8 + 4);
  }
  return filter;
}
