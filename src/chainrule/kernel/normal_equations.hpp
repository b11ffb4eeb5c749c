// The normal equations of a squared-error network: J, its gradient D from Jac^T r, and H from Jac^T
// Jac. The reference is chainrule.notes.second_order.
//
// Each example and output is a residual r = h_k - y_k, and the sum of r^2/2 is the cost.  A row of
// the Jacobian is backpropagation that starts from the unit vector e_k in place of delta(L) = a(L)
// - y:
//
//     dr / dTheta_ij(l) = a_j(l) delta_i(l+1)        with a_0 = 1 for the bias
//
// The Jacobian is never formed.  An element of Jac^T Jac is a sum over the examples of
//
//     a_j(l) a_j'(l')  times  the sum over k of delta_i(l+1) delta_i'(l'+1)
//
// so that for two layers l <= l' it is a product of matrices, P Q^T: a row of P has the products of
// two activations, a row of Q those of two deltas, and each column is an example.  K outputs cost
// little more than one.  Within one layer, the pairs with j <= j' and i <= i' give all the others:
// a quarter of the block.
#pragma once
#include "batch.hpp"
#include "memory.hpp"
#include "residuals.hpp"
#include "sums.hpp"

namespace chainrule {
namespace {

// C (R, V) := P Q^T over n vectors of columns, or C += P Q^T.
template <class T, int R, int V>
inline __attribute__((always_inline)) void inner_tile(std::int64_t n, const T* p, const T* q,
                                                      std::int64_t ld, View<T> C, bool add) {
    vec<T> sums[R][V] = {};
    for (std::int64_t t = 0; t < n * lanes<T>; t += lanes<T>) {
        vec<T> of_q[V];
#pragma GCC unroll 6
        for (int v = 0; v < V; ++v) of_q[v] = load(q + v * ld + t);
#pragma GCC unroll 4
        for (int r = 0; r < R; ++r) {
            const vec<T> of_p = load(p + r * ld + t);
#pragma GCC unroll 6
            for (int v = 0; v < V; ++v) sums[r][v] += of_p * of_q[v];
        }
    }
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 6
        for (int v = 0; v < V; ++v) {
            T& c = C.data[r * C.stride + v];
            c = (add ? c : T(0)) + sum<T>(sums[r][v]);
        }
}

// A tile, or what is left of one.
template <class T, int R, int V>
void inner_tile_of(Sizes left, const T* p, const T* q, std::int64_t ld, View<T> C, bool add) {
    if constexpr (R > 1) {
        if (left.rows < R) return inner_tile_of<T, R - 1, V>(left, p, q, ld, C, add);
    }
    if constexpr (V > 1) {
        if (left.columns < V) return inner_tile_of<T, R, V - 1>(left, p, q, ld, C, add);
    }
    inner_tile<T, R, V>(left.K, p, q, ld, C, add);
}

// C (rows, columns) := P Q^T over K vectors of columns, or C += P Q^T; C has no gaps.
template <class T>
void inner_products(Sizes size, const T* p, const T* q, std::int64_t ld, T* c, bool add) {
    constexpr int R = tile_registers == 24 ? 4 : 3, V = tile_registers / R;
    for (std::int64_t j = 0; j < size.columns; j += V)
        for (std::int64_t i = 0; i < size.rows; i += R)
            inner_tile_of<T, R, V>({size.rows - i, size.columns - j, size.K}, p + i * ld,
                                   q + j * ld, ld, View<T>{c + i * size.columns + j, size.columns},
                                   add);
}

// A part of the product P Q^T for layers l and l2.  Its rows of P belong to inputs j in [j0, j1) of
// layer l, where 0 is the bias, each with its partners in layer l2; its rows of Q to units i in
// [i0, i1) of layer l + 1, likewise.
struct Part {
    int l, l2;
    std::int64_t j0, j1, i0, i1;
    std::int64_t P, Q;   // rows
    std::int64_t start;  // in `products`

