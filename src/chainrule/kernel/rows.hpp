// The passes over rows: gather, forward, backward.  Each row's numbers depend on that row alone.
#pragma once
#include "activations.hpp"
#include "dropout.hpp"
#include "narrow.hpp"
#include "outputs.hpp"
#include "slab.hpp"

namespace chainrule {
namespace {

// What the passes over a slab work on.
template <class T>
struct Pass {
    const Net<T>& net;
    const Slab<T>& slab;
    const Rows<T>& data;
    const Dropout& dropout;
};

// Rows of X that are visited at random are asked for this many numbers ahead, into the second
// cache: in the first they would drive out what the tiles use.
constexpr std::int64_t fetched = 8192;

// Copy a block of the inputs of some rows into the slab.
template <class T>
void gather_inputs(const Pass<T>& pass, Span span, std::int64_t block) {
    const auto& [net, slab, data, dropout] = pass;
    const auto [begin, from, to] = span;
    const Share i = block_of(net(1), block);
    const std::int64_t s = net(1).s, ld = net(1).ld, n = i.size(),
                       line = 64 / static_cast<std::int64_t>(sizeof(T));
    const std::int64_t ahead = larger<std::int64_t>(fetched / n, 1), last = data.m - begin - ahead;
    const std::int64_t* const order = data.order;  // a copy may write on `data`, in theory
    const T* const X = data.X + i.from;
    T* a = slab.a[0] + block * slab.of_block;
    for (std::int64_t r = from; r < to && !slab.direct; ++r) {
        if (order && r < last) {
            const T* later = X + order[begin + r + ahead] * s;
            for (std::int64_t k = 0; k < n; k += line) __builtin_prefetch(later + k, 0, 2);
            __builtin_prefetch(later + n - 1, 0, 2);
        }
        copy(X + (order ? order[begin + r] : begin + r) * s, n, a + r * ld);
    }
}

// Copy Y and the weights of some rows.
template <class T>
void gather_outputs(const Pass<T>& pass, Span span) {
    const auto& [net, slab, data, dropout] = pass;
    const auto [begin, from, to] = span;
    const std::int64_t K = net(net.L).s, ahead = larger<std::int64_t>(fetched / net(1).s, 1),
                       last = data.m - begin - ahead;
    const auto [m, X, Y, weights, order, names] = data;  // a copy may write on `data`, in theory
    T *y = slab.y + outputs_at(net, from), *w = slab.w;
    if (Y && !order) copy(Y + (begin + from) * K, (to - from) * K, y);
    for (std::int64_t r = from; r < to && Y && order; ++r, y += K) {
        if (r < last) __builtin_prefetch(Y + order[begin + r + ahead] * K, 0, 2);
        copy(Y + order[begin + r] * K, K, y);
    }
    for (std::int64_t r = from; r < to && weights; ++r)
        w[r] = weights[order ? order[begin + r] : begin + r];
}

// Room for a member's lists of what is not 0 in a(l), or null where all is multiplied.
template <class T>
std::int32_t* lists_of(const Net<T>& net, const Slab<T>& slab, int l, int member) {
    return net(l).zeros ? slab.lists + member * slab.of_lists : nullptr;
}

// z := the part of z(l+1) that comes from a block of the inputs; b belongs to the first block.
template <class T>
void z_of_block(const Pass<T>& pass, Span span, Team& team, int l, std::int64_t block, T* z) {
    const auto& [net, slab, data, dropout] = pass;
    const Layer<T>& layer = net(l);
    const Share i = block_of(layer, block);
    const std::int64_t rest = layer.next - layer.tiled,
                       ld_z = l + 1 == net.L ? layer.next : net(l + 1).ld;
    T* const a = slab.a[l - 1] + block * slab.of_block;
    const View<const T> rows{a + span.from * layer.ld, layer.ld};
    const T* b = block == 0 ? layer.b : nullptr;
    drop(dropout, l, data, span, i, View<T>{a, layer.ld});
    if (layer.tiled > 0)
        product<T, By::rows>({span.rows(), layer.tiled, i.size()}, rows,
                             packed<T>(packed_W(layer, i)), {z, ld_z}, {.row = b},
                             lists_of(net, slab, l, team.rank), &team);
    if (rest > 0)
        narrow_product<T>(
            {span.rows(), rest, i.size()}, rows,
            {packed_W_T(layer, i), layer.tiled - layer.turned_from, layer.next - layer.turned_from},
            b ? b + layer.tiled : nullptr, {z + layer.tiled, ld_z});
}

// a(2), ..., a(L-1) and z(L) of some rows.
template <class T>
void forward_rows(const Pass<T>& pass, Span span, Team& team) {
    const auto& [net, slab, data, dropout] = pass;
    for (int l = 1; l < net.L; ++l) {
        const Layer<T>& next = net(l + 1);
        const bool last = l + 1 == net.L;
        const std::int64_t n = span.rows() * next.ld;
        const std::int64_t at = span.from * next.ld;
        T* z = last ? slab.z + outputs_at(net, span.from) : slab.slope_from[l] + at;
        if (net(l).blocks == 1) z_of_block(pass, span, team, l, 0, z);
        for (std::int64_t k = 1; k < net(l).blocks; ++k) {
            const T* part = slab.parts + (k - 1) * slab.of_part + at;
            for (std::int64_t i = 0; i < n; i += lanes<T>)
                store(z + i, load(z + i) + load(part + i));
        }
        if (!last) activate_all(next.g, z, slab.a[l] + at, n);
    }
}

// delta(L-1), ..., delta(2): delta(l) = (delta(l+1) W^T) .* g'(z(l)).  Dropout has multiplied a by
// 1/(1 - rate), which g' must not see, and has hidden some of it.
template <class T>
void backward_rows(const Pass<T>& pass, Span span, Team& team) {
    const auto& [net, slab, data, dropout] = pass;
    for (int l = net.L - 1; l >= 2; --l) {
        const Layer<T>& layer = net(l);
        const std::int64_t ld_next = net(l + 1).ld, at = span.from * layer.ld;
        const View<const T> next{slab.delta[l] + span.from * ld_next, ld_next};
        const View<T> delta{slab.delta[l - 1] + at, layer.ld};
        product<T, By::rows>({span.rows(), layer.s, layer.next}, next, packed<T>(layer.W_T), delta,
                             {}, nullptr, &team);
        const bool from_a = slab.slope_from[l - 1] == slab.a[l - 1];
        const double kept = from_a ? 1 - dropout.of_layer(l) : 1;
        slope_all(layer.g, delta.data, slab.slope_from[l - 1] + at, span.rows() * layer.ld,
                  static_cast<T>(kept));
        drop(dropout, l, data, span, {0, layer.s}, View<T>{slab.delta[l - 1], layer.ld});
    }
}

}  // namespace
}  // namespace chainrule
