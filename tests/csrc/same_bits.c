/* Runs every kernel on numbers made from whole ones and prints a line for each: its name and a hash of the
   bits of all it gave. Processors are compared by comparing the lines.

   Usage: same_bits ISA THREADS */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tinyseq.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

/* ---- arrays, all of which live until the end of a line ---- */

static void *mine[256];
static int taken = 0;
static uint32_t state;

static void *take(int64_t bytes)
{
    void *p = malloc((size_t)bytes + 1);
    if (!p || taken == COUNT(mine))
        exit(3);
    return mine[taken++] = p;
}

static float *unset(int64_t n)
{
    float *p = take(n * (int64_t)sizeof(float));
    memset(p, 0xab, (size_t)n * sizeof(float));
    return p;
}

static float next(void)
{
    state = state * 1664525u + 1013904223u;
    return (float)((int32_t)state >> 8) * (1.0f / 8388608.0f); /* exact, in [-1, 1) */
}

static float *values(int64_t n, float scale)
{
    float *p = unset(n);
    for (int64_t i = 0; i < n; i++)
        p[i] = next() * scale;
    return p;
}

static float *shares(int64_t n) /* in [0, 1] */
{
    float *p = unset(n);
    for (int64_t i = 0; i < n; i++)
        p[i] = next() * 0.5f + 0.5f;
    return p;
}

/* ---- the hash of a line: FNV-1a ---- */

static uint64_t hash;

static void begin(void)
{
    hash = 14695981039346656037u;
    state = 1;
}

static void eat(const float *p, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, p + i, sizeof bits);
        if (p[i] != p[i])
            bits = 0x7fc00000u; /* processors differ in a NaN's sign */
        for (int byte = 0; byte < 4; byte++)
            hash = (hash ^ (bits >> 8 * byte & 255)) * 1099511628211u;
    }
}

static void end(const char *name, const char *what, int code)
{
    if (code)
        exit(4);
    printf("%s %s %016llx\n", name, what, (unsigned long long)hash);
    while (taken)
        free(mine[--taken]);
}

/* ---- the kernels ---- */

/* Memory for a gradient of what is there, to be eaten when it is. */
static float *like(const float *p, int64_t n) { return p ? unset(n) : NULL; }
static void eat_if(const float *p, int64_t n)
{
    if (p)
        eat(p, n);
}

static void elementwise(void)
{
    int (*const f[])(int64_t, const float *, float *) = {ts_exp, ts_tanh, ts_sigmoid, ts_erf};
    const char *const names[] = {"exp", "tanh", "sigmoid", "erf"};
    for (int k = 0; k < COUNT(f); k++) {
        begin();
        const int64_t n = 20011;
        float *x = unset(n), *y = unset(n);
        for (int64_t i = 0; i < n; i++) { /* numbers of every size, infinities, NaN */
            const uint32_t bits = (uint32_t)i * 214631u;
            memcpy(x + i, &bits, sizeof bits);
        }
        const int code = f[k](n, x, y);
        eat(y, n);
        end(names[k], "all", code);
    }
}

static void gelu(void)
{
    static const int64_t shapes[][2] = {{1, 20011}, {300, 129}, {3, 5}, {2, 0}};
    for (int s = 0; s < COUNT(shapes); s++)
        for (int activation = TS_ACT_GELU; activation <= TS_ACT_GELU_TANH; activation++) {
            const int64_t rows = shapes[s][0], columns = shapes[s][1], n = rows * columns;
            begin();
            float *x = values(n, 16), *g = values(n, 1), *y = unset(n), *dx = unset(n), *sum = unset(columns);
            int code = ts_gelu(n, x, activation, y);
            code |= ts_gelu_backward(rows, columns, g, x, activation, dx, sum);
            eat(y, n), eat(dx, n), eat(sum, columns);
            code |= ts_sum_rows(rows, columns, g, sum);
            eat(sum, columns);
            char what[64];
            snprintf(what, sizeof what, "%d,%dx%d", activation, (int)rows, (int)columns);
            end("gelu", what, code);
        }
}

