// The three matrix products of the notes, as one register tile.
//
//   forward    z(l+1) = a(l) W + b            rows of a,          times panels of W
//   backward   delta(l) = delta(l+1) W^T      rows of delta,      times panels of W^T
//   Delta      Delta(l) = a(l)^T delta(l+1)   columns of a,       times rows of delta
//
// A tile keeps R x V vectors of the result in registers while k runs: V loads and R broadcasts feed
// R V multiply-adds.  With 16 registers 4 x 3, 6 x 2 and 12 x 1 keep both FMA units busy.

// The k that a tile sums over: all n of them, or those of a list.
struct Every {
    std::int64_t n;
    std::int64_t operator[](std::int64_t i) const { return i; }
};
struct Listed {
    std::int64_t n;
    const std::int32_t* list;
    std::int64_t operator[](std::int64_t i) const { return list[i]; }
};

// The k of tiles at rows r, r + 1, ...: with lists, one for every `tile_rows` rows of A, as few rows
// have many k in common where all of them are 0.
struct AllOfK {
    static constexpr int tile_rows = 12;  // at most
    std::int64_t K;
    Every operator()(std::int64_t) const { return {K}; }
};
struct Lists {
    static constexpr int tile_rows = 4;
    static constexpr std::int64_t most = 32;  // at a time: W comes from the third cache once for them
    static constexpr std::int64_t at_a_time(std::int64_t K) {
        const std::int64_t fitting = 131072 / K;
        return fitting < 1 ? 1 : fitting < most ? fitting : most;
    }
    static constexpr std::int64_t room(std::int64_t K) { return (K + 31) / 16 * 16; }
    std::int64_t K, n[most];
    std::int32_t* lists;
    std::int32_t* list(std::int64_t i) const { return lists + i * room(K); }
    Listed operator()(std::int64_t r) const { return {n[r / tile_rows], list(r / tile_rows)}; }
};

// C (R rows, V vectors) := start + sum over k of A(r, k) B(k, v), or C += with `add`.
// A(r, k) is a[r * row + k * column]; start (a bias, or null) is the same for all rows.
template <class T, int R, int V, class Ks>
inline __attribute__((always_inline)) void tile(Ks ks, const T* a, std::int64_t row,
                                                std::int64_t column, const T* b, std::int64_t ldb,
                                                const T* start, T* c, std::int64_t ldc, bool add) {
    vec<T> sums[R][V];
#pragma GCC unroll 12
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 3
        for (int v = 0; v < V; ++v) sums[r][v] = start ? load(start + v * lanes<T>) : vec<T>{};
    for (std::int64_t i = 0; i < ks.n; ++i) {
        const std::int64_t k = ks[i];
        vec<T> w[V];
#pragma GCC unroll 3
        for (int v = 0; v < V; ++v) w[v] = load(b + k * ldb + v * lanes<T>);
#pragma GCC unroll 12
        for (int r = 0; r < R; ++r) {
            const T x = a[r * row + k * column];
#pragma GCC unroll 3
            for (int v = 0; v < V; ++v) sums[r][v] += all<T>(x) * w[v];
        }
    }
#pragma GCC unroll 12
    for (int r = 0; r < R; ++r) {
        T* to = c + r * ldc;
#pragma GCC unroll 3
        for (int v = 0; v < V; ++v) store(to + v * lanes<T>, add ? load(to + v * lanes<T>) + sums[r][v] : sums[r][v]);
    }
}

// A tile of R rows or, where fewer are left, of that many.
template <class T, int V, bool columns, int R, class Ks>
inline void tile_of(std::int64_t rows, Ks ks, const T* a, std::int64_t lda, const T* b,
                    std::int64_t ldb, const T* start, T* c, std::int64_t ldc, bool add) {
    if (rows >= R) {
        if constexpr (columns) tile<T, R, V>(ks, a, 1, lda, b, ldb, start, c, ldc, add);
        else tile<T, R, V>(ks, a, lda, 1, b, ldb, start, c, ldc, add);
    } else if constexpr (R > 1) {
        tile_of<T, V, columns, R - 1>(rows, ks, a, lda, b, ldb, start, c, ldc, add);
    }
}

