// Which builds of the mathematics this processor can run.
#include "kernel.hpp"

#include <cstring>

namespace chainrule {

const Build* build_for(const char* wish) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    const bool v2 = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
    const bool v3 = v2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("bmi2");
    const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512vl");
    const struct {
        const Build* build;
        bool runs;
    } builds[] = {{&build_v4, v4}, {&build_v3, v3}, {&build_v2, v2}};
#else
    const struct {
        const Build* build;
        bool runs;
    } builds[] = {{&build_native, true}};
#endif
    for (const auto& candidate : builds)
        if (candidate.runs && (*wish == 0 || std::strcmp(wish, candidate.build->name) == 0))
            return candidate.build;
    return nullptr;
}

}  // namespace chainrule
