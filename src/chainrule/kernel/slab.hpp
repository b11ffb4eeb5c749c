// A slab of rows and the accumulator Delta: what is written for them, and where.
//
// The words for pieces of work, from large to small:
//
//   batch   the rows of one step of an epoch, or all rows
//   chunk   some of a batch's rows, with a Delta of their own; one thread's work
//   slab    rows whose activations and deltas fit the second cache and are worked on together
//   share   the rows of a slab, or the inputs of a layer, that belong to one member of the team
//   piece   some rows of a share, taken at a time: a member that has finished takes others' pieces
//   block   some of the inputs of layer 1: z(2) is the sum over the blocks
//   strip   some inputs of a layer whose Delta is summed, and used, before the next ones'
//   group   columns of a packed matrix, up to 3 vectors of them
//   tile    a few rows of a result and one group: the sums that are in registers together
//   list    those k of a tile's sums where A is not 0
//
// A slab has two phases.  First each member works on its rows: forward, cost, delta(L), ...,
// delta(2).  Then each works on its inputs of every layer, the rows of Delta(l) that belong to
// them; each is a sum over all the slab's rows in their order.  Where an epoch's inputs are cut
// into blocks there is a phase before: each member works on a block of the inputs of layer 1.  The
// shapes alone decide how a sum is cut, never the number of threads, so the result has the same
// bits for any of them.
#pragma once
#include "activations.hpp"
#include "layers.hpp"
#include "lists.hpp"
#include "memory.hpp"

namespace chainrule {
namespace {

constexpr std::int64_t grain = 4;  // shares of a slab's rows begin at multiples of this

// The rows of a piece: few, so that nobody waits long for the last one; but each piece reads all
// weights, so few only where those fit the second cache.
template <class T>
std::int64_t piece(const Net<T>& net, const Team& team, std::int64_t rows) {
    constexpr std::int64_t small = 24, bytes = 512 * 1024;
    return team.size > 1 && net.size * static_cast<std::int64_t>(sizeof(T)) < bytes ? small : rows;
}

// On how many members' shares a member works: first on its own, whose data is in its cache, then on
// what the others have not begun of theirs.
inline int helped(const Team& team) { return team.size; }

template <class T>
struct Slab {
    bool direct;            // a(1) are rows of X itself
    T** a;                  // a(l), l = 1..L-1 at l - 1; (rows, ld), block after block
    std::int64_t of_block;  // numbers from a block of a(1) to the next
    T* parts;  // (blocks - 1, rows, ld) of z(2): the sums over all blocks of inputs but the first
    std::int64_t of_part;  // numbers
    T** slope_from;        // what g'(z(l)) is written from, likewise: a(l) itself, or z(l)
    T** delta;             // delta(l), l = 2..L at l - 1; (rows, ld)
    T* cost;               // (rows, K): the terms of the cost
    // The next two have the rows of a piece, which begins at row `from`, at outputs_at(net, from),
    // (rows, K) without gaps.
    T* z;  // z(L); then h or, to learn from, delta(L)
    T* y;  // y; then the terms of the cost
    T* w;  // (rows,), where rows have weights
    // Each member's own:
    T* across;  // (K, lanes): a vector of rows, one in each lane
    std::int64_t of_across;
    std::int32_t* lists;  // for `product`
    std::int64_t of_lists;
};

// Members write whole vectors, and no two of them into the same one.
template <class T>
std::int64_t outputs_at(const Net<T>& net, std::int64_t from) {
    return from * padded<T>(net(net.L).s);
}

template <class T>
void lay_out_slab(const Net<T>& net, std::int64_t rows, int members, bool direct, Aim aim,
                  Slab<T>& slab, Pieces& pieces) {
    slab.direct = direct;
    slab.of_part = rows * net(2).ld + apart<T>;
    slab.parts = pieces.take<T>((net(1).blocks - 1) * slab.of_part);
    slab.a = pieces.take<T*>(net.L);
    slab.slope_from = pieces.take<T*>(net.L);
    slab.delta = pieces.take<T*>(net.L);
    for (int l = 1; l <= net.L; ++l) {
        const Layer<T>& layer = net(l);
        const std::int64_t of_block = rows * layer.ld + (layer.blocks > 1 ? apart<T> : 0);
        if (l == 1) slab.of_block = of_block;
        T* a = (l == 1 && direct) || l == net.L ? nullptr : pieces.take<T>(layer.blocks * of_block);
        T* delta = aim == Aim::learn && l > 1 ? pieces.take<T>(rows * layer.ld) : nullptr;
        const bool keep_z = aim == Aim::learn && l > 1 && l < net.L && is_from_z(layer.g);
        T* z = keep_z ? pieces.take<T>(rows * layer.ld) : a;
        if (!pieces.base) continue;
        slab.a[l - 1] = a;
        slab.slope_from[l - 1] = z;
        slab.delta[l - 1] = delta;
    }
    slab.cost = pieces.take<T>(rows * net(net.L).s);
    slab.z = pieces.take<T>(outputs_at(net, rows));
    slab.y = pieces.take<T>(outputs_at(net, rows));
    slab.w = pieces.take<T>(rows);
    slab.of_across = net.output == Output::softmax ? lanes<T> * net(net.L).s + apart<T> : 0;
    slab.across = pieces.take<T>(members * slab.of_across);
    slab.of_lists = 0;
    if (net(1).zeros) slab.of_lists = Lists::most * Lists::room(depth);  // of columns
    for (std::int64_t k = 0; k < net(1).blocks && net(1).zeros; ++k) {
        const std::int64_t inputs = block_of(net(1), k).size();
        slab.of_lists = larger(slab.of_lists, Lists::at_a_time(inputs) * Lists::room(inputs));
    }
    slab.of_lists += apart<std::int32_t>;
    slab.lists = pieces.take<std::int32_t>(members * slab.of_lists);
}

// Inputs of a strip: their Delta is still in the cache when it is used.
template <class T>
constexpr std::int64_t strip = 3 * lanes<T>;

// Where Delta(l) of some inputs lies.
template <class T>
struct OfInputs {
    T* W;       // of the upright units, as W does: (inputs, ld_Delta)
    T* turned;  // of the others, transposed: (units, ld_turned)
};

// The sums over rows: of every input; or, where a batch is one slab, of the strip that each member
// is at.
template <class T>
struct Accumulator {
    OfInputs<T>* Delta;  // Delta(l); no W where only strips are kept
    T** Delta_b;         // the bias row of Delta(l)
    T* strips;
    std::int64_t of_strip;  // numbers

