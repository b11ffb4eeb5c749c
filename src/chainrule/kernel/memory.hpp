// Where things lie: matrices, cuts of a length into parts, copies of rows, one allocation for a
// call.
#pragma once
#include "kernel.hpp"
#include "vec.hpp"

namespace chainrule {
namespace {

template <class A>
constexpr A smaller(A a, A b) {
    return a < b ? a : b;
}

template <class A>
constexpr A larger(A a, A b) {
    return a < b ? b : a;
}

// A matrix in memory: row r begins at data + r * stride.
template <class T>
struct View {
    T* data;
    std::int64_t stride;
};

// How a product reads A: Delta = a^T delta takes the columns of a for rows.
enum class By { rows, columns };

// Some of the units of a layer, or of the rows of a batch: from, ..., to - 1.
struct Share {
    std::int64_t from, to;

    std::int64_t size() const { return to - from; }
};

// Where part `i` begins of n things that are cut into `parts`, at multiples of `grain`.
constexpr std::int64_t cut(std::int64_t n, std::int64_t grain, std::int64_t i, std::int64_t parts) {
    const std::int64_t grains = (n + grain - 1) / grain;
    return smaller(n, grains * i / parts * grain);
}

constexpr Share part(std::int64_t n, std::int64_t grain, std::int64_t i, std::int64_t parts) {
    return {cut(n, grain, i, parts), cut(n, grain, i + 1, parts)};
}

// Copies pieces of a fixed size; the last one ends where the row does, so it may overlap the one
// before. memcpy, or the compiler's loop with its many ends, would take longer than most rows do.
template <class T, int N = lanes<T>>
inline void copy(const T* from, std::int64_t n, T* to) {
    if (n < N) {
        if constexpr (N > 1) copy<T, N / 2>(from, n, to);
        return;
    }
    for (std::int64_t i = 0; i < n - N; i += N) __builtin_memcpy(to + i, from + i, N * sizeof(T));
    __builtin_memcpy(to + n - N, from + n - N, N * sizeof(T));
}

template <class T>
void clear(std::int64_t n, T* x) {
    for (std::int64_t i = 0; i < n; ++i) x[i] = 0;
}

// The distance, in numbers, between what one member of a team writes (a block of a(1), strips,
// lists) and what the next one writes: a page.  A processor fetches lines ahead to the end of a
// page, and those that it takes from another core have to come back.
template <class T>
constexpr std::int64_t apart = 4096 / static_cast<std::int64_t>(sizeof(T));

// Hands out aligned pieces of one allocation, at least three lines apart: a load that is a multiple
// of 4,096 bytes away from a recent store looks like a load of what was stored, and the processor
// waits. From a null base it only counts.
struct Pieces {
    char* base;
    std::size_t used = 0;

    template <class A>
    A* take(std::int64_t n) {
        A* piece = base ? reinterpret_cast<A*>(base + used) : nullptr;
        used += (static_cast<std::size_t>(n) * sizeof(A) + 255) / 64 * 64;
        return piece;
    }
};

// One allocation for all the pieces that `lay_out(pieces)` takes: it is called once to count them
// and once to hand them out.
class Arena {
public:
    template <class LayOut>
    explicit Arena(LayOut lay_out) : memory(count(lay_out)) {
        Pieces pieces{static_cast<char*>(memory.data)};
        lay_out(pieces);
    }

private:
    template <class LayOut>
    static std::size_t count(LayOut& lay_out) {
        Pieces pieces{nullptr};
        lay_out(pieces);
        return pieces.used;
    }

    Scratch memory;
};

}  // namespace
}  // namespace chainrule
