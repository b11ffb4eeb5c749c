// The residuals r = h_k - y_k of a squared-error network, and what their derivatives are made of.
//
// Examples are columns here, as in the notes, so that all vectors run over examples, in whole
// lines.
#pragma once
#include "activations.hpp"
#include "layers.hpp"
#include "memory.hpp"
#include "product.hpp"

namespace chainrule {
namespace {

template <class T>
struct Residuals {
    std::int64_t ld;  // of all that follow: the examples of a slab, filled up to whole vectors
    T** a;            // a(l), l = 1..L-1 at l - 1: ones for the bias, then a row for each unit
    T** slope_from;   // what g'(z(l)) is written from, l = 2..L-1: a(l) without the ones, or z(l)
    T*** delta;       // for each k, delta(l) from e_k, l = 2..L at l - 1
    T** delta_r;      // the sum over k of r_k times that: delta(l) of the cost
    T* r;             // a row for each k
    T* root;          // the weights' roots: r is multiplied by them; 0 where a vector is filled up
};

template <class T>
void lay_out_residuals(const Net<T>& net, std::int64_t columns, Residuals<T>& of, Pieces& p) {
    // Not a power of two: rows would share few of the sets of a cache
    of.ld = padded<T>(columns) + lanes<T>;
    const auto layers = [&](T**& rows, int first, int last, int bias) {
        rows = p.take<T*>(net.L);
        for (int l = first; l <= last; ++l) {
            T* of_layer = p.take<T>((net(l).s + bias) * of.ld);
            if (p.base) rows[l - 1] = of_layer;
        }
    };
    const std::int64_t K = net(net.L).s;
    layers(of.a, 1, net.L - 1, 1);
    of.slope_from = p.take<T*>(net.L);
    for (int l = 2; l < net.L; ++l) {
        T* z = is_from_z(net(l).g) ? p.take<T>(net(l).s * of.ld) : nullptr;
        if (p.base) of.slope_from[l - 1] = z ? z : of.a[l - 1] + of.ld;
    }
    layers(of.delta_r, 2, net.L, 0);
    of.delta = p.take<T**>(K);
    for (std::int64_t k = 0; k < K; ++k) {
        T** none;
        layers(p.base ? of.delta[k] : none, 2, net.L, 0);
    }
    of.r = p.take<T>(K * of.ld);
    of.root = p.take<T>(of.ld);
}

// row := u v, element by element, or row += u v; n is a multiple of a vector.
template <class T>
void multiply(T* __restrict row, const T* u, const T* v, std::int64_t n, bool add) {
    for (std::int64_t t = 0; t < n; t += lanes<T>) {
        const vec<T> product = load(u + t) * load(v + t);
        store(row + t, add ? load(row + t) + product : product);
    }
}

// Columns [from, to) of the slab, which are rows `begin + from ...` of X.
template <class T>
void residual_columns(const Net<T>& net, const T* theta, const Residuals<T>& of,
                      const Rows<T>& data, std::int64_t begin, std::int64_t from, std::int64_t to) {
    const int L = net.L;
    const std::int64_t K = net(L).s, s = net(1).s, n = padded<T>(to - from), end = from + n,
                       ld = of.ld;
    for (std::int64_t t = from; t < end; ++t) {
        const bool filled = t >= to;
        const T *x = data.X + (begin + t) * s, *y = data.Y + (begin + t) * K;
        for (std::int64_t j = 0; j < s; ++j) of.a[0][(1 + j) * ld + t] = filled ? T(0) : x[j];
        for (std::int64_t k = 0; k < K; ++k) of.r[k * ld + t] = filled ? T(0) : -y[k];
        of.root[t] = filled ? T(0) : data.weights ? square_root(data.weights[begin + t]) : T(1);
        for (int l = 1; l < L; ++l) of.a[l - 1][t] = 1;
    }
    for (int l = 1; l < L; ++l) {  // z(l+1) = Theta(l) a(l), as it is in the notes
        const Layer<T>&layer = net(l), &next = net(l + 1);
        const bool last = l + 1 == L;
        T* z = (last ? of.r : of.slope_from[l]) + from;
        product<T, By::columns>({layer.next, n, layer.s + 1}, {theta + layer.start, layer.next},
                                {of.a[l - 1] + from, ld}, {z, ld}, {.from_C = last});
        for (std::int64_t i = 0; i < layer.next && !last; ++i)
            activate_all(next.g, z + i * ld, of.a[l] + (1 + i) * ld + from, n);
    }
    for (std::int64_t k = 0; k < K; ++k) {
        T* const* delta = of.delta[k];
        for (std::int64_t t = from; t < end; ++t) {
            of.r[k * ld + t] *= of.root[t];
            for (std::int64_t i = 0; i < K; ++i)
                delta[L - 1][i * ld + t] = i == k ? of.root[t] : T(0);
        }
        for (int l = L - 1; l >= 2; --l) {
            const Layer<T>& layer = net(l);
            const T* W = theta + layer.start + layer.next;
            product<T, By::rows>({layer.s, n, layer.next}, {W, layer.next}, {delta[l] + from, ld},
                                 {delta[l - 1] + from, ld});
            for (std::int64_t i = 0; i < layer.s; ++i)
                slope_all(layer.g, delta[l - 1] + i * ld + from,
                          of.slope_from[l - 1] + i * ld + from, n, T(1));
        }
    }
    for (int l = 2; l <= L; ++l)
        for (std::int64_t i = 0; i < net(l).s; ++i)
            for (std::int64_t k = 0; k < K; ++k)
                multiply(of.delta_r[l - 1] + i * ld + from, of.r + k * ld + from,
                         of.delta[k][l - 1] + i * ld + from, n, k > 0);
}

}  // namespace
}  // namespace chainrule
