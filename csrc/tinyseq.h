/* The C kernels of tinyseq. Python sees the declarations between the two cdef marks below, and
   c_kernels.py is their only caller.

   Contracts that hold for every function unless its comment says otherwise:
   - The caller owns every array; nothing is kept after the return. Arrays are float32, row-major and
     contiguous; inputs are only read, and an output must not overlap any other argument.
   - Sizes are int64 and may be zero; that sizes and products fit was checked by the caller.
   - The result is 0, or TS_NO_MEMORY when scratch memory could not be had (outputs are then
     unspecified). Scratch memory is taken once, before the work is spread over threads.
   - Denormals are flushed to zero, except by ts_exp, ts_tanh, ts_sigmoid and ts_erf; the processor's
     mode is put back before the return.
   - A sum has one fixed order whatever the number of threads: work is split over outputs only. */
#ifndef TINYSEQ_H
#define TINYSEQ_H

#include <stdint.h>

/* cdef begin */

enum { TS_OK = 0, TS_NO_MEMORY = 1, TS_NOT_HERE = 2 };
enum { TS_ACT_NONE = 0, TS_ACT_RELU = 1, TS_ACT_TANH = 2, TS_ACT_SIGMOID = 3,
       TS_ACT_GELU = 4, TS_ACT_GELU_TANH = 5 /* 4: with erf; 5: its approximation by tanh */ };

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
/* Billions of bytes per second that all threads together read and write in a triad, a = b + s c, over
   three arrays of `floats` elements each (rounded up to 16); the best of trials repeated for the given
   time, the first left out. 0 when there is no memory for them. */
double ts_bandwidth(int64_t floats, double seconds);

/* y[i] = f(x[i]) for i < n, at most 2 units in the last place from the true value over the whole
   range, NaN to NaN, denormals kept. y may be x. */
int ts_exp(int64_t n, const float *x, float *y);
int ts_tanh(int64_t n, const float *x, float *y);
int ts_sigmoid(int64_t n, const float *x, float *y);
int ts_erf(int64_t n, const float *x, float *y);

/* y[i] = GELU(x[i]), activation TS_ACT_GELU or TS_ACT_GELU_TANH. y may be x. */
int ts_gelu(int64_t n, const float *x, int activation, float *y);
/* dx = g GELU'(x) for (rows, columns), and its sum over the rows, in their order: dbias (columns), or NULL.
   dx may be g or x. */
int ts_gelu_backward(int64_t rows, int64_t columns, const float *g, const float *x, int activation,
                     float *dx, float *dbias);

/* y[j] = sum over i of x[i, j], x (rows, columns), in the order of i. */
int ts_sum_rows(int64_t rows, int64_t columns, const float *x, float *y);

/* Layer norm or RMS norm of each row of s = x + residual:
     y = weight (s - mean) scale + bias,   scale = 1 / sqrt(mean of (s - mean)^2 + eps).
   x, residual, y, sum (rows, width); weight, bias (width); mean, scale (rows). Without a residual, NULL, s
   is x and sum is not written; weight and bias may be NULL; mean NULL says RMS norm, whose mean is 0.
   Sums over a row: 16 lanes and a fixed tree. */
int ts_norm_forward(int64_t rows, int64_t width, const float *x, const float *residual, const float *weight,
                    const float *bias, float eps, float *y, float *sum, float *mean, float *scale);
/* The gradients of s, weight and bias from g, that of y, and g_sum, that of s or NULL. dweight and dbias may be
   NULL. Sums over rows: blocks of 64 rows in their order, the blocks added in order. */
int ts_norm_backward(int64_t rows, int64_t width, const float *g, const float *g_sum, const float *s,
                     const float *weight, const float *mean, const float *scale, float *ds, float *dweight,
                     float *dbias);

/* y[i] = x[i] / (1 - p), or 0 if element i is dropped: if its random word is less than p 2^32, rounded. The
   words are those of Philox4x32-10: word i % 4 of counter i / 4 under this key. 0 <= p <= 1. y may be x. */
int ts_dropout(int64_t n, const float *x, double p, uint64_t key, float *y);

/* C[i, j] = activation(bias[j] + sum over k of A[i, k] B[k, j]) for each of `batch` pairs.
   Element (i, k) of pair p's A lies at a[a_offset[p] + i * a_row + k * a_column], likewise B's (k, j);
   one of the two strides of each is 1 and none is negative; offsets may be NULL, for 0. C is
   (batch, m, n). bias is (n,) or NULL. before (batch, m, n) or NULL gets what activation is applied to.
   Sum: blocks of 512 along k, in each one fused multiply-add after another from zero, the blocks
   added up in order on top of the bias. */
