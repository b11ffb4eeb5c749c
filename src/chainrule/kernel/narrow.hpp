// Two products that a tile would do badly: for a few columns, and for a few rows.
#pragma once
#include "product.hpp"

namespace chainrule {
namespace {

template <class T>
constexpr int most_narrow = lanes<T> < 4 ? lanes<T> : 4;

// B^T as it is packed, `units` rows; the columns of B that are used are its rows from `first` on.
template <class T>
struct Turned {
    const T* data;
    std::int64_t first, units;
};

// C (rows, N) := start + A B for so few columns that a tile would leave most of its lanes empty.
// The vectors run over k: an element is the product of a row of A, whose last vector is masked,
// with a row of B^T, which is filled up with zeros.  Where C has no gaps it has room behind it.
template <class T, int N>
void narrow_product(std::int64_t rows, std::int64_t K, View<const T> A, Turned<T> B_T,
                    const T* start, View<T> C) {
    constexpr int R = lanes<T> / N;
    const Groups<T> groups(K);
    const std::int64_t n = groups.n;
    bits<T> ends;  // the lanes of a row's last vector that belong to it
    for (int i = 0; i < lanes<T>; ++i) ends[i] = -((n - 1) * lanes<T> + i < K);
    T starts[lanes<T>] = {};
    for (int i = 0; i < R * N && start; ++i) starts[i] = start[i % N];
    for (std::int64_t r = 0; r < rows; r += R) {
        const T* row[R];
#pragma GCC unroll 16
        for (int i = 0; i < R; ++i) row[i] = A.data + (r + i < rows ? r + i : rows - 1) * A.stride;
        vec<T> sums[lanes<T>];
#pragma GCC unroll 16
        for (int i = 0; i < lanes<T>; ++i) sums[i] = vec<T>{};
        const T* b = B_T.data;
        for (std::int64_t g = 0, v = 0; g < groups.count; ++g) {
            const std::int64_t from = v, end = groups.first(g + 1),
                               stride = (end - from) * lanes<T>;
            for (; v < end; ++v) {
                const bits<T> within = v + 1 < n ? ~bits<T>{} : ends;
#pragma GCC unroll 16
                for (int i = 0; i < R; ++i) {
                    const auto x = (vec<T>)((bits<T>)load(row[i] + v * lanes<T>) & within);
#pragma GCC unroll 4
                    for (int j = 0; j < N; ++j)
                        sums[i * N + j] +=
                            x * load(b + (B_T.first + j) * stride + (v - from) * lanes<T>);
                }
            }
            b += B_T.units * stride;
        }
        const vec<T> of_rows = sums_of<T>(sums) + load(starts);
        if (C.stride == N) {
            store(C.data + r * N, of_rows);
            continue;
        }
        T numbers[lanes<T>];
        store(numbers, of_rows);
        for (int i = 0; i < R && r + i < rows; ++i)
            __builtin_memcpy(C.data + (r + i) * C.stride, numbers + i * N, N * sizeof(T));
    }
}

template <class T, int N = most_narrow<T>>
void narrow_product(Sizes size, View<const T> A, Turned<T> B_T, const T* start, View<T> C) {
    if constexpr (N > 1)
        if (size.columns < N) return narrow_product<T, N - 1>(size, A, B_T, start, C);
    narrow_product<T, N>(size.rows, size.K, A, B_T, start, C);
}

// z (rows, N) = a W + b with W as it lies in theta: for a few rows, packing W would take longer
// than using it.  A group of vectors runs over all of a row of W.  The last vector ends where the
// row does, so it may overlap the one before it: what both compute is the same.
template <class T, int V>
inline void row_times_matrix(std::int64_t K, std::int64_t N, std::int64_t from, const T* a,
                             const T* b, const T* W, T* z) {
    std::int64_t at[V];
    vec<T> sums[V];
#pragma GCC unroll 14
    for (int v = 0; v < V; ++v) {
        at[v] = from + v * lanes<T>;
        if (at[v] > N - lanes<T>) at[v] = N - lanes<T>;
        sums[v] = load(b + at[v]);
    }
    const std::int64_t last = at[V - 1];
    const T* w = W + from;
    for (std::int64_t k = 0; k < K; ++k) {
        const vec<T> x = all<T>(a[k]);
#pragma GCC unroll 14
        for (int v = 0; v < V - 1; ++v) sums[v] += x * load(w + v * lanes<T>);
        sums[V - 1] += x * load(w + (last - from));
        w += N;
    }
#pragma GCC unroll 14
    for (int v = 0; v < V; ++v) store(z + at[v], sums[v]);
}

template <class T, int V>
inline void row_times_group(std::int64_t n, std::int64_t K, std::int64_t N, std::int64_t from,
                            const T* a, const T* b, const T* W, T* z) {
    if (n >= V) row_times_matrix<T, V>(K, N, from, a, b, W, z);
    else if constexpr (V > 1) row_times_group<T, V - 1>(n, K, N, from, a, b, W, z);
}

template <class T>
void row_product(std::int64_t K, std::int64_t N, const T* a, const T* b, const T* W, T* z) {
    if (N < lanes<T>) {
        for (std::int64_t j = 0; j < N; ++j) z[j] = b[j];
        for (std::int64_t k = 0; k < K; ++k)
            for (std::int64_t j = 0; j < N; ++j) z[j] += a[k] * W[k * N + j];
        return;
    }
    constexpr int most = 14;  // of 16 registers: a broadcast takes another
    const std::int64_t n = vectors<T>(N), groups = (n + most - 1) / most;
    for (std::int64_t g = 0; g < groups; ++g) {
        const std::int64_t from = g * n / groups;
        row_times_group<T, most>((g + 1) * n / groups - from, K, N, from * lanes<T>, a, b, W, z);
    }
}

}  // namespace
}  // namespace chainrule