    std::int64_t first_partner(std::int64_t of) const { return l == l2 ? of : 0; }
};

constexpr std::int64_t columns_at_a_time = 256;
// Rows of P, and of Q: in float64 both together take half of a second cache of 1 MB.
constexpr std::int64_t pairs_at_a_time = 128;

// Call f(part) for each part in turn; the shapes alone decide how they are cut.
template <class T, class F>
void each_part(const Net<T>& net, F f) {
    // Find `to`, such that `from`, ..., to - 1 have as many pairs as a part takes; return their
    // number
    const auto pairs = [](const Part& part, std::int64_t from, std::int64_t n,
                          std::int64_t partners, std::int64_t& to) {
        std::int64_t sum = 0;
        for (to = from; to < n; ++to) {
            const std::int64_t more = partners - part.first_partner(to);
            if (to > from && sum + more > pairs_at_a_time) break;
            sum += more;
        }
        return sum;
    };
    Part part{};
    for (part.l = 1; part.l < net.L; ++part.l)
        for (part.l2 = part.l; part.l2 < net.L; ++part.l2) {
            const Layer<T>&one = net(part.l), &two = net(part.l2);
            for (part.j0 = 0; part.j0 <= one.s; part.j0 = part.j1) {
                part.P = pairs(part, part.j0, one.s + 1, two.s + 1, part.j1);
                for (part.i0 = 0; part.i0 < one.next; part.i0 = part.i1) {
                    part.Q = pairs(part, part.i0, one.next, two.next, part.i1);
                    f(part);
                    part.start += part.P * part.Q;
                }
            }
        }
}

// Compute a part's P Q^T over the n columns of a slab, or add it to what is there.
template <class T>
void add_part(const Net<T>& net, const Residuals<T>& of, const Part& part, std::int64_t n, T* P,
              T* Q, T* products, bool add) {
    const std::int64_t K = net(net.L).s, ld = of.ld, end = padded<T>(n);
    T* row = P;
    for (std::int64_t j = part.j0; j < part.j1; ++j)
        for (std::int64_t j2 = part.first_partner(j); j2 <= net(part.l2).s; ++j2, row += ld)
            multiply(row, of.a[part.l - 1] + j * ld, of.a[part.l2 - 1] + j2 * ld, end, false);
    row = Q;
    for (std::int64_t i = part.i0; i < part.i1; ++i)
        for (std::int64_t i2 = part.first_partner(i); i2 < net(part.l2).next; ++i2, row += ld)
            for (std::int64_t k = 0; k < K; ++k)
                multiply(row, of.delta[k][part.l] + i * ld, of.delta[k][part.l2] + i2 * ld, end,
                         k > 0);
    inner_products({part.P, part.Q, vectors<T>(n)}, P, Q, ld, products + part.start, add);
}

// Set the elements of H that a part's products make, each times 1/m.
template <class T>
void collect(const Net<T>& net, const Part& part, const T* products, T one_over_m, T* H) {
    const Layer<T>&one = net(part.l), &two = net(part.l2);
    const T* value = products + part.start;
    const auto set = [&](std::int64_t j, std::int64_t i, std::int64_t j2, std::int64_t i2) {
        const std::int64_t a = one.start + j * one.next + i, b = two.start + j2 * two.next + i2;
        H[a * net.size + b] = H[b * net.size + a] = one_over_m * *value;
    };
    for (std::int64_t j = part.j0; j < part.j1; ++j)
        for (std::int64_t j2 = part.first_partner(j); j2 <= two.s; ++j2)
            for (std::int64_t i = part.i0; i < part.i1; ++i)
                for (std::int64_t i2 = part.first_partner(i); i2 < two.next; ++i2, ++value) {
                    set(j, i, j2, i2);
                    if (part.l == part.l2) set(j, i2, j2, i);
                }
}

// With lambda for each component of theta, or null for none,
//
//     D := 1/m (the sum of Jac^T r + lambda theta),   H := 1/m (the sum of Jac^T Jac + lambda I)
//
// of shapes (size,) and (size, size); returns J.  Unless `mean`, m is 1: these are the sums
// over a block of rows.
template <class T>
double normal_equations(const Shape& shape, const T* theta, const Rows<T>& data, const T* lambdas,
                        bool mean, T* H, T* D, Call call, bool* ok) {
    Net<T> net{};
    const Arena layers([&](Pieces& p) { lay_out(net, shape, Plan{.rows = data.m}, p); });
    const int L = net.L;
    const std::int64_t K = net(L).s;
    std::int64_t P = 0, Q = 0, all_products = 0;
    each_part(net, [&](const Part& part) {
        P = larger(P, part.P), Q = larger(Q, part.Q);
        all_products = part.start + part.P * part.Q;
    });
    const std::int64_t slab = smaller(data.m, columns_at_a_time);
    Residuals<T> of{};
    T *products = nullptr, *P_of_all = nullptr, *Q_of_all = nullptr;
    const Arena memory([&](Pieces& p) {
        lay_out_residuals(net, slab, of, p);
        P_of_all = p.take<T>(call.threads * P * of.ld);
        Q_of_all = p.take<T>(call.threads * Q * of.ld);
        products = p.take<T>(all_products);
    });

    const double m = mean ? total_weight(data) : 1;
    const T one_over_m = static_cast<T>(1 / m);
    double cost = 0;
    *ok = with_team(call, [&](Team& team) {
        slab_after_slab(
            data.m, slab, 64 / static_cast<std::int64_t>(sizeof(T)), team,
            [&](std::int64_t begin, std::int64_t from, std::int64_t to) {
                residual_columns(net, theta, of, data, begin, from, to);
            },
            [&](std::int64_t begin, std::int64_t n) {
                const bool add = begin > 0;
                if (team.rank == 0) {
                    for (std::int64_t k = 0; k < K; ++k)
                        cost += dot(of.r + k * of.ld, of.r + k * of.ld, n) / 2;
                    for (int l = 1; l < L; ++l)
                        inner_products({net(l).s + 1, net(l).next, vectors<T>(n)}, of.a[l - 1],
                                       of.delta_r[l], of.ld, D + net(l).start, add);
                }
                std::int64_t mine = team.take(), number = 0;
                each_part(net, [&](const Part& part) {
                    if (number++ != mine || team.poll()) return;
                    add_part(net, of, part, n, P_of_all + team.rank * P * of.ld,
                             Q_of_all + team.rank * Q * of.ld, products, add);
                    mine = team.take();
                });
            });
        std::int64_t number = 0;
        each_part(net, [&](const Part& part) {
            if (number++ % team.size == team.rank && !team.poll())
                collect(net, part, products, one_over_m, H);
        });
    });
    for (std::int64_t i = 0; i < net.size; ++i) {
        if (lambdas) {
            const T slope = lambdas[i] * theta[i];
            cost += static_cast<double>(theta[i]) * static_cast<double>(slope) / 2;
            D[i] += slope;
            H[i * (net.size + 1)] += one_over_m * lambdas[i];
        }
        D[i] *= one_over_m;
    }
    return cost / m;
}

}  // namespace
}  // namespace chainrule