int ts_matmul(int64_t batch, int64_t m, int64_t n, int64_t k,
              const float *a, const int64_t *a_offset, int64_t a_row, int64_t a_column,
              const float *b, const int64_t *b_offset, int64_t b_row, int64_t b_column,
              const float *bias, int activation, float *before, float *c);

/* The recurrences. G gates: RNN 1; LSTM 4 (i f g o); GRU 3 (r z n), reset after or before the product.
   The equations stand in tinyseq/backend/numpy_recurrent.py. */
enum { TS_RNN_TANH = 0, TS_RNN_RELU = 1, TS_LSTM = 2, TS_GRU = 3, TS_GRU_BEFORE = 4 };

/* What the backward pass needs, a row for every real step of every row of the batch: step after step,
   in each the rows that are still going, the longest first. S rows in all, the sum of the lengths. */
typedef struct {
    float *gates;              /* (S, G H), activated */
    float *cells;              /* (S, H), LSTM; with checkpoints (ceil(T / every), B, H) */
    float *inner;              /* (S, H), TS_GRU: what r multiplies */
    float *hat_x, *hat_h;      /* (S, G H), layer norm: the normalised parts */
    float *scale_x, *scale_h;  /* (S, groups): 1 / sqrt(var + eps); GRU 2 groups, r z and n, else 1 */
    float *hat_c, *scale_c;    /* (S, H), (S), LSTM with layer norm */
} ts_kept;

/* One layer in one direction. Pointers marked * may be NULL: the cell then lacks that part. */
typedef struct {
    int cell, reverse;
    int64_t B, T, D, H;        /* H is at least 1 */
    int64_t R;                 /* size of h: that of the projection, or H */
    int64_t every;             /* checkpoint every so many steps; 0: keep all steps */
    const int64_t *lengths;    /* * (B), each in [0, T] */
    const float *x;            /* (B, T, D) */
    const float *h0, *c0;      /* (B, R), * (B, H) */
    const float *w_ih, *w_hh;  /* (G H, D), (G H, R) */
    const float *b_ih, *b_hh;  /* * (G H) */
    const float *peephole;     /* * (3, H): i f o */
    const float *w_hr;         /* * (R, H) */
    const float *norm_ih, *norm_hh;    /* * (G H) */
    const float *norm_c, *norm_c_bias; /* * (H) */
    const float *mask;         /* * (B, R), on h where it enters w_hh */
    const float *zone_h, *zone_c;      /* * weights of the old state, element (row, step, unit) at
                                          [row * zone_row + step * zone_step + unit] */
    int64_t zone_h_row, zone_h_step, zone_c_row, zone_c_step;
    float *y;                  /* (B, T, R), zeros past a row's length; * unless something is kept */
    float *h_last, *c_last;    /* (B, R), * (B, H), after a row's last real step */
    ts_kept kept;              /* all NULL: nothing is kept */
} ts_recurrent;

/* Forward: reads all, writes y, h_last, c_last and what is to be kept. `count` is 1 or 2: two runs of the
   same cell, sizes and lengths, as the directions of a bidirectional layer are, go side by side where
   there are threads for it.
   Sum: the bias, then the blocks of W_ih x, then those of W_hh h, as in ts_matmul; a layer norm's
   mean and variance in 16 lanes and a fixed tree. */
int ts_recurrent_forward(int64_t count, const ts_recurrent *runs);

/* One step through layers one upon another, each of which says all but B and its pointers to x and the states:
   x (B, D of the first), h and h_after (layers, B, R), * c and c_after (layers, B, H). Nothing overlaps; the sums
   are those of ts_recurrent_forward. */
int ts_recurrent_step(int64_t layers, const ts_recurrent *each, int64_t B, const float *x, const float *h,
                      const float *c, float *h_after, float *c_after);

/* Backward: the gradients of what stands in ts_recurrent under the same name, in its shape; NULL where
   that is NULL. */
typedef struct {
    const float *y, *h_last, *c_last; /* given */
    float *x, *h0, *c0; /* * too where they are not wanted: less is computed then */
    float *w_ih, *w_hh, *b_ih, *b_hh, *peephole, *w_hr;
    float *norm_ih, *norm_hh, *norm_c, *norm_c_bias;
    float *norm;                      /* * (B, T): the Euclidean norm of all that reaches each h */
} ts_recurrent_gradients;

