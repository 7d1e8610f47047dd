/* Below the kernels: which instruction set, and memory; and the public functions, each of which
   calls its kernel through the table. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <time.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "internal.h"

/* ---- instruction sets ---- */

static const ts_table *candidates[] = {
    /* best first */
#if defined(__x86_64__)
    &ts_table_avx512, &ts_table_avx2,
#elif defined(__aarch64__)
    &ts_table_neon,
#endif
    &ts_table_scalar,
};
enum { CANDIDATES = sizeof candidates / sizeof candidates[0] };

static const ts_table *table;

static int processor_has(const char *isa)
{
#if defined(__x86_64__)
    if (!strcmp(isa, "avx512"))
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("fma");
    if (!strcmp(isa, "avx2"))
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    (void)isa;
    return 1; /* NEON is part of AArch64, and scalar code runs everywhere */
}

int ts_has_isa(const char *name)
{
    for (int i = 0; i < CANDIDATES; i++)
        if (!strcmp(candidates[i]->name, name))
            return processor_has(name);
    return 0;
}

int ts_use_isa(const char *name)
{
    for (int i = 0; i < CANDIDATES; i++)
        if (!strcmp(candidates[i]->name, name) && processor_has(name)) {
            table = candidates[i];
            return TS_OK;
        }
    return TS_NOT_HERE;
}

__attribute__((constructor)) static void choose_best(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
#endif
    for (int i = 0; i < CANDIDATES && !table; i++)
        ts_use_isa(candidates[i]->name);
}

const char *ts_isa(void) { return table->name; }

/* ---- memory ---- */

/* A training step frees what the next one asks for again. Left alone, the C library hands large
   blocks back to the system at once, and the system clears every page before it hands them out
   anew: for a large LSTM a fifteenth of each step. Whoever has set the variables knows better. */
__attribute__((constructor)) static void keep_freed_memory(void)
{
#ifdef __GLIBC__
    const int largest = 32 << 20, kept = 256 << 20; /* 32 MB is the most that glibc takes */
    if (!getenv("MALLOC_MMAP_THRESHOLD_") && !getenv("MALLOC_TRIM_THRESHOLD_")) {
        mallopt(M_MMAP_THRESHOLD, largest);
        mallopt(M_TRIM_THRESHOLD, kept);
    }
#endif
}

float *ts_scratch(int64_t floats)
{
    const size_t huge_page = (size_t)2 << 20;
    if (floats < 0 || (uint64_t)floats > SIZE_MAX / sizeof(float) - huge_page)
        return NULL;
    size_t bytes = (size_t)ts_round_up(ts_max(floats, 1) * (int64_t)sizeof(float), 64);
    int large = bytes >= 2 * huge_page; /* then fewer page faults are worth the rounding up */
    void *p;
    if (posix_memalign(&p, large ? huge_page : 64, bytes))
        return NULL;
#ifdef MADV_HUGEPAGE
    if (large)
        madvise(p, bytes, MADV_HUGEPAGE); /* a wish; refusal costs only time */
#endif
    return p;
}

/* ---- the public functions ---- */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double ts_fma_peak(double seconds)
{
    double best = 0, start = now();
    do {
        double begin = now();
        double flops = table->fma_trial(10000);
        double rate = flops / (now() - begin) * 1e-9;
        if (rate > best)
            best = rate;
    } while (now() - start < seconds);
    return best;
}

double ts_bandwidth(int64_t floats, double seconds)
{
    const int64_t n = ts_round_up(ts_max(floats, 1), 16);
    const int64_t passes = ts_max((4 << 20) / n, 1); /* a trial is long beside the waking of threads */
    float *a = n < INT64_MAX / 4 ? ts_scratch(3 * n) : NULL;
    if (!a)
        return 0;
    memset(a, 0, (size_t)(3 * n) * sizeof(float));
    table->triad_trial(n, passes, a, a + n, a + 2 * n);
    double best = 0, start = now();
    do {
        double begin = now();
        double bytes = table->triad_trial(n, passes, a, a + n, a + 2 * n);
        double rate = bytes / (now() - begin) * 1e-9;
        if (rate > best)
            best = rate;
    } while (now() - start < seconds);
    free(a);
    return best;
}

int ts_exp(int64_t n, const float *x, float *y) { return table->exp(n, x, y); }
int ts_tanh(int64_t n, const float *x, float *y) { return table->tanh(n, x, y); }
int ts_sigmoid(int64_t n, const float *x, float *y) { return table->sigmoid(n, x, y); }

int ts_erf(int64_t n, const float *x, float *y) { return table->erf(n, x, y); }

int ts_gelu(int64_t n, const float *x, int activation, float *y)
{
    return table->gelu(n, x, activation, y);
}

int ts_gelu_backward(int64_t rows, int64_t columns, const float *g, const float *x, int activation, float *dx,
                     float *dbias)
{
    return table->gelu_backward(rows, columns, g, x, activation, dx, dbias);
}

