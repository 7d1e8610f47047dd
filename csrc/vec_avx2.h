/* The 16-lane vocabulary on AVX2 with FMA: two ymm registers make one vf. */
#include <immintrin.h>

#define ISA(name) name##_avx2
#define ISA_NAME "avx2"
#define TILE_ROWS 6      /* 6 x 2 ymm accumulators, 2 for the panel and 1 broadcast fill 15 of 16 registers */
#define TILE_VECTORS 6   /* accumulators of one tile, in vf */

typedef struct {
    __m256 lo, hi;
} vf;

#define VF_BINARY(name, instruction)                                        \
    static inline vf name(vf a, vf b)                                       \
    {                                                                       \
        return (vf){instruction(a.lo, b.lo), instruction(a.hi, b.hi)};      \
    }
VF_BINARY(vf_add, _mm256_add_ps)
VF_BINARY(vf_sub, _mm256_sub_ps)
VF_BINARY(vf_mul, _mm256_mul_ps)
VF_BINARY(vf_div, _mm256_div_ps)
VF_BINARY(vf_max, _mm256_max_ps)
VF_BINARY(vf_min, _mm256_min_ps)
#undef VF_BINARY

static inline vf vf_set1(float x)
{
    __m256 v = _mm256_set1_ps(x);
    return (vf){v, v};
}

static inline vf vf_load(const float *p)
{
    return (vf){_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
}

static inline void vf_store(float *p, vf v)
{
    _mm256_storeu_ps(p, v.lo);
    _mm256_storeu_ps(p + 8, v.hi);
}

static inline __m256i vf_mask8(int64_t n)
{
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), lane);
}

static inline vf vf_load_n(const float *p, int64_t n)
{
    /* Masked lanes are not touched in memory; p + 8 may lie past the array, so it is not formed then. */
    vf v = {_mm256_maskload_ps(p, vf_mask8(n)), _mm256_setzero_ps()};
    if (n > 8)
        v.hi = _mm256_maskload_ps(p + 8, vf_mask8(n - 8));
    return v;
}

static inline vf vf_load_bytes(const uint8_t *p)
{
    const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
    return (vf){_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes)),
                _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_srli_si128(bytes, 8)))};
}

static inline void vf_store_n(float *p, vf v, int64_t n)
{
    _mm256_maskstore_ps(p, vf_mask8(n), v.lo);
    if (n > 8)
        _mm256_maskstore_ps(p + 8, vf_mask8(n - 8), v.hi);
}

static inline vf vf_fma(vf a, vf b, vf c)
{
    return (vf){_mm256_fmadd_ps(a.lo, b.lo, c.lo), _mm256_fmadd_ps(a.hi, b.hi, c.hi)};
}

static inline vf vf_fnma(vf a, vf b, vf c)
{
    return (vf){_mm256_fnmadd_ps(a.lo, b.lo, c.lo), _mm256_fnmadd_ps(a.hi, b.hi, c.hi)};
}

static inline vf vf_sqrt(vf a)
{
    return (vf){_mm256_sqrt_ps(a.lo), _mm256_sqrt_ps(a.hi)};
}

static inline vf vf_abs(vf a)
{
    const __m256 sign = _mm256_set1_ps(-0.0f);
    return (vf){_mm256_andnot_ps(sign, a.lo), _mm256_andnot_ps(sign, a.hi)};
}

static inline vf vf_copysign(vf magnitude, vf a)
{
    const __m256 sign = _mm256_set1_ps(-0.0f);
    return (vf){_mm256_or_ps(_mm256_and_ps(sign, a.lo), _mm256_andnot_ps(sign, magnitude.lo)),
                _mm256_or_ps(_mm256_and_ps(sign, a.hi), _mm256_andnot_ps(sign, magnitude.hi))};
}

static inline vf vf_if_less(vf a, vf b, vf yes, vf no)
{
    return (vf){_mm256_blendv_ps(no.lo, yes.lo, _mm256_cmp_ps(a.lo, b.lo, _CMP_LT_OQ)),
                _mm256_blendv_ps(no.hi, yes.hi, _mm256_cmp_ps(a.hi, b.hi, _CMP_LT_OQ))};
}

static inline vf vf_shift_left_23(vf a)
{
    return (vf){_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(a.lo), 23)),
                _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(a.hi), 23))};
}

static inline float vf_sum(vf v)
{
    const __m256 eight = _mm256_add_ps(v.lo, v.hi);
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

typedef struct {
    __m256i lo, hi;
} vw;

static inline vw vw_set1(uint64_t x)
{
    const __m256i v = _mm256_set1_epi64x((int64_t)x);
    return (vw){v, v};
}

static inline vw vw_count(uint64_t x)
{
    const vw all = vw_set1(x);
    return (vw){_mm256_add_epi64(all.lo, _mm256_setr_epi64x(0, 1, 2, 3)),
                _mm256_add_epi64(all.hi, _mm256_setr_epi64x(4, 5, 6, 7))};
}

static inline vw vw_product(vw a, vw b)
{
    return (vw){_mm256_mul_epu32(a.lo, b.lo), _mm256_mul_epu32(a.hi, b.hi)};
}

static inline vw vw_xor(vw a, vw b)
{
    return (vw){_mm256_xor_si256(a.lo, b.lo), _mm256_xor_si256(a.hi, b.hi)};
}

static inline vw vw_upper(vw a)
{
    return (vw){_mm256_srli_epi64(a.lo, 32), _mm256_srli_epi64(a.hi, 32)};
}

static inline void vw_store(uint64_t *p, vw a)
{
    _mm256_storeu_si256((__m256i *)p, a.lo);
    _mm256_storeu_si256((__m256i *)(p + 4), a.hi);
}

/* Four elements of each of eight rows, turned: each 128-bit half holds a row at first. */
static inline void load_turned_4(const float *p, int64_t ld, __m256 out[4])
{
    __m256 row[4];
    for (int i = 0; i < 4; i++)
        row[i] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p + i * ld)),
                                      _mm_loadu_ps(p + (i + 4) * ld), 1);
    const __m256 ab01 = _mm256_unpacklo_ps(row[0], row[1]), ab23 = _mm256_unpackhi_ps(row[0], row[1]);
    const __m256 cd01 = _mm256_unpacklo_ps(row[2], row[3]), cd23 = _mm256_unpackhi_ps(row[2], row[3]);
    out[0] = _mm256_shuffle_ps(ab01, cd01, 0x44);
    out[1] = _mm256_shuffle_ps(ab01, cd01, 0xee);
    out[2] = _mm256_shuffle_ps(ab23, cd23, 0x44);
    out[3] = _mm256_shuffle_ps(ab23, cd23, 0xee);
}

static inline void vf_load_turned_8(const float *p, int64_t ld, vf out[8])
{
#pragma GCC unroll 2
    for (int k = 0; k < 8; k += 4) {
        __m256 lo[4], hi[4];
        load_turned_4(p + k, ld, lo);
        load_turned_4(p + 8 * ld + k, ld, hi);
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++)
            out[k + i] = (vf){lo[i], hi[i]};
    }
}