/* Reads all of each run, y and what was kept included, and writes its gradients; those of x and norm are
   zeros past a row's length. `count` as forward.
   Sums over rows in the weights' gradients: the rows of ts_kept from the last to the first, in blocks of
   512 as in ts_matmul; in the vectors': over the steps from the last, then over the rows, the longest
   first. */
int ts_recurrent_backward(int64_t count, const ts_recurrent *runs, const ts_recurrent_gradients *gradients);

/* Attention: y = softmax(scale q kT + ...) v for every row and head; the equations stand in
   tinyseq/backend/numpy_attention.py. B rows of a batch, N heads of queries, M of keys and values (head n
   meets head n / (N / M)), T queries, S keys, of sizes d and, values, dv. */
enum { TS_KEY_TILE = 128 }; /* keys whose scores are finished together, at multiples of it from key 0 */

/* Element (row, head, time, unit) of an array lies at [row * batch + head * head + time * time + unit]. */
typedef struct {
    int64_t batch, head, time;
} ts_strides;

/* Pointers marked * may be NULL. Strides are any, 0 and negative ones too. */
typedef struct {
    int64_t B, N, M, T, S, d, dv;
    const float *q, *k, *v;
    float *y, *totals;              /* y (B, N, T, dv); totals (2, B, N, T), contiguous: of a query's scores the
                                       largest, over log 2, and the sum of the exponentials of all less it;
                                       -inf and 0, and y 0, where it sees no key. Backward reads them */
    ts_strides q_at, k_at, v_at, y_at;
    const int64_t *start;           /* (B): the position of each row's first query */
    const int64_t *lengths;         /* * (B): keys from here on are not read, nor is anything of them */
    const float *slopes;            /* * (N): of ALiBi */
    const float *mask;              /* * added; or, as bytes, 0 for a key that is not seen */
    const uint8_t *seen;            /* * */
    ts_strides mask_at;             /* of a query (row, head, time); its keys lie mask_key apart */
    int64_t mask_key;
    double scale, softcap, dropout; /* softcap 0: none */
    int causal;
    int64_t window;                 /* 0: none */
    uint64_t key;                   /* of the generator that drops */
} ts_attention;

/* Sums: a score's over d as in ts_matmul; y's over the keys, one fused multiply-add after another, rescaled
   before a tile that holds a new maximum; the weights' in 16 lanes, key after key in the lane of its place,
   and a fixed tree. A key that is not seen leaves no trace, so the bits of a query's y depend on nothing
   but the keys that it sees and their places in the tiles. */
int ts_attention_forward(const ts_attention *a);

typedef struct {
    const float *y;                 /* given */
    float *q, *k, *v;
    ts_strides y_at, q_at, k_at, v_at;
} ts_attention_gradients;

/* Writes the gradients of q, k and v. Sums, one fused multiply-add after another: dq over the keys, dk and
   dv over the queries, for each those of all heads that meet the key. */
int ts_attention_backward(const ts_attention *a, const ts_attention_gradients *d);

/* y = x (B, N, T, d), but in heads below `turned` pairs (a, b) of their first 2 r features become
   (a cosine - b sine, b cosine + a sine): features i and i + r or, interleaved, 2 i and 2 i + 1. cosine and
   sine (T, r) of each row of the batch, `row` apart; 0 where all have the same. */
int ts_rotary(int64_t B, int64_t N, int64_t T, int64_t d, int64_t r, int64_t turned, const float *x,
              const ts_strides *x_at, const float *cosine, const float *sine, int64_t row, int interleaved,
              float *y, const ts_strides *y_at);

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

/* The losses of logits = x W^T + b, for x (rows, width), weight (classes, width) and bias (classes) or NULL,
   and, if g (rows) is not NULL, the gradients of sum over r of g[r] losses[r]: dx, dweight and, if there is a
   bias, dbias, in their shapes; targets as above. Of the logits 512 rows are held at a time.
   Sums: the products as in ts_matmul, dweight's over the rows; each loss as above; dbias over the rows in
   blocks of 512, in each one after another from zero, the blocks added up in order. */
int ts_linear_cross_entropy(int64_t rows, int64_t width, int64_t classes, const float *x,
                            const float *weight, const float *bias, const int64_t *targets,
                            int64_t ignore_index, const float *g, float *losses, float *dx,
                            float *dweight, float *dbias);

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
