// One build of the mathematics.  CMake compiles this file once for each instruction set, with
// CHAINRULE_BUILD=v2, v3, v4 (x86-64) or native.  Everything but the table at the end has internal
// linkage, and no function of a standard header is used: code of one instruction set is shared with
// no other.
#include "batch.hpp"
#include "epoch.hpp"
#include "hessian.hpp"
#include "kernel.hpp"
#include "normal_equations.hpp"
#include "optimizers.hpp"
#include "predict.hpp"
#include "sums.hpp"

namespace chainrule {

namespace {

template <class T>
constexpr Functions<T> functions = {
    accumulate<T>,       cost<T>,           forward<T>,  activations<T>,  epoch<T>,
    normal_equations<T>, hessian_vector<T>, two_loop<T>, solve_damped<T>, dot<T>,
};

}  // namespace

#define CHAINRULE_JOIN(a, b) a##b
#define CHAINRULE_NAME(a, b) CHAINRULE_JOIN(a, b)
#define CHAINRULE_TEXT(a) #a
#define CHAINRULE_QUOTED(a) CHAINRULE_TEXT(a)

extern const Build CHAINRULE_NAME(build_, CHAINRULE_BUILD);
const Build CHAINRULE_NAME(build_, CHAINRULE_BUILD) = {
    CHAINRULE_QUOTED(CHAINRULE_BUILD),
    functions<float>,
    functions<double>,
};

}  // namespace chainrule
