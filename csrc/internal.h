/* What the kernels and the runtime beneath them share; Python sees none of it. */
#ifndef TINYSEQ_INTERNAL_H
#define TINYSEQ_INTERNAL_H

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tinyseq.h"

/* Runs work(context, thread, threads) on `threads` threads at once, or on one if they cannot be had;
   denormals are flushed to zero, and the floating-point mode put back afterwards. See threads.c. */
typedef void (*ts_work)(void *context, int thread, int threads);
void ts_parallel(int threads, ts_work work, void *context);
/* All threads of the running ts_parallel wait for one another. */
void ts_barrier(void);

/* How many threads to use for a call of so many flops (or element operations): one below the size
   where waking another costs more than it saves. */
int ts_threads_for(double flops);

/* 64-byte aligned floats, to be freed with free(); NULL when they cannot be had. */
float *ts_scratch(int64_t floats);

/* Of functions that do nothing but fetch ahead: GCC takes them for functions without effect, and where they are not
   inlined it leaves out the calls. */
#define FETCHING static inline __attribute__((always_inline)) void

/* Part `part` of `parts` of [0, n), in units of `unit`: parts differ by at most one unit. */
static inline void ts_split(int64_t n, int64_t unit, int part, int parts, int64_t *begin, int64_t *end)
{
    int64_t units = (n + unit - 1) / unit;
    *begin = units * part / parts * unit;
    *end = units * (part + 1) / parts * unit;
    if (*end > n)
        *end = n;
    if (*begin > n)
        *begin = n;
}

static inline int64_t ts_min(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t ts_max(int64_t a, int64_t b) { return a > b ? a : b; }
static inline int64_t ts_round_up(int64_t n, int64_t unit) { return (n + unit - 1) / unit * unit; }

/* One row of this table per instruction set: the kernels, as tinyseq.h declares them. */
typedef struct {
    const char *name;
    double (*fma_trial)(int64_t rounds);
    double (*triad_trial)(int64_t n, int64_t passes, float *a, const float *b, const float *c);
    int (*exp)(int64_t, const float *, float *);
    int (*tanh)(int64_t, const float *, float *);
    int (*sigmoid)(int64_t, const float *, float *);
    int (*erf)(int64_t, const float *, float *);
    int (*gelu)(int64_t, const float *, int, float *);
    int (*gelu_backward)(int64_t, int64_t, const float *, const float *, int, float *, float *);
    int (*sum_rows)(int64_t, int64_t, const float *, float *);
    int (*norm_forward)(int64_t, int64_t, const float *, const float *, const float *, const float *, float,
                        float *, float *, float *, float *);
    int (*norm_backward)(int64_t, int64_t, const float *, const float *, const float *, const float *,
                         const float *, const float *, float *, float *, float *);
    int (*dropout)(int64_t, const float *, double, uint64_t, float *);
    int (*matmul)(int64_t, int64_t, int64_t, int64_t, const float *, const int64_t *, int64_t, int64_t,
                  const float *, const int64_t *, int64_t, int64_t, const float *, int, float *, float *);
    int (*recurrent_forward)(int64_t, const ts_recurrent *);
    int (*recurrent_backward)(int64_t, const ts_recurrent *, const ts_recurrent_gradients *);
    int (*attention_forward)(const ts_attention *);
    int (*attention_backward)(const ts_attention *, const ts_attention_gradients *);
    int (*rotary)(int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, const float *, const ts_strides *,
                  const float *, const float *, int64_t, int, float *, const ts_strides *);
    int (*cross_entropy_forward)(int64_t, int64_t, const float *, const int64_t *, int64_t, float *,
                                 float *);
    int (*cross_entropy_backward)(int64_t, int64_t, const float *, const float *, const float *,
                                  const int64_t *, int64_t, float *);
    int (*linear_cross_entropy)(int64_t, int64_t, int64_t, const float *, const float *, const float *,
                                const int64_t *, int64_t, const float *, float *, float *, float *, float *);
    int (*scale)(int64_t, const int64_t *, float *const *, float);
    int (*sum_of_squares)(int64_t, const int64_t *, float *const *, double *);
    int (*adam)(int64_t, const int64_t *, float *const *, float *const *, float *const *,
                float *const *, float, float, float, float, float, float, float, float, float);
} ts_table;

extern const ts_table ts_table_scalar, ts_table_avx2, ts_table_avx512, ts_table_neon;

#endif
