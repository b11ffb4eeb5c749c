// A network as Python sees it: each call checks its arrays, lets the GIL go and computes.
#pragma once
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/vector.h>

#include "gil.hpp"
#include "kernel.hpp"

namespace nb = nanobind;

namespace chainrule {
namespace {

template <class T>
using Array = nb::ndarray<T, nb::c_contig, nb::device::cpu>;
template <class T>
using Input = Array<const T>;
using Order = Input<std::int64_t>;

inline const Build* best = nullptr;  // the build that computes: set when the module is loaded
inline thread_local const Build* agreed =
    nullptr;  // what this thread's calls take instead, or null

template <class T>
const Functions<T>& functions() {
    const Build& build = agreed == nullptr ? *best : *agreed;
    if constexpr (sizeof(T) == sizeof(float)) return build.f32;
    else return build.f64;
}

inline void check(bool fits, const char* what) {
    if (!fits) throw nb::value_error(what);
}

// Call `compute(call, &ok)` without the GIL; Ctrl-C that ended it is raised.
template <class Compute>
auto without_gil(int threads, Compute compute) {
    check(threads >= 1, "threads must be >= 1");
    bool ok = false;
    const auto result = [&] {
        const WithoutGil released;
        return compute(Call{threads, interrupted}, &ok);
    }();
    if (!ok) throw nb::python_error();
    return result;
}

inline nb::tuple tuple_of(const Sums& sums) { return nb::make_tuple(sums.cost, sums.weight); }

// An array's length along a dimension, to compare with those of a network.
template <class A>
std::int64_t length(const A& array, std::size_t dimension) {
    return static_cast<std::int64_t>(array.shape(dimension));
}

class Kernel {
public:
    Kernel(std::vector<std::int64_t> layers, const std::vector<int>& hidden, int output)
        : s(std::move(layers)) {
        check(s.size() >= 2 && hidden.size() == s.size() - 2,
              "one activation for each hidden layer");
        for (const std::int64_t units : s) check(units >= 1, "a layer needs at least one unit");
        for (const int code : hidden) {
            check(code >= 0 && code < static_cast<int>(std::size(activation_names)),
                  "unknown activation");
            g.push_back(static_cast<Activation>(code));
        }
        check(output >= 0 && output < static_cast<int>(std::size(output_names)), "unknown output");
        shape = {static_cast<int>(s.size()), s.data(), g.data(), static_cast<Output>(output)};
        for (std::size_t l = 0; l + 1 < s.size(); ++l) size += (s[l] + 1) * s[l + 1];
    }
    Kernel(const Kernel&) = delete;

    template <class T>
    nb::tuple accumulate(Input<T> theta, Input<T> X, Input<T> Y, std::optional<Input<T>> weights,
                         Array<T> Delta, int threads) const {
        const Rows<T> data = rows<T>(X, Y, weights);
        check_flat(theta);
        check_flat(Delta);
        return tuple_of(without_gil(threads, [&](Call call, bool* ok) {
            return functions<T>().accumulate(shape, theta.data(), data, Delta.data(), call, ok);
        }));
    }

    template <class T>
    nb::tuple cost(Input<T> theta, Input<T> X, Input<T> Y, std::optional<Input<T>> weights,
                   int threads) const {
        const Rows<T> data = rows<T>(X, Y, weights);
        check_flat(theta);
        return tuple_of(without_gil(threads, [&](Call call, bool* ok) {
            return functions<T>().cost(shape, theta.data(), data, call, ok);
        }));
    }

    template <class T>
    bool forward(Input<T> theta, Input<T> X, Array<T> h, int threads) const {
        check_flat(theta);
        check_X(X);
        check(h.ndim() == 2 && h.shape(0) == X.shape(0) && length(h, 1) == s.back(),
              "h must be (m, K)");
        return without_gil(threads, [&](Call call, bool* ok) {
            return functions<T>().forward(shape, theta.data(), X.data(), length(X, 0), h.data(),
                                          call, ok);
        });
    }

    template <class T>
    void activations(Input<T> theta, Input<T> X, const std::vector<Array<T>>& a, Array<T> z,
                     int threads) const {
        check_flat(theta);
        check_X(X);
        const auto fits = [&](const Array<T>& array, std::int64_t units) {
            return array.ndim() == 2 && array.shape(0) == X.shape(0) && length(array, 1) == units;
        };
        bool all = a.size() + 1 == s.size() && fits(z, s.back());
        std::vector<T*> parts;
        for (std::size_t l = 0; l < a.size() && all; ++l) {
            all = fits(a[l], s[l + 1]);
            parts.push_back(a[l].data());
        }
        check(all, "a and z must be (m, s_l)");
        without_gil(threads, [&](Call call, bool* ok) {
            functions<T>().activations(shape, theta.data(), X.data(), length(X, 0), parts.data(),
                                       z.data(), call, ok);
            return true;
        });
    }

