// Hessian-vector products, and what L-BFGS remembers.  The reference is chainrule.second_order; the passes
// are those of passes.hpp, and so is the rule that gives the same bits for any number of threads: every
// element is one sum over the rows, in their order, whoever computes it.

// ---- Hessian-vector products ------------------------------------------------------------------
//
// Pearlmutter's R{.} is the derivative along a direction v, whose parts are c beside b and V beside W.
// Put before the notes' lines it gives, in the same order,
//
//     R{z(l+1)}   =  R{a(l)} W + a(l) V + c                        R{a(1)} = 0
//     R{a(l)}     =  g'(z(l)) .* R{z(l)}
//     R{delta(L)} =  (d delta(L) / dz(L)) R{z(L)}
//     R{delta(l)} =  (R{delta(l+1)} W^T + delta(l+1) V^T) .* g'(z(l))
//                    + (delta(l+1) W^T) .* g''(z(l)) .* R{z(l)}
//     R{Delta(l)} =  a(l)^T R{delta(l+1)} + R{a(l)}^T delta(l+1)

// g''(z), written from a = g(z), as the slope is.
template <class T, Activation g>
inline vec<T> bend(vec<T> a) {
    const vec<T> none{};
    if constexpr (g == Activation::sigmoid) return a * (T(1) - a) * (T(1) - T(2) * a);
    if constexpr (g == Activation::tanh) return T(-2) * a * (T(1) - a * a);
    if constexpr (g == Activation::elu) return a > T(0) ? none : a + T(1);
    if constexpr (g == Activation::softplus) return -expm1<T>(-a) * exp<T>(-a);
    return none;
}

// What R{} adds to a slab: for layer l at l - 1, of the shapes of a(l).
template <class T>
struct Along {
    Net<T> v;     // the network's layers, with V and c packed
    T **Rz, **Ra, **Rdelta;
};

// R{a} := g'(z) .* R{z}.
template <class T>
struct Forwards {
    const T *a, *Rz;
    T* Ra;

    template <Activation g>
    void run(std::int64_t n) const {
        for (std::int64_t i = 0; i < n; i += lanes<T>) store(Ra + i, slope<T, g>(load(a + i)) * load(Rz + i));
    }
};

// With (delta(l+1) W^T) in delta(l) and (R{delta(l+1)} W^T + delta(l+1) V^T) in R{delta(l)}: both done.
template <class T>
struct Backwards {
    const T *a, *Rz;
    T *delta, *Rdelta;

    template <Activation g>
    void run(std::int64_t n) const {
        for (std::int64_t i = 0; i < n; i += lanes<T>) {
            const vec<T> of_a = load(a + i), back = load(delta + i), prime = slope<T, g>(of_a);
            store(Rdelta + i, load(Rdelta + i) * prime + back * bend<T, g>(of_a) * load(Rz + i));
            store(delta + i, back * prime);
        }
    }
};

template <class F>
void with_activation(Activation g, const F& f, std::int64_t n) {
    switch (g) {
        case Activation::sigmoid: return f.template run<Activation::sigmoid>(n);
        case Activation::tanh: return f.template run<Activation::tanh>(n);
        case Activation::relu: return f.template run<Activation::relu>(n);
        case Activation::leaky_relu: return f.template run<Activation::leaky_relu>(n);
        case Activation::elu: return f.template run<Activation::elu>(n);
        case Activation::softplus: return f.template run<Activation::softplus>(n);
        case Activation::identity: return f.template run<Activation::identity>(n);
    }
}

