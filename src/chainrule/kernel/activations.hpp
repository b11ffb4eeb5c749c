// The hidden layers' activations g, and g' and g''.  Both are written from a = g(z), as the notes
// write them; but those of silu, gelu and mish from z, for two values of z have the same a.
#pragma once
#include "functions.hpp"
#include "kernel.hpp"

namespace chainrule {
namespace {

constexpr double leak = 0.01;  // slope of the leaky relu left of zero
constexpr double selu_scale = 1.0507009873554805, selu_alpha = 1.6732632423543772;
constexpr double selu_low = selu_scale * selu_alpha;  // -a where z is far left of zero

// What silu and its derivatives are made of: s = 1/(1 + e^-z), and 1 - s without cancellation.
template <class T>
struct Silu {
    vec<T> s, rest;

    explicit Silu(vec<T> z) {
        const vec<T> e = exp<T>(-magnitude<T>(z)), q = T(1) / (e + T(1));
        s = z < T(0) ? e * q : q;
        rest = z < T(0) ? q : e * q;
    }
};

// The same of gelu: Phi(z), and Phi'(z) = e^(-z^2/2)/sqrt(2 pi).
template <class T>
struct Gelu {
    vec<T> cdf, density;

    explicit Gelu(vec<T> z) {
        const vec<T> e = bell<T>(z);
        cdf = normal<T>(z, e);
        density = e * T(0.39894228040143267794);
    }
};

// The same of mish: w = tanh(log(1 + e^z)), and w'.  With p = e^z, w = p(p + 2)/(p(p + 2) + 2); for
// z > 0 this is written in e^-z, which cannot overflow.
template <class T>
struct Mish {
    vec<T> w, prime;

    explicit Mish(vec<T> z) {
        const vec<T> e = exp<T>(-magnitude<T>(z)), square = e * e, one = all<T>(1);
        const vec<T> above = z < T(0) ? square + T(2) * e : T(2) * e + T(1);
        const vec<T> below = above + T(2) * (z < T(0) ? one : square);
        w = above / below;
        prime = T(4) * (e + T(1)) * (z < T(0) ? e : square) / (below * below);
    }
};

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
    if constexpr (g == Activation::selu)
        return z > T(0) ? z * T(selu_scale) : expm1<T>(z) * T(selu_low);
    if constexpr (g == Activation::silu) return z * Silu<T>(z).s;
    if constexpr (g == Activation::gelu) return z * Gelu<T>(z).cdf;
    if constexpr (g == Activation::mish) return z * Mish<T>(z).w;
}

// Whether g' and g'' are written from z.
template <Activation g>
constexpr bool from_z = g == Activation::silu || g == Activation::gelu || g == Activation::mish;

// g'(z), from a = g(z) or, for the last three, from z.
template <class T, Activation g>
inline vec<T> slope(vec<T> a) {
    [[maybe_unused]] const vec<T> z = a;
    if constexpr (g == Activation::sigmoid) return a * (T(1) - a);
    if constexpr (g == Activation::tanh) return T(1) - a * a;
    if constexpr (g == Activation::relu) return a > T(0) ? all<T>(1) : vec<T>{};
    if constexpr (g == Activation::leaky_relu) return a > T(0) ? all<T>(1) : all<T>(T(leak));
    if constexpr (g == Activation::elu) return a > T(0) ? all<T>(1) : a + T(1);
    if constexpr (g == Activation::softplus) return -expm1<T>(-a);
    if constexpr (g == Activation::identity) return all<T>(1);
    if constexpr (g == Activation::selu) return a > T(0) ? all<T>(T(selu_scale)) : a + T(selu_low);
    if constexpr (g == Activation::silu) {
        const Silu<T> of(z);
        return of.s * (z * of.rest + T(1));
    }
    if constexpr (g == Activation::gelu) {
        const Gelu<T> of(z);
        return of.cdf + z * of.density;
    }
    if constexpr (g == Activation::mish) {
        const Mish<T> of(z);
        return of.w + z * of.prime;
    }
}

// g''(z), from the same.
template <class T, Activation g>
inline vec<T> bend(vec<T> a) {
    const vec<T> none{};
    [[maybe_unused]] const vec<T> z = a;
    if constexpr (g == Activation::sigmoid) return a * (T(1) - a) * (T(1) - T(2) * a);
    if constexpr (g == Activation::tanh) return T(-2) * a * (T(1) - a * a);
    if constexpr (g == Activation::elu) return a > T(0) ? none : a + T(1);
    if constexpr (g == Activation::softplus) return -expm1<T>(-a) * exp<T>(-a);
    if constexpr (g == Activation::selu) return a > T(0) ? none : a + T(selu_low);
    if constexpr (g == Activation::silu) {
        const Silu<T> of(z);
        return of.s * of.rest * (z * (of.rest - of.s) + T(2));
    }
    if constexpr (g == Activation::gelu) {
        const vec<T> density = Gelu<T>(z).density;
        return T(2) * density - z * (z * density);
    }
    if constexpr (g == Activation::mish) {
        const Silu<T> sigmoid(z);
        const Mish<T> of(z);
        return of.prime * (z * (sigmoid.rest - T(2) * of.w * sigmoid.s) + T(2));
    }
    return none;
}

// Call f.template operator()<g>(): the one place where an activation's code becomes a type.
template <class F>
inline void with_activation(Activation g, F f) {
    switch (g) {
#define CHAINRULE_CASE(name) \
    case Activation::name: return f.template operator()<Activation::name>();
        CHAINRULE_ACTIVATIONS(CHAINRULE_CASE)
#undef CHAINRULE_CASE
    }
}

// The same, of a network's code.
inline bool is_from_z(Activation g) {
    bool found = false;
    with_activation(g, [&]<Activation which>() { found = from_z<which>; });
    return found;
}

// a := g(z) for n numbers, filled up to whole vectors; a may be z itself.
template <class T>
void activate_all(Activation g, const T* z, T* a, std::int64_t n) {
    with_activation(g, [=]<Activation which>() {
        if (which == Activation::identity && a == z) return;
        for (std::int64_t i = 0; i < n; i += lanes<T>)
            store(a + i, activate<T, which>(load(z + i)));
    });
}

// delta *= g'(z), from a, which is multiplied by `kept` first (see backward_rows), or from z.
template <class T>
void slope_all(Activation g, T* delta, const T* a, std::int64_t n, T kept) {
    with_activation(g, [=]<Activation which>() {
        if (which == Activation::identity) return;
        for (std::int64_t i = 0; i < n; i += lanes<T>)
            store(delta + i, load(delta + i) * slope<T, which>(load(a + i) * kept));
    });
}

}  // namespace
}  // namespace chainrule
