/* x86-64 with AVX-512F. */
#if defined(__x86_64__)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,fma"))), apply_to = function)
#else
#pragma GCC target("avx512f,fma")
#endif
#include "internal.h"
#include "vec_avx512.h"
#include "kernels.inc"
#if defined(__clang__)
#pragma clang attribute pop
#endif
#else
typedef int ts_not_this_architecture; /* a source file may not be empty */
#endif
