// Sums of many numbers, in float64 and in an order that depends on their number alone.
#pragma once
#include "kernel.hpp"

namespace chainrule {
namespace {

// The sum over i < n of term(i).
template <class Term>
double ordered_sum(std::int64_t n, Term term) {
    constexpr int ways = 16;
    double sums[ways] = {};
    std::int64_t i = 0;
    for (; i + ways <= n; i += ways)
        for (int k = 0; k < ways; ++k) sums[k] += term(i + k);
    for (; i < n; ++i) sums[i % ways] += term(i);
    double s = 0;
    for (int k = 0; k < ways; ++k) s += sums[k];
    return s;
}

template <class T>
double sum_of(const T* x, std::int64_t n) {
    return ordered_sum(n, [&](std::int64_t i) { return static_cast<double>(x[i]); });
}

template <class T>
double dot(const T* u, const T* v, std::int64_t n) {
    return ordered_sum(
        n, [&](std::int64_t i) { return static_cast<double>(u[i]) * static_cast<double>(v[i]); });
}

// One after the other: this sum is short beside the passes over its rows.
template <class T>
double total_weight(const Rows<T>& data) {
    if (!data.weights) return static_cast<double>(data.m);
    double weight = 0;
    for (std::int64_t t = 0; t < data.m; ++t) weight += static_cast<double>(data.weights[t]);
    return weight;
}

}  // namespace
}  // namespace chainrule
