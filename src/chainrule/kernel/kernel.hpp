// What the module, the thread pool and the builds of the mathematics share: plain data and the
// prototypes of functions that are compiled once.  No inline function lives here: one compiled for
// AVX-512 must never be the copy that the linker keeps for every machine.
#pragma once
#include <cstddef>
#include <cstdint>

namespace chainrule {

// The names are those of chainrule.notes.  The module exports them, and chainrule.engine looks a
// code up there.
#define CHAINRULE_ACTIVATIONS(name)                                                              \
    name(sigmoid) name(tanh) name(relu) name(leaky_relu) name(elu) name(softplus) name(identity) \
        name(selu) name(silu) name(gelu) name(mish)
#define CHAINRULE_OUTPUTS(name) name(sigmoid) name(softmax) name(identity) name(exp)

#define CHAINRULE_CODE(name) name,
#define CHAINRULE_QUOTE(name) #name,
enum class Activation : int { CHAINRULE_ACTIVATIONS(CHAINRULE_CODE) };
enum class Output : int { CHAINRULE_OUTPUTS(CHAINRULE_CODE) };
enum class Rule : int { sgd, nesterov, adam };
constexpr const char* activation_names[] = {CHAINRULE_ACTIVATIONS(CHAINRULE_QUOTE)};
constexpr const char* output_names[] = {CHAINRULE_OUTPUTS(CHAINRULE_QUOTE)};
#undef CHAINRULE_CODE
#undef CHAINRULE_QUOTE

// The shape of a network: layer l = 1..L has s[l - 1] units; g[l - 2] is hidden layer l's
// activation.
struct Shape {
    int L;
    const std::int64_t* s;
    const Activation* g;
    Output output;
};

// The training set.
template <class T>
struct Rows {
    std::int64_t m;
    const T* X;                 // (m, s_1)
    const T* Y;                 // (m, K), or null
    const T* weights;           // (m,), or null: all 1
    const std::int64_t* order;  // (m,), the order of visit, or null: as they lie
    const std::int64_t* names;  // (m,), what dropout calls them, or null: their numbers
};

struct Sums {
    double cost;    // sum over t of weight(t) cost(t)
    double weight;  // sum over t of weight(t)
};

// One epoch's rule.  All numbers are those of chainrule.notes.minibatch, the reference.
template <class T>
struct Training {
    Rule rule;
    std::int64_t batch;
    T* theta;
    T* first;            // velocity of SGD, first moment of Adam
    T* second;           // second moment of Adam
    std::int64_t t;      // Adam's steps so far; the epoch adds its own
    std::int64_t since;  // the step from which powers of beta are multiplied up
    double learning_rate, momentum, beta1, beta2, epsilon, decay;
    const double* penalty;       // one for each Theta(l); D = Delta/w_b + penalty W
    bool penalty_by_batch;       // D = (Delta + penalty W)/w_b, scikit-learn's
    const double* dropout;       // rate of each of the layers 1..L-1, or null
    std::uint64_t seed, number;  // of the training and of the epoch: keys of the dropout
    double max_norm;             // of the weights that lead into a unit; 0: no limit
};

// The last few steps s of L-BFGS, the oldest first, and the changes y of D that they made.
template <class T>
struct Pairs {
    int count;
    const T* const* s;
    const T* const* y;
    const double* sy;  // s . y
};

// The threads that work on one call together; compiled once, in pool.cpp.
class Team {
public:
    int rank, size;
    bool called;  // whether this is the thread that Python called: Python hears signals there alone
    void wait();  // until the whole team has arrived here
    // Returns 0, 1, 2, ..., each number to one member only, and from 0 again after each wait: the
    // number of the next piece of the work that belongs to `owner`, or to nobody in particular.
    std::int64_t take(int owner = 0);
    // The called thread asks about every 20 ms whether Ctrl-C was pressed.  Returns whether it was: a
    // member may then leave out what it has to do until the team meets, and computes nonsense.
    bool poll();
    // Whether it was when the team last met: all members get the same answer, so that all go on to
    // the next meeting or none does.
    bool stopped() const;
    Team alone() const;  // this member as a team of its own
    struct Shared;
    Shared* shared;
    std::int64_t taken = 0;  // used where the team has one member
};

using Body = void (*)(void* context, Team& team);
using Interrupted = bool (*)();

// Run body on a team of at most `threads`, the caller among them, with denormal numbers flushed to
// zero.  While the pool is busy with another Python thread's call, the caller works alone: every
// result is the same for any number of threads.  Returns false if Ctrl-C ended it.
bool parallel(int threads, Interrupted interrupted, Body body, void* context);

// Memory for one call, aligned to a cache line and not cleared.  Rows are filled up to whole
// vectors, and what fills one up is only ever combined with what fills up others; narrow_product
// masks it.
class Scratch {
public:
    explicit Scratch(std::size_t bytes);
    ~Scratch();
    Scratch(const Scratch&) = delete;
    void* data;

private:
    std::size_t size;
};

struct Call {
    int threads;
    Interrupted interrupted;
};

// What `solve_damped` returns beside p.
struct DampedStep {
    // The least, over the diagonal, of a pivot divided by the diagonal element of A that it came
    // from
    double share;
    double gain;  // how far J falls according to the model
};

// The mathematics for one element type; ok is false if Ctrl-C ended the call.
template <class T>
struct Functions {
    Sums (*accumulate)(const Shape&, const T* theta, const Rows<T>&, T* Delta, Call, bool* ok);
    Sums (*cost)(const Shape&, const T* theta, const Rows<T>&, Call, bool* ok);
    // Returns whether X and theta are finite; it may return false where only z overflows.
    bool (*forward)(const Shape&, const T* theta, const T* X, std::int64_t m, T* h, Call, bool* ok);
    // a has room for a(2), ..., a(L), z for z(L).
    void (*activations)(const Shape&, const T* theta, const T* X, std::int64_t m, T* const* a, T* z,
                        Call, bool* ok);
    Sums (*epoch)(const Shape&, const Rows<T>&, Training<T>&, Call, bool* ok);
    double (*normal_equations)(const Shape&, const T* theta, const Rows<T>&, const T* lambdas,
                               bool mean, T* H, T* D, Call, bool* ok);
    void (*hessian_vector)(const Shape&, const T* theta, const T* v, const Rows<T>&, T* RDelta,
                           Call, bool* ok);
    void (*two_loop)(const T* D, const Pairs<T>&, double scale, std::int64_t n, double* alpha, T* q,
                     Interrupted interrupted, bool* ok);
    DampedStep (*solve_damped)(const T* H, const T* scale, T damping, const T* D, std::int64_t n,
                               T* p, Interrupted interrupted, bool* ok);
    double (*dot)(const T* u, const T* v, std::int64_t n);
};

// One build of the mathematics.
struct Build {
    const char* name;
    Functions<float> f32;
    Functions<double> f64;
};

#if defined(__x86_64__)
extern const Build build_v2, build_v3, build_v4;
#else
extern const Build build_native;
#endif

// The build that `wish` names, or for "" the best one, or null if this processor cannot run it.
const Build* build_for(const char* wish);

}  // namespace chainrule