// delta(L) = a(L) - y of one row, and its R{}, which is R{a(L)}, from h and R{z(L)}.
template <class T>
void output_along(Output output, std::int64_t K, const T* h, const T* y, const T* Rz, T w, T* delta, T* Rdelta) {
    T mean = 0;
    if (output == Output::softmax)
        for (std::int64_t k = 0; k < K; ++k) mean += h[k] * Rz[k];
    for (std::int64_t k = 0; k < K; ++k) {
        delta[k] = w * (h[k] - y[k]);
        switch (output) {
            case Output::sigmoid: Rdelta[k] = w * h[k] * (1 - h[k]) * Rz[k]; break;
            case Output::softmax: Rdelta[k] = w * h[k] * (Rz[k] - mean); break;
            case Output::identity: Rdelta[k] = w * Rz[k]; break;
            case Output::exp: Rdelta[k] = w * h[k] * Rz[k]; break;
        }
    }
}

// a, delta and their R{} for rows [from, to) of the slab.
template <class T>
void rows_along(const Net<T>& net, const Slab<T>& slab, const Along<T>& along, const Rows<T>& data,
                int member, std::int64_t begin, std::int64_t from, std::int64_t to) {
    const std::int64_t rows = to - from;
    const auto of = [&](T* const* layers, int l) { return layers[l - 1] + from * net(l).ld; };
    gather_inputs(net, slab, data, begin, from, to, 0);
    gather_outputs(net, slab, data, begin, from, to);
    forward_rows(net, slab, member, Dropout{nullptr, 0, 0}, data, begin, from, to);
    output_rows(net, slab, member, from, to, false, false);
    for (int l = 1; l < net.L; ++l) {
        const Layer<T>&layer = net(l), &next = net(l + 1), &v = along.v(l);
        T* Rz = of(along.Rz, l + 1);
        product<T, false>(rows, next.s, layer.s, of(slab.a, l), layer.ld, v.W, 0, v.b, Rz, next.ld, false);
        if (l > 1) product<T, false>(rows, next.s, layer.s, of(along.Ra, l), layer.ld, layer.W, 0, nullptr, Rz, next.ld, true);
        if (l + 1 < net.L) with_activation(next.g, Forwards<T>{of(slab.a, l + 1), Rz, of(along.Ra, l + 1)}, rows * next.ld);
    }
    const Layer<T>& last = net(net.L);
    for (std::int64_t t = from; t < to; ++t) {
        const std::int64_t at = outputs_at(net, from) + (t - from) * last.s, row = t * last.ld;
        output_along(net.output, last.s, slab.z + at, slab.y + at, along.Rz[net.L - 1] + row, data.weights ? slab.w[t] : T(1),
                     slab.delta[net.L - 1] + row, along.Rdelta[net.L - 1] + row);
    }
    for (int l = net.L - 1; l >= 2; --l) {
        const Layer<T>&layer = net(l), &next = net(l + 1), &v = along.v(l);
        T *delta = of(slab.delta, l), *Rdelta = of(along.Rdelta, l);
        const std::int64_t n = layer.s;
        product<T, false>(rows, n, next.s, of(slab.delta, l + 1), next.ld, layer.W_T, 0, nullptr, delta, layer.ld, false);
        product<T, false>(rows, n, next.s, of(along.Rdelta, l + 1), next.ld, layer.W_T, 0, nullptr, Rdelta, layer.ld, false);
        product<T, false>(rows, n, next.s, of(slab.delta, l + 1), next.ld, v.W_T, 0, nullptr, Rdelta, layer.ld, true);
        with_activation(layer.g, Backwards<T>{of(slab.a, l), of(along.Rz, l), delta, Rdelta}, rows * layer.ld);
    }
}

