/* x86-64 with AVX2 and FMA (2013 and later). */
#if defined(__x86_64__)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif
#include "internal.h"
#include "vec_avx2.h"
#include "kernels.inc"
#if defined(__clang__)
#pragma clang attribute pop
#endif
#else
typedef int ts_not_this_architecture; /* a source file may not be empty */
#endif