static void norm(void)
{
    static const int64_t shapes[][2] = {{1, 7}, {200, 129}, {70, 384}, {0, 4}, {3, 1}};
    for (int s = 0; s < COUNT(shapes); s++)
        for (int plain = 0; plain < 2; plain++) {
            const int64_t rows = shapes[s][0], width = shapes[s][1], n = rows * width;
            begin();
            float *x = values(n, 2), *g = values(n, 1), *y = unset(n), *ds = unset(n), *scale = unset(rows);
            float *residual = plain ? NULL : values(n, 1), *weight = plain ? NULL : values(width, 1);
            float *bias = like(weight, width), *sum = like(residual, n), *mean = like(weight, rows);
            float *dweight = like(weight, width), *dbias = like(weight, width);
            if (bias)
                memcpy(bias, weight, (size_t)width * sizeof *bias);
            int code = ts_norm_forward(rows, width, x, residual, weight, bias, 1e-5f, y, sum, mean, scale);
            code |= ts_norm_backward(rows, width, g, residual, sum ? sum : x, weight, mean, scale, ds,
                                     dweight, dbias);
            eat(y, n), eat_if(sum, n), eat_if(mean, rows), eat(scale, rows), eat(ds, n);
            eat_if(dweight, width), eat_if(dbias, width);
            char what[64];
            snprintf(what, sizeof what, "%s,%dx%d", plain ? "rms" : "layer", (int)rows, (int)width);
            end("norm", what, code);
        }
}

static void dropout(void)
{
    const int64_t n = 30011; /* enough for two threads */
    begin();
    float *x = values(n, 1), *y = unset(n);
    const int code = ts_dropout(n, x, 0.3, 0x299f31d0a4093822u, y);
    eat(y, n);
    end("dropout", "all", code);
}

static void matmul(void)
{
    static const int64_t shapes[][3] = {
        {1, 40, 700}, {40, 1, 700}, {3, 33, 5}, {50, 37, 530}, {70, 90, 40}, {2, 3, 0}, {300, 34, 40},
    };
    for (int s = 0; s < COUNT(shapes); s++)
        for (int turned = 0; turned < 4; turned++) {
            const int64_t m = shapes[s][0], n = shapes[s][1], k = shapes[s][2];
            const int64_t a_row = turned & 1 ? 1 : k, b_row = turned & 2 ? 1 : n;
            char what[64];
            begin();
            float *a = values(m * k, 2), *b = values(k * n, 2), *bias = values(n, 1), *c = unset(m * n);
            float *before = s % 2 ? unset(m * n) : NULL;
            const int code = ts_matmul(1, m, n, k, a, NULL, a_row, turned & 1 ? m : 1, b, NULL, b_row,
                                       turned & 2 ? k : 1, s % 2 ? bias : NULL, s, before, c);
            eat(c, m * n), eat_if(before, m * n);
            snprintf(what, sizeof what, "%dx%dx%d,%d", (int)m, (int)n, (int)k, turned);
            end("matmul", what, code);
        }
}

enum { BIAS = 1, LENGTHS = 2, REVERSE = 4, MASK = 8, ZONE = 16, NORM = 32, PEEPHOLE = 64, PROJECT = 128,
       EVERY = 256 };

