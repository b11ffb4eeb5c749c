// exp, log, tanh and what is made of them, on one vector.  Errors are given in units in the last
// place (ulp); tests/kernel/functions.cpp measures them.
//
// Comparisons are written so that a NaN stays one: a network that has diverged must show it.
#pragma once
#include "vec.hpp"

namespace chainrule {
namespace {

template <class T>
struct Constants;

template <>
struct Constants<float> {
    static constexpr int mantissa = 23;
    static constexpr int bias = 127;
    static constexpr float round = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
    static constexpr float log2e = 1.44269504f;
    static constexpr float ln2_high = 0.693359375f;  // n * ln2_high is exact
    static constexpr float ln2_low = -2.12194440e-4f;
    static constexpr float exp_low = -86.9f, exp_high = 88.7f;
    static constexpr int exp_terms = 7, atanh_terms = 8;
    // R in powers of 2t - 1, see normal: Chebyshev's approximation on [-1, 1], to 4e-8
    static constexpr float mills[] = {
        0.1888212818f,   0.151974101f,      0.09678439073f,    0.04663167772f,  0.01509882397f,
        0.001878057845f, -0.0008690419737f, -0.0003909467247f, 3.233142034e-5f, 3.93301424e-5f};
};

template <>
struct Constants<double> {
    static constexpr int mantissa = 52;
    static constexpr std::int64_t bias = 1023;
    static constexpr double round = 6755399441055744.0;  // 1.5 * 2^52
    static constexpr double log2e = 1.4426950408889634074;
    static constexpr double ln2_high = 6.93145751953125e-1;
    static constexpr double ln2_low = 1.42860682030941723212e-6;
    static constexpr double exp_low = -707.5, exp_high = 709.7;
    static constexpr int exp_terms = 13, atanh_terms = 17;
    // To 1e-16
    static constexpr double mills[] = {
        0.1888212826039378629,     0.1519741604929732394,    0.09678435018555665045,
        0.04663046448989467893,    0.0150991437225902296,    0.001885047242222904893,
        -0.0008699230891628755839, -0.000407704621368398133, 0.00003333605229003699275,
        0.00005777378444683310479, -4.769190076831735122e-7, -8.786400589801384273e-6,
        1.786505383016504824e-7,   1.480723444478308595e-6,  -1.562387769963341685e-7,
        -2.567460176690437284e-7,  6.618343214283715275e-8,  4.055790813710837198e-8,
        -1.969590094491818505e-8,  -4.892402290647292548e-9, 4.016846784273009829e-9,
        3.193087971749817167e-10,  -4.221644337339217479e-10};
};

// e^x = 2^n e^r with |r| <= ln(2)/2.  Returns e^r - 1 by its Taylor series, and 2^n / 2, for 2^n
// itself may overflow where e^x does not yet.  Both are wrong where x is out of range. A NaN, or a
// lane that nobody uses, may hold any bits, so their integer sum must be allowed to wrap.
template <class T>
inline vec<T> exp_parts(vec<T> x, vec<T>& half) {
    using C = Constants<T>;
    const vec<T> shifted = x * C::log2e + C::round;
    const vec<T> n = shifted - C::round;
    const vec<T> r = (x - n * C::ln2_high) - n * C::ln2_low;
    half = (vec<T>)(((typename Simd<T>::wrapping)shifted + (C::bias - 1)) << C::mantissa);
    T factorial[C::exp_terms + 1] = {1};
    for (int k = 1; k <= C::exp_terms; ++k) factorial[k] = factorial[k - 1] * T(k);
    vec<T> series = all<T>(T(1) / factorial[C::exp_terms]);
#pragma GCC unroll 16
    for (int k = C::exp_terms - 1; k >= 1; --k) series = series * r + T(1) / factorial[k];
    return series * r;
}

// e^x, within 2 ulp; 0 where it is no normal number.
template <class T>
inline vec<T> exp(vec<T> x) {
    vec<T> half;
    const vec<T> p = exp_parts<T>(x, half);
    const vec<T> e = T(2) * (p * half + half);
    const vec<T> capped = x > Constants<T>::exp_high ? all<T>(T(__builtin_inf())) : e;
    return x < Constants<T>::exp_low ? vec<T>{} : capped;
}

// (e^x - 1)/2 up to where e^x overflows.
template <class T>
inline vec<T> half_expm1(vec<T> x) {
    x = x < Constants<T>::exp_low ? all<T>(Constants<T>::exp_low) : x;
    vec<T> half;
    const vec<T> p = exp_parts<T>(x, half);
    return p * half + (half - T(0.5));
}

// e^x - 1, within 3 ulp, also near 0.
template <class T>
inline vec<T> expm1(vec<T> x) {
    return T(2) * half_expm1<T>(x);
}

// log((1 + s)/(1 - s)) = 2 (s + s^3/3 + s^5/5 + ...), for |s| <= 1/3.
template <class T>
inline vec<T> two_atanh(vec<T> s) {
    constexpr int terms = Constants<T>::atanh_terms;
    const vec<T> square = s * s;
    vec<T> series = all<T>(T(1) / T(2 * terms + 1));
#pragma GCC unroll 32
    for (int k = terms - 1; k >= 0; --k) series = series * square + T(1) / T(2 * k + 1);
    return T(2) * s * series;
}

// log(1 + u) for 0 <= u <= 1, within 3 ulp.
template <class T>
inline vec<T> log1p(vec<T> u) {
    return two_atanh<T>(u / (u + T(2)));
}

// log(x) for normal x > 0, within 3 ulp.
template <class T>
inline vec<T> log(vec<T> x) {
    using C = Constants<T>;
    using wrapping = typename Simd<T>::wrapping;
    // mantissa in [2/3, 4/3): subtract the bits of 2/3, so that the exponent rounds where it should
    const wrapping offset = (wrapping)all<T>(T(2) / T(3));
    const bits<T> exponent = (bits<T>)((wrapping)x - offset) >> C::mantissa;
    const vec<T> m = (vec<T>)((wrapping)x - ((wrapping)exponent << C::mantissa));
    const vec<T> n = __builtin_convertvector(exponent, vec<T>);
    return n * C::ln2_high + (n * C::ln2_low + two_atanh<T>((m - T(1)) / (m + T(1))));
}

// 1/(1 + e^-z) from e = e^-|z|, within 3 ulp at both ends.
template <class T>
inline vec<T> sigmoid(vec<T> z, vec<T> e) {
    const vec<T> q = T(1) / (e + T(1));
    return z < T(0) ? e * q : q;
}

// log(1 + e^z) from e = e^-|z|, within 4 ulp.
template <class T>
inline vec<T> softplus(vec<T> z, vec<T> e) {
    return (z < T(0) ? vec<T>{} : z) + log1p<T>(e);
}

// tanh(z), within 6 ulp in float32 and 3 in float64.  In float32 it is z times a ratio of
// polynomials in z^2 on [-9, 9]; beyond, it is 1 to 3e-8.  In float64 such polynomials would be no
// shorter than exp's.
template <class T>
inline vec<T> tanh(vec<T> z) {
    if constexpr (sizeof(T) == 4) {
        const vec<T> x = at_most<T>(T(9), at_least<T>(T(-9), z)), square = x * x;
        const vec<T> above =
            (((T(1.33546161e-8) * square + T(2.06090481e-5)) * square + T(3.49558610e-3)) * square +
             T(0.133810237)) *
                square +
            T(1);
        const vec<T> below =
            (((T(7.77653952e-7) * square + T(3.28563154e-4)) * square + T(2.58769747e-2)) * square +
             T(0.467143387)) *
                square +
            T(1);
        return at_most<T>(T(1), at_least<T>(T(-1), x * above / below));  // rounding may exceed 1
    }
    const vec<T> e = half_expm1<T>(T(-2) * magnitude<T>(z));  // (e^-2|z| - 1)/2, at most 0
    return (vec<T>)((bits<T>)(e / (e + T(1))) ^ sign_of<T>(-z));
}

// e^(-z^2/2), within 1 + z^2/2 ulp: z^2 is rounded.
template <class T>
inline vec<T> bell(vec<T> z) {
    return exp<T>(T(-0.5) * z * z);
}

// Phi(z) = (1 + erf(z/sqrt(2)))/2, from e = bell(z), within 8 ulp, and z^2/2 more for z < 0.  There
// it is e R(|z|), so nothing cancels; R is t = 4/(4 + |z|) times a polynomial in 2t - 1.
template <class T>
inline vec<T> normal(vec<T> z, vec<T> e) {
    constexpr auto& mills = Constants<T>::mills;
    constexpr int terms = sizeof mills / sizeof(T);
    const vec<T> t = T(4) / (magnitude<T>(z) + T(4)), u = T(2) * t - T(1);
    vec<T> series = all<T>(mills[terms - 1]);
#pragma GCC unroll 32
    for (int k = terms - 2; k >= 0; --k) series = series * u + mills[k];
    const vec<T> tail = e * t * series;
    return z < T(0) ? tail : T(1) - tail;
}

}  // namespace
}  // namespace chainrule
