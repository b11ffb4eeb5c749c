// One vector register of T and the functions of the notes on it.  Included inside the namespace of
// one build (see build.cpp); written on the vector extensions that GCC and Clang share, so that one
// source makes SSE, AVX2, AVX-512 and NEON code.

#if defined(__AVX512F__)
constexpr int vector_bytes = 64;
constexpr int tile_registers = 24;  // of 32: those that hold sums
#elif defined(__AVX__)
constexpr int vector_bytes = 32;
constexpr int tile_registers = 12;  // of 16
#else
constexpr int vector_bytes = 16;
#if defined(__aarch64__)
constexpr int tile_registers = 24;
#else
constexpr int tile_registers = 12;
#endif
#endif

template <class T>
struct Simd;

template <>
struct Simd<float> {
    typedef float vec __attribute__((vector_size(vector_bytes)));
    typedef std::int32_t bits __attribute__((vector_size(vector_bytes)));
    typedef std::uint32_t wrapping __attribute__((vector_size(vector_bytes)));
    typedef std::int32_t word;
    static constexpr int mantissa = 23;
    static constexpr int bias = 127;
    static constexpr float round = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
    static constexpr float log2e = 1.44269504f;
    static constexpr float ln2_high = 0.693359375f;  // n * ln2_high is exact
    static constexpr float ln2_low = -2.12194440e-4f;
    static constexpr float exp_low = -86.9f, exp_high = 88.7f;
    static constexpr int exp_terms = 7, atanh_terms = 8;
};

template <>
struct Simd<double> {
    typedef double vec __attribute__((vector_size(vector_bytes)));
    typedef std::int64_t bits __attribute__((vector_size(vector_bytes)));
    typedef std::uint64_t wrapping __attribute__((vector_size(vector_bytes)));
    typedef std::int64_t word;
    static constexpr int mantissa = 52;
    static constexpr std::int64_t bias = 1023;
    static constexpr double round = 6755399441055744.0;  // 1.5 * 2^52
    static constexpr double log2e = 1.4426950408889634074;
    static constexpr double ln2_high = 6.93145751953125e-1;
    static constexpr double ln2_low = 1.42860682030941723212e-6;
    static constexpr double exp_low = -707.5, exp_high = 709.7;
    static constexpr int exp_terms = 13, atanh_terms = 17;
};

template <class T>
using vec = typename Simd<T>::vec;
template <class T>
using bits = typename Simd<T>::bits;
template <class T>
constexpr int lanes = vector_bytes / static_cast<int>(sizeof(T));

