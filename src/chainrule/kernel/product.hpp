// The three matrix products of the notes, as one register tile.
//
//   forward    z(l+1) = a(l) W + b            rows of a,          times panels of W
//   backward   delta(l) = delta(l+1) W^T      rows of delta,      times panels of W^T
//   Delta      Delta(l) = a(l)^T delta(l+1)   columns of a,       times rows of delta
//
// A tile keeps R x V vectors of the result in registers while k runs: V loads and R broadcasts feed
// R V multiply-adds.  With 16 registers 4 x 3, 6 x 2 and 12 x 1 keep both FMA units busy.
#pragma once
#include "lists.hpp"

namespace chainrule {
namespace {

// What a sum begins from: 0; a row, the same for all rows of C (a bias); or what C holds.
template <class T>
struct Begin {
    const T* row = nullptr;
    bool from_C = false;

    Begin at(std::int64_t column) const { return {row ? row + column : nullptr, from_C}; }
};

// A as a tile reads it: A(r, k) is a[r * row + k * column].
template <class T>
struct Strided {
    const T* a;
    std::int64_t row, column;
};

// C (R rows, V vectors) := begin + sum over k of A(r, k) B(k, v).
template <class T, int R, int V, class Ks>
inline __attribute__((always_inline)) void tile(Ks ks, Strided<T> A, View<const T> B, View<T> C,
                                                Begin<T> begin) {
    vec<T> sums[R][V];
#pragma GCC unroll 12
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 3
        for (int v = 0; v < V; ++v)
            sums[r][v] = begin.row ? load(begin.row + v * lanes<T>) : vec<T>{};
    for (std::int64_t i = 0; i < ks.n; ++i) {
        const std::int64_t k = ks[i];
        vec<T> w[V];
#pragma GCC unroll 3
        for (int v = 0; v < V; ++v) w[v] = load(B.data + k * B.stride + v * lanes<T>);
#pragma GCC unroll 12
        for (int r = 0; r < R; ++r) {
            const T x = A.a[r * A.row + k * A.column];
#pragma GCC unroll 3
            for (int v = 0; v < V; ++v) sums[r][v] += all<T>(x) * w[v];
        }
    }
#pragma GCC unroll 12
    for (int r = 0; r < R; ++r) {
        T* to = C.data + r * C.stride;
#pragma GCC unroll 3
        for (int v = 0; v < V; ++v)
            store(to + v * lanes<T>,
                  begin.from_C ? load(to + v * lanes<T>) + sums[r][v] : sums[r][v]);
    }
}

// A tile of R rows, or of as many as are left.
template <class T, int V, By by, int R, class Ks>
inline void tile_of(std::int64_t rows, Ks ks, View<const T> A, View<const T> B, View<T> C,
                    Begin<T> begin) {
    if (rows >= R) {
        if constexpr (by == By::columns) tile<T, R, V>(ks, {A.data, 1, A.stride}, B, C, begin);
        else tile<T, R, V>(ks, {A.data, A.stride, 1}, B, C, begin);
    } else if constexpr (R > 1) {
        tile_of<T, V, by, R - 1>(rows, ks, A, B, C, begin);
    }
}

// A with row r, as `by` reads it, for the first.
template <By by, class T>
inline View<const T> rows_from(View<const T> A, std::int64_t r) {
    return {A.data + r * (by == By::columns ? 1 : A.stride), A.stride};
}

template <class T, By by, class Ks, int V = 3>
void rows_of_tiles(std::int64_t v, std::int64_t rows, const Ks& ks, View<const T> A,
                   View<const T> B, View<T> C, Begin<T> begin) {
    if constexpr (V > 1)
        if (v < V) return rows_of_tiles<T, by, Ks, V - 1>(v, rows, ks, A, B, C, begin);
    constexpr int most = Ks::tile_rows, R = tile_registers / V < most ? tile_registers / V : most;
    for (std::int64_t r = 0; r < rows; r += R)
        tile_of<T, V, by, R>(rows - r, ks(r), rows_from<by>(A, r), B,
                             {C.data + r * C.stride, C.stride}, begin);
}

// A packed matrix: its columns are in groups of up to 3 vectors, and in each group one row follows
// the other without a gap, so that the loads of a tile run through memory in one go.
template <class T>
inline View<const T> packed(const T* data) {
    return {data, 0};
}

// The groups of N columns; the last is about as wide as the others, so that no loop has a tail.
template <class T>
struct Groups {
    std::int64_t n, count;  // vectors, groups

