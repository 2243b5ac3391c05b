// What OpenH264 asks of threads, for one thread: locks are free, and none is ever begun.
#include <semaphore.h>
#include <time.h>
#include "WelsThreadLib.h"

WELS_THREAD_ERROR_CODE WelsMutexInit(WELS_MUTEX*) { return WELS_THREAD_ERROR_OK; }
WELS_THREAD_ERROR_CODE WelsMutexLock(WELS_MUTEX*) { return WELS_THREAD_ERROR_OK; }
WELS_THREAD_ERROR_CODE WelsMutexUnlock(WELS_MUTEX*) { return WELS_THREAD_ERROR_OK; }
WELS_THREAD_ERROR_CODE WelsMutexDestroy(WELS_MUTEX*) { return WELS_THREAD_ERROR_OK; }
WELS_THREAD_ERROR_CODE WelsEventOpen(WELS_EVENT*, const char*) { return WELS_THREAD_ERROR_OK; }
WELS_THREAD_ERROR_CODE WelsEventClose(WELS_EVENT*, const char*) { return WELS_THREAD_ERROR_OK; }
WELS_THREAD_ERROR_CODE WelsEventSignal(WELS_EVENT*, WELS_MUTEX*, int*) { return WELS_THREAD_ERROR_OK; }
WELS_THREAD_ERROR_CODE WelsEventWait(WELS_EVENT*, WELS_MUTEX*, int&) { return WELS_THREAD_ERROR_OK; }
WELS_THREAD_ERROR_CODE WelsEventWaitWithTimeOut(WELS_EVENT*, uint32_t, WELS_MUTEX*) { return WELS_THREAD_ERROR_OK; }
WELS_THREAD_ERROR_CODE WelsMultipleEventsWaitSingleBlocking(uint32_t, WELS_EVENT*, WELS_EVENT*, WELS_MUTEX*) { return WELS_THREAD_ERROR_GENERAL; }
WELS_THREAD_ERROR_CODE WelsMultipleEventsWaitAllBlocking(uint32_t, WELS_EVENT*, WELS_EVENT*, WELS_MUTEX*) { return WELS_THREAD_ERROR_GENERAL; }
WELS_THREAD_ERROR_CODE WelsThreadCreate(WELS_THREAD_HANDLE*, LPWELS_THREAD_ROUTINE, void*, WELS_THREAD_ATTR) { return WELS_THREAD_ERROR_GENERAL; }
WELS_THREAD_ERROR_CODE WelsThreadSetName(const char*) { return WELS_THREAD_ERROR_OK; }
WELS_THREAD_ERROR_CODE WelsThreadJoin(WELS_THREAD_HANDLE) { return WELS_THREAD_ERROR_GENERAL; }
WELS_THREAD_HANDLE WelsThreadSelf() { return WELS_THREAD_HANDLE(); }
WELS_THREAD_ERROR_CODE WelsQueryLogicalProcessInfo(WelsLogicalProcessInfo* info) {
  info->ProcessorCount = 1;
  return WELS_THREAD_ERROR_OK;
}
void WelsSleep(uint32_t) {}
extern "C" {
int sem_wait(sem_t*) { return 0; }
int sem_post(sem_t*) { return 0; }
int sem_timedwait(sem_t*, const struct timespec*) { return 0; }
}