// R{Delta} := the Hessian of the cost's sum, times v.
template <class T>
void hessian_vector(const Shape& shape, const T* theta, const T* v, const Rows<T>& data, T* RDelta, Call call, bool* ok) {
    Net<T> net{};
    Along<T> along{};
    const auto lay_out_nets = [&](Pieces& p) {
        lay_out(net, shape, data.m, false, false, 1, p);
        lay_out(along.v, shape, data.m, false, false, 1, p);
    };
    Pieces counted{nullptr};
    lay_out_nets(counted);
    Scratch net_memory(counted.used);
    Pieces pieces{static_cast<char*>(net_memory.data)};
    lay_out_nets(pieces);
    for (int l = 1; l < net.L; ++l) net(l).tiled = along.v(l).tiled = net(l).next;  // R{z} needs all of W packed, so z is made in tiles too
    net(net.L).ld = outputs_at(net, 1);  // R{z(L)} is written in whole vectors, by several members
    Slab<T> slab{};
    Accumulator<T> sums{};
    const std::int64_t slab_rows = smaller<std::int64_t>(data.m, 480);
    const auto lay_out_all = [&](Pieces& p) {
        lay_out_weights(net, theta, true, p);
        lay_out_weights(along.v, v, true, p);
        lay_out_slab(net, slab_rows, call.threads, false, true, slab, p);
        lay_out_accumulator(net, 0, sums, p);
        T*** const all_three[] = {&along.Rz, &along.Ra, &along.Rdelta};
        for (T*** of_layers : all_three) {
            *of_layers = p.take<T*>(net.L);
            for (int l = 2; l <= net.L; ++l) {
                T* of_layer = p.take<T>(slab_rows * net(l).ld);
                if (p.base) (*of_layers)[l - 1] = of_layer;
            }
        }
    };
    Pieces needed{nullptr};
    lay_out_all(needed);
    Scratch memory(needed.used);
    Pieces whole{static_cast<char*>(memory.data)};
    lay_out_all(whole);
    Slab<T> by_Rdelta = slab;  // a beside R{delta}: what Delta is summed from, with R{} before delta
    by_Rdelta.delta = along.Rdelta;

    *ok = with_team<T>(call, [&](Team& team) {
        pack_share(net, theta, team);
        pack_share(along.v, v, team);
        team.wait();
        slab_after_slab<T>(
            data.m, slab_rows, grain, team,
            [&](std::int64_t begin, std::int64_t from, std::int64_t to) { rows_along(net, slab, along, data, team.rank, begin, from, to); },
            [&](std::int64_t begin, std::int64_t rows) {
                accumulate_share(net, by_Rdelta, sums, rows, team, begin > 0, false, [](int, Share, OfInputs<T>) {});
                for (int l = 2; l < net.L; ++l) {  // R{a(1)} = 0, and so is R{1}, of the bias units
                    const Share i = inputs_of(net(l), team);
                    add_products(net, l, along.Ra[l - 1] + i.from, slab.delta[l], sums.of(net, l, i.from, 0), rows, i, true);
                }
            });
        for (int l = 1; l < net.L; ++l) {
            const Share i = inputs_of(net(l), team);
            collect(net, l, sums, i, sums.of(net, l, i.from, 0), RDelta);
        }
    });
}

// ---- L-BFGS -----------------------------------------------------------------------------------

// q := scale q + factor x, and then w . q, in float64 and in an order that depends on the length
// alone.  Both in one pass: the recursion is bound by how fast s and y come from memory.
template <class T>
double add_and_dot(T* __restrict q, double scale, double factor, const T* x, const T* w, std::int64_t n) {
    constexpr int ways = 16;
    const T a = static_cast<T>(scale), b = static_cast<T>(factor);
    double sums[ways] = {};
    std::int64_t i = 0;
    for (; i + ways <= n; i += ways)
        for (int k = 0; k < ways; ++k) {
            q[i + k] = a * q[i + k] + b * x[i + k];
            sums[k] += static_cast<double>(w[i + k]) * static_cast<double>(q[i + k]);
        }
    for (; i < n; ++i) {
        q[i] = a * q[i] + b * x[i];
        sums[i % ways] += static_cast<double>(w[i]) * static_cast<double>(q[i]);
    }
    double s = 0;
    for (int k = 0; k < ways; ++k) s += sums[k];
    return s;
}