static void recurrence(int cell, int with, int64_t B, int64_t T, int64_t D, int64_t H)
{
    static const char *const names[] = {"rnn_tanh", "rnn_relu", "lstm", "gru", "gru_before"};
    const int lstm = cell == TS_LSTM, gru = cell >= TS_GRU, norm = with & NORM;
    const int64_t R = lstm && with & PROJECT ? H / 2 + 1 : H, GH = (lstm ? 4 : gru ? 3 : 1) * H;
    begin();
    int64_t *lengths = take(B * (int64_t)sizeof *lengths), S = 0;
    for (int64_t i = 0; i < B; i++)
        S += lengths[i] = with & LENGTHS ? (i * 5 + 3) % (T + 1) : T;
    ts_recurrent r = {
        .cell = cell, .reverse = (with & REVERSE) != 0, .B = B, .T = T, .D = D, .H = H, .R = R,
        .every = with & EVERY ? 3 : 0, .lengths = with & LENGTHS ? lengths : NULL,
        .y = unset(B * T * R), .h_last = unset(B * R), .c_last = lstm ? unset(B * H) : NULL,
    };
    /* One after the other: in an initialiser C leaves the order open, and with it the numbers. */
    r.x = values(B * T * D, 1), r.h0 = values(B * R, 1), r.c0 = lstm ? values(B * H, 1) : NULL;
    r.w_ih = values(GH * D, 0.5f), r.w_hh = values(GH * R, 0.25f);
    if (with & BIAS)
        r.b_ih = values(GH, 1), r.b_hh = values(GH, 1);
    if (lstm && with & PEEPHOLE)
        r.peephole = values(3 * H, 1);
    if (R != H)
        r.w_hr = values(R * H, 0.5f);
    if (norm)
        r.norm_ih = values(GH, 1), r.norm_hh = values(GH, 1);
    if (norm && lstm)
        r.norm_c = values(H, 1), r.norm_c_bias = values(H, 1);
    if (with & MASK)
        r.mask = shares(B * R);
    if (with & ZONE)
        r.zone_h = shares(B * T * R), r.zone_h_row = T * R, r.zone_h_step = R;
    if (with & ZONE && lstm)
        r.zone_c = shares(H); /* one for all rows and steps */
    const int64_t groups = gru ? 2 : 1, checkpoints = (T + 2) / 3;
    if (with & EVERY) {
        r.kept.cells = lstm ? unset(checkpoints * B * H) : NULL;
    } else {
        r.kept = (ts_kept){.gates = unset(S * GH), .cells = lstm ? unset(S * H) : NULL,
                           .inner = cell == TS_GRU ? unset(S * H) : NULL};
        if (norm)
            r.kept.hat_x = unset(S * GH), r.kept.hat_h = unset(S * GH),
            r.kept.scale_x = unset(S * groups), r.kept.scale_h = unset(S * groups);
        if (norm && lstm)
            r.kept.hat_c = unset(S * H), r.kept.scale_c = unset(S);
    }
    int code = ts_recurrent_forward(1, &r);
    eat(r.y, B * T * R), eat(r.h_last, B * R), eat_if(r.c_last, B * H);
    if (!(with & EVERY)) {
        eat(r.kept.gates, S * GH), eat_if(r.kept.cells, S * H), eat_if(r.kept.inner, S * H);
        eat_if(r.kept.hat_x, S * GH), eat_if(r.kept.hat_h, S * GH);
        eat_if(r.kept.scale_x, S * groups), eat_if(r.kept.scale_h, S * groups);
        eat_if(r.kept.hat_c, S * H), eat_if(r.kept.scale_c, S);
    }
    ts_recurrent_gradients d = {
        .x = unset(B * T * D), .h0 = unset(B * R), .c0 = like(r.c0, B * H),
        .w_ih = unset(GH * D), .w_hh = unset(GH * R),
        .b_ih = like(r.b_ih, GH), .b_hh = like(r.b_hh, GH), .peephole = like(r.peephole, 3 * H),
        .w_hr = like(r.w_hr, R * H), .norm_ih = like(r.norm_ih, GH), .norm_hh = like(r.norm_hh, GH),
        .norm_c = like(r.norm_c, H), .norm_c_bias = like(r.norm_c_bias, H),
        .norm = with & REVERSE ? unset(B * T) : NULL,
    };
    d.y = values(B * T * R, 1), d.h_last = values(B * R, 1), d.c_last = lstm ? values(B * H, 1) : NULL;
    if (!code)
        code = ts_recurrent_backward(1, &r, &d);
    eat(d.x, B * T * D), eat(d.h0, B * R), eat_if(d.c0, B * H), eat(d.w_ih, GH * D), eat(d.w_hh, GH * R);
    eat_if(d.b_ih, GH), eat_if(d.b_hh, GH), eat_if(d.peephole, 3 * H), eat_if(d.w_hr, R * H);
    eat_if(d.norm_ih, GH), eat_if(d.norm_hh, GH), eat_if(d.norm_c, H), eat_if(d.norm_c_bias, H);
    eat_if(d.norm, B * T);
    char what[96];
    snprintf(what, sizeof what, "%d,B%d,T%d,D%d,H%d", with, (int)B, (int)T, (int)D, (int)H);
    end(names[cell], what, code);
}

