// The Python module: the choice of the build for this machine's instruction set, and what Python
// calls.
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include "kernel.hpp"
#include "network.hpp"

using namespace nb::literals;

namespace chainrule {
namespace {

const Build* choose() {
    const char* asked = std::getenv("CHAINRULE_ISA");
    const std::string wish = asked ? asked : "";
    const Build* found = build_for(wish.c_str());
    if (found == nullptr && wish.empty()) throw nb::import_error("this processor lacks SSE4.2");
    if (found == nullptr)
        throw nb::import_error(("CHAINRULE_ISA=" + wish + " cannot run on this processor").c_str());
    return found;
}

template <class T>
double dot(Input<T> u, Input<T> v) {
    check(u.ndim() == 1 && v.ndim() == 1 && u.shape(0) == v.shape(0),
          "dot takes two vectors of one length");
    return functions<T>().dot(u.data(), v.data(), length(u, 0));
}

template <class T>
void two_loop(Input<T> D, const std::vector<Input<T>>& s, const std::vector<Input<T>>& y,
              const std::vector<double>& sy, double scale, Array<T> q) {
    const auto fits = [&](const auto& v) { return v.ndim() == 1 && v.shape(0) == D.shape(0); };
    check(D.ndim() == 1 && fits(q) && s.size() == y.size() && s.size() == sy.size(),
          "two_loop takes vectors of one length, and as many s as y");
    std::vector<const T*> steps, changes;
    for (std::size_t i = 0; i < s.size(); ++i) {
        check(fits(s[i]) && fits(y[i]), "two_loop takes vectors of one length");
        steps.push_back(s[i].data());
        changes.push_back(y[i].data());
    }
    std::vector<double> alpha(s.size());
    const Pairs<T> pairs{static_cast<int>(s.size()), steps.data(), changes.data(), sy.data()};
    bool ok = true;
    const auto run = [&](Interrupted ask) {
        functions<T>().two_loop(D.data(), pairs, scale, length(D, 0), alpha.data(), q.data(), ask,
                                &ok);
    };
    if (length(D, 0) < 100'000) {  // over before another thread has taken the GIL
        run(nullptr);
    } else {
        const WithoutGil released;
        run(interrupted);
    }
    if (!ok) throw nb::python_error();
}

template <class T>
nb::tuple solve_damped(Input<T> H, Input<T> scale, double damping, Input<T> D, Array<T> p) {
    const std::size_t n = D.size();
    const auto fits = [&](const auto& v) { return v.ndim() == 1 && v.shape(0) == n; };
    check(fits(D) && fits(scale) && fits(p) && H.ndim() == 2 && H.shape(0) == n && H.shape(1) == n,
          "solve_damped takes a square H and vectors as long");
    DampedStep found{};
    bool ok = true;
    {
        const WithoutGil released;
        found = functions<T>().solve_damped(H.data(), scale.data(), static_cast<T>(damping),
                                            D.data(), length(D, 0), p.data(), interrupted, &ok);
    }
    if (!ok) throw nb::python_error();
    return nb::make_tuple(found.share, found.gain);
}

template <class T>
void bind(nb::module_& m, nb::class_<Kernel>& kernel) {
    kernel
        .def("accumulate", &Kernel::accumulate<T>, "theta"_a.noconvert(), "X"_a.noconvert(),
             "Y"_a.noconvert(), "weights"_a.noconvert().none(), "Delta"_a.noconvert(), "threads"_a)
        .def("cost", &Kernel::cost<T>, "theta"_a.noconvert(), "X"_a.noconvert(), "Y"_a.noconvert(),
             "weights"_a.noconvert().none(), "threads"_a)
        .def("forward", &Kernel::forward<T>, "theta"_a.noconvert(), "X"_a.noconvert(),
             "h"_a.noconvert(), "threads"_a)
        .def("activations", &Kernel::activations<T>, "theta"_a.noconvert(), "X"_a.noconvert(),
             "a"_a, "z"_a.noconvert(), "threads"_a)
        .def("epoch", &Kernel::epoch<T>, "theta"_a.noconvert(), "X"_a.noconvert(),
             "Y"_a.noconvert(), "weights"_a.noconvert().none(), "order"_a.noconvert(),
             "names"_a.noconvert().none(), "rule"_a, "state"_a.noconvert(), "steps"_a, "since"_a,
             "batch_size"_a, "learning_rate"_a, "momentum"_a, "beta1"_a, "beta2"_a, "epsilon"_a,
             "decay"_a, "penalty"_a, "penalty_by_batch"_a, "dropout"_a.none(), "max_norm"_a,
             "seed"_a, "number"_a, "threads"_a)
        .def("normal_equations", &Kernel::normal_equations<T>, "theta"_a.noconvert(),
             "X"_a.noconvert(), "Y"_a.noconvert(), "weights"_a.noconvert().none(),
             "lams"_a.noconvert().none(), "mean"_a, "H"_a.noconvert(), "D"_a.noconvert(),
             "threads"_a)
        .def("hessian_vector", &Kernel::hessian_vector<T>, "theta"_a.noconvert(), "v"_a.noconvert(),
             "X"_a.noconvert(), "Y"_a.noconvert(), "weights"_a.noconvert().none(),
             "RDelta"_a.noconvert(), "threads"_a);
    m.def("two_loop", &two_loop<T>, "D"_a.noconvert(), "s"_a, "y"_a, "sy"_a, "scale"_a,
          "q"_a.noconvert());
    m.def("solve_damped", &solve_damped<T>, "H"_a.noconvert(), "scale"_a.noconvert(), "damping"_a,
          "D"_a.noconvert(), "p"_a.noconvert());
    m.def("dot", &dot<T>, "u"_a.noconvert(), "v"_a.noconvert());
}

// Let this thread's long calls ask `ask` on their way; return what they asked before.  The caller
// keeps it alive.
nb::object ask(nb::object ask) {
    PyObject* const before = std::exchange(asked, ask.is_none() ? nullptr : ask.ptr());
    return before == nullptr ? nb::none() : nb::borrow(before);
}

// The builds that may compute here, the best one first.
nb::tuple builds() {
    nb::list names;
    for (const char* name : {"v4", "v3", "v2", "native"})
        if (const Build* build = build_for(name); build == best || (build && nb::len(names) > 0))
            names.append(build->name);
    return nb::tuple(names);
}

// Let this thread's calls be computed by the build `name`, or for None by the best one; return the
// name of what computed before, or None.
nb::object use(const std::optional<std::string>& name) {
    const Build* const wish = name ? build_for(name->c_str()) : nullptr;
    check(!name || (wish && !name->empty()), "this processor cannot run that build");
    const Build* const before = std::exchange(agreed, wish);
    return before == nullptr ? nb::none() : nb::cast(before->name);
}

// The positions are the codes.
template <std::size_t n>
nb::tuple tuple_of_names(const char* const (&names)[n]) {
    nb::list list;
    for (const char* name : names) list.append(name);
    return nb::tuple(list);
}

}  // namespace
}  // namespace chainrule

NB_MODULE(_kernel, m) {
    using namespace chainrule;
    nb::set_leak_warnings(false);  // chainrule.engine keeps kernels until the very end
    best = choose();
    m.attr("isa") = best->name;
    m.attr("BUILDS") = builds();
    m.def("use", &use, "name"_a.none());
    m.def("ask", &ask, "ask"_a.none());
    m.attr("ACTIVATIONS") = tuple_of_names(activation_names);
    m.attr("OUTPUTS") = tuple_of_names(output_names);
    nb::class_<Kernel> kernel(m, "Kernel");
    kernel.def(nb::init<std::vector<std::int64_t>, const std::vector<int>&, int>());
    bind<double>(m, kernel);  // tried first: Levenberg-Marquardt's calls are all float64
    bind<float>(m, kernel);
}
