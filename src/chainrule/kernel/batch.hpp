// Delta of a batch: how its rows are cut into chunks and slabs, and how the team goes through them.
#pragma once
#include "delta.hpp"
#include "memory.hpp"
#include "slab.hpp"
#include "sums.hpp"

namespace chainrule {
namespace {

// Of a slab's activations and deltas: half of the second cache.
constexpr std::int64_t slab_bytes = 256 * 1024;

template <class T>
std::int64_t row_bytes(const Shape& shape, bool direct) {
    std::int64_t n = direct ? 0 : padded<T>(shape.s[0]);
    for (int l = 2; l <= shape.L; ++l) n += 2 * padded<T>(shape.s[l - 1]);
    return n * static_cast<std::int64_t>(sizeof(T));
}

struct Cuts {
    std::int64_t chunk;  // rows that share a Delta; the chunks' Deltas are added up in order
    std::int64_t slab;   // rows of a chunk that are worked on at a time

    std::int64_t chunks(std::int64_t rows) const { return (rows + chunk - 1) / chunk; }
};

// A chunk is one thread's work: its rows stay in that thread's cache, and the team meets once for a
// batch instead of twice for a slab.  The price is a Delta for each chunk, written and added once.
template <class T>
Cuts cuts_of(const Shape& shape, std::int64_t m, bool direct) {
    const std::int64_t Delta_bytes = size_of(shape) * static_cast<std::int64_t>(sizeof(T));
    const std::int64_t bytes =
        row_bytes<T>(shape, direct) + shape.s[0] * static_cast<std::int64_t>(sizeof(T));
    const std::int64_t fitting =
        smaller<std::int64_t>(1024, larger<std::int64_t>(96, slab_bytes / bytes / 12 * 12));
    const std::int64_t chunks =
        larger(smaller<std::int64_t>(64, m / 256 / 4 * 4), smaller<std::int64_t>(8, m / 128));
    if (chunks >= 8 && chunks * Delta_bytes <= smaller(std::int64_t{32} << 20, m * bytes / 2)) {
        const std::int64_t chunk = (m + chunks - 1) / chunks;
        const std::int64_t slabs = (chunk + fitting - 1) / fitting;
        return {chunk, (chunk + slabs - 1) / slabs};
    }
    return {m, smaller(m, larger<std::int64_t>(fitting, 480))};
}

template <class F>
bool with_team(const Call& call, F f) {
    return parallel(
        call.threads, call.interrupted,
        [](void* context, Team& team) { (*static_cast<F*>(context))(team); }, &f);
}

// What summing over the rows of a batch needs: a slab for each thread and a Delta for each chunk;
// or one of each, which the team works on together.
template <class T>
struct Batch {
    Cuts cuts;
    std::int64_t most;  // rows
    Slab<T>* slabs = nullptr;
    Accumulator<T>* chunks = nullptr;
    double* costs = nullptr;

