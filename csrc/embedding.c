/* Gathering rows of a table and its gradient, scattering them back. Memory traffic alone: no
   instruction set does it better than memcpy and a plain loop. */
#include "internal.h"

typedef struct {
    int64_t count, width, rows;
    const float *in;
    const int64_t *index;
    float *out;
} embedding_job;

static void gather(void *context, int thread, int threads)
{
    const embedding_job *j = context;
    int64_t begin, end;
    ts_split(j->count, 1, thread, threads, &begin, &end);
    for (int64_t i = begin; i < end; i++)
        memcpy(j->out + i * j->width, j->in + j->index[i] * j->width,
               (size_t)j->width * sizeof(float));
}

int ts_embedding(int64_t count, int64_t width, const float *weight, const int64_t *index, float *out)
{
    embedding_job job = {count, width, 0, weight, index, out};
    ts_parallel(ts_threads_for((double)count * (double)width), gather, &job);
    return TS_OK;
}

/* Each thread owns a range of rows of the result and reads all indices: no two threads ever add to
   the same row, and each row is summed in the order of the indices. */
static void scatter(void *context, int thread, int threads)
{
    const embedding_job *j = context;
    int64_t begin, end;
    ts_split(j->rows, 1, thread, threads, &begin, &end);
    memset(j->out + begin * j->width, 0, (size_t)((end - begin) * j->width) * sizeof(float));
    for (int64_t i = 0; i < j->count; i++)
        if (j->index[i] >= begin && j->index[i] < end) {
            float *restrict out = j->out + j->index[i] * j->width;
            const float *restrict g = j->in + i * j->width;
            for (int64_t d = 0; d < j->width; d++)
                out[d] += g[d];
        }
}

int ts_embedding_scatter(int64_t count, int64_t width, int64_t rows, const float *g,
                         const int64_t *index, float *out)
{
    embedding_job job = {count, width, rows, g, index, out};
    ts_parallel(ts_threads_for((double)(count + rows) * (double)width), scatter, &job);
    return TS_OK;
}
