// The Python side: arrays in, the build for this machine's instruction set, the GIL let go.
#include "kernel.hpp"

#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

namespace nb = nanobind;
using namespace nb::literals;

namespace chainrule {
namespace {

template <class T>
using Array = nb::ndarray<T, nb::c_contig, nb::device::cpu>;
template <class T>
using Input = Array<const T>;
using Order = Input<std::int64_t>;

template <class T>
const Functions<T>& functions(const Build& build) {
    if constexpr (sizeof(T) == sizeof(float)) return build.f32;
    else return build.f64;
}

const Build* choose() {
    const char* asked = std::getenv("CHAINRULE_ISA");
    const std::string wish = asked ? asked : "";
#if defined(__x86_64__)
    __builtin_cpu_init();
    const bool v2 = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
    const bool v3 = v2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    const struct { const Build* build; bool runs; } builds[] = {{&build_v4, v4}, {&build_v3, v3}, {&build_v2, v2}};
#else
    const struct { const Build* build; bool runs; } builds[] = {{&build_native, true}};
#endif
    for (const auto& candidate : builds)
        if (candidate.runs && (wish.empty() || wish == candidate.build->name)) return candidate.build;
    throw nb::import_error(wish.empty() ? "this processor lacks SSE4.2" : ("CHAINRULE_ISA=" + wish + " cannot run on this processor").c_str());
}

const Build* build = nullptr;

bool interrupted() {
    nb::gil_scoped_acquire gil;
    return PyErr_CheckSignals() != 0;
}

void check(bool fits, const char* what) {
    if (!fits) throw nb::value_error(what);
}

class Kernel {
public:
    Kernel(std::vector<std::int64_t> layers, const std::vector<int>& hidden, int output) : s(std::move(layers)) {
        check(s.size() >= 2 && hidden.size() == s.size() - 2, "one activation for each hidden layer");
        for (const std::int64_t units : s) check(units >= 1, "a layer needs at least one unit");
        for (const int code : hidden) {
            check(code >= 0 && code <= static_cast<int>(Activation::identity), "unknown activation");
            g.push_back(static_cast<Activation>(code));
        }
        check(output >= 0 && output <= static_cast<int>(Output::exp), "unknown output");
        shape = {static_cast<int>(s.size()), s.data(), g.data(), static_cast<Output>(output)};
        for (std::size_t l = 0; l + 1 < s.size(); ++l) size += (s[l] + 1) * s[l + 1];
    }
    Kernel(const Kernel&) = delete;

    template <class T>
    nb::tuple accumulate(Input<T> theta, Input<T> X, Input<T> Y, std::optional<Input<T>> weights,
                         Array<T> Delta, int threads) const {
        const Rows<T> data = rows<T>(X, Y, weights, nullptr);
        check_flat(theta);
        check_flat(Delta);
        bool ok = false;
        Sums sums;
        {
            nb::gil_scoped_release release;
            sums = functions<T>(*build).accumulate(shape, theta.data(), data, Delta.data(), {threads, interrupted}, &ok);
        }
        if (!ok) throw nb::python_error();
        return nb::make_tuple(sums.cost, sums.weight);
    }

    template <class T>
    nb::tuple cost(Input<T> theta, Input<T> X, Input<T> Y, std::optional<Input<T>> weights, int threads) const {
        const Rows<T> data = rows<T>(X, Y, weights, nullptr);
        check_flat(theta);
        bool ok = false;
        Sums sums;
        {
            nb::gil_scoped_release release;
            sums = functions<T>(*build).cost(shape, theta.data(), data, {threads, interrupted}, &ok);
        }
        if (!ok) throw nb::python_error();
        return nb::make_tuple(sums.cost, sums.weight);
    }

    template <class T>
    bool forward(Input<T> theta, Input<T> X, Array<T> h, int threads) const {
        check_flat(theta);
        check(X.ndim() == 2 && static_cast<std::int64_t>(X.shape(1)) == s.front() && X.shape(0) > 0, "X must be (m, s_1)");
        check(h.ndim() == 2 && h.shape(0) == X.shape(0) && static_cast<std::int64_t>(h.shape(1)) == s.back(), "h must be (m, K)");
        bool ok = false, finite = false;
        {
            nb::gil_scoped_release release;
            finite = functions<T>(*build).forward(shape, theta.data(), X.data(), static_cast<std::int64_t>(X.shape(0)), h.data(), {threads, interrupted}, &ok);
        }
        if (!ok) throw nb::python_error();
        return finite;
    }

