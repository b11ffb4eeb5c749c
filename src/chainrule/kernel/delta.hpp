// The accumulator Delta, and all phases of one slab.
#pragma once
#include "rows.hpp"
#include "slab.hpp"

namespace chainrule {
namespace {

// Delta(l) := begin + delta(l+1) (a(l))^T over `rows` rows for inputs i, without the bias unit's
// part; `a` begins with the first of them.
template <class T>
void add_products(const Net<T>& net, int l, const T* a, const T* delta, OfInputs<T> Delta,
                  std::int64_t rows, Share i, Begin<T> begin, std::int32_t* lists, Team* team) {
    const Layer<T>& layer = net(l);
    const View<const T> A{a, layer.ld}, D{delta, net(l + 1).ld};
    if (i.size() == 0) return;
    if (layer.upright > 0)
        product<T, By::columns>({i.size(), layer.upright, rows}, A, D, {Delta.W, layer.ld_Delta},
                                begin, lists, team);
    if (layer.upright < layer.next)
        product<T, By::columns>({layer.next - layer.upright, i.size(), rows},
                                {D.data + layer.upright, D.stride}, A,
                                {Delta.turned, layer.ld_turned}, begin, nullptr, team);
}

// Delta(l) := begin + delta(l+1) over `rows` rows for the bias unit, whose activation is 1.
template <class T>
void add_bias(const Layer<T>& layer, View<const T> delta, T* Delta_b, std::int64_t rows,
              Begin<T> begin) {
    for (std::int64_t j = 0; j < layer.next; j += lanes<T>) {
        vec<T> s[4] = {};  // four additions at a time, which need not wait for one another
        std::int64_t r = 0;
        for (; r + 4 <= rows; r += 4)
            for (int k = 0; k < 4; ++k) s[k] += load(delta.data + (r + k) * delta.stride + j);
        for (; r < rows; ++r) s[0] += load(delta.data + r * delta.stride + j);
        const vec<T> all_rows = (s[0] + s[1]) + (s[2] + s[3]);
        store(Delta_b + j, begin.from_C ? load(Delta_b + j) + all_rows : all_rows);
    }
}

// Which of the slabs that share a Delta this is.
struct Place {
    bool first, last;
};

// Delta(l) over `rows` rows, for this member's inputs.  In the last slab, done(l, inputs, their
// Delta(l)) is called for one strip of them after the other, and returns whether to go on; a member
// that has finished helps the others with theirs.
template <class T, class Done>
void accumulate_share(const Net<T>& net, const Slab<T>& slab, const Accumulator<T>& sums,
                      std::int64_t rows, Team& team, Place place, Done done) {
    const Begin<T> begin{.from_C = !place.first};
    for (int ahead = 0; ahead < helped(team); ++ahead) {
        const int owner = (team.rank + ahead) % team.size;
        std::int64_t number = 0, taken = team.take(owner);
        for (int l = 1; l < net.L; ++l) {
            const Layer<T>& layer = net(l);
            const Share whole = inputs_of(layer, team, owner);
            for (std::int64_t k = 0; k < layer.blocks; ++k) {
                const Share block = block_of(layer, k);
                const std::int64_t end = smaller(whole.to, block.to);
                for (Share i{larger(whole.from, block.from), 0}; i.from < end; i.from = i.to) {
                    i.to = smaller(i.from + (place.last ? strip<T> : layer.s), end);
                    if (number++ != taken) continue;
                    if (i.from == 0)
                        add_bias(layer, {slab.delta[l], net(l + 1).ld}, sums.Delta_b[l - 1], rows,
                                 begin);
                    const OfInputs<T> Delta = sums.of(net, l, i.from, team.rank);
                    const T* const a = slab.a[l - 1] + k * slab.of_block + (i.from - block.from);
                    add_products(net, l, a, slab.delta[l], Delta, rows, i, begin,
                                 lists_of(net, slab, l, team.rank), place.last ? nullptr : &team);
                    if (place.last && !done(l, i, Delta)) return;
                    taken = team.take(owner);
                }
            }
        }
        if (!place.last) return;
    }
}

// The parts of z(2) that come from each block of inputs.  One member of the team reads a block's
// columns of X and rows of W here, and later sums up their Delta and moves them: only the parts of
// z(2), a and delta go from one core to another.  With more members than blocks, the rows are cut.
template <class T>
void sum_blocks(const Pass<T>& pass, std::int64_t begin, std::int64_t rows, Team& team) {
    const auto& [net, slab, data, dropout] = pass;
    const std::int64_t blocks = net(1).blocks, cuts = (team.size + blocks - 1) / blocks,
                       n = blocks * cuts;
    for (int ahead = 0; ahead < helped(team); ++ahead) {
        const int owner = (team.rank + ahead) % team.size;
        const Share of_owner = part(n, 1, owner, team.size);
        for (std::int64_t p; (p = of_owner.from + team.take(owner)) < of_owner.to;) {
            const std::int64_t block = p / cuts;
            const Share some = part(rows, grain, p % cuts, cuts);
            if (some.size() == 0) continue;
            const Span span{begin, some.from, some.to};
            gather_inputs(pass, span, block);
            T* const z = block == 0 ? slab.slope_from[1] : slab.parts + (block - 1) * slab.of_part;
            z_of_block(pass, span, team, 1, block, z + some.from * net(2).ld);
        }
    }
}

// All phases of one slab, rows [begin, begin + rows) of the order of visit.
template <class T, class Done>
void slab_pass(const Pass<T>& pass, const Accumulator<T>& sums, std::int64_t begin,
               std::int64_t rows, Team& team, Place place, Done done) {
    const auto& [net, slab, data, dropout] = pass;
    if (slab.direct && team.rank == 0) slab.a[0] = const_cast<T*>(data.X) + begin * net(1).s;
    if (slab.direct) team.wait();
    if (net(1).blocks > 1) {
        sum_blocks(pass, begin, rows, team);
        team.wait();
    }
    for (int ahead = 0; ahead < helped(team); ++ahead) {
        const int owner = (team.rank + ahead) % team.size;
        const Share of_owner = part(rows, grain, owner, team.size);
        const std::int64_t some = piece(net, team, rows);
        for (std::int64_t from; (from = of_owner.from + team.take(owner) * some) < of_owner.to;) {
            const Span span{begin, from, smaller(from + some, of_owner.to)};
            if (net(1).blocks == 1) gather_inputs(pass, span, 0);
            gather_outputs(pass, span);
            forward_rows(pass, span, team);
            output_rows(net, slab, team.rank, {span.from, span.to}, data.weights != nullptr,
                        Aim::learn);
            backward_rows(pass, span, team);
        }
    }
    team.wait();
    if (team.stopped()) return;
    accumulate_share(net, slab, sums, rows, team, place, done);
}

// Copy the Delta(l) of inputs i to `W`, in the layout of theta.
template <class T>
void collect(const Layer<T>& layer, OfInputs<T> Delta, Share i, T* W) {
    for (std::int64_t k = 0; k < i.size() && layer.upright > 0; ++k)
        copy(Delta.W + k * layer.ld_Delta, layer.upright, W + k * layer.next);
    for (std::int64_t j = layer.upright; j < layer.next; ++j, Delta.turned += layer.ld_turned)
        for (std::int64_t k = 0; k < i.size(); ++k) W[k * layer.next + j] = Delta.turned[k];
}

// The same into a vector of theta's layout, and with input 0's the bias unit's part.
template <class T>
void collect(const Net<T>& net, int l, const Accumulator<T>& sums, Share i, OfInputs<T> Delta_W,
             T* Delta) {
    const Layer<T>& layer = net(l);
    T* const block = Delta + layer.start;
    if (i.from == 0 && i.to > 0) copy(sums.Delta_b[l - 1], layer.next, block);
    collect(layer, Delta_W, i, block + (1 + i.from) * layer.next);
}

}  // namespace
}  // namespace chainrule
