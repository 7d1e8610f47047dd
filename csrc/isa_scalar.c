/* Any processor: plain C, no assumption beyond the compiler's baseline. */
#include "internal.h"
#include "vec_scalar.h"
#include "kernels.inc"
