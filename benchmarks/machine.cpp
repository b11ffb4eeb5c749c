// What the machine can do at most: fused multiply-adds from registers, reading from memory, and handing
// a line of the cache from one core to another.
// Prints GFLOP/s in float32 and in float64, and GB/s, with as many threads as it is told; told
// `handover`, the nanoseconds of a line's way.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#if defined(__AVX512F__)
constexpr int WIDTH = 64;
#elif defined(__AVX__)
constexpr int WIDTH = 32;
#else
constexpr int WIDTH = 16;
#endif

constexpr double SECONDS = 0.25;

template <class T> using Vector [[gnu::vector_size(WIDTH)]] = T;

double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Twelve chains: more than latency times units asks for, few enough for 16 registers.
template <class T> double multiply_add() {
    constexpr int CHAINS = 12, LOOPS = 100'000, LANES = WIDTH / sizeof(T);
    Vector<T> sum[CHAINS] = {}, x = Vector<T>{} + T(1.0000001), y = Vector<T>{} + T(1e-9);
    double began = now(), seconds, flops = 0;
    do {
        for (int i = 0; i < LOOPS; i++)
            for (int c = 0; c < CHAINS; c++) {
                sum[c] = sum[c] * x + y;
                asm volatile("" : "+x"(sum[c]));  // kept, each in a register of its own
            }
        flops += 2.0 * LOOPS * CHAINS * LANES;
        seconds = now() - began;
    } while (seconds < SECONDS);
    return flops / seconds / 1e9;
}

double read() {
    constexpr size_t LANES = WIDTH / sizeof(double), N = (256 << 20) / WIDTH;  // beyond any cache
    static_assert(N % 8 == 0 && LANES > 0);
    std::vector<Vector<double>> data(N, Vector<double>{} + 1.0);
    Vector<double> sum[8] = {};
    double began = now(), seconds, bytes = 0;
    do {
        for (size_t i = 0; i < N; i += 8)
            for (int c = 0; c < 8; c++) sum[c] += data[i + c];
        for (auto &s : sum) asm volatile("" : "+x"(s));
        bytes += double(N) * WIDTH;
        seconds = now() - began;
    } while (seconds < SECONDS);
    return bytes / seconds / 1e9;
}

// The shortest way of ten tries, as either thread may have to wait for its core.
double handover() {
    constexpr int TRIES = 10, WAYS = 20'000;
    alignas(128) std::atomic<int> line;
    double best = 1e9;
    for (int i = 0; i < TRIES; i++) {
        line = 0;
        std::thread other([&] {
            for (int way = 1; way < WAYS; way += 2) {
                while (line.load(std::memory_order_acquire) != way) {}
                line.store(way + 1, std::memory_order_release);
            }
        });
        double began = now();
        for (int way = 0; way < WAYS; way += 2) {
            line.store(way + 1, std::memory_order_release);
            while (line.load(std::memory_order_acquire) != way + 2) {}
        }
        best = std::min(best, (now() - began) / WAYS * 1e9);
        other.join();
    }
    return best;
}

double together(int threads, double (*work)()) {
    std::vector<double> rates(threads);
    std::vector<std::thread> pool;
    for (int i = 0; i < threads; i++) pool.emplace_back([&, i] { rates[i] = work(); });
    double total = 0;
    for (int i = 0; i < threads; i++) pool[i].join(), total += rates[i];
    return total;
}

int main(int, char **argv) {
    if (argv[1] == std::string("handover")) return std::printf("%g\n", handover()) < 0;
    int threads = std::atoi(argv[1]);
    std::printf("%g %g %g\n", together(threads, multiply_add<float>),
                together(threads, multiply_add<double>), together(threads, read));
}
