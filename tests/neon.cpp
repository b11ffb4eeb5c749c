// The kernel as another processor would run it: reads the parts of `accumulate` from the standard
// input, writes the cost, Delta and h.  See test_kernel_builds.py.
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "kernel.hpp"

using namespace chainrule;

template <class A>
std::vector<A> read(std::size_t n) {
    std::vector<A> values(n);
    if (std::fread(values.data(), sizeof(A), n, stdin) != n) std::exit(1);
    return values;
}

template <class T>
void run(const Functions<T>& functions, const Shape& shape, std::size_t m, std::size_t size) {
    const auto theta = read<T>(size), X = read<T>(m * shape.s[0]),
               Y = read<T>(m * shape.s[shape.L - 1]);
    std::vector<T> Delta(size), h(Y.size());
    const Call call{2, [] { return false; }};
    bool ok = false;
    const Rows<T> rows{static_cast<std::int64_t>(m), X.data(), Y.data(), nullptr, nullptr, nullptr};
    const double cost =
        functions.accumulate(shape, theta.data(), rows, Delta.data(), call, &ok).cost;
    functions.forward(shape, theta.data(), X.data(), rows.m, h.data(), call, &ok);
    std::fwrite(&cost, sizeof cost, 1, stdout);
    std::fwrite(Delta.data(), sizeof(T), size, stdout);
    std::fwrite(h.data(), sizeof(T), h.size(), stdout);
}

int main() {
    const auto head =
        read<std::int64_t>(5);  // bytes of a number, m, the length of theta, L, output
    const auto s = read<std::int64_t>(head[3]), codes = read<std::int64_t>(head[3] - 2);
    std::vector<Activation> g;
    for (const std::int64_t code : codes) g.push_back(static_cast<Activation>(code));
    const Shape shape{static_cast<int>(head[3]), s.data(), g.data(), static_cast<Output>(head[4])};
    if (head[0] == 4) run(build_native.f32, shape, head[1], head[2]);
    else run(build_native.f64, shape, head[1], head[2]);
}
