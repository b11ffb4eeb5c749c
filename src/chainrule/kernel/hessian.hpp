// Hessian-vector products; the reference is chainrule.notes.second_order.
//
// Pearlmutter's R{.} is the derivative along a direction v, whose parts are c beside b and V beside
// W. Put before the notes' lines it gives, in the same order,
//
//     R{z(l+1)}   =  R{a(l)} W + a(l) V + c                        R{a(1)} = 0
//     R{a(l)}     =  g'(z(l)) .* R{z(l)}
//     R{delta(L)} =  (d delta(L) / dz(L)) R{z(L)}
//     R{delta(l)} =  (R{delta(l+1)} W^T + delta(l+1) V^T) .* g'(z(l))
//                    + (delta(l+1) W^T) .* g''(z(l)) .* R{z(l)}
//     R{Delta(l)} =  a(l)^T R{delta(l+1)} + R{a(l)}^T delta(l+1)
#pragma once
#include "activations.hpp"
#include "batch.hpp"
#include "delta.hpp"
#include "memory.hpp"
#include "rows.hpp"

namespace chainrule {
namespace {

// What R{} adds to a slab: for layer l at l - 1, of the shapes of a(l).
template <class T>
struct Along {
    Net<T> v;  // the network's layers, with V and c packed
    T **Rz, **Ra, **Rdelta;
};

template <class T>
void lay_out_along(const Net<T>& net, std::int64_t rows, Along<T>& along, Pieces& p) {
    T*** const all_three[] = {&along.Rz, &along.Ra, &along.Rdelta};
    for (T*** of_layers : all_three) {
        *of_layers = p.take<T*>(net.L);
        for (int l = 2; l <= net.L; ++l) {
            T* of_layer = p.take<T>(rows * net(l).ld);
            if (p.base) (*of_layers)[l - 1] = of_layer;
        }
    }
}

// R{a} := g'(z) .* R{z}.  For some g, `a` must be z here and below: see slope_from.
template <class T>
void activate_along(Activation g, const T* a, const T* Rz, T* Ra, std::int64_t n) {
    with_activation(g, [=]<Activation which>() {
        for (std::int64_t i = 0; i < n; i += lanes<T>)
            store(Ra + i, slope<T, which>(load(a + i)) * load(Rz + i));
    });
}

// From delta(l+1) W^T in delta(l), and R{delta(l+1)} W^T + delta(l+1) V^T in R{delta(l)}: both
// finished.
template <class T>
void slope_along(Activation g, const T* a, const T* Rz, T* delta, T* Rdelta, std::int64_t n) {
    with_activation(g, [=]<Activation which>() {
        for (std::int64_t i = 0; i < n; i += lanes<T>) {
            const vec<T> of_a = load(a + i), back = load(delta + i), prime = slope<T, which>(of_a);
            store(Rdelta + i,
                  load(Rdelta + i) * prime + back * bend<T, which>(of_a) * load(Rz + i));
            store(delta + i, back * prime);
        }
    });
}

// delta(L) = a(L) - y of one row, and its R{}, which is R{a(L)}, from h and R{z(L)}.
template <class T>
void output_along(Output output, std::int64_t K, const T* h, const T* y, const T* Rz, T w, T* delta,
                  T* Rdelta) {
    T mean = 0;
    if (output == Output::softmax)
        for (std::int64_t k = 0; k < K; ++k) mean += h[k] * Rz[k];
    for (std::int64_t k = 0; k < K; ++k) {
        delta[k] = w * (h[k] - y[k]);
        switch (output) {
            case Output::sigmoid: Rdelta[k] = w * h[k] * (1 - h[k]) * Rz[k]; break;
            case Output::softmax: Rdelta[k] = w * h[k] * (Rz[k] - mean); break;
            case Output::identity: Rdelta[k] = w * Rz[k]; break;
            case Output::exp: Rdelta[k] = w * h[k] * Rz[k]; break;
        }
    }
}

// a, delta and their R{} for some rows of the slab.
template <class T>
void rows_along(const Pass<T>& pass, const Along<T>& along, Team& team, Span span) {
    const auto& [net, slab, data, dropout] = pass;
    const std::int64_t rows = span.rows();
    const auto of = [&, &net = net](T* const* layers, int l) {
        return View<T>{layers[l - 1] + span.from * net(l).ld, net(l).ld};
    };
    const auto by = [&](T* const* layers, int l) {
        const View<T> view = of(layers, l);
        return View<const T>{view.data, view.stride};
    };
    const auto times = [&](Sizes size, View<const T> A, const T* W, View<T> C, Begin<T> begin) {
        product<T, By::rows>(size, A, packed<T>(W), C, begin, nullptr, &team);
    };
    gather_inputs(pass, span, 0);
    gather_outputs(pass, span);
    forward_rows(pass, span, team);
    output_rows(net, slab, team.rank, {span.from, span.to}, false, Aim::predict);
    for (int l = 1; l < net.L; ++l) {
        const Layer<T>&layer = net(l), &next = net(l + 1), &v = along.v(l);
        const View<T> Rz = of(along.Rz, l + 1);
        const Sizes size{rows, next.s, layer.s};
        times(size, by(slab.a, l), v.W, Rz, {.row = v.b});
        if (l > 1) times(size, by(along.Ra, l), layer.W, Rz, {.from_C = true});
        if (l + 1 < net.L)
            activate_along<T>(next.g, of(slab.slope_from, l + 1).data, Rz.data,
                              of(along.Ra, l + 1).data, rows * next.ld);
    }
    const Layer<T>& last = net(net.L);
    for (std::int64_t t = span.from; t < span.to; ++t) {
        const std::int64_t at = outputs_at(net, span.from) + (t - span.from) * last.s,
                           row = t * last.ld;
        output_along(net.output, last.s, slab.z + at, slab.y + at, along.Rz[net.L - 1] + row,
                     data.weights ? slab.w[t] : T(1), slab.delta[net.L - 1] + row,
                     along.Rdelta[net.L - 1] + row);
    }
    for (int l = net.L - 1; l >= 2; --l) {
        const Layer<T>&layer = net(l), &v = along.v(l);
        const View<T> delta = of(slab.delta, l), Rdelta = of(along.Rdelta, l);
        const View<const T> next = by(slab.delta, l + 1);
        const Sizes size{rows, layer.s, layer.next};
        times(size, next, layer.W_T, delta, {});
        times(size, by(along.Rdelta, l + 1), layer.W_T, Rdelta, {});
        times(size, next, v.W_T, Rdelta, {.from_C = true});
        slope_along<T>(layer.g, of(slab.slope_from, l).data, of(along.Rz, l).data, delta.data,
                       Rdelta.data, rows * layer.ld);
    }
}

// R{Delta} := the Hessian of the cost's sum, times v.
template <class T>
void hessian_vector(const Shape& shape, const T* theta, const T* v, const Rows<T>& data, T* RDelta,
                    Call call, bool* ok) {
    const Plan plan{.rows = data.m};
    Net<T> net{};
    Along<T> along{};
    const Arena layers([&](Pieces& p) {
        lay_out(net, shape, plan, p);
        lay_out(along.v, shape, plan, p);
    });
    // R{z} needs all of W packed, so z is computed in tiles too
    for (int l = 1; l < net.L; ++l) net(l).tiled = along.v(l).tiled = net(l).next;
    net(net.L).ld = outputs_at(net, 1);  // R{z(L)} is written in whole vectors, by several members
    Slab<T> slab{};
    Accumulator<T> sums{};
    const std::int64_t slab_rows = smaller<std::int64_t>(data.m, 480);
    const Arena memory([&](Pieces& p) {
        lay_out_weights(net, theta, Aim::learn, p);
        lay_out_weights(along.v, v, Aim::learn, p);
        lay_out_slab(net, slab_rows, call.threads, plan.direct, Aim::learn, slab, p);
        lay_out_accumulator(net, 0, sums, p);
        lay_out_along(net, slab_rows, along, p);
    });
    Slab<T> by_Rdelta = slab;  // a beside R{delta}: from them a^T R{delta} is summed
    by_Rdelta.delta = along.Rdelta;
    const Dropout none{};
    const Pass<T> pass{net, slab, data, none};

    *ok = with_team(call, [&](Team& team) {
        pack_share(net, theta, team);
        pack_share(along.v, v, team);
        team.wait();
        slab_after_slab(
            data.m, slab_rows, grain, team,
            [&](std::int64_t begin, std::int64_t from, std::int64_t to) {
                rows_along(pass, along, team, {begin, from, to});
            },
            [&](std::int64_t begin, std::int64_t rows) {
                const Place place{.first = begin == 0, .last = false};
                accumulate_share(net, by_Rdelta, sums, rows, team, place,
                                 [](int, Share, OfInputs<T>) { return true; });
                for (int l = 2; l < net.L; ++l) {  // R{a(1)} = 0, and R{1} = 0 for the bias units
                    const Share i = inputs_of(net(l), team);
                    add_products<T>(net, l, along.Ra[l - 1] + i.from, slab.delta[l],
                                    sums.of(net, l, i.from, 0), rows, i, {.from_C = true}, nullptr,
                                    &team);
                }
            });
        for (int l = 1; l < net.L; ++l) {
            const Share i = inputs_of(net(l), team);
            collect(net, l, sums, i, sums.of(net, l, i.from, 0), RDelta);
        }
    });
}

}  // namespace
}  // namespace chainrule