static void recurrences(void)
{
    static const int variants[] = {
        0, BIAS, BIAS | LENGTHS | REVERSE, BIAS | MASK | ZONE, NORM, BIAS | NORM | LENGTHS,
        BIAS | EVERY | LENGTHS, BIAS | PEEPHOLE | PROJECT, BIAS | LENGTHS | PEEPHOLE | ZONE,
        BIAS | LENGTHS | REVERSE | MASK | ZONE | NORM | PEEPHOLE | PROJECT | EVERY,
    };
    for (int cell = TS_RNN_TANH; cell <= TS_GRU_BEFORE; cell++) {
        for (int v = 0; v < COUNT(variants); v++)
            recurrence(cell, variants[v], 7, 6, 9, 21);
        recurrence(cell, BIAS, 1, 1, 40, 100); /* a step of generation */
        recurrence(cell, BIAS | EVERY, 20, 30, 5, 1); /* more rows than one block of a sum holds */
        recurrence(cell, BIAS | LENGTHS, 9, 12, 30, 132); /* enough for two threads */
        recurrence(cell, BIAS | LENGTHS | MASK | PEEPHOLE | PROJECT | EVERY, 9, 12, 30, 132);
        recurrence(cell, BIAS, 3, 0, 4, 5);
        recurrence(cell, BIAS, 0, 3, 4, 5);
    }
}

enum { CAUSAL = 1, WINDOW = 2, SHORT = 4, ALIBI = 8, ADDED = 16, SEEN = 32, SOFTCAP = 64, DROPOUT = 128,
       INFINITE = 256 };

