// What L-BFGS and Levenberg-Marquardt solve in each of their steps; they know no network.
#pragma once
#include "memory.hpp"
#include "product.hpp"
#include "sums.hpp"

namespace chainrule {
namespace {

// q := scale q + factor x; returns w . q, summed in float64 in an order that depends on the length
// alone.  One pass does both, for the recursion's speed is that of s and y coming from memory.
template <class T>
double add_and_dot(T* __restrict q, double scale, double factor, const T* x, const T* w,
                   std::int64_t n) {
    constexpr int ways = 16;
    const T a = static_cast<T>(scale), b = static_cast<T>(factor);
    double sums[ways] = {};
    std::int64_t i = 0;
    for (; i + ways <= n; i += ways)
        for (int k = 0; k < ways; ++k) {
            q[i + k] = a * q[i + k] + b * x[i + k];
            sums[k] += static_cast<double>(w[i + k]) * static_cast<double>(q[i + k]);
        }
    for (; i < n; ++i) {
        q[i] = a * q[i] + b * x[i];
        sums[i % ways] += static_cast<double>(w[i]) * static_cast<double>(q[i]);
    }
    double s = 0;
    for (int k = 0; k < ways; ++k) s += sums[k];
    return s;
}

// q := -H D by algorithm 7.4 of Nocedal and Wright, where H is the inverse Hessian that the pairs
// make of scale times I.  Each pass over q ends one of its steps and begins the next.  alpha has
// room for one number per pair.  Ctrl-C is asked for every 20 ms or so, if anybody is to be asked.
template <class T>
void two_loop(const T* D, const Pairs<T>& pairs, double scale, std::int64_t n, double* alpha, T* q,
              Interrupted interrupted, bool* ok) {
    constexpr std::int64_t often = 10'000'000;  // numbers
    std::int64_t done = 0;
    *ok = true;
    const auto goes_on = [&] {
        done += n;
        if (done > often && interrupted) {
            done = 0;
            *ok = !interrupted();
        }
        return *ok;
    };
    for (std::int64_t i = 0; i < n; ++i) q[i] = -D[i];
    if (pairs.count == 0) return;
    const int last = pairs.count - 1;
    double sq = dot(pairs.s[last], q, n);
    for (int i = last; i >= 0 && goes_on(); --i) {
        alpha[i] = sq / pairs.sy[i];
        if (i > 0) sq = add_and_dot(q, 1, -alpha[i], pairs.y[i], pairs.s[i - 1], n);
    }
    double yq = add_and_dot(q, scale, -alpha[0] * scale, pairs.y[0], pairs.y[0], n);
    for (int i = 0; i <= last && goes_on(); ++i)
        yq = add_and_dot(q, 1, alpha[i] - yq / pairs.sy[i], pairs.s[i],
                         pairs.y[i < last ? i + 1 : i], n);
}

// Solve A p = -D for A = H + damping diag(scale) by Cholesky: A = U^T U, computed a band of rows of
// U at a time, with -D as one more column of A.  The share that it returns is about one over the
// condition of A scaled to a unit diagonal.  Where A is not positive definite, the share is at most
// 0 or nan, and p is not set.  The gain is -D.p - p.Hp/2, which by A p = -D is
// (p.(damping scale p) - D.p)/2.  Ctrl-C is asked for every 20 ms or so.
template <class T>
DampedStep solve_damped(const T* H, const T* scale, T damping, const T* D, std::int64_t n, T* p,
                        Interrupted interrupted, bool* ok) {
    constexpr std::int64_t often = 200'000'000;  // multiplications
    std::int64_t done = 0;
    *ok = true;
    constexpr std::int64_t band = 16;
    const std::int64_t ld = padded<T>(n + 1) + lanes<T>;  // products end in whole vectors
    const Scratch memory(static_cast<std::size_t>(n * ld) * sizeof(T));
    T* U = static_cast<T*>(memory.data);
    T least = 1;
    for (std::int64_t from = 0; from < n; from += band) {
        const std::int64_t rows = smaller(band, n - from);
        done += rows * from * (n - from);
        if (done > often) {
            done = 0;
            *ok = !interrupted();
            if (!*ok) return {};
        }
        if (from > 0)
            product<T, By::columns>({rows, n + 1 - from, from}, {U + from, ld}, {U + from, ld},
                                    {U + from * ld + from, ld});
        for (std::int64_t k = from; k < from + rows; ++k) {
            T* __restrict u = U + k * ld;
            const T* __restrict h = H + k * n;
            const T whole = h[k] + damping * scale[k];
            for (std::int64_t j = k; j <= n; ++j) {
                const T a = j == n ? -D[k] : j == k ? whole : h[j];
                u[j] = from > 0 ? a - u[j] : a;
            }
            // Whole vectors are computed; what lies before column k and after n is set to 0, for
            // memory may hold denormal numbers, which are slow
            const std::int64_t first = k / lanes<T> * lanes<T>;
            for (std::int64_t j = first; j < k; ++j) u[j] = 0;
            for (std::int64_t j = n + 1; j < padded<T>(n + 1); ++j) u[j] = 0;
            for (std::int64_t j = first; j <= n; j += lanes<T>) {
                vec<T> row = load(u + j);
                for (std::int64_t i = from; i < k; ++i) row -= U[i * ld + k] * load(U + i * ld + j);
                store(u + j, row);
            }
            if (!(u[k] > 0)) return {static_cast<double>(u[k]), 0};
            const T left = u[k] / whole;
            if (!(left > 0)) return {static_cast<double>(left), 0};  // infinity by infinity
            if (left < least) least = left;
            const T one_over = 1 / square_root(u[k]);
            for (std::int64_t j = first; j <= n; j += lanes<T>)
                store(u + j, load(u + j) * one_over);
        }
    }
    for (std::int64_t k = n - 1; k >= 0; --k) {
        const T* u = U + k * ld;
        p[k] = static_cast<T>((u[n] - dot(u + k + 1, p + k + 1, n - k - 1)) / u[k]);
    }
    double gain = 0;
    for (std::int64_t k = 0; k < n; ++k)
        gain +=
            static_cast<double>(p[k]) * static_cast<double>(damping * scale[k] * p[k] - D[k]) / 2;
    return {static_cast<double>(least), gain};
}

}  // namespace
}  // namespace chainrule
