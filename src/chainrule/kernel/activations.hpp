// The hidden layers' activations g, and g' and g'' written from a = g(z).
#pragma once
#include "functions.hpp"
#include "kernel.hpp"

namespace chainrule {
namespace {

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

// g''(z), written from a = g(z).
template <class T, Activation g>
inline vec<T> bend(vec<T> a) {
    const vec<T> none{};
    if constexpr (g == Activation::sigmoid) return a * (T(1) - a) * (T(1) - T(2) * a);
    if constexpr (g == Activation::tanh) return T(-2) * a * (T(1) - a * a);
    if constexpr (g == Activation::elu) return a > T(0) ? none : a + T(1);
    if constexpr (g == Activation::softplus) return -expm1<T>(-a) * exp<T>(-a);
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

// a := g(z) for n numbers, filled up to whole vectors; a may be z itself.
template <class T>
void activate_all(Activation g, const T* z, T* a, std::int64_t n) {
    with_activation(g, [=]<Activation which>() {
        if (which == Activation::identity && a == z) return;
        for (std::int64_t i = 0; i < n; i += lanes<T>)
            store(a + i, activate<T, which>(load(z + i)));
    });
}

// delta *= g'(z), with `a` multiplied by `kept` first: see backward_rows.
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
