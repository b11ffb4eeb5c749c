// The hypothesis, and the cost, of many rows and of a few.
#pragma once
#include "activations.hpp"
#include "batch.hpp"
#include "memory.hpp"
#include "narrow.hpp"
#include "outputs.hpp"
#include "rows.hpp"
#include "sums.hpp"

namespace chainrule {
namespace {

template <class T>
bool all_finite(const T* x, std::int64_t n) {
    vec<T> zero{};
    std::int64_t i = 0;
    for (; i + lanes<T> <= n; i += lanes<T>)
        zero += load(x + i) * T(0);  // NaN, if one is not finite
    T rest = sum<T>(zero);
    for (; i < n; ++i) rest += x[i] * T(0);
    return rest == 0;
}

constexpr std::int64_t block_rows = 96;  // that one thread predicts at a time
constexpr std::int64_t few = 4;          // rows up to which W is used as it lies in theta

// h for a few rows, one after the other.  Returns whether every z is finite: where X or theta is
// not, some z is not (infinity times 0 is NaN), though h may be.
template <class T>
bool forward_few(const Shape& shape, const T* theta, const T* X, std::int64_t m, T* h) {
    std::int64_t widest = 0;
    for (int l = 1; l <= shape.L; ++l) widest = larger(widest, padded<T>(shape.s[l - 1]));
    const Scratch memory(static_cast<std::size_t>(2 * widest) * sizeof(T));
    const std::int64_t K = shape.s[shape.L - 1];
    bool finite = true;
    for (std::int64_t t = 0; t < m; ++t) {
        T* z = static_cast<T*>(memory.data);
        T* free = z + widest;
        const T* a = X + t * shape.s[0];
        const T* block = theta;
        for (int l = 1; l < shape.L; ++l) {
            const std::int64_t s = shape.s[l - 1], next = shape.s[l];
            row_product(s, next, a, block, block + next, z);
            finite = all_finite(z, next) && finite;
            if (l + 1 < shape.L) activate_all<T>(shape.g[l - 1], z, z, padded<T>(next));
            block += (s + 1) * next;
            a = z;
            T* const other = free;
            free = z;
            z = other;
        }
        output_row(shape.output, free, K);
        for (std::int64_t k = 0; k < K; ++k) h[t * K + k] = free[k];
    }
    return finite;
}

// h, or to learn the cost, of all rows, block_rows of them at a time: calls done(team, slab, begin,
// n) when a member has those of rows begin, ..., begin + n - 1; and before(net, slab, begin, n)
// before that, while slab.z is still z(L).
template <class T, class Done, class Before>
bool forward_blocks(const Shape& shape, const T* theta, const Rows<T>& data, Aim aim, Call call,
                    Done done, Before before) {
    const Plan plan{.direct = in_place<T>(shape, 0), .zeros = many_zeros(shape, data, 0)};
    const std::int64_t rows = smaller(data.m, block_rows), blocks = (data.m + rows - 1) / rows;
    call.threads = static_cast<int>(smaller<std::int64_t>(call.threads, blocks));
    Net<T> net{};
    const Arena layers([&](Pieces& p) { lay_out(net, shape, plan, p); });
    Slab<T>* slabs = nullptr;
    const Arena memory([&](Pieces& p) {
        lay_out_weights(net, theta, Aim::predict, p);
        slabs = p.take<Slab<T>>(call.threads);
        for (int i = 0; i < call.threads; ++i) {
            Slab<T> none{};
            lay_out_slab(net, rows, 1, plan.direct, aim, p.base ? slabs[i] : none, p);
        }
    });
    return with_team(call, [&](Team& team) {
        pack_share(net, theta, team);
        team.wait();
        Slab<T>& slab = slabs[team.rank];
        const Dropout none{};
        const Pass<T> pass{net, slab, data, none};
        Team alone = team.alone();
        for (std::int64_t block; (block = team.take()) < blocks && !team.poll();) {
            const std::int64_t begin = block * rows, n = smaller(rows, data.m - begin);
            const Span span{begin, 0, n};
            if (plan.direct) slab.a[0] = const_cast<T*>(data.X) + begin * shape.s[0];
            gather_inputs(pass, span, 0);
            gather_outputs(pass, span);
            forward_rows(pass, span, alone);
            before(net, slab, begin, n);
            output_rows(net, slab, 0, {0, n}, data.weights != nullptr, aim);
            done(team, slab, begin, n);
        }
    });
}

template <class T, class Done>
bool forward_blocks(const Shape& shape, const T* theta, const Rows<T>& data, Aim aim, Call call,
                    Done done) {
    const auto nothing = [](const Net<T>&, const Slab<T>&, std::int64_t, std::int64_t) {};
    return forward_blocks(shape, theta, data, aim, call, done, nothing);
}

template <class T>
bool forward(const Shape& shape, const T* theta, const T* X, std::int64_t m, T* h, Call call,
             bool* ok) {
    const std::int64_t s = shape.s[0], K = shape.s[shape.L - 1];
    if (m <= few) {
        call.threads = 1;
        bool finite = false;
        *ok = with_team(call, [&](Team&) { finite = forward_few(shape, theta, X, m, h); });
        return finite;
    }
    const Scratch memory(static_cast<std::size_t>(call.threads) * sizeof(bool));
    bool* const infinite = static_cast<bool*>(memory.data);  // what each thread finds
    for (int i = 0; i < call.threads; ++i) infinite[i] = false;
    infinite[0] = !all_finite(theta, size_of(shape));
    Rows<T> data{};
    data.m = m, data.X = X;
    *ok = forward_blocks(shape, theta, data, Aim::predict, call,
                         [&](Team& team, const Slab<T>& slab, std::int64_t begin, std::int64_t n) {
                             copy(slab.z, n * K, h + begin * K);
                             if (!all_finite(X + begin * s, n * s)) infinite[team.rank] = true;
                         });
    for (int i = 0; i < call.threads; ++i)
        if (infinite[i]) return false;
    return true;
}

// a(2), ..., a(L) and z(L) of all rows.
template <class T>
void activations(const Shape& shape, const T* theta, const T* X, std::int64_t m, T* const* a, T* z,
                 Call call, bool* ok) {
    const std::int64_t K = shape.s[shape.L - 1];
    Rows<T> data{};
    data.m = m, data.X = X;
    const auto of_layers = [&](const Net<T>& net, const Slab<T>& slab, std::int64_t begin,
                               std::int64_t n) {
        for (int l = 2; l < shape.L; ++l) {
            const std::int64_t s = net(l).s, ld = net(l).ld;
            for (std::int64_t r = 0; r < n; ++r)
                copy(slab.a[l - 1] + r * ld, s, a[l - 2] + (begin + r) * s);
        }
        copy(slab.z, n * K, z + begin * K);
    };
    *ok = forward_blocks(
        shape, theta, data, Aim::predict, call,
        [&](Team&, const Slab<T>& slab, std::int64_t begin, std::int64_t n) {
            copy(slab.z, n * K, a[shape.L - 2] + begin * K);
        },
        of_layers);
}

template <class T>
Sums cost(const Shape& shape, const T* theta, const Rows<T>& data, Call call, bool* ok) {
    const std::int64_t blocks = (data.m + block_rows - 1) / block_rows;
    const Scratch memory(static_cast<std::size_t>(blocks) * sizeof(double));
    double* const costs = static_cast<double*>(memory.data);
    *ok = forward_blocks(shape, theta, data, Aim::learn, call,
                         [&](Team&, const Slab<T>& slab, std::int64_t begin, std::int64_t n) {
                             costs[begin / block_rows] =
                                 sum_of(slab.cost, n * shape.s[shape.L - 1]);
                         });
    Sums sums{0, total_weight(data)};
    for (std::int64_t block = 0; block < blocks; ++block) sums.cost += costs[block];
    return sums;
}

}  // namespace
}  // namespace chainrule