// q := -H D, H the inverse Hessian that the pairs tell of: Nocedal and Wright, algorithm 7.4, from
// scale times I, with each pass over q shared by the end of one of its steps and the beginning of the next.
// alpha is memory for one number a pair.
template <class T>
void two_loop(const T* D, const Pairs<T>& pairs, double scale, std::int64_t n, double* alpha, T* q) {
    for (std::int64_t i = 0; i < n; ++i) q[i] = -D[i];
    if (pairs.count == 0) return;
    const int last = pairs.count - 1;
    double sq = dot(pairs.s[last], q, n);
    for (int i = last; i >= 0; --i) {
        alpha[i] = sq / pairs.sy[i];
        if (i > 0) sq = add_and_dot(q, 1, -alpha[i], pairs.y[i], pairs.s[i - 1], n);
    }
    double yq = add_and_dot(q, scale, -alpha[0] * scale, pairs.y[0], pairs.y[0], n);
    for (int i = 0; i <= last; ++i)
        yq = add_and_dot(q, 1, alpha[i] - yq / pairs.sy[i], pairs.s[i], pairs.y[i < last ? i + 1 : i], n);
}

// ---- Levenberg-Marquardt -----------------------------------------------------------------------

// p := the solution of A p = -D, A = H + damping diag(scale), by Cholesky: A = U^T U, a band of rows of
// U at a time, with -D as one more column of A.  The share it returns is about one over the condition
// of A scaled to a unit diagonal; at most 0, or nan, where A is not positive definite, and p is not set.
// The gain is -D.p - p.Hp/2, which is (p.(damping scale p) - D.p)/2 by A p = -D.
template <class T>
DampedStep solve_damped(const T* H, const T* scale, T damping, const T* D, std::int64_t n, T* p) {
    constexpr std::int64_t band = 16;
    const std::int64_t ld = padded<T>(n + 1) + lanes<T>;  // a row of products ends in a whole vector
    const Scratch memory(static_cast<std::size_t>(n * ld) * sizeof(T));
    T* U = static_cast<T*>(memory.data);
    T least = 1;
    for (std::int64_t from = 0; from < n; from += band) {
        const std::int64_t rows = smaller(band, n - from);
        if (from > 0) product<T, true>(rows, n + 1 - from, from, U + from, ld, U + from, ld, nullptr, U + from * ld + from, ld, false);
        for (std::int64_t k = from; k < from + rows; ++k) {
            T* __restrict u = U + k * ld;
            const T* __restrict h = H + k * n;
            const T whole = h[k] + damping * scale[k];
            for (std::int64_t j = k; j <= n; ++j) {
                const T a = j == n ? -D[k] : j == k ? whole : h[j];
                u[j] = from > 0 ? a - u[j] : a;
            }
            // In whole vectors: what lies before column k and after n is 0, lest it be a denormal number
            const std::int64_t first = k / lanes<T> * lanes<T>;
            for (std::int64_t j = first; j < k; ++j) u[j] = 0;
            for (std::int64_t j = n + 1; j < padded<T>(n + 1); ++j) u[j] = 0;
            for (std::int64_t j = first; j <= n; j += lanes<T>) {
                vec<T> row = load(u + j);
                for (std::int64_t i = from; i < k; ++i) row -= U[i * ld + k] * load(U + i * ld + j);
                store(u + j, row);
            }
            if (!(u[k] > 0)) return {static_cast<double>(u[k]), 0};
            const T left = u[k] / whole;
            if (!(left > 0)) return {static_cast<double>(left), 0};  // infinity by infinity
            if (left < least) least = left;
            const T one_over = 1 / square_root(u[k]);
            for (std::int64_t j = first; j <= n; j += lanes<T>) store(u + j, load(u + j) * one_over);
        }
    }
    for (std::int64_t k = n - 1; k >= 0; --k) {
        const T* u = U + k * ld;
        p[k] = static_cast<T>((u[n] - dot(u + k + 1, p + k + 1, n - k - 1)) / u[k]);
    }
    double gain = 0;
    for (std::int64_t k = 0; k < n; ++k) gain += static_cast<double>(p[k]) * static_cast<double>(damping * scale[k] * p[k] - D[k]) / 2;
    return {static_cast<double>(least), gain};
}