static void attention(int with, int64_t B, int64_t N, int64_t M, int64_t T, int64_t S, int64_t d, int64_t dv)
{
    const ts_strides of_query = {T * N * d, d, N * d}, of_key = {S * M * d, d, M * d};
    const ts_strides of_y = {T * N * dv, dv, N * dv}, of_value = {S * M * dv, dv, M * dv};
    begin();
    int64_t *start = take(B * (int64_t)sizeof *start), *lengths = take(B * (int64_t)sizeof *lengths);
    uint8_t *seen = take(T * S);
    for (int64_t i = 0; i < B; i++)
        start[i] = S - T - i, lengths[i] = (i * 5 + S / 2) % (S + 1);
    for (int64_t i = 0; i < T * S; i++)
        seen[i] = i % 3 > 0;
    ts_attention a = {
        .B = B, .N = N, .M = M, .T = T, .S = S, .d = d, .dv = dv,
        .y = unset(B * T * N * dv), .totals = unset(2 * B * N * T),
        .q_at = of_query, .k_at = of_key, .v_at = of_value, .y_at = of_y,
        .start = start, .lengths = with & SHORT ? lengths : NULL, .seen = with & SEEN ? seen : NULL,
        .mask_at = {0, 0, S}, .mask_key = 1, .scale = 0.3, .softcap = with & SOFTCAP ? 2.0 : 0.0,
        .dropout = with & DROPOUT ? 0.25 : 0.0, .causal = with & CAUSAL, .window = with & WINDOW ? S / 3 : 0,
        .key = 12345678901234567890u,
    };
    float *k = values(B * S * M * d, 1), *v = values(B * S * M * dv, 1);
    if (with & INFINITE && S > 9)
        k[5 * M * d] = INFINITY, v[9 * M * dv] = -INFINITY;
    a.q = values(B * T * N * d, 2), a.k = k, a.v = v;
    if (with & ALIBI)
        a.slopes = shares(N);
    if (with & ADDED)
        a.mask = values(T * S, 3);
    ts_attention_gradients g = {
        .q = unset(B * T * N * d), .k = unset(B * S * M * d), .v = unset(B * S * M * dv),
        .y_at = of_y, .q_at = of_query, .k_at = of_key, .v_at = of_value,
    };
    g.y = values(B * T * N * dv, 1);
    int code = ts_attention_forward(&a);
    if (!code)
        code = ts_attention_backward(&a, &g);
    eat(a.y, B * T * N * dv), eat(a.totals, 2 * B * N * T);
    eat(g.q, B * T * N * d), eat(g.k, B * S * M * d), eat(g.v, B * S * M * dv);
    char what[96];
    snprintf(what, sizeof what, "%d,B%d,N%d/%d,T%d,S%d,d%d/%d", with, (int)B, (int)N, (int)M, (int)T, (int)S,
             (int)d, (int)dv);
    end("attention", what, code);
}

static void attentions(void)
{
    static const int variants[] = {
        0, CAUSAL, CAUSAL | WINDOW, SHORT, CAUSAL | ALIBI, ADDED, SEEN | SOFTCAP, DROPOUT | CAUSAL,
        CAUSAL | INFINITE, CAUSAL | WINDOW | SHORT | ALIBI | ADDED | SOFTCAP | DROPOUT, WINDOW | SEEN | INFINITE,
    };
    for (int v = 0; v < COUNT(variants); v++) {
        attention(variants[v], 2, 4, 2, 40, 150, 20, 13);
        attention(variants[v], 2, 2, 2, 1, 300, 17, 32); /* a step of generation */
    }
    attention(CAUSAL, 1, 3, 3, 170, 170, 32, 32); /* enough for two threads */
    attention(0, 2, 2, 1, 3, 0, 4, 5);
    attention(0, 2, 2, 1, 0, 3, 4, 5);
    attention(0, 0, 2, 1, 3, 3, 4, 5);
}

static void cross_entropy(void)
{
    const int64_t rows = 30, classes = 37;
    begin();
    float *logits = values(rows * classes, 9), *g = values(rows, 1), *losses = unset(rows);
    float *logsumexp = unset(rows), *dlogits = unset(rows * classes);
    int64_t *targets = take(rows * (int64_t)sizeof *targets);
    for (int64_t i = 0; i < rows; i++)
        targets[i] = i % 7 ? i * 5 % classes : -100;
    int code = ts_cross_entropy_forward(rows, classes, logits, targets, -100, losses, logsumexp);
    code |= ts_cross_entropy_backward(rows, classes, g, logits, logsumexp, targets, -100, dlogits);
    eat(losses, rows), eat(logsumexp, rows), eat(dlogits, rows * classes);
    end("cross_entropy", "both", code);
}