    explicit Groups(std::int64_t N) : n(vectors<T>(N)), count((n + 2) / 3) {}
    std::int64_t first(std::int64_t g) const { return g * n / count; }  // vector of group g
};

// Delta sums over at most this many rows at a time: those of a group of 3 vectors stay in the first
// cache while all of its tiles go over them.
constexpr std::int64_t depth = 144;

// Of a product C = A B: C is (rows, columns), and K terms make an element.
struct Sizes {
    std::int64_t rows, columns, K;
};

// The team asks whether to stop after a group of this many multiply-adds: tens of microseconds.
constexpr std::int64_t long_group = 1 << 20;

// C := begin + A B.  The rows of C must have room for whole vectors; or they have no gaps between
// them, room behind the last, and do not begin from C: what a row's last vector covers is then
// written later.  B is packed or not.  With room for Lists::at_a_time(K) `lists` of Lists::room(K)
// numbers, the zeros of A are passed over: the sums have the same bits, but for the sign of a 0,
// where B is finite.  Where a team is given and is to stop, C may be left unfinished.
template <class T, By by>
void product(Sizes size, View<const T> A, View<const T> B, View<T> C, Begin<T> begin = {},
             std::int32_t* lists = nullptr, Team* team = nullptr) {
    if constexpr (by == By::columns)
        for (std::int64_t parts = (size.K + depth - 1) / depth; parts > 1; --parts) {
            const std::int64_t some = size.K / parts;
            product<T, by>({size.rows, size.columns, some}, A, B, C, begin, lists, team);
            size.K -= some, A.data += some * A.stride, B.data += some * B.stride,
                begin.from_C = true;
        }
    const auto [rows, N, K] = size;
    const auto times_groups = [&, N = N, K = K](std::int64_t r, std::int64_t some, const auto& ks) {
        const Groups<T> groups(N);
        const View<const T> of_A = rows_from<by>(A, r);
        T* of_c = C.data + r * C.stride;
        const bool gaps = C.stride >= padded<T>(N);
        for (std::int64_t i = 0; i < groups.count; ++i) {
            const std::int64_t g = gaps ? i : groups.count - 1 - i;
            const std::int64_t first = groups.first(g), V = groups.first(g + 1) - first,
                               from = first * lanes<T>;
            const View<const T> of_B = B.stride ? View<const T>{B.data + from, B.stride}
                                                : View<const T>{B.data + from * K, V * lanes<T>};
            rows_of_tiles<T, by>(V, some, ks, of_A, of_B, View<T>{of_c + from, C.stride},
                                 begin.at(from));
            if (team && some * V * lanes<T> * K >= long_group && team->poll()) return;
        }
    };
    if (!lists) return times_groups(0, rows, AllOfK{K});
    Lists ks{K, {}, lists};
    const std::int64_t some = Lists::at_a_time(K) * Lists::tile_rows;
    for (std::int64_t r = 0; r < rows; r += some) {
        const std::int64_t end = rows < r + some ? rows : r + some;
        list_nonzero<T, by>(end - r, rows_from<by>(A, r), ks);
        times_groups(r, end - r, ks);
    }
}

// Where columns [from, to) of a packed (K, N) matrix lie: calls `put(address, stride, j, n)` for
// each run of columns j, ..., j + n - 1; row k of it is k strides further on.
template <class T, class Put>
inline void packed_columns(std::int64_t K, std::int64_t N, std::int64_t from, std::int64_t to, T* b,
                           Put put) {
    const Groups<T> groups(N);
    // The group that `from` belongs to
    std::int64_t g = ((from / lanes<T> + 1) * groups.count - 1) / groups.n;
    while (from < to) {
        const std::int64_t first = groups.first(g) * lanes<T>, end = groups.first(g + 1) * lanes<T>;
        const std::int64_t some = (end < to ? end : to) - from;
        put(b + first * K + (from - first), end - first, from, some);
        from += some;
        ++g;
    }
}

}  // namespace
}  // namespace chainrule
