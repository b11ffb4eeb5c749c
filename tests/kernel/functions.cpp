// Errors of the kernel's functions in units in the last place (ulp), against the C library's
// functions of long double.  Writes a line for each: its name, the type, the largest error and
// where it was. See test_functions.py.
#include <cmath>
#include <cstdio>
#include <vector>

#include "functions.hpp"

using namespace chainrule;

// The distance between numbers of type T near x.
template <class T>
long double ulp(long double x) {
    const T rounded = static_cast<T>(std::fabs(x));
    return static_cast<long double>(std::nextafter(rounded, T(INFINITY))) - rounded;
}

// `points` values from low to high: evenly spread, and by their exponents where that is denser.
template <class T>
std::vector<T> range(T low, T high, int points = 200000) {
    std::vector<T> x;
    for (int i = 0; i < points; ++i) {
        const T part = T(i) / T(points - 1), even = low + (high - low) * part;
        const T small = std::exp2(T(-60) * part);
        for (const T value : {even, low * small, high * small})
            if (value >= low && value <= high) x.push_back(value);
    }
    x.resize(x.size() / lanes<T> * lanes<T>);
    return x;
}

// `lost(x)` is the error in ulp that rounding inside the argument excuses.
template <class T, class F, class Exact, class Lost>
void measure(const char* name, const std::vector<T>& xs, F f, Exact exact, Lost lost) {
    long double most = 0, where = 0;
    for (std::size_t i = 0; i < xs.size(); i += lanes<T>) {
        T got[lanes<T>];
        store(got, f(load(&xs[i])));
        for (int k = 0; k < lanes<T>; ++k) {
            const long double x = xs[i + k], wanted = exact(x);
            if (std::fabs(wanted) < 2 * std::numeric_limits<T>::min())
                continue;  // denormal, nearly
            const long double error = std::fabs(got[k] - wanted) / ulp<T>(wanted) - lost(x);
            if (!(error <= most)) most = error, where = x;
        }
    }
    std::printf("%s float%zu %.2Lf %.9Lg\n", name, 8 * sizeof(T), most, where);
}

template <class T>
void measure_all() {
    const auto none = [](long double) { return 0.0L; };
    const auto by_square = [](long double z) { return z * z / 2; };
    const T low = Constants<T>::exp_low, high = Constants<T>::exp_high;
    const long double sqrt2 = std::sqrt(2.0L);
    const auto sigmoid_of = [](vec<T> z) { return sigmoid<T>(z, exp<T>(-magnitude<T>(z))); };
    const auto softplus_of = [](vec<T> z) { return softplus<T>(z, exp<T>(-magnitude<T>(z))); };
    const auto normal_of = [](vec<T> z) { return normal<T>(z, bell<T>(z)); };
    const auto exact_sigmoid = [](long double z) { return 1 / (1 + std::exp(-z)); };
    const auto exact_softplus = [](long double z) {
        return std::fmax(z, 0.0L) + std::log1p(std::exp(-std::fabs(z)));
    };
    const auto exact_normal = [=](long double z) { return std::erfc(-z / sqrt2) / 2; };
    const auto exact_bell = [](long double z) { return std::exp(-z * z / 2); };
    using L = long double;
    measure<T>("exp", range<T>(low, high), exp<T>, [](L x) { return std::exp(x); }, none);
    measure<T>("expm1", range<T>(low, high), expm1<T>, [](L x) { return std::expm1(x); }, none);
    measure<T>("log", range<T>(T(1e-6), T(1e6)), log<T>, [](L x) { return std::log(x); }, none);
    measure<T>("log1p", range<T>(T(0), T(1)), log1p<T>, [](L x) { return std::log1p(x); }, none);
    measure<T>("tanh", range<T>(T(-30), T(30)), tanh<T>, [](L x) { return std::tanh(x); }, none);
    measure<T>("sigmoid", range<T>(low, high), sigmoid_of, exact_sigmoid, none);
    measure<T>("softplus", range<T>(low, high), softplus_of, exact_softplus, none);
    measure<T>("bell", range<T>(T(-12), T(12)), bell<T>, exact_bell, by_square);
    measure<T>("normal", range<T>(T(-1), T(12)), normal_of, exact_normal, none);
    measure<T>("normal_left", range<T>(T(-12), T(0)), normal_of, exact_normal, by_square);
}

int main() {
    measure_all<float>();
    measure_all<double>();
}
