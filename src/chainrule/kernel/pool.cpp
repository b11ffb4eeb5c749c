// The threads: a pool that lives as long as the process, and the barrier of a team.
#include "kernel.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <pthread.h>
#if defined(__linux__)
#include <sched.h>
#endif
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace chainrule {

namespace {

// Milliseconds of a clock that a small batch can afford to read: Linux has one that steps by 1 to
// 10 ms and takes a sixth of the time of the exact one.
std::int64_t milliseconds() {
#if defined(CLOCK_MONOTONIC_COARSE)
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return std::int64_t{t.tv_sec} * 1000 + t.tv_nsec / 1000000;
#else
    using namespace std::chrono;
    return duration_cast<std::chrono::milliseconds>(steady_clock::now().time_since_epoch()).count();
#endif
}

// Denormal numbers cost 100 cycles or more each, and saturated units make many, so the kernel
// rounds them to 0.  Afterwards the processor treats them as the caller had set it to.
class FlushDenormals {
public:
#if defined(__x86_64__)
    FlushDenormals() : before(_mm_getcsr()) { _mm_setcsr(before | 0x8040); }  // FTZ | DAZ
    ~FlushDenormals() { _mm_setcsr(before); }

private:
    unsigned before;
#elif defined(__aarch64__)
    FlushDenormals() {
        asm volatile("mrs %0, fpcr" : "=r"(before));
        asm volatile("msr fpcr, %0" : : "r"(before | (std::uint64_t{1} << 24)));
    }
    ~FlushDenormals() { asm volatile("msr fpcr, %0" : : "r"(before)); }

private:
    std::uint64_t before;
#endif
};

void pause() {
#if defined(__x86_64__)
    _mm_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

// Wait until `value` is no longer `old`.  Spin for a short time, for a step of a small network
// takes microseconds and waking a sleeper takes tens of them; then sleep, for cores may be shared.
constexpr int spins = 4000;

template <class Number>
void wait_while(const std::atomic<Number>& value, Number old) {
    for (int i = 0; i < spins; ++i) {
        if (value.load(std::memory_order_acquire) != old) return;
        pause();
    }
    value.wait(old, std::memory_order_acquire);
}

// The core this thread is on, or -1.
int core() {
#if defined(__linux__)
    return sched_getcpu();
#else
    return -1;
#endif
}

// Move this thread away from the core `taken`.  Linux may put a woken thread on the core of the one
// that woke it; the two then take turns for up to tens of milliseconds while another core is idle.
void leave(int taken) {
#if defined(__linux__)
    cpu_set_t allowed, others;
    if (taken < 0 || core() != taken || sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
    others = allowed;
    CPU_CLR(static_cast<std::size_t>(taken), &others);
    if (CPU_COUNT(&others) == 0 || sched_setaffinity(0, sizeof others, &others) != 0) return;
    sched_setaffinity(0, sizeof allowed, &allowed);
#else
    (void)taken;
#endif
}

}  // namespace

struct Team::Shared {
    struct alignas(64) Count {
        std::atomic<std::int64_t> n{0};
    };
    int size;
    std::vector<Count> taken{};  // of each member's pieces
    Interrupted interrupted;
    int caller = core();
    std::atomic<int> arrived{0};
    std::atomic<int> generation{0};
    std::atomic<bool> stop{false};
    bool stopped = false;  // `stop` as it was when the team last met
    std::int64_t asked = milliseconds();
};

void Team::wait() {
    if (size == 1) {
        taken = 0;
        return;
    }
    const int generation = shared->generation.load(std::memory_order_acquire);
    if (shared->arrived.fetch_add(1, std::memory_order_acq_rel) + 1 == size) {
        shared->arrived.store(0, std::memory_order_relaxed);
        for (Shared::Count& count : shared->taken) count.n.store(0, std::memory_order_relaxed);
        shared->stopped = shared->stop.load(std::memory_order_relaxed);
        shared->generation.store(generation + 1, std::memory_order_release);
        shared->generation.notify_all();
    } else {
        wait_while(shared->generation, generation);
    }
}

std::int64_t Team::take(int owner) {
    if (size == 1) return taken++;
    return shared->taken[static_cast<std::size_t>(owner)].n.fetch_add(1, std::memory_order_relaxed);
}

bool Team::poll() {
    const bool stop = shared->stop.load(std::memory_order_relaxed);
    if (!called || stop) return stop;
    const std::int64_t now = milliseconds();
    if (now - shared->asked < 20) return false;
    shared->asked = now;
    if (!shared->interrupted()) return false;
    shared->stop.store(true, std::memory_order_relaxed);
    return true;
}

bool Team::stopped() const {
    return size == 1 ? shared->stop.load(std::memory_order_relaxed) : shared->stopped;
}

Team Team::alone() const { return {0, 1, called, shared}; }

namespace {

class Pool {
public:
    std::mutex busy;  // held by the Python thread whose call the workers help with

    // Return how many threads can work together: fewer than asked for where one cannot be started.
    int grow(int size) {
        try {
            while (static_cast<int>(workers.size()) < size - 1) {
                const int rank = static_cast<int>(workers.size()) + 1;
                auto turn = std::make_unique<Turn>();
                workers.reserve(workers.size() + 1);
                std::thread([this, rank, turn = turn.get()] { work(rank, *turn); }).detach();
                workers.push_back(std::move(turn));  // sleeping at exit, it ends with the process
            }
        } catch (const std::system_error&) {
        } catch (const std::bad_alloc&) {}
        return static_cast<int>(workers.size()) < size - 1 ? static_cast<int>(workers.size()) + 1
                                                           : size;
    }

    void run(Team::Shared& team, Body job, void* job_context) {
        shared = &team;
        body = job;
        context = job_context;
        finished.store(0, std::memory_order_relaxed);
        for (int rank = 1; rank < team.size; ++rank) {  // the others sleep on
            std::atomic<int>& turn = workers[static_cast<std::size_t>(rank - 1)]->n;
            turn.fetch_add(1, std::memory_order_release);
            turn.notify_one();
        }
        {
            FlushDenormals flush;
            Team caller{0, team.size, true, &team};
            job(job_context, caller);
        }
        for (int done; (done = finished.load(std::memory_order_acquire)) < team.size - 1;)
            wait_while(finished, done);
    }

private:
    struct alignas(64) Turn {
        std::atomic<int> n{0};
    };
    std::vector<std::unique_ptr<Turn>> workers;  // what each waits for
    std::atomic<int> finished{0};
    Team::Shared* shared = nullptr;
    Body body = nullptr;
    void* context = nullptr;

    void work(int rank, const Turn& turn) {
        for (int seen = 0;; ++seen) {
            wait_while(turn.n, seen);
            leave(shared->caller);
            {
                FlushDenormals flush;
                Team member{rank, shared->size, false, shared};
                body(context, member);
            }
            finished.fetch_add(1, std::memory_order_release);
            finished.notify_all();
        }
    }
};

std::atomic<Pool*> pool{nullptr};  // never destroyed: its threads sleep until the process ends

// Threads do not survive fork: the child gets a new pool.
void forget_pool() { pool.store(nullptr); }

Pool& the_pool() {
    static const int once = pthread_atfork(nullptr, nullptr, forget_pool);
    (void)once;
    Pool* current = pool.load();
    if (current == nullptr) {
        auto* fresh = new Pool;
        if (pool.compare_exchange_strong(current, fresh)) return *fresh;
        delete fresh;
    }
    return *current;
}

}  // namespace

bool parallel(int threads, Interrupted interrupted, Body body, void* context) {
    Team::Shared shared{};
    shared.size = 1;
    shared.interrupted = interrupted;
    if (threads > 1) {
        Pool& p = the_pool();
        std::unique_lock<std::mutex> mine(p.busy, std::try_to_lock);
        if (mine.owns_lock()) {
            shared.size = p.grow(threads);
            shared.taken = std::vector<Team::Shared::Count>(static_cast<std::size_t>(shared.size));
            p.run(shared, body, context);
            return !shared.stop.load();
        }
    }
    FlushDenormals flush;
    Team alone{0, 1, true, &shared};
    body(context, alone);
    return !shared.stop.load();
}

namespace {

// The memory of this thread's last call, for its next one: the system clears the pages that it
// hands out, which takes a tenth of the time of a block of rows. Only the same size is used again,
// so that a sanitizer still sees where a piece ends.
struct Spare {
    void* data = nullptr;
    std::size_t size = 0;

    ~Spare() { std::free(data); }
};

constexpr std::size_t worth_sparing = std::size_t{1} << 16, most_spared = std::size_t{1} << 26;
thread_local Spare spare;

}  // namespace

Scratch::Scratch(std::size_t bytes) : size(bytes == 0 ? 64 : (bytes + 63) / 64 * 64) {
    if (spare.size == size) {
        data = std::exchange(spare.data, nullptr);
        spare.size = 0;
        return;
    }
    data = std::aligned_alloc(64, size);
    if (data == nullptr) throw std::bad_alloc();
}

Scratch::~Scratch() {
    if (worth_sparing <= size && size <= most_spared) {
        std::swap(data, spare.data);
        spare.size = size;
    }
    std::free(data);
}

}  // namespace chainrule
