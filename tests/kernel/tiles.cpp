// The kernel's matrix products beside three loops.  All numbers are small integers, whose products
// and sums are exact: both must be equal.  Writes what is not, and fails.  See test_functions.py.
#include <cstdio>
#include <random>
#include <vector>

#include "narrow.hpp"
#include "product.hpp"

using namespace chainrule;

int failures = 0;
int groups_left = 0;  // that are computed before the team is to stop

bool chainrule::Team::poll() { return --groups_left < 0; }

// A matrix with gaps between its rows, and room behind the last.
template <class T>
struct Matrix {
    std::int64_t rows, columns, stride;
    std::vector<T> numbers;

    Matrix(std::int64_t rows, std::int64_t columns)
        : rows(rows),
          columns(columns),
          stride(padded<T>(columns) + lanes<T>),
          numbers(static_cast<std::size_t>(rows * stride + 2 * lanes<T>)) {}
    T& operator()(std::int64_t i, std::int64_t j) {
        return numbers[static_cast<std::size_t>(i * stride + j)];
    }
    View<T> view() { return {numbers.data(), stride}; }
    View<const T> read() { return {numbers.data(), stride}; }
};

template <class T>
Matrix<T> random(std::int64_t rows, std::int64_t columns, double zeros, std::mt19937& rng) {
    Matrix<T> matrix(rows, columns);
    std::uniform_int_distribution<int> some(-8, 8);
    std::bernoulli_distribution zero(zeros);
    for (std::int64_t i = 0; i < rows; ++i)
        for (std::int64_t j = 0; j < columns; ++j) matrix(i, j) = zero(rng) ? T(0) : T(some(rng));
    return matrix;
}

template <class T>
std::vector<T> packing(Matrix<T>& B) {
    std::vector<T> packed(static_cast<std::size_t>((B.rows + 1) * padded<T>(B.columns)));
    packed_columns(B.rows, B.columns, 0, B.columns, packed.data(),
                   [&](T* p, std::int64_t stride, std::int64_t j, std::int64_t n) {
                       for (std::int64_t k = 0; k < B.rows; ++k)
                           for (std::int64_t i = 0; i < n; ++i) p[k * stride + i] = B(k, j + i);
                   });
    return packed;
}

template <class T>
void compare(const char* what, Sizes size, Matrix<T>& wanted, const T* got, std::int64_t stride) {
    for (std::int64_t i = 0; i < size.rows; ++i)
        for (std::int64_t j = 0; j < size.columns; ++j)
            if (got[i * stride + j] != wanted(i, j)) {
                std::printf("%s, float%zu, (%ld, %ld), K = %ld: element %ld %ld is %g, not %g\n",
                            what, 8 * sizeof(T), long(size.rows), long(size.columns), long(size.K),
                            long(i), long(j), double(got[i * stride + j]), double(wanted(i, j)));
                ++failures;
                return;
            }
}