template <class T, bool columns, class Ks, int V = 3>
void rows_of_tiles(std::int64_t v, std::int64_t rows, const Ks& ks, const T* a, std::int64_t lda, const T* b,
                   std::int64_t ldb, const T* start, T* c, std::int64_t ldc, bool add) {
    if constexpr (V > 1)
        if (v < V) return rows_of_tiles<T, columns, Ks, V - 1>(v, rows, ks, a, lda, b, ldb, start, c, ldc, add);
    constexpr int most = Ks::tile_rows, R = tile_registers / V < most ? tile_registers / V : most;
    for (std::int64_t r = 0; r < rows; r += R)
        tile_of<T, V, columns, R>(rows - r, ks(r), a + r * (columns ? 1 : lda), lda, b, ldb, start, c + r * ldc, ldc, add);
}

template <class T>
constexpr std::int64_t vectors(std::int64_t n) {
    return (n + lanes<T> - 1) / lanes<T>;
}

template <class T>
constexpr std::int64_t padded(std::int64_t n) {
    return vectors<T>(n) * lanes<T>;
}

// Delta sums over at most so many rows at a time: those of a group of 3 vectors stay in the first
// cache while all of its tiles go over them.
constexpr std::int64_t depth = 144;

// Append those of k = from, ..., from + n - 1 to a list where their `any` is not 0: without a jump,
// which nobody could foretell.
template <class Word>
inline std::int64_t append(std::int64_t from, std::int64_t n, const Word* any, std::int32_t* list, std::int64_t length) {
#pragma GCC unroll 16
    for (std::int64_t i = 0; i < n; ++i) {
        list[length] = static_cast<std::int32_t>(from + i);
        length += any[i] != 0;
    }
    return length;
}

