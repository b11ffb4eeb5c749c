// One build of the mathematics.  CMake compiles this file once for each instruction set, with
// CHAINRULE_BUILD=v2, v3, v4 (x86-64) or native.  Everything but the table at the end has internal
// linkage, and no function of a standard header is used: code of one instruction set is shared with
// no other.
#include <utility>  // for index_sequence: a type, no function
#if defined(__AVX512F__)
#include <immintrin.h>  // instructions, no functions
#endif

#include "kernel.hpp"

namespace chainrule {
namespace {
#include "vec.hpp"
#include "product.hpp"
#include "passes.hpp"
#include "normal_equations.hpp"
#include "second_order.hpp"
}  // namespace

#define CHAINRULE_JOIN(a, b) a##b
#define CHAINRULE_NAME(a, b) CHAINRULE_JOIN(a, b)
#define CHAINRULE_TEXT(a) #a
#define CHAINRULE_QUOTED(a) CHAINRULE_TEXT(a)

extern const Build CHAINRULE_NAME(build_, CHAINRULE_BUILD);
const Build CHAINRULE_NAME(build_, CHAINRULE_BUILD) = {
    CHAINRULE_QUOTED(CHAINRULE_BUILD),
    {accumulate<float>, cost<float>, forward<float>, epoch<float>, normal_equations<float>, hessian_vector<float>, two_loop<float>, solve_damped<float>, dot<float>},
    {accumulate<double>, cost<double>, forward<double>, epoch<double>, normal_equations<double>, hessian_vector<double>, two_loop<double>, solve_damped<double>, dot<double>},
};

}  // namespace chainrule
