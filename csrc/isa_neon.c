/* AArch64, of which NEON is a part. */
#if defined(__aarch64__)
#include "internal.h"
#include "vec_neon.h"
#include "kernels.inc"
#else
typedef int ts_not_this_architecture; /* a source file may not be empty */
#endif
