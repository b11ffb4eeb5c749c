// Which k a tile sums over: all of them, or a list of those where A is not 0 in any of its rows.
#pragma once
#include "memory.hpp"

namespace chainrule {
namespace {

struct Every {
    std::int64_t n;
    std::int64_t operator[](std::int64_t i) const { return i; }
};

struct Listed {
    std::int64_t n;
    const std::int32_t* list;
    std::int64_t operator[](std::int64_t i) const { return list[i]; }
};

// The k of the tile at rows r, r + 1, ...
struct AllOfK {
    static constexpr int tile_rows = 12;  // at most
    std::int64_t K;
    Every operator()(std::int64_t) const { return {K}; }
};

// One list for every four rows of A, for the more rows share a list the fewer k are 0 in all of
// them.
struct Lists {
    static constexpr int tile_rows = 4;
    static constexpr std::int64_t most = 32;  // at a time: W is read once for all of them
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

// Append those of k = from, ..., from + n - 1 whose `any` is not 0.  No jump depends on the data:
// nobody could predict it.
template <class Word>
inline std::int64_t append(std::int64_t from, std::int64_t n, const Word* any, std::int32_t* list,
                           std::int64_t length) {
#pragma GCC unroll 16
    for (std::int64_t i = 0; i < n; ++i) {
        list[length] = static_cast<std::int32_t>(from + i);
        length += any[i] != 0;
    }
    return length;
}

#if defined(__AVX512F__)
// Append those of 16 that are marked.  One instruction moves them together; 16 numbers are always
// written.
inline std::int64_t append_marked(std::int64_t from, __mmask16 marked, std::int32_t* list,
                                  std::int64_t length) {
    const __m512i ks =
        _mm512_add_epi32(_mm512_set1_epi32(static_cast<int>(from)),
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

// Append the k of the lanes that are not 0; the first lane is k = from.
template <class T>
inline std::int64_t append_lanes(std::int64_t from, bits<T> any, std::int32_t* list,
                                 std::int64_t length) {
#if defined(__AVX512F__)
    return append_marked(from, marks_of<T>(any), list, length);
#else
    typename Simd<T>::word words[lanes<T>];
    __builtin_memcpy(words, &any, sizeof words);
    return append(from, lanes<T>, words, list, length);
#endif
}

// List the k where one of R rows of A is not 0, and return their number.  A -0 may be listed or
// not.
template <class T, int R = Lists::tile_rows>
std::int64_t list_rows(std::int64_t rows, std::int64_t K, const T* a, std::int64_t lda,
                       std::int32_t* list) {
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

// The same for R columns of A.
template <class T, int R = Lists::tile_rows>
std::int64_t list_columns(std::int64_t columns, std::int64_t K, const T* a, std::int64_t lda,
                          std::int32_t* list) {
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

// Make the lists for n rows (or columns) of A, one for every Lists::tile_rows of them.
template <class T, By by>
void list_nonzero(std::int64_t n, View<const T> A, Lists& ks) {
    constexpr std::int64_t four = Lists::tile_rows;
    const auto [a, lda] = A;
    std::int64_t i = 0, list = 0;
#if defined(__AVX512F__)
    // For each of 16 rows, mark which columns of a vector are not 0; then, for each list, in which
    // rows one of its four columns is marked.
    if constexpr (by == By::columns)
        for (constexpr int some = lanes<T> / four; i + lanes<T> <= n; i += lanes<T>, list += some) {
            for (int l = 0; l < some; ++l) ks.n[list + l] = 0;
            for (std::int64_t k = 0; k < ks.K; k += 16) {
                alignas(32) std::uint16_t marks[16] = {};
                for (std::int64_t row = k; row < ks.K && row < k + 16; ++row)
                    marks[row - k] = marks_of<T>((bits<T>)load(a + row * lda + i));
                const __m256i rows = _mm256_load_si256(reinterpret_cast<const __m256i*>(marks));
                for (int l = 0; l < some; ++l) {
                    const __m256i four_columns =
                        _mm256_set1_epi16(static_cast<short>(15 << four * l));
                    ks.n[list + l] = append_marked(k, _mm256_test_epi16_mask(rows, four_columns),
                                                   ks.list(list + l), ks.n[list + l]);
                }
            }
        }
#endif
    for (; i < n; i += four, ++list)
        ks.n[list] = by == By::columns ? list_columns(n - i, ks.K, a + i, lda, ks.list(list))
                                       : list_rows(n - i, ks.K, a + i * lda, lda, ks.list(list));
}

}  // namespace
}  // namespace chainrule
