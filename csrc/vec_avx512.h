/* The 16-lane vocabulary on AVX-512F: one zmm register is one vf. */
#include <immintrin.h>

#define ISA(name) name##_avx512
#define ISA_NAME "avx512"
#define TILE_ROWS 14     /* 14 x 2 accumulators, 2 for the panels and 1 broadcast fill 31 of 32 registers */
#define TILE_VECTORS 28  /* accumulators of one tile, in vf */

typedef __m512 vf;

static inline vf vf_add(vf a, vf b) { return _mm512_add_ps(a, b); }
static inline vf vf_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
static inline vf vf_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
static inline vf vf_div(vf a, vf b) { return _mm512_div_ps(a, b); }
static inline vf vf_max(vf a, vf b) { return _mm512_max_ps(a, b); }
static inline vf vf_min(vf a, vf b) { return _mm512_min_ps(a, b); }
static inline vf vf_set1(float x) { return _mm512_set1_ps(x); }
static inline vf vf_load(const float *p) { return _mm512_loadu_ps(p); }
static inline void vf_store(float *p, vf v) { _mm512_storeu_ps(p, v); }
static inline vf vf_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
static inline vf vf_fnma(vf a, vf b, vf c) { return _mm512_fnmadd_ps(a, b, c); }
static inline vf vf_sqrt(vf a) { return _mm512_sqrt_ps(a); }

static inline __mmask16 vf_mask(int64_t n)
{
    return (__mmask16)((1u << n) - 1u);
}

static inline vf vf_load_n(const float *p, int64_t n)
{
    return _mm512_maskz_loadu_ps(vf_mask(n), p);
}

static inline vf vf_load_bytes(const uint8_t *p)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)p)));
}

static inline void vf_store_n(float *p, vf v, int64_t n)
{
    _mm512_mask_storeu_ps(p, vf_mask(n), v);
}

static inline vf vf_abs(vf a)
{
    return _mm512_castsi512_ps(
        _mm512_and_si512(_mm512_castps_si512(a), _mm512_set1_epi32(0x7fffffff)));
}

static inline vf vf_copysign(vf magnitude, vf a)
{
    /* 0xd8 is "third operand chooses": a where its bit is set, else the magnitude. */
    return _mm512_castsi512_ps(_mm512_ternarylogic_epi32(
        _mm512_castps_si512(magnitude), _mm512_castps_si512(a),
        _mm512_set1_epi32((int)0x80000000u), 0xd8));
}

static inline vf vf_if_less(vf a, vf b, vf yes, vf no)
{
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), no, yes);
}

static inline vf vf_shift_left_23(vf a)
{
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(a), 23));
}

static inline float vf_sum(vf v)
{
    const __m256 upper = _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(v), 1));
    const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(v), upper);
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

typedef __m512i vw;

static inline vw vw_set1(uint64_t x) { return _mm512_set1_epi64((int64_t)x); }
static inline vw vw_count(uint64_t x)
{
    return _mm512_add_epi64(vw_set1(x), _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7));
}
static inline vw vw_product(vw a, vw b) { return _mm512_mul_epu32(a, b); }
static inline vw vw_xor(vw a, vw b) { return _mm512_xor_si512(a, b); }
static inline vw vw_upper(vw a) { return _mm512_srli_epi64(a, 32); }
static inline void vw_store(uint64_t *p, vw a) { _mm512_storeu_si512(p, a); }

/* The masked broadcast reads memory and merges, no shuffle: a vector holds a row's eight elements in its first two
   quarters, and in its last two those of the fourth row after. */
static inline void vf_load_turned_8(const float *p, int64_t ld, vf out[8])
{
    vf turned[8];
#pragma GCC unroll 2
    for (int half = 0; half < 2; half++) {
        vf row[4];
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++) {
            const float *first = p + (8 * half + i) * ld;
            row[i] = _mm512_castpd_ps(_mm512_mask_broadcast_f64x4(
                _mm512_castps_pd(_mm512_castps256_ps512(_mm256_loadu_ps(first))), 0xf0,
                _mm256_castps_pd(_mm256_loadu_ps(first + 4 * ld))));
        }
        /* 4 x 4 squares inside each quarter of the vector. */
        const vf ab01 = _mm512_unpacklo_ps(row[0], row[1]), ab23 = _mm512_unpackhi_ps(row[0], row[1]);
        const vf cd01 = _mm512_unpacklo_ps(row[2], row[3]), cd23 = _mm512_unpackhi_ps(row[2], row[3]);
        turned[4 * half] = _mm512_shuffle_ps(ab01, cd01, 0x44);
        turned[4 * half + 1] = _mm512_shuffle_ps(ab01, cd01, 0xee);
        turned[4 * half + 2] = _mm512_shuffle_ps(ab23, cd23, 0x44);
        turned[4 * half + 3] = _mm512_shuffle_ps(ab23, cd23, 0xee);
    }
#pragma GCC unroll 4
    for (int k = 0; k < 4; k++) {
        out[k] = _mm512_shuffle_f32x4(turned[k], turned[4 + k], 0x88);
        out[4 + k] = _mm512_shuffle_f32x4(turned[k], turned[4 + k], 0xdd);
    }
}