    template <class T>
    nb::tuple epoch(Array<T> theta, Input<T> X, Input<T> Y, std::optional<Input<T>> weights,
                    Order order, std::optional<Order> names, int rule, Array<T> state,
                    std::int64_t steps, std::int64_t since, std::int64_t batch_size,
                    double learning_rate, double momentum, double beta1, double beta2,
                    double epsilon, double decay, const std::vector<double>& penalty,
                    bool penalty_by_batch, const std::optional<std::vector<double>>& dropout,
                    double max_norm, std::uint64_t seed, std::uint64_t number, int threads) const {
        Rows<T> data = rows<T>(X, Y, weights);
        check(order.ndim() == 1 && order.shape(0) > 0,
              "order must be one-dimensional and name at least one row");
        bool known = true;
        for (std::size_t i = 0; i < order.shape(0); ++i)
            known &= order.data()[i] >= 0 && order.data()[i] < data.m;
        check(known, "order names a row that X does not have");
        check(!names || (names->ndim() == 1 && length(*names, 0) == data.m),
              "names must have one number for each row of X");
        data.names = names ? names->data() : nullptr;
        data.m = length(order, 0);
        data.order = order.data();
        check(0 <= since && since <= steps, "since must be one of the steps done");
        check_flat(theta);
        check(rule >= 0 && rule <= static_cast<int>(Rule::adam), "unknown rule");
        const bool adam = static_cast<Rule>(rule) == Rule::adam;
        check(state.ndim() == 2 && state.shape(0) == (adam ? 2u : 1u) && length(state, 1) == size,
              "state does not fit theta");
        check(batch_size >= 1, "batch_size must be >= 1");
        check(penalty.size() == s.size() - 1, "one penalty for each Theta(l)");
        check(!dropout || dropout->size() == s.size() - 1,
              "one dropout rate for each layer 1..L-1");
        Training<T> training{.rule = static_cast<Rule>(rule),
                             .batch = batch_size,
                             .theta = theta.data(),
                             .first = state.data(),
                             .second = adam ? state.data() + size : nullptr,
                             .t = steps,
                             .since = since,
                             .learning_rate = learning_rate,
                             .momentum = momentum,
                             .beta1 = beta1,
                             .beta2 = beta2,
                             .epsilon = epsilon,
                             .decay = decay,
                             .penalty = penalty.data(),
                             .penalty_by_batch = penalty_by_batch,
                             .dropout = dropout ? dropout->data() : nullptr,
                             .seed = seed,
                             .number = number,
                             .max_norm = max_norm};
        return tuple_of(without_gil(threads, [&](Call call, bool* ok) {
            return functions<T>().epoch(shape, data, training, call, ok);
        }));
    }

    template <class T>
    double normal_equations(Input<T> theta, Input<T> X, Input<T> Y, std::optional<Input<T>> weights,
                            std::optional<Input<T>> lambdas, bool mean, Array<T> H, Array<T> D,
                            int threads) const {
        const Rows<T> data = rows<T>(X, Y, weights);
        check(shape.output == Output::identity, "only the squared error has residuals");
        check_flat(theta);
        check_flat(D);
        check(!lambdas || (lambdas->ndim() == 1 && length(*lambdas, 0) == size),
              "lams must have one lambda for each component of theta");
        check(H.ndim() == 2 && length(H, 0) == size && length(H, 1) == size,
              "H must be (size, size)");
        return without_gil(threads, [&](Call call, bool* ok) {
            const T* lams = lambdas ? lambdas->data() : nullptr;
            return functions<T>().normal_equations(shape, theta.data(), data, lams, mean, H.data(),
                                                   D.data(), call, ok);
        });
    }

    template <class T>
    void hessian_vector(Input<T> theta, Input<T> v, Input<T> X, Input<T> Y,
                        std::optional<Input<T>> weights, Array<T> RDelta, int threads) const {
        const Rows<T> data = rows<T>(X, Y, weights);
        check_flat(theta);
        check_flat(v);
        check_flat(RDelta);
        without_gil(threads, [&](Call call, bool* ok) {
            functions<T>().hessian_vector(shape, theta.data(), v.data(), data, RDelta.data(), call,
                                          ok);
            return nullptr;
        });
    }

private:
    std::vector<std::int64_t> s;
    std::vector<Activation> g;
    Shape shape;
    std::int64_t size = 0;

    template <class A>
    void check_flat(const A& theta) const {
        check(theta.ndim() == 1 && length(theta, 0) == size, "theta does not fit the layers");
    }

    template <class A>
    void check_X(const A& X) const {
        check(X.ndim() == 2 && length(X, 1) == s.front() && X.shape(0) > 0, "X must be (m, s_1)");
    }

    template <class T>
    Rows<T> rows(const Input<T>& X, const Input<T>& Y,
                 const std::optional<Input<T>>& weights) const {
        check_X(X);
        const std::int64_t m = length(X, 0);
        check(Y.ndim() == 2 && length(Y, 0) == m && length(Y, 1) == s.back(), "Y must be (m, K)");
        check(!weights || (weights->ndim() == 1 && length(*weights, 0) == m),
              "weights must be (m,)");
        return {m, X.data(), Y.data(), weights ? weights->data() : nullptr, nullptr, nullptr};
    }
};

}  // namespace
}  // namespace chainrule