    // Delta(l) of inputs `from`, ...
    OfInputs<T> of(const Net<T>& net, int l, std::int64_t from, int member) const {
        const OfInputs<T> all = Delta[l - 1];
        return {all.W ? all.W + from * net(l).ld_Delta : strips + member * of_strip,
                all.turned + from};
    }
};

// `members` of the team each get a strip; if 0, all of Delta is kept.
template <class T>
void lay_out_accumulator(const Net<T>& net, int members, Accumulator<T>& sums, Pieces& pieces) {
    sums.Delta = pieces.take<OfInputs<T>>(net.L);
    sums.Delta_b = pieces.take<T*>(net.L);
    sums.of_strip = 0;
    for (int l = 1; l < net.L; ++l) {
        const Layer<T>& layer = net(l);
        if (members > 0) sums.of_strip = larger(sums.of_strip, strip<T> * layer.ld_Delta);
        T* b = pieces.take<T>(padded<T>(layer.next));
        T* W = members > 0 ? nullptr : pieces.take<T>(layer.s * layer.ld_Delta);
        T* turned = pieces.take<T>((layer.next - layer.upright) * layer.ld_turned);
        if (!pieces.base) continue;
        sums.Delta[l - 1] = {W, turned};
        sums.Delta_b[l - 1] = b;
    }
    sums.of_strip += apart<T>;
    sums.strips = pieces.take<T>(members * sums.of_strip);
}

// Go through the slabs, whose n rows begin at `begin`.  Each member calls `rows_of(begin, from,
// to)` for its share of the rows, which begins at a multiple of `grain`; when the whole team has
// done so, each calls `sums_of(begin, n)`.
template <class RowsOf, class SumsOf>
void slab_after_slab(std::int64_t m, std::int64_t slab, std::int64_t grain, Team& team,
                     RowsOf rows_of, SumsOf sums_of) {
    for (std::int64_t begin = 0; begin < m && !team.stopped(); begin += slab) {
        const std::int64_t n = smaller(slab, m - begin);
        const Share mine = part(n, grain, team.rank, team.size);
        if (mine.from < mine.to) rows_of(begin, mine.from, mine.to);
        team.wait();
        sums_of(begin, n);
        team.poll();
        team.wait();
    }
}

}  // namespace
}  // namespace chainrule
