// Decisions that the shapes, and a look at X, make before any memory is laid out.  The number of
// threads never has a say, so that it changes no bit.
#pragma once
#include "lists.hpp"
#include "memory.hpp"
#include "narrow.hpp"

namespace chainrule {
namespace {

// How the rows of a call are worked on.
struct Plan {
    std::int64_t rows = 0;    // that Delta is summed over; 0: none is
    bool direct = false;      // a(1) are rows of X itself, not copies filled up to whole vectors
    bool zeros = false;       // so much of X is 0 that passing over the zeros pays
    std::int64_t blocks = 1;  // of inputs, see sum_blocks
};

// The length of theta.
inline std::int64_t size_of(const Shape& shape) {
    std::int64_t n = 0;
    for (int l = 1; l < shape.L; ++l) n += (shape.s[l - 1] + 1) * shape.s[l];
    return n;
}

// How many units' Delta has vectors that run over the units; those of the units after them run over
// the inputs. 25 outputs fill 4 vectors of 8 to 78 %, but 400 inputs fill 50 to 100 %; and of 100
// outputs the last 4 fill a quarter of a vector.  But what runs over the inputs has to be
// transposed in the end: moving a number takes as long as two multiply-adds.
template <class T>
std::int64_t upright_units(std::int64_t s, std::int64_t next, std::int64_t rows) {
    const auto work = [&](std::int64_t n) {
        // One vector at a time waits for its loads
        const std::int64_t slow = vectors<T>(n) == 1 ? s / 8 : 0;
        return rows * (s * vectors<T>(n) + slow + (next - n) * vectors<T>(s)) + 2 * s * (next - n);
    };
    const std::int64_t others[] = {next / lanes<T> * lanes<T>, 0};
    std::int64_t best = next;
    for (const std::int64_t n : others)
        if (work(n) < work(best)) best = n;
    return best;
}

// How many units' z is computed in tiles, whose vectors run over the units.  The units after them,
// which fill no vector, may take clearly less time as products along the inputs, where adding up
// the lanes of a vector takes as long as 4 multiply-adds.
template <class T>
std::int64_t tiled_units(std::int64_t s, std::int64_t next) {
    const std::int64_t rest = next % lanes<T> ? next % lanes<T> : next;
    return rest <= most_narrow<T> && 3 * rest * (vectors<T>(s) + 4) < 2 * s ? next - rest : next;
}

// Whether rows of X can be a(1) as they are.
template <class T>
bool in_place(const Shape& shape, std::int64_t rows) {
    const std::int64_t s = shape.s[0];
    return s * sizeof(T) % 512 != 0 &&
           (s % lanes<T> == 0 || upright_units<T>(s, shape.s[1], rows) > 0);
}

// Whether X has so many zeros (pictures of digits, columns of codes) that passing over them takes
// less time than multiplying with them, judged by a few of its rows; Delta is summed over `rows`,
// if any.  Listing an input of four rows takes as long as multiply-adds of 40 bytes' worth of
// vectors; those of a list, in tiles of four rows, take 5/4 of the time of others; and without
// lists Delta may run along the inputs.
template <class T>
bool many_zeros(const Shape& shape, const Rows<T>& data, std::int64_t rows) {
    constexpr std::int64_t four = Lists::tile_rows, samples = 8, listing = 40 / (64 / sizeof(T));
    const std::int64_t s = shape.s[0], next = shape.s[1], n = smaller(samples, data.m / 16);
    std::int64_t nonzero = 0;
    for (std::int64_t i = 0; i < n; ++i)
        for (std::int64_t k = 0; k < s; ++k) {
            bool any = false;
            for (std::int64_t r = i * (data.m / n); r < i * (data.m / n) + four; ++r)
                any |= data.X[(data.order ? data.order[r] : r) * s + k] != 0;
            nonzero += any;
        }
    // Only the tiled units count: no list is made for the others
    const std::int64_t tiled = tiled_units<T>(s, next), upright = upright_units<T>(s, next, rows);
    const std::int64_t work = four * vectors<T>(tiled);
    const std::int64_t of_Delta =
        rows > 0 ? four * vectors<T>(upright) + four * (tiled - upright) / lanes<T> : work;
    return nonzero * work * 5 / 4 + n * s * listing < n * s * (work + of_Delta) / 2;
}

// Into how many blocks an epoch's inputs are cut for the parts of z(2): into several where W is
// larger than the parts, and worth the adding.
inline std::int64_t blocks_of(const Shape& shape, std::int64_t rows) {
    return shape.L > 2 && shape.s[0] >= 256 && shape.s[0] > rows ? 2 : 1;
}

}  // namespace
}  // namespace chainrule
