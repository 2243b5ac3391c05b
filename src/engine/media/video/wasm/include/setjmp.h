/* WebAssembly cannot jump: whoever would, ends the instance, and its caller begins another. */
#ifndef FORECOURT_SETJMP_H_
#define FORECOURT_SETJMP_H_
typedef int jmp_buf[1];
#define setjmp(buffer) 0
#define longjmp(buffer, value) __builtin_trap()
#endif