    bool shared() const { return cuts.chunk >= most; }
};

template <class T>
void lay_out_batch(const Net<T>& net, Batch<T>& batch, int threads, bool direct, Pieces& p) {
    const int slabs = batch.shared() ? 1 : threads;
    const std::int64_t chunks = batch.cuts.chunks(batch.most);
    batch.slabs = p.take<Slab<T>>(slabs);
    batch.chunks = p.take<Accumulator<T>>(chunks);
    batch.costs = p.take<double>(chunks);
    for (int i = 0; i < slabs; ++i) {
        Slab<T> none{};
        lay_out_slab(net, batch.cuts.slab, batch.shared() ? threads : 1, direct, Aim::learn,
                     p.base ? batch.slabs[i] : none, p);
    }
    for (std::int64_t c = 0; c < chunks; ++c) {
        Accumulator<T> none{};
        lay_out_accumulator(net, batch.cuts.slab >= batch.most ? threads : 0,
                            p.base ? batch.chunks[c] : none, p);
    }
}

// Rows of chunk c, on the whole team, or on one member of it.
template <class T, class Done>
void chunk_pass(const Pass<T>& pass, const Batch<T>& batch, std::int64_t c, Share rows, Team& team,
                Done done) {
    double cost = 0;
    for (std::int64_t begin = rows.from; begin < rows.to && !team.stopped();
         begin += batch.cuts.slab) {
        const std::int64_t n = smaller(batch.cuts.slab, rows.to - begin);
        const bool end = begin + n == rows.to;
        const Place place{.first = begin == rows.from, .last = end && batch.shared()};
        slab_pass(pass, batch.chunks[c], begin, n, team, place, done);
        if (team.rank == 0) cost += sum_of(pass.slab.cost, n * pass.net(pass.net.L).s);
        team.poll();
        if (!end) team.wait();
    }
    if (team.rank == 0) batch.costs[c] = cost;
}

// Add the Deltas of all chunks to the first one's, for this member's inputs, in the chunks' order.
template <class T, class Done>
void add_chunks(const Net<T>& net, const Batch<T>& batch, std::int64_t chunks, const Team& team,
                Done done) {
    const Accumulator<T>& sum = batch.chunks[0];
    const auto add_to = [](T* s, const T* d, std::int64_t n) {
        for (std::int64_t k = 0; k < n; ++k) s[k] += d[k];
    };
    for (int l = 1; l < net.L; ++l) {
        const Layer<T>& layer = net(l);
        const Share mine = inputs_of(layer, team);
        if (mine.from == 0 && mine.to > 0)
            for (std::int64_t c = 1; c < chunks; ++c)
                add_to(sum.Delta_b[l - 1], batch.chunks[c].Delta_b[l - 1], layer.next);
        for (Share i = mine; i.from < mine.to; i.from = i.to) {
            i.to = smaller(i.from + strip<T>, mine.to);
            const OfInputs<T> total = sum.of(net, l, i.from, team.rank);
            for (std::int64_t c = 1; c < chunks; ++c) {
                const OfInputs<T> more = batch.chunks[c].of(net, l, i.from, team.rank);
                add_to(total.W, more.W, i.size() * layer.ld_Delta);
                for (std::int64_t j = 0; j < layer.next - layer.upright; ++j)
                    add_to(total.turned + j * layer.ld_turned, more.turned + j * layer.ld_turned,
                           i.size());
            }
            if (!done(l, i, total)) return;
        }
    }
}

// Delta of some rows of the order of visit, into the batch's first accumulator: done(l, inputs,
// their Delta(l)) is called when it has that of some of this member's inputs, unless Ctrl-C came
// before, and returns whether to go on.  Rank 0 returns the cost.
template <class T, class Done>
double batch_pass(const Net<T>& net, const Batch<T>& batch, const Rows<T>& data, Share rows,
                  const Dropout& dropout, Team& team, Done done) {
    if (batch.shared()) {
        chunk_pass(Pass<T>{net, batch.slabs[0], data, dropout}, batch, 0, rows, team, done);
        return team.rank == 0 ? batch.costs[0] : 0;
    }
    const std::int64_t chunks = batch.cuts.chunks(rows.size());
    for (std::int64_t c; (c = team.take()) < chunks && !team.poll();) {
        Team alone = team.alone();
        const std::int64_t from = rows.from + c * batch.cuts.chunk;
        const Share chunk{from, smaller(from + batch.cuts.chunk, rows.to)};
        chunk_pass(Pass<T>{net, batch.slabs[team.rank], data, dropout}, batch, c, chunk, alone,
                   done);
    }
    team.wait();
    if (team.stopped()) return 0;
    add_chunks(net, batch, chunks, team, done);
    double cost = 0;
    for (std::int64_t c = 0; c < chunks; ++c) cost += batch.costs[c];
    return cost;
}

template <class T>
Sums accumulate(const Shape& shape, const T* theta, const Rows<T>& data, T* Delta, Call call,
                bool* ok) {
    const bool direct = !data.order && in_place<T>(shape, data.m);
    const Plan plan{.rows = data.m, .direct = direct, .zeros = many_zeros(shape, data, data.m)};
    Net<T> net{};
    const Arena layers([&](Pieces& p) { lay_out(net, shape, plan, p); });
    Batch<T> batch{cuts_of<T>(shape, data.m, direct), data.m};
    const Arena memory([&](Pieces& p) {
        lay_out_weights(net, theta, Aim::learn, p);
        lay_out_batch(net, batch, call.threads, direct, p);
    });
    Sums sums{0, total_weight(data)};
    *ok = with_team(call, [&](Team& team) {
        pack_share(net, theta, team);
        team.wait();
        const double cost = batch_pass(net, batch, data, {0, data.m}, Dropout{}, team,
                                       [&](int l, Share i, OfInputs<T> Delta_W) {
                                           collect(net, l, batch.chunks[0], i, Delta_W, Delta);
                                           return !team.poll();
                                       });
        if (team.rank == 0) sums.cost = cost;
    });
    return sums;
}

}  // namespace
}  // namespace chainrule
