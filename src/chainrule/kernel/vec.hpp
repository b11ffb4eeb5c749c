// One vector register of T, written on the vector extensions that GCC and Clang share, so that one
// source makes SSE, AVX2, AVX-512 and NEON code.
//
// As in every header of the mathematics, all of it has internal linkage: see build.cpp.
#pragma once
#include <cstddef>
#include <cstdint>
#include <utility>  // for index_sequence: a type, no function
#if defined(__AVX512F__)
#include <immintrin.h>  // instructions, no functions
#endif

namespace chainrule {
namespace {

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
};

template <>
struct Simd<double> {
    typedef double vec __attribute__((vector_size(vector_bytes)));
    typedef std::int64_t bits __attribute__((vector_size(vector_bytes)));
    typedef std::uint64_t wrapping __attribute__((vector_size(vector_bytes)));
    typedef std::int64_t word;
};

template <class T>
using vec = typename Simd<T>::vec;
template <class T>
using bits = typename Simd<T>::bits;
template <class T>
constexpr int lanes = vector_bytes / static_cast<int>(sizeof(T));

// How many vectors n numbers fill.
template <class T>
constexpr std::int64_t vectors(std::int64_t n) {
    return (n + lanes<T> - 1) / lanes<T>;
}

// How many numbers those vectors hold.
template <class T>
constexpr std::int64_t padded(std::int64_t n) {
    return vectors<T>(n) * lanes<T>;
}

// From and to any address, aligned or not.
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

// Transpose a square of lanes times lanes numbers.  One step interleaves rows i and i + lanes/2,
// which gives rows 2i and 2i + 1; there are as many steps as the lanes can be halved.
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

// Lane i of the result is the sum of the lanes of v[i]; v is overwritten.  Two vectors are
// interleaved and added: the result still keeps their lanes apart.
template <class T, int n = lanes<T> / 2>
inline __attribute__((always_inline)) vec<T> sums_of(vec<T>* v) {
    constexpr std::make_index_sequence<lanes<T>> all_lanes{};
#pragma GCC unroll 8
    for (int i = 0; i < n; ++i)
        v[i] = interleaved<T, false>(v[i], v[i + n], all_lanes) +
               interleaved<T, true>(v[i], v[i + n], all_lanes);
    if constexpr (n > 1) return sums_of<T, n / 2>(v);
    return v[0];
}

// Combine the lanes of v, the first half with the second, until one number is left.
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

template <class T>
inline bits<T> sign_of(vec<T> z) {
    return (bits<T>)z & (bits<T>)all<T>(T(-0.0));
}

template <class T>
inline vec<T> magnitude(vec<T> z) {
    return (vec<T>)((bits<T>)z ^ sign_of<T>(z));
}

// The larger, and the smaller, of a limit and x; a NaN stays one.  With AVX-512 each is one
// instruction, which the compiler does not find.
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

template <class T>
inline T square_root(T x) {
    if constexpr (sizeof(T) == 4) return __builtin_sqrtf(x);
    else return __builtin_sqrt(x);
}

}  // namespace
}  // namespace chainrule
