// Dropout: a hash of (seed, epoch, layer, row, unit) decides, see chainrule.notes.minibatch.
#pragma once
#include "memory.hpp"

namespace chainrule {
namespace {

struct Dropout {
    const double* rate = nullptr;  // of layers 1..L-1, or null
    std::uint64_t seed = 0, number = 0;

    double of_layer(int l) const { return rate ? rate[l - 1] : 0; }
};

// Rows [from, to) of a slab whose first row is number `begin` in the order of visit.
struct Span {
    std::int64_t begin, from, to;

    std::int64_t rows() const { return to - from; }
};

// splitmix64's number from state x
inline std::uint64_t mix(std::uint64_t x) {
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

inline std::uint32_t lowbias32(std::uint32_t x) {
    x = (x ^ (x >> 16)) * 0x7FEB352Du;
    x = (x ^ (x >> 15)) * 0x846CA68Bu;
    return x ^ (x >> 16);
}

// Multiply the values of some units of layer l by their masks, 0 or 1/(1 - rate); row r of the slab
// is row r of `values`.
template <class T>
void drop(const Dropout& dropout, int l, const Rows<T>& data, Span span, Share units,
          View<T> values) {
    const double rate = dropout.of_layer(l);
    if (rate == 0) return;
    const auto limit = static_cast<std::uint32_t>(rate * 4294967296.0);
    const T scale = static_cast<T>(1 / (1 - rate));
    const std::uint64_t of_layer =
        mix(mix(mix(dropout.seed) ^ dropout.number) ^ static_cast<std::uint64_t>(l));
    for (std::int64_t r = span.from; r < span.to; ++r) {
        const std::int64_t t = data.order ? data.order[span.begin + r] : span.begin + r;
        const std::int64_t name = data.names ? data.names[t] : t;
        const std::uint64_t key = mix(of_layer ^ static_cast<std::uint64_t>(name));
        const auto low = static_cast<std::uint32_t>(key),
                   high = static_cast<std::uint32_t>(key >> 32);
        T* row = values.data + r * values.stride;
        for (std::int64_t j = units.from; j < units.to; ++j) {
            const std::uint32_t u =
                lowbias32(lowbias32(low ^ static_cast<std::uint32_t>(j) * 0x9E3779B9u) + high);
            row[j - units.from] *= u >= limit ? scale : T(0);
        }
    }
}

}  // namespace
}  // namespace chainrule
