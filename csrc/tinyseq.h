/* The C kernels of tinyseq. Python sees the declarations between the two cdef marks below, and
   c_kernels.py is their only caller.

   Contracts that hold for every function unless its comment says otherwise:
   - The caller owns every array; nothing is kept after the return. Arrays are float32, row-major and
     contiguous; inputs are only read, and an output must not overlap any other argument.
   - Sizes are int64 and may be zero; that sizes and products fit was checked by the caller.
   - The result is 0, or TS_NO_MEMORY when scratch memory could not be had (outputs are then
     unspecified). Scratch memory is taken once, before the work is spread over threads.
   - Denormals are flushed to zero, except by ts_exp, ts_tanh and ts_sigmoid; the processor's mode is
     put back before the return.
   - A sum has one fixed order whatever the number of threads: work is split over outputs only. */
#ifndef TINYSEQ_H
#define TINYSEQ_H

#include <stdint.h>

/* cdef begin */

enum { TS_OK = 0, TS_NO_MEMORY = 1, TS_NOT_HERE = 2 };
enum { TS_ACT_NONE = 0, TS_ACT_RELU = 1, TS_ACT_TANH = 2, TS_ACT_SIGMOID = 3 };

/* The instruction set in use: "scalar", "avx2", "avx512" or "neon". The best one that the processor
   has is chosen when the library is loaded. */
const char *ts_isa(void);
/* Switches to the named instruction set; TS_NOT_HERE when this processor or build lacks it. Not to be
   called while another thread is inside a kernel. */
int ts_use_isa(const char *name);
int ts_has_isa(const char *name);

/* How many threads a call may use; at least 1. After a fork the child uses one. */
void ts_set_threads(int threads);
int ts_get_threads(void);

/* Billions of multiply-adds times two per second that one core reaches on registers alone, the best
   of short trials repeated for the given time. */
double ts_fma_peak(double seconds);

/* y[i] = f(x[i]) for i < n, at most 2 units in the last place from the true value over the whole
   range, NaN to NaN, denormals kept. y may be x. */
int ts_exp(int64_t n, const float *x, float *y);
int ts_tanh(int64_t n, const float *x, float *y);
int ts_sigmoid(int64_t n, const float *x, float *y);

/* C[i, j] = activation(bias[j] + sum over k of A[i, k] B[k, j]) for each of `batch` pairs.
   Element (i, k) of pair p's A lies at a[a_offset[p] + i * a_row + k * a_column], likewise B's (k, j);
   one of the two strides of each is 1 and none is negative; offsets may be NULL, for 0. C is (batch, m, n). bias is (n,) or NULL.
   Sum: blocks of 512 along k, in each one fused multiply-add after another from zero, the blocks
   added up in order on top of the bias. */
int ts_matmul(int64_t batch, int64_t m, int64_t n, int64_t k,
              const float *a, const int64_t *a_offset, int64_t a_row, int64_t a_column,
              const float *b, const int64_t *b_offset, int64_t b_row, int64_t b_column,
              const float *bias, int activation, float *c);

/* A whole LSTM sequence, gates in the order i, f, g, o:
     (i f g o) = (sigmoid sigmoid tanh sigmoid)(bias + W_ih x_t + W_hh h_{t-1})
     c_t = f c_{t-1} + i g,   h_t = o tanh(c_t)
   x (B, T, D); h0, c0, h_last, c_last (B, H); w_ih (4H, D); w_hh (4H, H); bias (4H) or NULL;
   y (B, T, H). gates (T, B, 4H), activated, and cells (T, B, H) are what the backward pass needs, a
   step's rows together as it reads them; both may be NULL.
   Sum: bias, then the blocks of W_ih x, then those of W_hh h, as in ts_matmul. */
int ts_lstm_forward(int64_t B, int64_t T, int64_t D, int64_t H,
                    const float *x, const float *h0, const float *c0,
                    const float *w_ih, const float *w_hh, const float *bias,
                    float *y, float *h_last, float *c_last, float *gates, float *cells);

/* Its gradient: from dy (B, T, H) and those of the last states (B, H) to those of all inputs.
   dbias (4H) sums the pre-activations' gradients over steps, from the last, then over rows. */
int ts_lstm_backward(int64_t B, int64_t T, int64_t D, int64_t H,
                     const float *dy, const float *dh_last, const float *dc_last,
                     const float *x, const float *h0, const float *c0,
                     const float *w_ih, const float *w_hh,
                     const float *y, const float *gates, const float *cells,
                     float *dx, float *dh0, float *dc0, float *dw_ih, float *dw_hh, float *dbias);

/* losses[r] = logsumexp(logits[r]) - logits[r, targets[r]], and that logsumexp, for logits
   (rows, classes); the loss is 0 where targets[r] == ignore_index. Every other target was checked to
   lie in [0, classes). Sum over classes: 16 lanes, then a fixed tree. */
int ts_cross_entropy_forward(int64_t rows, int64_t classes, const float *logits,
                             const int64_t *targets, int64_t ignore_index,
                             float *losses, float *logsumexp);
/* dlogits[r, v] = g[r] (softmax(logits[r])[v] - [v == targets[r]]), zeros in ignored rows. */
int ts_cross_entropy_backward(int64_t rows, int64_t classes, const float *g, const float *logits,
                              const float *logsumexp, const int64_t *targets,
                              int64_t ignore_index, float *dlogits);

/* out[i] = weight[index[i]] for i < count, rows of `width`; every index was checked. */
int ts_embedding(int64_t count, int64_t width, const float *weight, const int64_t *index, float *out);
/* out (rows, width) = 0; out[index[i]] += g[i] in the order of i. */
int ts_embedding_scatter(int64_t count, int64_t width, int64_t rows, const float *g,
                         const int64_t *index, float *out);

/* The sum of squares over all `count` arrays of sizes n[], in double: blocks of 4096 elements in 16
   lanes and a fixed tree, the blocks added in order. */
int ts_sum_of_squares(int64_t count, const int64_t *n, float *const *x, double *result);
/* Every element of every array times the factor, in place. */
int ts_scale(int64_t count, const int64_t *n, float *const *x, float factor);

/* One Adam step over `count` arrays, in place on p, m and v:
     g += l2 p;  p *= decay;  m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g g;
     p -= step_size m / (sqrt(v) * v_scale + eps). */
int ts_adam(int64_t count, const int64_t *n, float *const *p, float *const *g, float *const *m,
            float *const *v, float beta1, float one_minus_beta1, float beta2,
            float one_minus_beta2, float l2, float decay, float step_size, float v_scale, float eps);

/* cdef end */

#endif
