// The last layer: h, the terms of the cost and delta(L) from z(L).
#pragma once
#include "activations.hpp"
#include "slab.hpp"

namespace chainrule {
namespace {

// For outputs where each of n numbers has its own h: z becomes h; or, to learn from, z becomes h -
// y and y the terms of the cost.
template <class T, Output output>
void outputs(std::int64_t n, T* z, T* y, Aim aim) {
    const bool learn = aim == Aim::learn;
    for (std::int64_t i = 0; i < n; i += lanes<T>) {
        const vec<T> of_z = load(z + i), truth = load(y + i);
        vec<T> h = of_z, cost{};
        if constexpr (output == Output::sigmoid) {
            const vec<T> e = exp<T>(-magnitude<T>(of_z));
            h = sigmoid<T>(of_z, e);
            if (learn) cost = softplus<T>(of_z, e) - truth * of_z;
        } else if constexpr (output == Output::identity) {
            cost = T(0.5) * (of_z - truth) * (of_z - truth);
        } else {
            h = exp<T>(of_z);
            cost = h - truth * of_z;
        }
        store(z + i, learn ? h - truth : h);
        if (learn) store(y + i, cost);
    }
}

// The same for softmax, where the numbers of a row make their h together.  `across` holds a vector
// of rows, one in each lane, so that nothing is added or compared across lanes.
template <class T>
void outputs_of_rows(std::int64_t rows, std::int64_t K, T* across, T* z, T* y, Aim aim) {
    const bool learn = aim == Aim::learn;
    for (std::int64_t r; rows > 0; rows -= r, z += r * K, y += r * K) {
        r = smaller<std::int64_t>(lanes<T>, rows);
        for (std::int64_t i = 0; i < r; ++i)
            for (std::int64_t k = 0; k < K; ++k) across[k * lanes<T> + i] = z[i * K + k];
        vec<T> most = load(across), total{};
        for (std::int64_t k = 1; k < K; ++k) {
            const vec<T> of_z = load(across + k * lanes<T>);
            most = of_z > most ? of_z : most;
        }
        for (std::int64_t k = 0; k < K; ++k) {
            const vec<T> e = exp<T>(load(across + k * lanes<T>) - most);
            total += e;
            store(across + k * lanes<T>, e);
        }
        T whole[lanes<T>], top[lanes<T>], rest[lanes<T>];
        store(whole, T(1) / total);
        store(top, most);
        store(rest, log<T>(total));  // log sum_k e^z_k = top + rest
        for (std::int64_t i = 0; i < r; ++i) {
            T missing = 1;  // 1 minus the sum of the row's y: about 0
            for (std::int64_t k = 0; k < K; ++k) {
                const std::int64_t at = i * K + k;
                const T h = across[k * lanes<T> + i] * whole[i], truth = y[at];
                if (learn) {
                    missing -= truth;
                    y[at] = truth * ((top[i] - z[at]) + rest[i]);
                }
                z[at] = learn ? h - truth : h;
            }
            if (learn) y[i * K] += missing * (top[i] + rest[i]);
        }
    }
}

// For rows [from, to) of the slab; z and y are overwritten.  To learn: the terms of the cost, and
// delta(L) = (h - y) w.
template <class T>
void output_rows(const Net<T>& net, const Slab<T>& slab, int member, Share rows, bool weighted,
                 Aim aim) {
    const std::int64_t K = net(net.L).s, ld = net(net.L).ld, n = rows.size() * K;
    T *const z = slab.z + outputs_at(net, rows.from), *const y =
                                                          slab.y + outputs_at(net, rows.from);
    switch (net.output) {
        case Output::sigmoid: outputs<T, Output::sigmoid>(n, z, y, aim); break;
        case Output::identity: outputs<T, Output::identity>(n, z, y, aim); break;
        case Output::exp: outputs<T, Output::exp>(n, z, y, aim); break;
        case Output::softmax:
            outputs_of_rows(rows.size(), K, slab.across + member * slab.of_across, z, y, aim);
    }
    if (aim == Aim::predict) return;
    for (std::int64_t r = rows.from; r < rows.to && weighted; ++r)
        for (std::int64_t i = (r - rows.from) * K; i < (r - rows.from + 1) * K; ++i)
            z[i] *= slab.w[r], y[i] *= slab.w[r];
    copy(y, n, slab.cost + rows.from * K);
    T* const delta = slab.delta[net.L - 1] + rows.from * ld;
    if (ld == K) return copy(z, n, delta);
    for (std::int64_t r = 0; r < rows.size(); ++r) copy(z + r * K, K, delta + r * ld);
}

// h in place of z(L) of one row, (K,), filled up to whole vectors.
template <class T>
void output_row(Output output, T* z, std::int64_t K) {
    const std::int64_t n = padded<T>(K);
    switch (output) {
        case Output::sigmoid: return activate_all<T>(Activation::sigmoid, z, z, n);
        case Output::identity: return;
        case Output::exp:
            for (std::int64_t k = 0; k < n; k += lanes<T>) store(z + k, exp<T>(load(z + k)));
            return;
        case Output::softmax:
            for (std::int64_t k = K; k < n; ++k) z[k] = T(-__builtin_inf());
            vec<T> top = load(z), total{};
            for (std::int64_t k = lanes<T>; k < n; k += lanes<T>)
                top = load(z + k) > top ? load(z + k) : top;
            const T most = largest<T>(top);
            for (std::int64_t k = 0; k < n; k += lanes<T>) {
                store(z + k, exp<T>(load(z + k) - most));
                total += load(z + k);
            }
            const T whole = T(1) / sum<T>(total);
            for (std::int64_t k = 0; k < n; k += lanes<T>) store(z + k, load(z + k) * whole);
    }
}

}  // namespace
}  // namespace chainrule
