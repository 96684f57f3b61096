// Counts the blocks of memory that malloc gave and nobody freed. Preloaded, it stands in front of the C library's own
// functions, which operator new ends in, too; loaded as an addon, it is a function that gives the count. It needs glibc.

#include <errno.h>
#include <node_api.h>
#include <stddef.h>

extern "C" {

void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void __libc_free(void*);

static long blocks;

static void* counted(void* block) {
  if (block) __atomic_add_fetch(&blocks, 1, __ATOMIC_RELAXED);
  return block;
}

void* malloc(size_t size) { return counted(__libc_malloc(size)); }
void* calloc(size_t count, size_t size) { return counted(__libc_calloc(count, size)); }
void* memalign(size_t alignment, size_t size) { return counted(__libc_memalign(alignment, size)); }
void* aligned_alloc(size_t alignment, size_t size) { return counted(__libc_memalign(alignment, size)); }

int posix_memalign(void** block, size_t alignment, size_t size) {
  *block = counted(__libc_memalign(alignment, size));
  return *block ? 0 : ENOMEM;
}

void free(void* block) {
  if (block) __atomic_sub_fetch(&blocks, 1, __ATOMIC_RELAXED);
  __libc_free(block);
}

void* realloc(void* block, size_t size) {
  if (!block) return malloc(size);
  if (!size) {
    free(block);
    return NULL;
  }
  return __libc_realloc(block, size);
}

static napi_value Count(napi_env env, napi_callback_info) {
  napi_value count;
  napi_create_int64(env, __atomic_load_n(&blocks, __ATOMIC_RELAXED), &count);
  return count;
}

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "blocks", NAPI_AUTO_LENGTH, Count, NULL, &function);
  return function;
}
}