int ts_sum_rows(int64_t rows, int64_t columns, const float *x, float *y)
{
    return table->sum_rows(rows, columns, x, y);
}

int ts_norm_forward(int64_t rows, int64_t width, const float *x, const float *residual, const float *weight,
                    const float *bias, float eps, float *y, float *sum, float *mean, float *scale)
{
    return table->norm_forward(rows, width, x, residual, weight, bias, eps, y, sum, mean, scale);
}

int ts_norm_backward(int64_t rows, int64_t width, const float *g, const float *g_sum, const float *s,
                     const float *weight, const float *mean, const float *scale, float *ds, float *dweight,
                     float *dbias)
{
    return table->norm_backward(rows, width, g, g_sum, s, weight, mean, scale, ds, dweight, dbias);
}

int ts_dropout(int64_t n, const float *x, double p, uint64_t key, float *y)
{
    return table->dropout(n, x, p, key, y);
}

int ts_matmul(int64_t batch, int64_t m, int64_t n, int64_t k,
              const float *a, const int64_t *a_offset, int64_t a_row, int64_t a_column,
              const float *b, const int64_t *b_offset, int64_t b_row, int64_t b_column,
              const float *bias, int activation, float *before, float *c)
{
    return table->matmul(batch, m, n, k, a, a_offset, a_row, a_column, b, b_offset, b_row, b_column,
                         bias, activation, before, c);
}

int ts_recurrent_forward(int64_t count, const ts_recurrent *runs)
{
    return table->recurrent_forward(count, runs);
}

int ts_recurrent_step(int64_t layers, const ts_recurrent *each, int64_t B, const float *x, const float *h,
                      const float *c, float *h_after, float *c_after)
{
    int code = TS_OK;
    for (int64_t k = 0; k < layers && !code; k++) {
        ts_recurrent run = each[k];
        const int64_t of_h = k * B * run.R, of_c = k * B * run.H;
        run.B = B;
        run.x = x;
        run.h0 = h + of_h;
        run.h_last = h_after + of_h;
        if (c) {
            run.c0 = c + of_c;
            run.c_last = c_after + of_c;
        }
        code = table->recurrent_forward(1, &run);
        x = run.h_last;
    }
    return code;
}

int ts_recurrent_backward(int64_t count, const ts_recurrent *runs, const ts_recurrent_gradients *gradients)
{
    return table->recurrent_backward(count, runs, gradients);
}

int ts_attention_forward(const ts_attention *a) { return table->attention_forward(a); }

int ts_attention_backward(const ts_attention *a, const ts_attention_gradients *d)
{
    return table->attention_backward(a, d);
}

int ts_rotary(int64_t B, int64_t N, int64_t T, int64_t d, int64_t r, int64_t turned, const float *x,
              const ts_strides *x_at, const float *cosine, const float *sine, int64_t row, int interleaved,
              float *y, const ts_strides *y_at)
{
    return table->rotary(B, N, T, d, r, turned, x, x_at, cosine, sine, row, interleaved, y, y_at);
}

int ts_cross_entropy_forward(int64_t rows, int64_t classes, const float *logits,
                             const int64_t *targets, int64_t ignore_index,
                             float *losses, float *logsumexp)
{
    return table->cross_entropy_forward(rows, classes, logits, targets, ignore_index, losses, logsumexp);
}

int ts_cross_entropy_backward(int64_t rows, int64_t classes, const float *g, const float *logits,
                              const float *logsumexp, const int64_t *targets,
                              int64_t ignore_index, float *dlogits)
{
    return table->cross_entropy_backward(rows, classes, g, logits, logsumexp, targets, ignore_index,
                                         dlogits);
}

int ts_linear_cross_entropy(int64_t rows, int64_t width, int64_t classes, const float *x,
                            const float *weight, const float *bias, const int64_t *targets,
                            int64_t ignore_index, const float *g, float *losses, float *dx,
                            float *dweight, float *dbias)
{
    return table->linear_cross_entropy(rows, width, classes, x, weight, bias, targets, ignore_index, g,
                                       losses, dx, dweight, dbias);
}

int ts_sum_of_squares(int64_t count, const int64_t *n, float *const *x, double *result)
{
    return table->sum_of_squares(count, n, x, result);
}

int ts_scale(int64_t count, const int64_t *n, float *const *x, float factor)
{
    return table->scale(count, n, x, factor);
}

int ts_adam(int64_t count, const int64_t *n, float *const *p, float *const *g, float *const *m,
            float *const *v, float beta1, float one_minus_beta1, float beta2,
            float one_minus_beta2, float l2, float decay, float step_size, float v_scale, float eps)
{
    return table->adam(count, n, p, g, m, v, beta1, one_minus_beta1, beta2, one_minus_beta2, l2, decay,
                       step_size, v_scale, eps);
}