    template <class T>
    nb::tuple epoch(Array<T> theta, Input<T> X, Input<T> Y, std::optional<Input<T>> weights, Order order, int rule,
                    Array<T> state, std::int64_t steps, std::int64_t batch_size, double learning_rate, double momentum, double beta1, double beta2,
                    double epsilon, double decay, const std::vector<double>& penalty, bool penalty_by_batch,
                    const std::optional<std::vector<double>>& dropout, double max_norm, std::uint64_t seed,
                    std::uint64_t number, int threads) const {
        Rows<T> data = rows<T>(X, Y, weights, order.data());
        check(order.ndim() == 1, "order must be one-dimensional");
        bool known = true;
        for (std::size_t i = 0; i < order.shape(0); ++i) known &= order.data()[i] >= 0 && order.data()[i] < data.m;
        check(known, "order names a row that X does not have");
        data.m = static_cast<std::int64_t>(order.shape(0));
        check_flat(theta);
        check(rule >= 0 && rule <= static_cast<int>(Rule::adam), "unknown rule");
        const bool adam = static_cast<Rule>(rule) == Rule::adam;
        check(state.ndim() == 2 && state.shape(0) == (adam ? 2u : 1u) && static_cast<std::int64_t>(state.shape(1)) == size, "state does not fit theta");
        check(batch_size >= 1, "batch_size must be >= 1");
        check(penalty.size() == s.size() - 1, "one penalty for each Theta(l)");
        check(!dropout || dropout->size() == s.size() - 1, "one dropout rate for each layer 1..L-1");
        Training<T> training{static_cast<Rule>(rule), batch_size, theta.data(), state.data(), adam ? state.data() + size : nullptr,
                             steps, learning_rate, momentum, beta1, beta2, epsilon, decay, penalty.data(), penalty_by_batch,
                             dropout ? dropout->data() : nullptr, seed, number, max_norm};
        bool ok = false;
        Sums sums;
        {
            nb::gil_scoped_release release;
            sums = functions<T>(*build).epoch(shape, data, training, {threads, interrupted}, &ok);
        }
        if (!ok) throw nb::python_error();
        return nb::make_tuple(sums.cost, sums.weight);
    }

    template <class T>
    double normal_equations(Input<T> theta, Input<T> X, Input<T> Y, std::optional<Input<T>> weights,
                            std::optional<Input<T>> lambdas, Array<T> H, Array<T> D, int threads) const {
        const Rows<T> data = rows<T>(X, Y, weights, nullptr);
        check(shape.output == Output::identity, "only the squared error has residuals");
        check_flat(theta);
        check_flat(D);
        check(!lambdas || (lambdas->ndim() == 1 && static_cast<std::int64_t>(lambdas->shape(0)) == size), "lams must have one lambda for each component of theta");
        check(H.ndim() == 2 && static_cast<std::int64_t>(H.shape(0)) == size && static_cast<std::int64_t>(H.shape(1)) == size, "H must be (size, size)");
        bool ok = false;
        double J = 0;
        {
            nb::gil_scoped_release release;
            J = functions<T>(*build).normal_equations(shape, theta.data(), data, lambdas ? lambdas->data() : nullptr, H.data(), D.data(), {threads, interrupted}, &ok);
        }
        if (!ok) throw nb::python_error();
        return J;
    }

    template <class T>
    void hessian_vector(Input<T> theta, Input<T> v, Input<T> X, Input<T> Y, std::optional<Input<T>> weights,
                        Array<T> RDelta, int threads) const {
        const Rows<T> data = rows<T>(X, Y, weights, nullptr);
        check_flat(theta);
        check_flat(v);
        check_flat(RDelta);
        bool ok = false;
        {
            nb::gil_scoped_release release;
            functions<T>(*build).hessian_vector(shape, theta.data(), v.data(), data, RDelta.data(), {threads, interrupted}, &ok);
        }
        if (!ok) throw nb::python_error();
    }

private:
    std::vector<std::int64_t> s;
    std::vector<Activation> g;
    Shape shape;
    std::int64_t size = 0;

    template <class A>
    void check_flat(const A& theta) const {
        check(theta.ndim() == 1 && static_cast<std::int64_t>(theta.shape(0)) == size, "theta does not fit the layers");
    }