// From and to anywhere, aligned or not.
template <class T>
inline vec<T> load(const T* p) {
    vec<T> v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

template <class T>
inline void store(T* p, vec<T> v) {
    __builtin_memcpy(p, &v, sizeof v);
}

template <class T>
inline vec<T> all(T x) {
    return x - vec<T>{};  // x + 0 would be an addition: -0 + 0 is not -0
}

// a[0] b[0] a[1] b[1] ... from the first halves of a and b, or from the second ones.
template <class T, bool second, std::size_t... I>
inline vec<T> interleaved(vec<T> a, vec<T> b, std::index_sequence<I...>) {
    constexpr int n = lanes<T>, from = second ? n / 2 : 0;
#if __has_builtin(__builtin_shufflevector)
    return __builtin_shufflevector(a, b, (I % 2 * n + I / 2 + from)...);
#else  // GCC before 12
    return __builtin_shuffle(a, b, bits<T>{(I % 2 * n + I / 2 + from)...});
#endif
}

// A square of lanes times lanes numbers, transposed: rows i and i + lanes/2 interleaved become rows 2i
// and 2i + 1, as many times as the lanes can be halved.
template <class T>
inline void transpose(const T* from, std::int64_t row_from, T* to, std::int64_t row_to) {
    constexpr int n = lanes<T>;
    constexpr std::make_index_sequence<n> all_lanes{};
    vec<T> rows[n], mixed[n];
#pragma GCC unroll 16
    for (int i = 0; i < n; ++i) rows[i] = load(from + i * row_from);
#pragma GCC unroll 4
    for (int halved = n; halved > 1; halved /= 2) {
#pragma GCC unroll 8
        for (int i = 0; i < n / 2; ++i) {
            mixed[2 * i] = interleaved<T, false>(rows[i], rows[i + n / 2], all_lanes);
            mixed[2 * i + 1] = interleaved<T, true>(rows[i], rows[i + n / 2], all_lanes);
        }
#pragma GCC unroll 16
        for (int i = 0; i < n; ++i) rows[i] = mixed[i];
    }
#pragma GCC unroll 16
    for (int i = 0; i < n; ++i) store(to + i * row_to, rows[i]);
}

// In lane i the sum of the lanes of v[i]; v is used up.  Two vectors interleaved, added, are one that still
// tells their lanes apart.
template <class T, int n = lanes<T> / 2>
inline __attribute__((always_inline)) vec<T> sums_of(vec<T>* v) {
    constexpr std::make_index_sequence<lanes<T>> all_lanes{};
#pragma GCC unroll 8
    for (int i = 0; i < n; ++i)
        v[i] = interleaved<T, false>(v[i], v[i + n], all_lanes) + interleaved<T, true>(v[i], v[i + n], all_lanes);
    if constexpr (n > 1) return sums_of<T, n / 2>(v);
    return v[0];
}

// The lanes of v, taken together by halves.
template <class T, class Together>
inline T reduce(vec<T> v, Together together) {
    T x[lanes<T>];
    store(x, v);
#pragma GCC unroll 4
    for (int n = lanes<T> / 2; n > 0; n /= 2)
        for (int i = 0; i < n; ++i) x[i] = together(x[i], x[i + n]);
    return x[0];
}

template <class T>
inline T sum(vec<T> v) {
    return reduce<T>(v, [](T x, T y) { return x + y; });
}

template <class T>
inline T largest(vec<T> v) {
    return reduce<T>(v, [](T x, T y) { return y > x ? y : x; });
}

// e^x = 2^n e^r with |r| <= ln(2)/2: returns e^r - 1 by its Taylor series, and 2^n / 2 (2^n itself
// may be beyond the range where e^x is not yet).  Where x is out of range so is what it returns.
// Comparisons are written so that a NaN stays one: a diverged network must show it.  The bits of a NaN, and
// of lanes that nobody uses, may make a sum beyond what a signed integer can take: it wraps.
template <class T>
inline vec<T> exp_parts(vec<T> x, vec<T>& half) {
    using S = Simd<T>;
    const vec<T> shifted = x * S::log2e + S::round;
    const vec<T> n = shifted - S::round;
    const vec<T> r = (x - n * S::ln2_high) - n * S::ln2_low;
    half = (vec<T>)(((typename S::wrapping)shifted + (S::bias - 1)) << S::mantissa);
    T factorial[S::exp_terms + 1] = {1};
    for (int k = 1; k <= S::exp_terms; ++k) factorial[k] = factorial[k - 1] * T(k);
    vec<T> series = all<T>(T(1) / factorial[S::exp_terms]);
#pragma GCC unroll 16
    for (int k = S::exp_terms - 1; k >= 1; --k) series = series * r + T(1) / factorial[k];
    return series * r;
}

template <class T>
inline vec<T> exp(vec<T> x) {
    vec<T> half;
    const vec<T> p = exp_parts<T>(x, half);
    const vec<T> e = T(2) * (p * half + half);
    const vec<T> capped = x > Simd<T>::exp_high ? all<T>(T(__builtin_inf())) : e;
    return x < Simd<T>::exp_low ? vec<T>{} : capped;
}

// (e^x - 1)/2, exact also near 0, for x up to where e^x overflows.
template <class T>
inline vec<T> half_expm1(vec<T> x) {
    x = x < Simd<T>::exp_low ? all<T>(Simd<T>::exp_low) : x;
    vec<T> half;
    const vec<T> p = exp_parts<T>(x, half);
    return p * half + (half - T(0.5));
}

template <class T>
inline vec<T> expm1(vec<T> x) {
    return T(2) * half_expm1<T>(x);
}

// log((1 + s)/(1 - s)) = 2 (s + s^3/3 + s^5/5 + ...), for |s| <= 1/3.
template <class T>
inline vec<T> two_atanh(vec<T> s) {
    const vec<T> square = s * s;
    vec<T> series = all<T>(T(1) / T(2 * Simd<T>::atanh_terms + 1));
#pragma GCC unroll 32
    for (int k = Simd<T>::atanh_terms - 1; k >= 0; --k) series = series * square + T(1) / T(2 * k + 1);
    return T(2) * s * series;
}

// log(1 + u), for 0 <= u <= 1.
template <class T>
inline vec<T> log1p(vec<T> u) {
    return two_atanh<T>(u / (u + T(2)));
}

// log(x), for normal x > 0.
template <class T>
inline vec<T> log(vec<T> x) {
    using S = Simd<T>;
    using wrapping = typename S::wrapping;
    // mantissa in [2/3, 4/3): subtract the bits of 2/3, so that the exponent rounds where it should
    const wrapping offset = (wrapping)all<T>(T(2) / T(3));
    const bits<T> exponent = (bits<T>)((wrapping)x - offset) >> S::mantissa;
    const vec<T> m = (vec<T>)((wrapping)x - ((wrapping)exponent << S::mantissa));
    const vec<T> n = __builtin_convertvector(exponent, vec<T>);
    return n * S::ln2_high + (n * S::ln2_low + two_atanh<T>((m - T(1)) / (m + T(1))));
}

template <class T>
inline bits<T> sign_of(vec<T> z) {
    return (bits<T>)z & (bits<T>)all<T>(T(-0.0));
}

template <class T>
inline vec<T> magnitude(vec<T> z) {
    return (vec<T>)((bits<T>)z ^ sign_of<T>(z));
}

// 1/(1 + e^-z) from e = e^-|z|, with full precision at both ends.
template <class T>
inline vec<T> sigmoid(vec<T> z, vec<T> e) {
    const vec<T> q = T(1) / (e + T(1));
    return z < T(0) ? e * q : q;
}

// log(1 + e^z) from e = e^-|z|.
template <class T>
inline vec<T> softplus(vec<T> z, vec<T> e) {
    return (z < T(0) ? vec<T>{} : z) + log1p<T>(e);
}

// The larger and the smaller of a limit and x, which if NaN stays so.  With AVX-512 each is one instruction,
// which the compiler does not find.
#if defined(__AVX512F__)
template <class T>
inline vec<T> at_least(T limit, vec<T> x) {
    if constexpr (sizeof(T) == 4) return (vec<T>)_mm512_max_ps((__m512)all<T>(limit), (__m512)x);
    else return (vec<T>)_mm512_max_pd((__m512d)all<T>(limit), (__m512d)x);
}

template <class T>
inline vec<T> at_most(T limit, vec<T> x) {
    if constexpr (sizeof(T) == 4) return (vec<T>)_mm512_min_ps((__m512)all<T>(limit), (__m512)x);
    else return (vec<T>)_mm512_min_pd((__m512d)all<T>(limit), (__m512d)x);
}
#else
template <class T>
inline vec<T> at_least(T limit, vec<T> x) {
    return x < limit ? all<T>(limit) : x;
}

template <class T>
inline vec<T> at_most(T limit, vec<T> x) {
    return x > limit ? all<T>(limit) : x;
}
#endif

// In float32 tanh is z times a ratio of polynomials in z^2, with an error of 2e-8 on [-9, 9] and 3e-7 by
// rounding; beyond, it is 1 to 3e-8.  In float64 such polynomials would be no shorter than exp's.
template <class T>
inline vec<T> tanh(vec<T> z) {
    if constexpr (sizeof(T) == 4) {
        const vec<T> x = at_most<T>(T(9), at_least<T>(T(-9), z)), square = x * x;
        const vec<T> above = (((T(1.33546161e-8) * square + T(2.06090481e-5)) * square + T(3.49558610e-3)) * square + T(0.133810237)) * square + T(1);
        const vec<T> below = (((T(7.77653952e-7) * square + T(3.28563154e-4)) * square + T(2.58769747e-2)) * square + T(0.467143387)) * square + T(1);
        return at_most<T>(T(1), at_least<T>(T(-1), x * above / below));  // by rounding it may be beyond
    }
    const vec<T> e = half_expm1<T>(T(-2) * magnitude<T>(z));  // (e^-2|z| - 1)/2, at most 0
    return (vec<T>)((bits<T>)(e / (e + T(1))) ^ sign_of<T>(-z));
}

constexpr double leak = 0.01;  // slope of the leaky relu left of zero

// a = g(z).
template <class T, Activation g>
inline vec<T> activate(vec<T> z) {
    if constexpr (g == Activation::sigmoid) return sigmoid<T>(z, exp<T>(-magnitude<T>(z)));
    if constexpr (g == Activation::tanh) return tanh<T>(z);
    if constexpr (g == Activation::relu) return at_least<T>(T(0), z);
    if constexpr (g == Activation::leaky_relu) return z < T(0) ? z * T(leak) : z;
    if constexpr (g == Activation::elu) return z > T(0) ? z : expm1<T>(z);
    if constexpr (g == Activation::softplus) return softplus<T>(z, exp<T>(-magnitude<T>(z)));
    if constexpr (g == Activation::identity) return z;
}

// g'(z), written from a = g(z).
template <class T, Activation g>
inline vec<T> slope(vec<T> a) {
    if constexpr (g == Activation::sigmoid) return a * (T(1) - a);
    if constexpr (g == Activation::tanh) return T(1) - a * a;
    if constexpr (g == Activation::relu) return a > T(0) ? all<T>(1) : vec<T>{};
    if constexpr (g == Activation::leaky_relu) return a > T(0) ? all<T>(1) : all<T>(T(leak));
    if constexpr (g == Activation::elu) return a > T(0) ? all<T>(1) : a + T(1);
    if constexpr (g == Activation::softplus) return -expm1<T>(-a);
    if constexpr (g == Activation::identity) return all<T>(1);
}
