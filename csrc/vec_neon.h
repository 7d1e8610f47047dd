/* The 16-lane vocabulary on AArch64 NEON: four q registers make one vf. */
#include <arm_neon.h>
#include <string.h>

#define ISA(name) name##_neon
#define ISA_NAME "neon"
#define TILE_ROWS 6      /* 6 x 4 accumulators, 4 for the panel and 1 broadcast fill 29 of 32 registers */
#define TILE_VECTORS 6   /* accumulators of one tile, in vf */

typedef struct {
    float32x4_t q[4];
} vf;

#define VF_MAP(expression)               \
    do {                                 \
        vf y;                            \
        for (int i = 0; i < 4; i++)      \
            y.q[i] = (expression);       \
        return y;                        \
    } while (0)

static inline vf vf_add(vf a, vf b) { VF_MAP(vaddq_f32(a.q[i], b.q[i])); }
static inline vf vf_sub(vf a, vf b) { VF_MAP(vsubq_f32(a.q[i], b.q[i])); }
static inline vf vf_mul(vf a, vf b) { VF_MAP(vmulq_f32(a.q[i], b.q[i])); }
static inline vf vf_div(vf a, vf b) { VF_MAP(vdivq_f32(a.q[i], b.q[i])); }
/* vmaxq would return NaN if either is NaN; the vocabulary promises the second operand then. */
static inline vf vf_max(vf a, vf b) { VF_MAP(vbslq_f32(vcgtq_f32(a.q[i], b.q[i]), a.q[i], b.q[i])); }
static inline vf vf_min(vf a, vf b) { VF_MAP(vbslq_f32(vcltq_f32(a.q[i], b.q[i]), a.q[i], b.q[i])); }
static inline vf vf_fma(vf a, vf b, vf c) { VF_MAP(vfmaq_f32(c.q[i], a.q[i], b.q[i])); }
static inline vf vf_fnma(vf a, vf b, vf c) { VF_MAP(vfmsq_f32(c.q[i], a.q[i], b.q[i])); }
static inline vf vf_set1(float x) { VF_MAP(vdupq_n_f32(x)); }
static inline vf vf_load(const float *p) { VF_MAP(vld1q_f32(p + 4 * i)); }
static inline vf vf_sqrt(vf a) { VF_MAP(vsqrtq_f32(a.q[i])); }
static inline vf vf_abs(vf a) { VF_MAP(vabsq_f32(a.q[i])); }
static inline vf vf_copysign(vf magnitude, vf a)
{
    VF_MAP(vbslq_f32(vdupq_n_u32(0x80000000u), a.q[i], magnitude.q[i]));
}
static inline vf vf_load_bytes(const uint8_t *p)
{
    const uint8x16_t bytes = vld1q_u8(p);
    const uint16x8_t half[2] = {vmovl_u8(vget_low_u8(bytes)), vmovl_u8(vget_high_u8(bytes))};
    VF_MAP(vcvtq_f32_u32(vmovl_u16(i % 2 ? vget_high_u16(half[i / 2]) : vget_low_u16(half[i / 2]))));
}
static inline vf vf_if_less(vf a, vf b, vf yes, vf no)
{
    VF_MAP(vbslq_f32(vcltq_f32(a.q[i], b.q[i]), yes.q[i], no.q[i]));
}
static inline vf vf_shift_left_23(vf a)
{
    VF_MAP(vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_f32(a.q[i]), 23)));
}
#undef VF_MAP

static inline void vf_store(float *p, vf v)
{
    for (int i = 0; i < 4; i++)
        vst1q_f32(p + 4 * i, v.q[i]);
}

static inline vf vf_load_n(const float *p, int64_t n)
{
    float lane[16] = {0};
    memcpy(lane, p, (size_t)n * sizeof(float));
    return vf_load(lane);
}

static inline void vf_store_n(float *p, vf v, int64_t n)
{
    float lane[16];
    vf_store(lane, v);
    memcpy(p, lane, (size_t)n * sizeof(float));
}

static inline float vf_sum(vf v)
{
    const float32x4_t four = vaddq_f32(vaddq_f32(v.q[0], v.q[2]), vaddq_f32(v.q[1], v.q[3]));
    const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
    return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}

typedef struct {
    uint64x2_t q[4];
} vw;

#define VW_MAP(expression)           \
    do {                             \
        vw y;                        \
        for (int i = 0; i < 4; i++)  \
            y.q[i] = (expression);   \
        return y;                    \
    } while (0)

static inline vw vw_set1(uint64_t x) { VW_MAP(vdupq_n_u64(x)); }
static inline vw vw_count(uint64_t x)
{
    VW_MAP(vcombine_u64(vcreate_u64(x + 2 * (uint64_t)i), vcreate_u64(x + 2 * (uint64_t)i + 1)));
}
static inline vw vw_product(vw a, vw b) { VW_MAP(vmull_u32(vmovn_u64(a.q[i]), vmovn_u64(b.q[i]))); }
static inline vw vw_xor(vw a, vw b) { VW_MAP(veorq_u64(a.q[i], b.q[i])); }
static inline vw vw_upper(vw a) { VW_MAP(vshrq_n_u64(a.q[i], 32)); }
#undef VW_MAP

static inline void vw_store(uint64_t *p, vw a)
{
    for (int i = 0; i < 4; i++)
        vst1q_u64(p + 2 * i, a.q[i]);
}

static inline void vf_load_turned_8(const float *p, int64_t ld, vf out[8])
{
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 8; k += 4) {
            const float *row = p + 4 * i * ld + k;
            const float32x4x2_t ab = vtrnq_f32(vld1q_f32(row), vld1q_f32(row + ld));
            const float32x4x2_t cd = vtrnq_f32(vld1q_f32(row + 2 * ld), vld1q_f32(row + 3 * ld));
            out[k].q[i] = vcombine_f32(vget_low_f32(ab.val[0]), vget_low_f32(cd.val[0]));
            out[k + 1].q[i] = vcombine_f32(vget_low_f32(ab.val[1]), vget_low_f32(cd.val[1]));
            out[k + 2].q[i] = vcombine_f32(vget_high_f32(ab.val[0]), vget_high_f32(cd.val[0]));
            out[k + 3].q[i] = vcombine_f32(vget_high_f32(ab.val[1]), vget_high_f32(cd.val[1]));
        }
}