    template <class T>
    Rows<T> rows(const Input<T>& X, const Input<T>& Y, const std::optional<Input<T>>& weights,
                 const std::int64_t* order) const {
        check(X.ndim() == 2 && static_cast<std::int64_t>(X.shape(1)) == s.front() && X.shape(0) > 0, "X must be (m, s_1)");
        const std::size_t m = X.shape(0);
        check(Y.ndim() == 2 && Y.shape(0) == m && static_cast<std::int64_t>(Y.shape(1)) == s.back(), "Y must be (m, K)");
        check(!weights || (weights->ndim() == 1 && weights->shape(0) == m), "weights must be (m,)");
        return {static_cast<std::int64_t>(m), X.data(), Y.data(), weights ? weights->data() : nullptr, order};
    }
};

template <class T>
double dot(Input<T> u, Input<T> v) {
    check(u.ndim() == 1 && v.ndim() == 1 && u.shape(0) == v.shape(0), "dot takes two vectors of one length");
    return functions<T>(*build).dot(u.data(), v.data(), static_cast<std::int64_t>(u.shape(0)));
}

template <class T>
void two_loop(Input<T> D, const std::vector<Input<T>>& s, const std::vector<Input<T>>& y, const std::vector<double>& sy, double scale, Array<T> q) {
    const auto fits = [&](const auto& v) { return v.ndim() == 1 && v.shape(0) == D.shape(0); };
    check(D.ndim() == 1 && fits(q) && s.size() == y.size() && s.size() == sy.size(), "two_loop takes vectors of one length, and as many s as y");
    std::vector<const T*> steps, changes;
    for (std::size_t i = 0; i < s.size(); ++i) {
        check(fits(s[i]) && fits(y[i]), "two_loop takes vectors of one length");
        steps.push_back(s[i].data());
        changes.push_back(y[i].data());
    }
    std::vector<double> alpha(s.size());
    functions<T>(*build).two_loop(D.data(), {static_cast<int>(s.size()), steps.data(), changes.data(), sy.data()}, scale,
                                  static_cast<std::int64_t>(D.shape(0)), alpha.data(), q.data());
}

template <class T>
nb::tuple solve_damped(Input<T> H, Input<T> scale, double damping, Input<T> D, Array<T> p) {
    const std::size_t n = D.size();
    const auto fits = [&](const auto& v) { return v.ndim() == 1 && v.shape(0) == n; };
    check(fits(D) && fits(scale) && fits(p) && H.ndim() == 2 && H.shape(0) == n && H.shape(1) == n, "solve_damped takes a square H and vectors as long");
    DampedStep found{};
    {
        nb::gil_scoped_release release;
        found = functions<T>(*build).solve_damped(H.data(), scale.data(), static_cast<T>(damping), D.data(), static_cast<std::int64_t>(n), p.data());
    }
    return nb::make_tuple(found.share, found.gain);
}

template <class T>
void bind(nb::module_& m, nb::class_<Kernel>& kernel) {
    kernel
        .def("accumulate", &Kernel::accumulate<T>, "theta"_a.noconvert(), "X"_a.noconvert(), "Y"_a.noconvert(),
             "weights"_a.noconvert().none(), "Delta"_a.noconvert(), "threads"_a)
        .def("cost", &Kernel::cost<T>, "theta"_a.noconvert(), "X"_a.noconvert(), "Y"_a.noconvert(),
             "weights"_a.noconvert().none(), "threads"_a)
        .def("forward", &Kernel::forward<T>, "theta"_a.noconvert(), "X"_a.noconvert(), "h"_a.noconvert(), "threads"_a)
        .def("epoch", &Kernel::epoch<T>, "theta"_a.noconvert(), "X"_a.noconvert(), "Y"_a.noconvert(),
             "weights"_a.noconvert().none(), "order"_a.noconvert(), "rule"_a,
             "state"_a.noconvert(), "steps"_a, "batch_size"_a, "learning_rate"_a, "momentum"_a, "beta1"_a, "beta2"_a,
             "epsilon"_a, "decay"_a, "penalty"_a, "penalty_by_batch"_a, "dropout"_a.none(), "max_norm"_a, "seed"_a,
             "number"_a, "threads"_a)
        .def("normal_equations", &Kernel::normal_equations<T>, "theta"_a.noconvert(), "X"_a.noconvert(), "Y"_a.noconvert(),
             "weights"_a.noconvert().none(), "lams"_a.noconvert().none(), "H"_a.noconvert(), "D"_a.noconvert(), "threads"_a)
        .def("hessian_vector", &Kernel::hessian_vector<T>, "theta"_a.noconvert(), "v"_a.noconvert(), "X"_a.noconvert(),
             "Y"_a.noconvert(), "weights"_a.noconvert().none(), "RDelta"_a.noconvert(), "threads"_a);
    m.def("two_loop", &two_loop<T>, "D"_a.noconvert(), "s"_a, "y"_a, "sy"_a, "scale"_a, "q"_a.noconvert());
    m.def("solve_damped", &solve_damped<T>, "H"_a.noconvert(), "scale"_a.noconvert(), "damping"_a, "D"_a.noconvert(), "p"_a.noconvert());
    m.def("dot", &dot<T>, "u"_a.noconvert(), "v"_a.noconvert());
}

}  // namespace
}  // namespace chainrule

NB_MODULE(_kernel, m) {
    using namespace chainrule;
    nb::set_leak_warnings(false);  // kernels live in a cache of chainrule.engine until the very end
    build = choose();
    m.attr("isa") = build->name;
    nb::class_<Kernel> kernel(m, "Kernel");
    kernel.def(nb::init<std::vector<std::int64_t>, const std::vector<int>&, int>());
    bind<double>(m, kernel);  // tried first: Levenberg-Marquardt's calls are all float64
    bind<float>(m, kernel);
}