#if defined(__AVX512F__)
// The same of those of 16 that are marked: one instruction moves them together, and 16 numbers are written
// however many count.
inline std::int64_t append_marked(std::int64_t from, __mmask16 marked, std::int32_t* list, std::int64_t length) {
    const __m512i ks = _mm512_add_epi32(_mm512_set1_epi32(static_cast<int>(from)),
                                        _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
    _mm512_storeu_si512(list + length, _mm512_maskz_compress_epi32(marked, ks));
    return length + __builtin_popcount(marked);
}

// Mark the lanes that are not 0.
template <class T>
inline __mmask16 marks_of(bits<T> lane) {
    const auto of = (__m512i)lane;
    return sizeof(T) == 4 ? _mm512_test_epi32_mask(of, of) : _mm512_test_epi64_mask(of, of);
}
#endif

// Append the lanes that are not 0, k = from for the first.
template <class T>
inline std::int64_t append_lanes(std::int64_t from, bits<T> any, std::int32_t* list, std::int64_t length) {
#if defined(__AVX512F__)
    return append_marked(from, marks_of<T>(any), list, length);
#else
    typename Simd<T>::word words[lanes<T>];
    __builtin_memcpy(words, &any, sizeof words);
    return append(from, lanes<T>, words, list, length);
#endif
}

// List the k where one of R rows of A is not 0; returns how many.  A -0 may be listed or not.
template <class T, int R = Lists::tile_rows>
std::int64_t list_rows(std::int64_t rows, std::int64_t K, const T* a, std::int64_t lda, std::int32_t* list) {
    if constexpr (R > 1)
        if (rows < R) return list_rows<T, R - 1>(rows, K, a, lda, list);
    std::int64_t length = 0, k = 0;
    for (; k + lanes<T> <= K; k += lanes<T>) {
        bits<T> some{};
#pragma GCC unroll 4
        for (int r = 0; r < R; ++r) some |= (bits<T>)load(a + r * lda + k);
        length = append_lanes<T>(k, some, list, length);
    }
    for (; k < K; ++k) {
        bool any = false;
        for (int r = 0; r < R; ++r) any |= a[r * lda + k] != 0;
        length = append(k, 1, &any, list, length);
    }
    return length;
}

// The same of R columns of A.
template <class T, int R = Lists::tile_rows>
std::int64_t list_columns(std::int64_t columns, std::int64_t K, const T* a, std::int64_t lda, std::int32_t* list) {
    if constexpr (R > 1)
        if (columns < R) return list_columns<T, R - 1>(columns, K, a, lda, list);
    std::int64_t length = 0;
    for (std::int64_t k = 0; k < K; ++k) {
        std::uint64_t words[(R * sizeof(T) + 7) / 8] = {}, any = 0;
        __builtin_memcpy(words, a + k * lda, R * sizeof(T));
        for (const std::uint64_t word : words) any |= word;
        length = append(k, 1, &any, list, length);
    }
    return length;
}

// Lists, for `ks`, of every Lists::tile_rows of `n` rows (or, with `columns`, columns) of A.
template <class T, bool columns>
void list_nonzero(std::int64_t n, const T* a, std::int64_t lda, Lists& ks) {
    constexpr std::int64_t four = Lists::tile_rows;
    std::int64_t i = 0, list = 0;
#if defined(__AVX512F__)
    // Of 16 rows of a vector of columns it is marked which are not 0, then of every list in which rows.
    if constexpr (columns)
        for (constexpr int some = lanes<T> / four; i + lanes<T> <= n; i += lanes<T>, list += some) {
            for (int l = 0; l < some; ++l) ks.n[list + l] = 0;
            for (std::int64_t k = 0; k < ks.K; k += 16) {
                alignas(32) std::uint16_t marks[16] = {};
                for (std::int64_t row = k; row < ks.K && row < k + 16; ++row)
                    marks[row - k] = marks_of<T>((bits<T>)load(a + row * lda + i));
                const __m256i rows = _mm256_load_si256(reinterpret_cast<const __m256i*>(marks));
                for (int l = 0; l < some; ++l) {
                    const __m256i four_columns = _mm256_set1_epi16(static_cast<short>(15 << four * l));
                    ks.n[list + l] = append_marked(k, _mm256_test_epi16_mask(rows, four_columns), ks.list(list + l), ks.n[list + l]);
                }
            }
        }
#endif
    for (; i < n; i += four, ++list)
        ks.n[list] = columns ? list_columns(n - i, ks.K, a + i, lda, ks.list(list)) : list_rows(n - i, ks.K, a + i * lda, lda, ks.list(list));
}

// C (rows, N) := start + A B, or C += A B, with room in C's rows for whole vectors or, for :=, with
// no gaps between them and room behind the last: a row's last vector covers what is written later.  A is read by
// columns for Delta, by rows else.  B is packed: its columns in groups of up to 3 vectors, each
// group's rows one behind the other (`ldb` 0), so that the loads of a tile run through memory in one
// go; or it is not (its stride).  With room for Lists::at_a_time(K) `lists` of Lists::room(K) numbers, what only
// zeros of A would be multiplied with is passed over: the sums are the same to the bit, but for the
// sign of a 0, where B is finite.
template <class T, bool columns>
void product(std::int64_t rows, std::int64_t N, std::int64_t K, const T* a, std::int64_t lda, const T* b,
             std::int64_t ldb, const T* start, T* c, std::int64_t ldc, bool add, std::int32_t* lists = nullptr) {
    if constexpr (columns)
        for (std::int64_t parts = (K + depth - 1) / depth; parts > 1; --parts) {
            const std::int64_t some = K / parts;
            product<T, columns>(rows, N, some, a, lda, b, ldb, start, c, ldc, add, lists);
            K -= some, a += some * lda, b += some * ldb, add = true;
        }
    const auto times_groups = [&](std::int64_t r, std::int64_t some, const auto& ks) {
        const std::int64_t n = vectors<T>(N), groups = (n + 2) / 3;
        const T* of_a = a + r * (columns ? 1 : lda);
        T* of_c = c + r * ldc;
        const bool gaps = ldc >= padded<T>(N);
        for (std::int64_t i = 0; i < groups; ++i) {
            const std::int64_t g = gaps ? i : groups - 1 - i;
            const std::int64_t from = g * n / groups * lanes<T>, V = (g + 1) * n / groups - g * n / groups;
            const T* bg = ldb ? b + from : b + from * K;
            const std::int64_t stride = ldb ? ldb : V * lanes<T>;
            const T* s = start ? start + from : nullptr;
            rows_of_tiles<T, columns>(V, some, ks, of_a, lda, bg, stride, s, of_c + from, ldc, add);
        }
    };
    if (!lists) return times_groups(0, rows, AllOfK{K});
    Lists ks{K, {}, lists};
    const std::int64_t some = Lists::at_a_time(K) * Lists::tile_rows;
    for (std::int64_t r = 0; r < rows; r += some) {
        const std::int64_t end = rows < r + some ? rows : r + some;
        list_nonzero<T, columns>(end - r, a + r * (columns ? 1 : lda), lda, ks);
        times_groups(r, end - r, ks);
    }
}

// Where columns [from, to) of a packed (K, N) matrix lie: calls `put(address, stride, j, n)` for each
// run of columns j, ..., j + n - 1; row k of it is k strides further on.
template <class T, class Put>
inline void packed_columns(std::int64_t K, std::int64_t N, std::int64_t from, std::int64_t to, T* b, Put put) {
    const std::int64_t n = vectors<T>(N), groups = (n + 2) / 3;
    std::int64_t g = ((from / lanes<T> + 1) * groups - 1) / n;  // the group that `from` belongs to
    while (from < to) {
        const std::int64_t first = g * n / groups * lanes<T>, end = (g + 1) * n / groups * lanes<T>;
        const std::int64_t some = (end < to ? end : to) - from;
        put(b + first * K + (from - first), end - first, from, some);
        from += some;
        ++g;
    }
}

template <class T>
constexpr int most_narrow = lanes<T> < 4 ? lanes<T> : 4;

// C (rows, N) := start + A B for so few columns that a tile would leave most of its lanes empty: each number
// is the product of a row of A, whatever it is filled up with, with a column of B, filled up with zeros.  B^T
// is packed, N of `units` rows, from `first` on.  Where C has no gaps it has room behind it.
template <class T, int N>
void narrow_product(std::int64_t rows, std::int64_t K, const T* a, std::int64_t lda, const T* b_T, std::int64_t first,
                    std::int64_t units, const T* start, T* c, std::int64_t ldc) {
    constexpr int R = lanes<T> / N;
    const std::int64_t n = vectors<T>(K), groups = (n + 2) / 3;
    bits<T> ends;  // the lanes of a row's last vector that belong to it
    for (int i = 0; i < lanes<T>; ++i) ends[i] = -((n - 1) * lanes<T> + i < K);
    T starts[lanes<T>] = {};
    for (int i = 0; i < R * N && start; ++i) starts[i] = start[i % N];
    for (std::int64_t r = 0; r < rows; r += R) {
        const T* row[R];
#pragma GCC unroll 16
        for (int i = 0; i < R; ++i) row[i] = a + (r + i < rows ? r + i : rows - 1) * lda;
        vec<T> sums[lanes<T>];
#pragma GCC unroll 16
        for (int i = 0; i < lanes<T>; ++i) sums[i] = vec<T>{};
        const T* b = b_T;
        for (std::int64_t g = 0, v = 0; g < groups; ++g) {
            const std::int64_t from = v, end = (g + 1) * n / groups, stride = (end - from) * lanes<T>;
            for (; v < end; ++v) {
                const bits<T> within = v + 1 < n ? ~bits<T>{} : ends;
#pragma GCC unroll 16
                for (int i = 0; i < R; ++i) {
                    const auto x = (vec<T>)((bits<T>)load(row[i] + v * lanes<T>) & within);
#pragma GCC unroll 4
                    for (int j = 0; j < N; ++j) sums[i * N + j] += x * load(b + (first + j) * stride + (v - from) * lanes<T>);
                }
            }
            b += units * stride;
        }
        const vec<T> of_rows = sums_of<T>(sums) + load(starts);
        if (ldc == N) {
            store(c + r * N, of_rows);
            continue;
        }
        T numbers[lanes<T>];
        store(numbers, of_rows);
        for (int i = 0; i < R && r + i < rows; ++i) __builtin_memcpy(c + (r + i) * ldc, numbers + i * N, N * sizeof(T));
    }
}

template <class T, int N = most_narrow<T>>
void narrow_product(std::int64_t rows, std::int64_t columns, std::int64_t K, const T* a, std::int64_t lda, const T* b_T,
                    std::int64_t first, std::int64_t units, const T* start, T* c, std::int64_t ldc) {
    if constexpr (N > 1)
        if (columns < N) return narrow_product<T, N - 1>(rows, columns, K, a, lda, b_T, first, units, start, c, ldc);
    narrow_product<T, N>(rows, K, a, lda, b_T, first, units, start, c, ldc);
}

// z (rows, N) = a W + b with W as it lies in theta: for a few rows, packing W would take longer than
// using it.  A group of vectors runs over all of a row of W; the last vector ends where the row
// does, so it may begin among the ones before it: what both compute is the same.
template <class T, int V>
inline void row_times_matrix(std::int64_t K, std::int64_t N, std::int64_t from, const T* a, const T* b,
                             const T* W, T* z) {
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
inline void row_times_group(std::int64_t n, std::int64_t K, std::int64_t N, std::int64_t from, const T* a,
                            const T* b, const T* W, T* z) {
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
    constexpr int most = 14;  // of 16 registers; x and nothing else takes another
    const std::int64_t n = (N + lanes<T> - 1) / lanes<T>, groups = (n + most - 1) / most;
    for (std::int64_t g = 0; g < groups; ++g) {
        const std::int64_t from = g * n / groups;
        row_times_group<T, most>((g + 1) * n / groups - from, K, N, from * lanes<T>, a, b, W, z);
    }
}
