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

static inline void vf_transpose(vf r[16])
{
    vf t[16], u[16];
    /* Inside each 128-bit lane: 4 x 4 transposes of four neighbouring rows. */
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
    }
    for (int i = 0; i < 16; i += 4) {
        u[i] = _mm512_shuffle_ps(t[i], t[i + 2], 0x44);
        u[i + 1] = _mm512_shuffle_ps(t[i], t[i + 2], 0xee);
        u[i + 2] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0x44);
        u[i + 3] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0xee);
    }
    /* Then the 4 x 4 grid of 128-bit lanes itself. */
    for (int i = 0; i < 4; i++) {
        vf a = _mm512_shuffle_f32x4(u[i], u[i + 4], 0x44);       /* lanes 0 1 of both */
        vf b = _mm512_shuffle_f32x4(u[i], u[i + 4], 0xee);       /* lanes 2 3 of both */
        vf c = _mm512_shuffle_f32x4(u[i + 8], u[i + 12], 0x44);
        vf d = _mm512_shuffle_f32x4(u[i + 8], u[i + 12], 0xee);
        r[i] = _mm512_shuffle_f32x4(a, c, 0x88);                 /* lane 0 of all four */
        r[i + 4] = _mm512_shuffle_f32x4(a, c, 0xdd);
        r[i + 8] = _mm512_shuffle_f32x4(b, d, 0x88);
        r[i + 12] = _mm512_shuffle_f32x4(b, d, 0xdd);
    }
}