static void linear_cross_entropy(void)
{
    static const int64_t shapes[][3] = {{1, 7, 5}, {600, 33, 40}, {50, 5, 1}, {1025, 40, 1}, {3, 0, 4},
                                        {0, 3, 4}};
    for (int s = 0; s < COUNT(shapes); s++) {
        const int64_t rows = shapes[s][0], width = shapes[s][1], classes = shapes[s][2];
        begin();
        float *x = values(rows * width, 2), *weight = values(classes * width, 1), *g = values(rows, 1);
        float *bias = s % 2 ? values(classes, 1) : NULL, *losses = unset(rows), *dx = unset(rows * width);
        float *dweight = unset(classes * width), *dbias = like(bias, classes);
        int64_t *targets = take(rows * (int64_t)sizeof *targets);
        for (int64_t i = 0; i < rows; i++)
            targets[i] = i % 7 ? i * 5 % classes : -100;
        const int code = ts_linear_cross_entropy(rows, width, classes, x, weight, bias, targets, -100, g,
                                                 losses, dx, dweight, dbias);
        eat(losses, rows), eat(dx, rows * width), eat(dweight, classes * width), eat_if(dbias, classes);
        char what[64];
        snprintf(what, sizeof what, "%dx%dx%d", (int)rows, (int)width, (int)classes);
        end("linear_cross_entropy", what, code);
    }
}

static void embedding(void)
{
    const int64_t index[] = {3, 0, 3, 10, 3, 0};
    begin();
    float *weight = values(11 * 5, 1), *g = values(6 * 5, 1), *out = unset(6 * 5), *sums = unset(11 * 5);
    const int code = ts_embedding(6, 5, weight, index, out) | ts_embedding_scatter(6, 5, 11, g, index, sums);
    eat(out, 6 * 5), eat(sums, 11 * 5);
    end("embedding", "both", code);
}

static void optimizer(void)
{
    const int64_t n[] = {0, 1, 37, 5000};
    float *group[4][COUNT(n)];
    double squares;
    begin();
    for (int k = 0; k < 4; k++)
        for (int i = 0; i < COUNT(n); i++)
            group[k][i] = k == 3 ? shares(n[i]) : values(n[i], 1);
    int code = ts_adam(COUNT(n), n, group[0], group[1], group[2], group[3], 0.9f, 0.1f, 0.99f, 0.01f, 0.1f,
                       0.999f, 0.01f, 1.5f, 1e-8f);
    code |= ts_scale(COUNT(n), n, group[1], 0.3f) | ts_sum_of_squares(COUNT(n), n, group[0], &squares);
    for (int k = 0; k < 4; k++)
        for (int i = 0; i < COUNT(n); i++)
            eat(group[k][i], n[i]);
    float halves[2];
    memcpy(halves, &squares, sizeof squares);
    eat(halves, 2);
    end("optimizer", "all", code);
}

static void rotary(void)
{
    static const int64_t shapes[][6] = {{2, 5, 40, 64, 32, 3}, {3, 2, 7, 9, 3, 2}, {1, 1, 300, 2, 1, 1}, {2, 3, 0, 4, 2, 3}};
    for (int s = 0; s < COUNT(shapes); s++)
        for (int interleaved = 0; interleaved < 2; interleaved++) {
            const int64_t B = shapes[s][0], N = shapes[s][1], T = shapes[s][2], d = shapes[s][3], r = shapes[s][4];
            const int64_t n = B * N * T * d;
            const ts_strides packed = {T * N * d, d, N * d}, apart = {N * T * d, T * d, d};
            begin();
            float *x = values(n, 2), *cosine = values(B * T * r, 1), *sine = values(B * T * r, 1), *y = unset(n);
            const int code = ts_rotary(B, N, T, d, r, shapes[s][5], x, &packed, cosine, sine, T * r, interleaved, y,
                                       &apart);
            eat(y, n);
            char what[64];
            snprintf(what, sizeof what, "%d,%d,%d", (int)N, (int)d, interleaved);
            end("rotary", what, code);
        }
}

int main(int count, char **arguments)
{
    if (count != 3 || ts_use_isa(arguments[1]))
        return 2;
    ts_set_threads(atoi(arguments[2]));
    elementwise();
    gelu();
    norm();
    dropout();
    matmul();
    recurrences();
    attentions();
    rotary();
    cross_entropy();
    linear_cross_entropy();
    embedding();
    optimizer();
    return 0;
}