template <class T>
void check(Sizes size, double zeros, std::mt19937& rng) {
    const auto [rows, N, K] = size;
    Matrix<T> A = random<T>(rows, K, zeros, rng), B = random<T>(K, N, 0, rng);
    Matrix<T> start = random<T>(1, N, 0, rng), wanted(rows, N), twice(rows, N), A_T(K, rows),
              B_T(N, K);
    for (std::int64_t i = 0; i < rows; ++i)
        for (std::int64_t j = 0; j < N; ++j) {
            T sum = 0;
            for (std::int64_t k = 0; k < K; ++k) sum += A(i, k) * B(k, j);
            wanted(i, j) = start(0, j) + sum;
            twice(i, j) = start(0, j) + 2 * sum;
        }
    for (std::int64_t k = 0; k < K; ++k) {
        for (std::int64_t i = 0; i < rows; ++i) A_T(k, i) = A(i, k);
        for (std::int64_t j = 0; j < N; ++j) B_T(j, k) = B(k, j);
    }
    std::vector<T> panels = packing(B), turned = packing(B_T);
    std::vector<T> dense(static_cast<std::size_t>(rows * N + 2 * lanes<T>));
    std::vector<std::int32_t> room(static_cast<std::size_t>(Lists::at_a_time(K) * Lists::room(K)));
    const View<const T> pack = packed<T>(panels.data());
    const Begin<T> bias{.row = start.numbers.data()}, on{.from_C = true};
    for (std::int32_t* lists : {static_cast<std::int32_t*>(nullptr), room.data()}) {
        Matrix<T> C(rows, N);
        product<T, By::rows>(size, A.read(), pack, C.view(), bias, lists);
        compare("rows", size, wanted, C.numbers.data(), C.stride);
        product<T, By::rows>(size, A.read(), B.read(), C.view(), on, lists);
        compare("rows, B as it lies", size, twice, C.numbers.data(), C.stride);
        product<T, By::rows>(size, A.read(), pack, {dense.data(), N}, bias, lists);
        compare("rows without gaps", size, wanted, dense.data(), N);
        for (std::int64_t i = 0; i < rows; ++i)
            for (std::int64_t j = 0; j < N; ++j) C(i, j) = start(0, j);
        product<T, By::columns>(size, A_T.read(), B.read(), C.view(), on, lists);
        compare("columns", size, wanted, C.numbers.data(), C.stride);
    }
    if (N <= most_narrow<T>) {
        Matrix<T> C(rows, N);
        narrow_product<T>(size, A.read(), {turned.data(), 0, N}, start.numbers.data(), C.view());
        compare("narrow", size, wanted, C.numbers.data(), C.stride);
    }
    std::vector<T> W, row(static_cast<std::size_t>(padded<T>(N)));
    for (std::int64_t k = 0; k < K; ++k)
        for (std::int64_t j = 0; j < N; ++j) W.push_back(B(k, j));
    row_product(K, N, A.numbers.data(), start.numbers.data(), W.data(), row.data());
    compare("one row", {1, N, K}, wanted, row.data(), N);
}

template <class T>
void check_all() {
    std::mt19937 rng(0);
    for (std::int64_t rows = 1; rows <= 14; ++rows)
        for (std::int64_t N = 1; N <= 4 * lanes<T> + 1; N += N < 5 ? 1 : lanes<T> / 2 + 1)
            for (const std::int64_t K : {1, 7, 16, 150}) check<T>({rows, N, K}, 0.8, rng);
    for (const std::int64_t rows : {64, 131})
        for (const std::int64_t K : {65, 300}) check<T>({rows, 100, K}, 0.9, rng);
}

// A product of three long groups, whose team is to stop after the second.
template <class T>
void check_stop() {
    const std::int64_t rows = 64, group = 3 * lanes<T>, K = long_group / (rows * group) + 1;
    std::mt19937 rng(0);
    Matrix<T> A = random<T>(rows, K, 0, rng), B = random<T>(K, 3 * group, 0, rng);
    Matrix<T> whole(rows, 3 * group), C = whole;
    product<T, By::rows>({rows, 3 * group, K}, A.read(), B.read(), whole.view());
    Team team{0, 1, true, nullptr};
    groups_left = 1;
    product<T, By::rows>({rows, 3 * group, K}, A.read(), B.read(), C.view(), {}, nullptr, &team);
    compare("first groups", {rows, 2 * group, K}, whole, C.numbers.data(), C.stride);
    for (std::int64_t i = 0; i < rows; ++i)
        for (std::int64_t j = 0; j < 2 * group; ++j) C(i, j) = 0;
    Matrix<T> nothing(rows, 3 * group);
    compare("last group", {rows, 3 * group, K}, nothing, C.numbers.data(), C.stride);
    if (groups_left != -1) ++failures, std::printf("asked after %d groups\n", 1 - groups_left);
}

int main() {
    check_all<float>();
    check_all<double>();
    check_stop<float>();
    check_stop<double>();
    return failures > 0;
}
