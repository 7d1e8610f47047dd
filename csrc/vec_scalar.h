/* The 16-lane vocabulary in plain C: an array of 16 floats, for any processor. The loops are short
   and of fixed length, so a compiler turns them into whatever vectors the baseline has. There is no
   fused multiply-add here: products and sums are rounded apart, and results may differ in the last
   bits from the other instruction sets, never between thread counts. */

#define ISA(name) name##_scalar
#define ISA_NAME "scalar"
#define TILE_ROWS 2
#define TILE_VECTORS 2

typedef struct {
    float lane[16];
} vf;

#define VF_MAP(expression)               \
    do {                                 \
        vf y;                            \
        for (int i = 0; i < 16; i++)     \
            y.lane[i] = (expression);    \
        return y;                        \
    } while (0)

static inline vf vf_add(vf a, vf b) { VF_MAP(a.lane[i] + b.lane[i]); }
static inline vf vf_sub(vf a, vf b) { VF_MAP(a.lane[i] - b.lane[i]); }
static inline vf vf_mul(vf a, vf b) { VF_MAP(a.lane[i] * b.lane[i]); }
static inline vf vf_div(vf a, vf b) { VF_MAP(a.lane[i] / b.lane[i]); }
static inline vf vf_max(vf a, vf b) { VF_MAP(a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i]); }
static inline vf vf_min(vf a, vf b) { VF_MAP(a.lane[i] < b.lane[i] ? a.lane[i] : b.lane[i]); }
static inline vf vf_fma(vf a, vf b, vf c) { VF_MAP(a.lane[i] * b.lane[i] + c.lane[i]); }
static inline vf vf_fnma(vf a, vf b, vf c) { VF_MAP(c.lane[i] - a.lane[i] * b.lane[i]); }
static inline vf vf_set1(float x) { VF_MAP(x); }
static inline vf vf_sqrt(vf a) { VF_MAP(sqrtf(a.lane[i])); }
static inline vf vf_abs(vf a) { VF_MAP(fabsf(a.lane[i])); }
static inline vf vf_copysign(vf magnitude, vf a) { VF_MAP(copysignf(magnitude.lane[i], a.lane[i])); }
static inline vf vf_if_less(vf a, vf b, vf yes, vf no)
{
    VF_MAP(a.lane[i] < b.lane[i] ? yes.lane[i] : no.lane[i]);
}
#undef VF_MAP

static inline vf vf_load(const float *p)
{
    vf v;
    memcpy(v.lane, p, sizeof v.lane);
    return v;
}

static inline void vf_store(float *p, vf v)
{
    memcpy(p, v.lane, sizeof v.lane);
}

static inline vf vf_load_n(const float *p, int64_t n)
{
    vf v = {{0}};
    memcpy(v.lane, p, (size_t)n * sizeof(float));
    return v;
}

static inline vf vf_load_bytes(const uint8_t *p)
{
    vf v;
    for (int i = 0; i < 16; i++)
        v.lane[i] = p[i];
    return v;
}

static inline void vf_store_n(float *p, vf v, int64_t n)
{
    memcpy(p, v.lane, (size_t)n * sizeof(float));
}

static inline vf vf_shift_left_23(vf a)
{
    for (int i = 0; i < 16; i++) {
        uint32_t bits;
        memcpy(&bits, &a.lane[i], sizeof bits);
        bits <<= 23;
        memcpy(&a.lane[i], &bits, sizeof bits);
    }
    return a;
}

static inline float vf_sum(vf v)
{
    for (int width = 8; width; width /= 2)
        for (int i = 0; i < width; i++)
            v.lane[i] += v.lane[i + width];
    return v.lane[0];
}

typedef struct {
    uint64_t lane[8];
} vw;

#define VW_MAP(expression)             \
    do {                               \
        vw y;                          \
        for (int i = 0; i < 8; i++)    \
            y.lane[i] = (expression);  \
        return y;                      \
    } while (0)

static inline vw vw_set1(uint64_t x) { VW_MAP(x); }
static inline vw vw_count(uint64_t x) { VW_MAP(x + (uint64_t)i); }
static inline vw vw_product(vw a, vw b)
{
    VW_MAP((a.lane[i] & 0xffffffffu) * (b.lane[i] & 0xffffffffu));
}
static inline vw vw_xor(vw a, vw b) { VW_MAP(a.lane[i] ^ b.lane[i]); }
static inline vw vw_upper(vw a) { VW_MAP(a.lane[i] >> 32); }
#undef VW_MAP

static inline void vw_store(uint64_t *p, vw a)
{
    for (int i = 0; i < 8; i++)
        p[i] = a.lane[i];
}

static inline void vf_load_turned_8(const float *p, int64_t ld, vf out[8])
{
    for (int k = 0; k < 8; k++)
        for (int lane = 0; lane < 16; lane++)
            out[k].lane[lane] = p[lane * ld + k];
}
