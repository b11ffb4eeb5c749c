// Forward propagation, backpropagation, the accumulator Delta, and the epoch of minibatches.
//
// Rows are worked on in slabs that stay in the cache.  A slab has two phases.  First the team's
// members each take some of its rows: forward, cost, delta(L), ..., delta(2).  Then they each take
// some of the inputs of every layer: the rows of Delta(l) that belong to them, each a sum over all
// the slab's rows in their order.  Where an epoch's inputs are cut into blocks (see sum_blocks) a phase
// comes before: the members each take a block of the inputs of layer 1.  Sums are cut by the shapes alone,
// never by the number of threads, so the result has the same bits for any of them.

template <class A>
constexpr A smaller(A a, A b) { return a < b ? a : b; }
template <class A>
constexpr A larger(A a, A b) { return a < b ? b : a; }

// Where part `i` of `n` things that are cut into `parts` begins, on a multiple of `grain`.
constexpr std::int64_t cut(std::int64_t n, std::int64_t grain, std::int64_t i, std::int64_t parts) {
    const std::int64_t grains = (n + grain - 1) / grain;
    return smaller(n, grains * i / parts * grain);
}

// Copies of a fixed size, the last of which ends where the row does: a call of memcpy, or the
// compiler's loop with its many ends, would take longer than most rows do.
template <class T, int N = lanes<T>>
inline void copy(const T* from, std::int64_t n, T* to) {
    if (n < N) {
        if constexpr (N > 1) copy<T, N / 2>(from, n, to);
        return;
    }
    for (std::int64_t i = 0; i < n - N; i += N) __builtin_memcpy(to + i, from + i, N * sizeof(T));
    __builtin_memcpy(to + n - N, from + n - N, N * sizeof(T));
}

template <class T>
void clear(std::int64_t n, T* x) {
    for (std::int64_t i = 0; i < n; ++i) x[i] = 0;
}

// Between what is one member's alone (a block of a(1), strips, lists) and the next member's lie so many numbers: what
// a processor fetches on its own account ends with a page, and a line that it takes from another core has to come
// back.
template <class T>
constexpr std::int64_t apart = 4096 / static_cast<std::int64_t>(sizeof(T));

// Hands out aligned pieces of one allocation, three lines apart at least: a processor takes a load for one
// of what has just been stored a multiple of 4,096 bytes away, and waits.  From a null base it only counts.
struct Pieces {
    char* base;
    std::size_t used = 0;

    template <class A>
    A* take(std::int64_t n) {
        A* piece = base ? reinterpret_cast<A*>(base + used) : nullptr;
        used += (static_cast<std::size_t>(n) * sizeof(A) + 255) / 64 * 64;
        return piece;
    }
};

// Everything about layer l that does not depend on the rows.
template <class T>
struct Layer {
    std::int64_t s;       // s_l
    std::int64_t ld;      // from a row of a(l) and delta(l) to the next: s_l, or what a block has of it, filled up to whole vectors
    std::int64_t next;    // s_{l+1}
    std::int64_t start;   // of Theta(l) in theta: b first, then W (s_l, s_{l+1})
    Activation g;         // hidden layers
    bool zeros;           // so many of a(l) are 0 that passing over them pays
    std::int64_t tiled;   // the first so many units' z(l+1) are computed in tiles, the others' by narrow_product
    std::int64_t upright; // the first so many units' Delta(l) lies as W does, the others' is kept transposed
    std::int64_t ld_Delta, ld_turned;
    std::int64_t turned_from;  // the first unit that W_T has
    std::int64_t blocks;  // of inputs: z(l+1) is the sum over one after the other
    T *b, *W, *W_T;       // packed; of W only what is tiled
};

// Some of the units of a layer.
struct Share {
    std::int64_t from, to;
};

template <class T>
Share block_of(const Layer<T>& layer, std::int64_t block) {
    return {cut(layer.s, lanes<T>, block, layer.blocks), cut(layer.s, lanes<T>, block + 1, layer.blocks)};
}

template <class T>
struct Net {
    int L;
    Output output;
    std::int64_t size;
    Layer<T>* layers;  // l = 1..L at l - 1

    Layer<T>& operator()(int l) const { return layers[l - 1]; }
};

// Of how many units, the first ones, the vectors of Delta run over the units, and of the others over the inputs:
// 25 outputs fill 4 vectors of 8 to 78 %, 400 inputs fill 50 to 100 %, and of 100 outputs the last 4 fill a
// quarter of a vector.  But what runs over the inputs has to be transposed in the end: in the time that moving a
// number takes two multiply-adds are done.
template <class T>
std::int64_t upright_units(std::int64_t s, std::int64_t next, std::int64_t rows) {
    const auto work = [&](std::int64_t n) {
        const std::int64_t slow = vectors<T>(n) == 1 ? s / 8 : 0;  // one vector at a time is bound by its loads
        return rows * (s * vectors<T>(n) + slow + (next - n) * vectors<T>(s)) + 2 * s * (next - n);
    };
    const std::int64_t others[] = {next / lanes<T> * lanes<T>, 0};
    std::int64_t best = next;
    for (const std::int64_t n : others)
        if (work(n) < work(best)) best = n;
    return best;
}

// Of how many units, the first ones, z is computed in tiles, whose vectors run over the units.  The others, which
// fill no vector, may take clearly less time as products along the inputs: to add up the lanes of one takes as
// long as 4 multiply-adds.
template <class T>
std::int64_t tiled_units(std::int64_t s, std::int64_t next) {
    const std::int64_t rest = next % lanes<T> ? next % lanes<T> : next;
    return rest <= most_narrow<T> && 3 * rest * (vectors<T>(s) + 4) < 2 * s ? next - rest : next;
}

// For batches of `rows` rows; `direct`: a(1) are rows of X, unpadded; `zeros`: see many_zeros; `blocks` of layer 1.
template <class T>
void lay_out(Net<T>& net, const Shape& shape, std::int64_t rows, bool direct, bool zeros, std::int64_t blocks, Pieces& pieces) {
    net.L = shape.L;
    net.output = shape.output;
    net.layers = pieces.take<Layer<T>>(shape.L);
    if (!pieces.base) return;
    net.size = 0;
    for (int l = 1; l <= shape.L; ++l) {
        Layer<T>& layer = net(l);
        layer.s = shape.s[l - 1];
        layer.blocks = l == 1 ? blocks : 1;
        const Share largest = block_of(layer, layer.blocks - 1);
        layer.ld = padded<T>(largest.to - largest.from);
        // Rows a multiple of 512 bytes apart would share few of the sets of a cache
        if (layer.ld * sizeof(T) % 512 == 0) layer.ld += lanes<T>;
        if ((l == 1 && direct) || (l == shape.L && layer.s < lanes<T>)) layer.ld = layer.s;
        if (l > 1 && l < shape.L) layer.g = shape.g[l - 2];
        if (l == shape.L) break;
        layer.next = shape.s[l];
        layer.start = net.size;
        net.size += (layer.s + 1) * layer.next;
        layer.zeros = l == 1 && zeros;
        const bool unpadded = l == 1 && direct && layer.s % lanes<T> != 0;  // no whole vectors of inputs
        layer.tiled = unpadded ? layer.next : tiled_units<T>(layer.s, layer.next);
        layer.upright = unpadded ? layer.next : layer.zeros ? layer.tiled : upright_units<T>(layer.s, layer.next, rows);
        layer.ld_Delta = padded<T>(layer.upright);
        layer.ld_turned = padded<T>(layer.s);
    }
}

// Whether W lies in theta as it would be packed: in one panel of whole vectors.
template <class T>
bool lies_packed(const Layer<T>& layer) {
    return layer.next % lanes<T> == 0 && layer.next <= 3 * lanes<T>;
}

template <class T>
void lay_out_weights(const Net<T>& net, const T* theta, bool backward, Pieces& pieces) {
    for (int l = 1; l < net.L; ++l) {
        Layer<T>& layer = net(l);
        if (lies_packed(layer)) {
            layer.b = const_cast<T*>(theta) + layer.start;
            layer.W = layer.b + layer.next;
        } else {
            layer.b = pieces.take<T>(padded<T>(layer.next));
            layer.W = pieces.take<T>(layer.s * padded<T>(layer.tiled));
        }
        layer.turned_from = backward && l > 1 ? 0 : layer.tiled;
        const std::int64_t turned = (layer.next - layer.turned_from) * padded<T>(layer.s);
        layer.W_T = pieces.take<T>(turned);
        if (pieces.base && layer.tiled < layer.next) clear(turned, layer.W_T);  // what it is filled up with stays 0
    }
}

// Where what leads out from a block of inputs is packed.
template <class T>
T* packed_W(const Layer<T>& layer, Share block) {
    return layer.W + block.from * padded<T>(layer.tiled);
}

template <class T>
T* packed_W_T(const Layer<T>& layer, Share block) {
    return layer.W_T + block.from * (layer.next - layer.turned_from);
}

// Pack the weights that inputs i of a block of layer l lead out on, for `product`.
template <class T>
void pack(const Layer<T>& layer, const T* W, Share block, Share i) {
    const std::int64_t from = i.from - block.from, to = i.to - block.from, s = block.to - block.from;
    W += block.from * layer.next;
    if (!lies_packed(layer) && layer.tiled > 0) {
        packed_columns(s, layer.tiled, 0, layer.tiled, packed_W(layer, block), [&](T* p, std::int64_t stride, std::int64_t j, std::int64_t n) {
            for (std::int64_t k = from; k < to; ++k) copy(W + k * layer.next + j, n, p + k * stride);
        });
    }
    const std::int64_t turned = layer.next - layer.turned_from;
    if (turned == 0) return;
    W += layer.turned_from;
    packed_columns(turned, s, from, to, packed_W_T(layer, block), [&](T* p, std::int64_t stride, std::int64_t k, std::int64_t n) {
        const std::int64_t square = lanes<T>, below = n / square * square;
        std::int64_t j = 0;
        for (; j + square <= turned; j += square) {
            for (std::int64_t v = 0; v < below; v += square)
                transpose(W + (k + v) * layer.next + j, layer.next, p + j * stride + v, stride);
            for (std::int64_t u = j; u < j + square; ++u)
                for (std::int64_t v = below; v < n; ++v) p[u * stride + v] = W[(k + v) * layer.next + u];
        }
        for (; j < turned; ++j)
            for (std::int64_t v = 0; v < n; ++v) p[j * stride + v] = W[(k + v) * layer.next + j];
    });
}

template <class T>
void pack(const Layer<T>& layer, const T* theta, Share i) {
    const T* b = theta + layer.start;
    if (i.from == 0 && !lies_packed(layer)) copy(b, layer.next, layer.b);
    for (std::int64_t k = 0; k < layer.blocks; ++k) {
        const Share block = block_of(layer, k), some{larger(i.from, block.from), smaller(i.to, block.to)};
        if (some.from < some.to) pack(layer, b + layer.next, block, some);
    }
}

// The inputs of layer l that belong to this member of the team: the same in every phase.
template <class T>
Share inputs_of(const Layer<T>& layer, const Team& team, int member) {
    return {cut(layer.s, lanes<T>, member, team.size), cut(layer.s, lanes<T>, member + 1, team.size)};
}

template <class T>
Share inputs_of(const Layer<T>& layer, const Team& team) {
    return inputs_of(layer, team, team.rank);
}

template <class T>
void pack_share(const Net<T>& net, const T* theta, const Team& team) {
    for (int l = 1; l < net.L; ++l) {
        const Share i = inputs_of(net(l), team);
        if (i.from < i.to) pack(net(l), theta, i);
    }
}

constexpr std::int64_t grain = 4;  // the members of a team share a slab by so many rows

// Rows that a member of a team works on at a time: nobody waits for long for the last ones.  But each piece
// reads all weights, so they must be few enough for the second cache.
template <class T>
std::int64_t piece(const Net<T>& net, const Team& team, std::int64_t rows) {
    constexpr std::int64_t small = 24, bytes = 512 * 1024;
    return team.size > 1 && net.size * static_cast<std::int64_t>(sizeof(T)) < bytes ? small : rows;
}

// A slab of rows: what the passes write for them.
template <class T>
struct Slab {
    T** a;       // a(l), l = 1..L-1 at l - 1; (rows, ld), block after block
    std::int64_t of_block;  // of a(1)
    T** delta;   // delta(l), l = 2..L at l - 1, likewise
    T* cost;     // (rows, K): the terms of the cost
    // Of a member's rows from `from` on, (rows, K) without gaps, at `outputs_at`:
    T* z;        // of L; then h or, to learn from, delta(L)
    T* y;        // then the terms of the cost
    T* w;        // (rows,), where rows have weights
    T* across;   // (K, lanes) for each member: a vector of rows, one in each lane; so many numbers:
    std::int64_t of_across;
    std::int32_t* lists;  // of what is not 0, for `product`; for each member so many numbers:
    std::int64_t of_lists;
    bool direct;   // a(1) are rows of X itself
    T* parts;      // (blocks - 1, rows, ld) of z(2): the sums over all blocks of inputs but the first
    std::int64_t of_part;
};

// Members write whole vectors, and no two of them into the same one.
template <class T>
std::int64_t outputs_at(const Net<T>& net, std::int64_t from) {
    return from * padded<T>(net(net.L).s);
}

// Inputs whose Delta is summed, and then used, before the next ones': it is still in the cache.
template <class T>
constexpr std::int64_t strip = 3 * lanes<T>;

// Where Delta(l) of some inputs lies.
template <class T>
struct OfInputs {
    T* W;       // of the upright units, as W does: (inputs, ld_Delta)
    T* turned;  // of the others, transposed: (units, ld_turned)
};

// The sums over rows: of every input, or, where a batch is one slab, of each member's strip of them.
template <class T>
struct Accumulator {
    OfInputs<T>* Delta;  // Delta(l); no W where a strip is all that is kept
    T** Delta_b;         // the bias row of Delta(l)
    T* strips;
    std::int64_t of_strip;  // numbers

    // Delta(l) of inputs `from`, ...
    OfInputs<T> of(const Net<T>& net, int l, std::int64_t from, int member) const {
        const OfInputs<T> all = Delta[l - 1];
        return {all.W ? all.W + from * net(l).ld_Delta : strips + member * of_strip, all.turned + from};
    }
};

// `members`: of the team, where a strip of each is enough; else 0.
template <class T>
void lay_out_accumulator(const Net<T>& net, int members, Accumulator<T>& sums, Pieces& pieces) {
    sums.Delta = pieces.take<OfInputs<T>>(net.L);
    sums.Delta_b = pieces.take<T*>(net.L);
    sums.of_strip = 0;
    for (int l = 1; l < net.L; ++l) {
        const Layer<T>& layer = net(l);
        if (members > 0) sums.of_strip = larger(sums.of_strip, strip<T> * layer.ld_Delta);
        T* b = pieces.take<T>(padded<T>(layer.next));
        T* W = members > 0 ? nullptr : pieces.take<T>(layer.s * layer.ld_Delta);
        T* turned = pieces.take<T>((layer.next - layer.upright) * layer.ld_turned);
        if (!pieces.base) continue;
        sums.Delta[l - 1] = {W, turned};
        sums.Delta_b[l - 1] = b;
    }
    sums.of_strip += apart<T>;
    sums.strips = pieces.take<T>(members * sums.of_strip);
}

template <class T>
void lay_out_slab(const Net<T>& net, std::int64_t rows, int members, bool direct, bool backward, Slab<T>& slab,
                  Pieces& pieces) {
    slab.direct = direct;
    slab.of_part = rows * net(2).ld + apart<T>;
    slab.parts = pieces.take<T>((net(1).blocks - 1) * slab.of_part);
    slab.a = pieces.take<T*>(net.L);
    slab.delta = pieces.take<T*>(net.L);
    for (int l = 1; l <= net.L; ++l) {
        const Layer<T>& layer = net(l);
        const std::int64_t of_block = rows * layer.ld + (layer.blocks > 1 ? apart<T> : 0);
        if (l == 1) slab.of_block = of_block;
        T* a = (l == 1 && direct) || l == net.L ? nullptr : pieces.take<T>(layer.blocks * of_block);
        T* delta = backward && l > 1 ? pieces.take<T>(rows * layer.ld) : nullptr;
        if (!pieces.base) continue;
        slab.a[l - 1] = a;
        slab.delta[l - 1] = delta;
    }
    slab.cost = pieces.take<T>(rows * net(net.L).s);
    slab.z = pieces.take<T>(outputs_at(net, rows));
    slab.y = pieces.take<T>(outputs_at(net, rows));
    slab.w = pieces.take<T>(rows);
    slab.of_across = net.output == Output::softmax ? lanes<T> * net(net.L).s + apart<T> : 0;
    slab.across = pieces.take<T>(members * slab.of_across);
    slab.of_lists = 0;
    if (net(1).zeros) slab.of_lists = Lists::most * Lists::room(depth);  // of columns
    for (std::int64_t k = 0; k < net(1).blocks && net(1).zeros; ++k) {
        const Share block = block_of(net(1), k);
        slab.of_lists = larger(slab.of_lists, Lists::at_a_time(block.to - block.from) * Lists::room(block.to - block.from));
    }
    slab.of_lists += apart<std::int32_t>;
    slab.lists = pieces.take<std::int32_t>(members * slab.of_lists);
}

// The sum over i < n of term(i), in float64 and in an order that depends on n alone.
template <class Term>
double ordered_sum(std::int64_t n, Term term) {
    constexpr int ways = 16;
    double sums[ways] = {};
    std::int64_t i = 0;
    for (; i + ways <= n; i += ways)
        for (int k = 0; k < ways; ++k) sums[k] += term(i + k);
    for (; i < n; ++i) sums[i % ways] += term(i);
    double s = 0;
    for (int k = 0; k < ways; ++k) s += sums[k];
    return s;
}

template <class T>
double sum_of(const T* x, std::int64_t n) {
    return ordered_sum(n, [&](std::int64_t i) { return static_cast<double>(x[i]); });
}

template <class T>
double dot(const T* u, const T* v, std::int64_t n) {
    return ordered_sum(n, [&](std::int64_t i) { return static_cast<double>(u[i]) * static_cast<double>(v[i]); });
}

// ---- rows -----------------------------------------------------------------------------------

// Whether X is so full of zeros (pictures of digits, columns of codes) that passing over them takes less
// time than multiplying with them, by a few rows here and there; `rows` are summed over, if any.  Listing an
// input of four rows takes as long as 40 bytes' worth of multiply-adds of vectors; those of a list, in tiles
// of four rows, take 5/4 as long as others; and without lists Delta may run along the inputs.
template <class T>
bool many_zeros(const Shape& shape, const Rows<T>& data, std::int64_t rows) {
    constexpr std::int64_t four = Lists::tile_rows, samples = 8, listing = 40 / (64 / sizeof(T));
    const std::int64_t s = shape.s[0], next = shape.s[1], n = smaller(samples, data.m / 16);
    std::int64_t nonzero = 0;
    for (std::int64_t i = 0; i < n; ++i)
        for (std::int64_t k = 0; k < s; ++k) {
            bool any = false;
            for (std::int64_t r = i * (data.m / n); r < i * (data.m / n) + four; ++r)
                any |= data.X[(data.order ? data.order[r] : r) * s + k] != 0;
            nonzero += any;
        }
    // Of the units that are tiled, for the others are never listed
    const std::int64_t tiled = tiled_units<T>(s, next), upright = upright_units<T>(s, next, rows), work = four * vectors<T>(tiled);
    const std::int64_t of_Delta = rows > 0 ? four * vectors<T>(upright) + four * (tiled - upright) / lanes<T> : work;
    return nonzero * work * 5 / 4 + n * s * listing < n * s * (work + of_Delta) / 2;
}

// Rows of X that are visited at random are brought to the second cache so many numbers before they are
// needed: in the first they would drive out what the tiles use.
constexpr std::int64_t fetched = 8192;

// Copy a block of the inputs of rows [from, to) of the slab, rows `begin + from ...` of the order of visit.
template <class T>
void gather_inputs(const Net<T>& net, const Slab<T>& slab, const Rows<T>& data, std::int64_t begin,
                   std::int64_t from, std::int64_t to, std::int64_t block) {
    const Share i = block_of(net(1), block);
    const std::int64_t s = net(1).s, ld = net(1).ld, n = i.to - i.from, line = 64 / static_cast<std::int64_t>(sizeof(T));
    const std::int64_t ahead = larger<std::int64_t>(fetched / n, 1), last = data.m - begin - ahead;
    const std::int64_t* const order = data.order;  // for all the compiler knows, a copy writes on `data`
    const T* const X = data.X + i.from;
    T* a = slab.a[0] + block * slab.of_block;
    for (std::int64_t r = from; r < to && !slab.direct; ++r) {
        if (order && r < last) {
            const T* later = X + order[begin + r + ahead] * s;
            for (std::int64_t k = 0; k < n; k += line) __builtin_prefetch(later + k, 0, 2);
            __builtin_prefetch(later + n - 1, 0, 2);
        }
        copy(X + (order ? order[begin + r] : begin + r) * s, n, a + r * ld);
    }
}

// The same of Y and of the rows' weights.
template <class T>
void gather_outputs(const Net<T>& net, const Slab<T>& slab, const Rows<T>& data, std::int64_t begin,
                    std::int64_t from, std::int64_t to) {
    const std::int64_t K = net(net.L).s, ahead = larger<std::int64_t>(fetched / net(1).s, 1), last = data.m - begin - ahead;
    const auto [m, X, Y, weights, order] = data;  // for all the compiler knows, a copy writes on `data`
    T *y = slab.y + outputs_at(net, from), *w = slab.w;
    if (Y && !order) copy(Y + (begin + from) * K, (to - from) * K, y);
    for (std::int64_t r = from; r < to && Y && order; ++r, y += K) {
        if (r < last) __builtin_prefetch(Y + order[begin + r + ahead] * K, 0, 2);
        copy(Y + order[begin + r] * K, K, y);
    }
    for (std::int64_t r = from; r < to && weights; ++r) w[r] = weights[order ? order[begin + r] : begin + r];
}

template <class T, Activation g>
void activate_all(T* z, std::int64_t n) {
    for (std::int64_t i = 0; i < n; i += lanes<T>) store(z + i, activate<T, g>(load(z + i)));
}

// delta *= g'(a), where a was multiplied by 1/kept and dropout hid some of it.
template <class T, Activation g>
void slope_all(T* delta, const T* a, std::int64_t n, T kept) {
    for (std::int64_t i = 0; i < n; i += lanes<T>)
        store(delta + i, load(delta + i) * slope<T, g>(load(a + i) * kept));
}

template <class T>
void activate_all(Activation g, T* z, std::int64_t n) {
    switch (g) {
        case Activation::sigmoid: return activate_all<T, Activation::sigmoid>(z, n);
        case Activation::tanh: return activate_all<T, Activation::tanh>(z, n);
        case Activation::relu: return activate_all<T, Activation::relu>(z, n);
        case Activation::leaky_relu: return activate_all<T, Activation::leaky_relu>(z, n);
        case Activation::elu: return activate_all<T, Activation::elu>(z, n);
        case Activation::softplus: return activate_all<T, Activation::softplus>(z, n);
        case Activation::identity: return;
    }
}

template <class T>
void slope_all(Activation g, T* delta, const T* a, std::int64_t n, T kept) {
    switch (g) {
        case Activation::sigmoid: return slope_all<T, Activation::sigmoid>(delta, a, n, kept);
        case Activation::tanh: return slope_all<T, Activation::tanh>(delta, a, n, kept);
        case Activation::relu: return slope_all<T, Activation::relu>(delta, a, n, kept);
        case Activation::leaky_relu: return slope_all<T, Activation::leaky_relu>(delta, a, n, kept);
        case Activation::elu: return slope_all<T, Activation::elu>(delta, a, n, kept);
        case Activation::softplus: return slope_all<T, Activation::softplus>(delta, a, n, kept);
        case Activation::identity: return;
    }
}

// Dropout: a hash of (seed, epoch, layer, row, unit) decides, see chainrule.minibatch.
struct Dropout {
    const double* rate;  // of layers 1..L-1, or null
    std::uint64_t seed, number;
};

// splitmix64's number from state x
inline std::uint64_t mix(std::uint64_t x) {
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

inline std::uint32_t lowbias32(std::uint32_t x) {
    x = (x ^ (x >> 16)) * 0x7FEB352Du;
    x = (x ^ (x >> 15)) * 0x846CA68Bu;
    return x ^ (x >> 16);
}

// Multiply rows [from, to) of `values`, which are those of some units of layer l, by their masks: 0, or 1/(1 - rate).
template <class T>
void drop(const Net<T>& net, const Dropout& dropout, int l, const Rows<T>& data,
          std::int64_t begin, std::int64_t from, std::int64_t to, Share units, T* values) {
    const double rate = dropout.rate ? dropout.rate[l - 1] : 0;
    if (rate == 0) return;
    const auto limit = static_cast<std::uint32_t>(rate * 4294967296.0);
    const T scale = static_cast<T>(1 / (1 - rate));
    const std::uint64_t of_layer = mix(mix(mix(dropout.seed) ^ dropout.number) ^ static_cast<std::uint64_t>(l));
    for (std::int64_t r = from; r < to; ++r) {
        const std::int64_t t = data.order ? data.order[begin + r] : begin + r;
        const std::uint64_t key = mix(of_layer ^ static_cast<std::uint64_t>(t));
        const auto low = static_cast<std::uint32_t>(key), high = static_cast<std::uint32_t>(key >> 32);
        T* row = values + r * net(l).ld;
        for (std::int64_t j = units.from; j < units.to; ++j) {
            const std::uint32_t u = lowbias32(lowbias32(low ^ static_cast<std::uint32_t>(j) * 0x9E3779B9u) + high);
            row[j - units.from] *= u >= limit ? scale : T(0);
        }
    }
}

// Room for a member's lists of what is not 0 in a(l), or null where all is multiplied.
template <class T>
std::int32_t* lists_of(const Net<T>& net, const Slab<T>& slab, int l, int member) {
    return net(l).zeros ? slab.lists + member * slab.of_lists : nullptr;
}

// For rows [from, to) of the slab, the part of z(l+1) that comes from a block of the inputs; b comes with the first.
template <class T>
void z_of_block(const Net<T>& net, const Slab<T>& slab, int member, const Dropout& dropout, const Rows<T>& data,
                std::int64_t begin, std::int64_t from, std::int64_t to, int l, std::int64_t block, T* z) {
    const Layer<T>& layer = net(l);
    const Share i = block_of(layer, block);
    const std::int64_t rows = to - from, inputs = i.to - i.from, ld_z = l + 1 == net.L ? layer.next : net(l + 1).ld;
    T* const a_block = slab.a[l - 1] + block * slab.of_block;
    const T *a = a_block + from * layer.ld, *start = block == 0 ? layer.b : nullptr;
    drop(net, dropout, l, data, begin, from, to, i, a_block);
    if (layer.tiled > 0)
        product<T, false>(rows, layer.tiled, inputs, a, layer.ld, packed_W(layer, i), 0, start, z, ld_z, false, lists_of(net, slab, l, member));
    if (layer.tiled < layer.next)
        narrow_product(rows, layer.next - layer.tiled, inputs, a, layer.ld, packed_W_T(layer, i), layer.tiled - layer.turned_from,
                       layer.next - layer.turned_from, start ? start + layer.tiled : nullptr, z + layer.tiled, ld_z);
}

// a(2), ..., a(L-1) and z(L), for rows [from, to) of the slab.
template <class T>
void forward_rows(const Net<T>& net, const Slab<T>& slab, int member, const Dropout& dropout, const Rows<T>& data,
                  std::int64_t begin, std::int64_t from, std::int64_t to) {
    for (int l = 1; l < net.L; ++l) {
        const Layer<T>& next = net(l + 1);
        const bool last = l + 1 == net.L;
        T* z = last ? slab.z + outputs_at(net, from) : slab.a[l] + from * next.ld;
        if (net(l).blocks == 1) z_of_block(net, slab, member, dropout, data, begin, from, to, l, 0, z);
        for (std::int64_t k = 1; k < net(l).blocks; ++k) {
            const T* part = slab.parts + (k - 1) * slab.of_part + from * next.ld;
            for (std::int64_t i = 0; i < (to - from) * next.ld; i += lanes<T>) store(z + i, load(z + i) + load(part + i));
        }
        if (!last) activate_all(next.g, z, (to - from) * next.ld);
    }
}

// Of n numbers z where each has its own: h in place of z or, to learn from, h - y in place of z and the
// terms of the cost in place of y.
template <class T, Output output>
void outputs(std::int64_t n, T* z, T* y, bool learn) {
    for (std::int64_t i = 0; i < n; i += lanes<T>) {
        const vec<T> of_z = load(z + i), truth = load(y + i);
        vec<T> h = of_z, cost{};
        if constexpr (output == Output::sigmoid) {
            const vec<T> e = exp<T>(-magnitude<T>(of_z));
            h = sigmoid<T>(of_z, e);
            if (learn) cost = softplus<T>(of_z, e) - truth * of_z;
        } else if constexpr (output == Output::identity) {
            cost = T(0.5) * (of_z - truth) * (of_z - truth);
        } else {
            h = exp<T>(of_z);
            cost = h - truth * of_z;
        }
        store(z + i, learn ? h - truth : h);
        if (learn) store(y + i, cost);
    }
}

// The same for softmax, where the numbers of a row have theirs together.  `across` holds a vector of
// rows, one in each lane, so that nothing is added or compared across lanes.
template <class T>
void outputs_of_rows(std::int64_t rows, std::int64_t K, T* across, T* z, T* y, bool learn) {
    for (std::int64_t r; rows > 0; rows -= r, z += r * K, y += r * K) {
        r = smaller<std::int64_t>(lanes<T>, rows);
        for (std::int64_t i = 0; i < r; ++i)
            for (std::int64_t k = 0; k < K; ++k) across[k * lanes<T> + i] = z[i * K + k];
        vec<T> most = load(across), total{};
        for (std::int64_t k = 1; k < K; ++k) {
            const vec<T> of_z = load(across + k * lanes<T>);
            most = of_z > most ? of_z : most;
        }
        for (std::int64_t k = 0; k < K; ++k) {
            const vec<T> e = exp<T>(load(across + k * lanes<T>) - most);
            total += e;
            store(across + k * lanes<T>, e);
        }
        T whole[lanes<T>], top[lanes<T>], rest[lanes<T>];
        store(whole, T(1) / total);
        store(top, most);
        store(rest, log<T>(total));  // log sum_k e^z_k = top + rest
        for (std::int64_t i = 0; i < r; ++i) {
            T missing = 1;  // of the sum of the row's y: next to nothing
            for (std::int64_t k = 0; k < K; ++k) {
                const std::int64_t at = i * K + k;
                const T h = across[k * lanes<T> + i] * whole[i], truth = y[at];
                if (learn) {
                    missing -= truth;
                    y[at] = truth * ((top[i] - z[at]) + rest[i]);
                }
                z[at] = learn ? h - truth : h;
            }
            if (learn) y[i * K] += missing * (top[i] + rest[i]);
        }
    }
}

// For rows [from, to), with z and y gone for their use: h in place of z or, to learn from, the terms of the
// cost and delta(L) = (h - y) w.
template <class T>
void output_rows(const Net<T>& net, const Slab<T>& slab, int member, std::int64_t from, std::int64_t to, bool weighted,
                 bool learn) {
    const std::int64_t K = net(net.L).s, ld = net(net.L).ld, n = (to - from) * K;
    T *const z = slab.z + outputs_at(net, from), *const y = slab.y + outputs_at(net, from);
    switch (net.output) {
        case Output::sigmoid: outputs<T, Output::sigmoid>(n, z, y, learn); break;
        case Output::identity: outputs<T, Output::identity>(n, z, y, learn); break;
        case Output::exp: outputs<T, Output::exp>(n, z, y, learn); break;
        case Output::softmax: outputs_of_rows(to - from, K, slab.across + member * slab.of_across, z, y, learn);
    }
    if (!learn) return;
    for (std::int64_t r = from; r < to && weighted; ++r)
        for (std::int64_t i = (r - from) * K; i < (r - from + 1) * K; ++i) z[i] *= slab.w[r], y[i] *= slab.w[r];
    copy(y, n, slab.cost + from * K);
    T* const delta = slab.delta[net.L - 1] + from * ld;
    if (ld == K) return copy(z, n, delta);
    for (std::int64_t r = 0; r < to - from; ++r) copy(z + r * K, K, delta + r * ld);
}

// delta(L-1), ..., delta(2): delta(l) = (delta(l+1) W^T) .* g'(z(l)).
template <class T>
void backward_rows(const Net<T>& net, const Slab<T>& slab, const Dropout& dropout, const Rows<T>& data,
                   std::int64_t begin, std::int64_t from, std::int64_t to) {
    for (int l = net.L - 1; l >= 2; --l) {
        const Layer<T>& layer = net(l);
        T* delta = slab.delta[l - 1] + from * layer.ld;
        product<T, false>(to - from, layer.s, layer.next, slab.delta[l] + from * net(l + 1).ld,
                          net(l + 1).ld, layer.W_T, 0, nullptr, delta, layer.ld, false);
        const double rate = dropout.rate ? dropout.rate[l - 1] : 0;
        slope_all(layer.g, delta, slab.a[l - 1] + from * layer.ld, (to - from) * layer.ld, static_cast<T>(1 - rate));
        drop(net, dropout, l, data, begin, from, to, {0, layer.s}, slab.delta[l - 1]);
    }
}

// ---- Delta ----------------------------------------------------------------------------------

// Delta(l) := Delta(l) + delta(l+1) (a(l))^T over `rows` rows for inputs i, without the bias unit's part; `a` is
// that of the first of them.
template <class T>
void add_products(const Net<T>& net, int l, const T* a, const T* delta, OfInputs<T> Delta, std::int64_t rows, Share i, bool add,
                  std::int32_t* lists = nullptr) {
    const Layer<T>& layer = net(l);
    const std::int64_t ld_delta = net(l + 1).ld, inputs = i.to - i.from;
    if (inputs == 0) return;
    if (layer.upright > 0)
        product<T, true>(inputs, layer.upright, rows, a, layer.ld, delta, ld_delta, nullptr, Delta.W, layer.ld_Delta, add, lists);
    if (layer.upright < layer.next)
        product<T, true>(layer.next - layer.upright, inputs, rows, delta + layer.upright, ld_delta, a, layer.ld,
                         nullptr, Delta.turned, layer.ld_turned, add);
}

// Delta(l) := Delta(l) + delta(l+1) over `rows` rows for the bias unit, whose activation is 1.
template <class T>
void add_bias(const Layer<T>& layer, const T* delta, std::int64_t ld_delta, T* Delta_b, std::int64_t rows, bool add) {
    for (std::int64_t j = 0; j < layer.next; j += lanes<T>) {
        vec<T> s[4] = {};  // additions that need not wait for one another
        std::int64_t r = 0;
        for (; r + 4 <= rows; r += 4)
            for (int k = 0; k < 4; ++k) s[k] += load(delta + (r + k) * ld_delta + j);
        for (; r < rows; ++r) s[0] += load(delta + r * ld_delta + j);
        const vec<T> all_rows = (s[0] + s[1]) + (s[2] + s[3]);
        store(Delta_b + j, add ? load(Delta_b + j) + all_rows : all_rows);
    }
}

// Delta(l) := Delta(l) + delta(l+1) (a(l))^T over `rows` rows, for this member's inputs.  Where these
// rows are the last, done(l, inputs, their Delta(l)) is called for one strip of them after the other, and a
// member that is ready helps the others with theirs.
template <class T, class Done>
void accumulate_share(const Net<T>& net, const Slab<T>& slab, const Accumulator<T>& sums, std::int64_t rows,
                      Team& team, bool add, bool last, Done done) {
    for (int ahead = 0; ahead < team.size; ++ahead) {
        const int owner = (team.rank + ahead) % team.size;
        std::int64_t number = 0, taken = team.take(owner);
        for (int l = 1; l < net.L; ++l) {
            const Layer<T>& layer = net(l);
            const Share whole = inputs_of(layer, team, owner);
            for (std::int64_t k = 0; k < layer.blocks; ++k) {
                const Share block = block_of(layer, k);
                const std::int64_t end = smaller(whole.to, block.to);
                for (Share i{larger(whole.from, block.from), 0}; i.from < end; i.from = i.to) {
                    i.to = smaller(i.from + (last ? strip<T> : layer.s), end);
                    if (number++ != taken) continue;
                    if (i.from == 0) add_bias(layer, slab.delta[l], net(l + 1).ld, sums.Delta_b[l - 1], rows, add);
                    const OfInputs<T> Delta = sums.of(net, l, i.from, team.rank);
                    const T* const a = slab.a[l - 1] + k * slab.of_block + (i.from - block.from);
                    add_products(net, l, a, slab.delta[l], Delta, rows, i, add, lists_of(net, slab, l, team.rank));
                    if (last) done(l, i, Delta);
                    taken = team.take(owner);
                }
            }
        }
        if (!last) return;
    }
}

// The parts of z(2) that come from each block of inputs.  The same member of the team uses a block's columns of X
// and rows of W here, sums up their Delta and moves them: nothing goes from one core to another but those parts,
// a, and delta.  The rows are cut where there are more members than blocks.
template <class T>
void sum_blocks(const Net<T>& net, const Slab<T>& slab, const Rows<T>& data, std::int64_t begin, std::int64_t rows,
                const Dropout& dropout, Team& team) {
    const std::int64_t blocks = net(1).blocks, cuts = (team.size + blocks - 1) / blocks, n = blocks * cuts;
    for (int ahead = 0; ahead < team.size; ++ahead) {
        const int owner = (team.rank + ahead) % team.size;
        const std::int64_t first = cut(n, 1, owner, team.size), end = cut(n, 1, owner + 1, team.size);
        for (std::int64_t p; (p = first + team.take(owner)) < end;) {
            const std::int64_t block = p / cuts, from = cut(rows, grain, p % cuts, cuts), to = cut(rows, grain, p % cuts + 1, cuts);
            if (from == to) continue;
            gather_inputs(net, slab, data, begin, from, to, block);
            T* const z = block == 0 ? slab.a[1] : slab.parts + (block - 1) * slab.of_part;
            z_of_block(net, slab, team.rank, dropout, data, begin, from, to, 1, block, z + from * net(2).ld);
        }
    }
}

// All phases of one slab, rows [begin, begin + rows) of the order of visit.
template <class T, class Done>
void slab_pass(const Net<T>& net, const Slab<T>& slab, const Accumulator<T>& sums, const Rows<T>& data,
               std::int64_t begin, std::int64_t rows, const Dropout& dropout, Team& team, bool add, bool last,
               Done done) {
    if (slab.direct && team.rank == 0) slab.a[0] = const_cast<T*>(data.X) + begin * net(1).s;
    if (slab.direct) team.wait();
    if (net(1).blocks > 1) {
        sum_blocks(net, slab, data, begin, rows, dropout, team);
        team.wait();
    }
    for (int ahead = 0; ahead < team.size; ++ahead) {
        const int owner = (team.rank + ahead) % team.size;
        const std::int64_t of_owner = cut(rows, grain, owner, team.size), end = cut(rows, grain, owner + 1, team.size), some = piece(net, team, rows);
        for (std::int64_t from; (from = of_owner + team.take(owner) * some) < end;) {
            const std::int64_t to = smaller(from + some, end);
            if (net(1).blocks == 1) gather_inputs(net, slab, data, begin, from, to, 0);
            gather_outputs(net, slab, data, begin, from, to);
            forward_rows(net, slab, team.rank, dropout, data, begin, from, to);
            output_rows(net, slab, team.rank, from, to, data.weights != nullptr, true);
            backward_rows(net, slab, dropout, data, begin, from, to);
        }
    }
    team.wait();
    accumulate_share(net, slab, sums, rows, team, add, last, done);
}

// Copy the Delta(l) of inputs i to `W`, in the layout of theta.
template <class T>
void collect(const Layer<T>& layer, OfInputs<T> Delta, Share i, T* W) {
    const std::int64_t inputs = i.to - i.from;
    for (std::int64_t k = 0; k < inputs && layer.upright > 0; ++k) copy(Delta.W + k * layer.ld_Delta, layer.upright, W + k * layer.next);
    for (std::int64_t j = layer.upright; j < layer.next; ++j, Delta.turned += layer.ld_turned)
        for (std::int64_t k = 0; k < inputs; ++k) W[k * layer.next + j] = Delta.turned[k];
}

// The same into a vector of theta's layout, with the bias unit's part beside input 0's.
template <class T>
void collect(const Net<T>& net, int l, const Accumulator<T>& sums, Share i, OfInputs<T> Delta_W, T* Delta) {
    const Layer<T>& layer = net(l);
    T* const block = Delta + layer.start;
    if (i.from == 0 && i.to > 0) copy(sums.Delta_b[l - 1], layer.next, block);
    collect(layer, Delta_W, i, block + (1 + i.from) * layer.next);
}

// ---- a full batch ---------------------------------------------------------------------------

constexpr std::int64_t slab_bytes = 256 * 1024;  // of a slab's activations and deltas: half of L2

template <class T>
std::int64_t row_bytes(const Shape& shape, bool direct) {
    std::int64_t n = direct ? 0 : padded<T>(shape.s[0]);
    for (int l = 2; l <= shape.L; ++l) n += 2 * padded<T>(shape.s[l - 1]);
    return n * static_cast<std::int64_t>(sizeof(T));
}

template <class T>
std::int64_t size_of(const Shape& shape) {
    std::int64_t n = 0;
    for (int l = 1; l < shape.L; ++l) n += (shape.s[l - 1] + 1) * shape.s[l];
    return n;
}

// Whether rows of X can be a(1) as they are.
template <class T>
bool in_place(const Shape& shape, std::int64_t rows) {
    const std::int64_t s = shape.s[0];
    return s * sizeof(T) % 512 != 0 && (s % lanes<T> == 0 || upright_units<T>(s, shape.s[1], rows) > 0);
}

// How the rows of a batch are cut: by the shapes alone, never by the number of threads.
struct Cuts {
    std::int64_t chunk;  // rows that share a Delta; the chunks' Deltas are added up in order
    std::int64_t slab;   // rows, of a chunk, that are worked on at a time

    std::int64_t chunks(std::int64_t rows) const { return (rows + chunk - 1) / chunk; }
};

// A chunk is one thread's work: its rows stay in that thread's cache, and the team meets once for a
// batch instead of twice for a slab.  The price is a Delta for each chunk, written and added once.
template <class T>
Cuts cuts_of(const Shape& shape, std::int64_t m, bool direct) {
    const std::int64_t Delta_bytes = size_of<T>(shape) * static_cast<std::int64_t>(sizeof(T));
    const std::int64_t bytes = row_bytes<T>(shape, direct) + shape.s[0] * static_cast<std::int64_t>(sizeof(T));
    const std::int64_t fitting = smaller<std::int64_t>(1024, larger<std::int64_t>(96, slab_bytes / bytes / 12 * 12));
    const std::int64_t chunks = larger(smaller<std::int64_t>(64, m / 256 / 4 * 4), smaller<std::int64_t>(8, m / 128));
    if (chunks >= 8 && chunks * Delta_bytes <= smaller(std::int64_t{32} << 20, m * bytes / 2)) {
        const std::int64_t chunk = (m + chunks - 1) / chunks, slabs = (chunk + fitting - 1) / fitting;
        return {chunk, (chunk + slabs - 1) / slabs};
    }
    return {m, smaller(m, larger<std::int64_t>(fitting, 480))};
}

template <class T, class F>
bool with_team(const Call& call, F f) {
    return parallel(call.threads, call.interrupted, [](void* context, Team& team) { (*static_cast<F*>(context))(team); }, &f);
}

// What summing over the rows of a batch needs: a slab for each thread and a Delta for each chunk; or
// one of each, that the team works on together.
template <class T>
struct Batch {
    Cuts cuts;
    std::int64_t most;  // rows
    Slab<T>* slabs;
    Accumulator<T>* chunks;
    double* costs;

    bool shared() const { return cuts.chunk >= most; }
};

template <class T>
void lay_out_batch(const Net<T>& net, Batch<T>& batch, int threads, bool direct, Pieces& p) {
    const int slabs = batch.shared() ? 1 : threads;
    const std::int64_t chunks = batch.cuts.chunks(batch.most);
    batch.slabs = p.take<Slab<T>>(slabs);
    batch.chunks = p.take<Accumulator<T>>(chunks);
    batch.costs = p.take<double>(chunks);
    for (int i = 0; i < slabs; ++i) {
        Slab<T> none{};
        lay_out_slab(net, batch.cuts.slab, batch.shared() ? threads : 1, direct, true, p.base ? batch.slabs[i] : none, p);
    }
    for (std::int64_t c = 0; c < chunks; ++c) {
        Accumulator<T> none{};
        lay_out_accumulator(net, batch.cuts.slab >= batch.most ? threads : 0, p.base ? batch.chunks[c] : none, p);
    }
}

template <class T, class Done>
void chunk_pass(const Net<T>& net, const Batch<T>& batch, std::int64_t c, const Slab<T>& slab, const Rows<T>& data,
                std::int64_t from, std::int64_t to, const Dropout& dropout, Team& team, Team& caller, bool last,
                Done done) {
    double cost = 0;
    for (std::int64_t begin = from; begin < to && !team.stopped(); begin += batch.cuts.slab) {
        const std::int64_t rows = smaller(batch.cuts.slab, to - begin);
        const bool end = begin + rows == to;
        slab_pass(net, slab, batch.chunks[c], data, begin, rows, dropout, team, begin > from, last && end, done);
        if (team.rank == 0) cost += sum_of(slab.cost, rows * net(net.L).s);
        caller.poll();
        if (!end) team.wait();
    }
    if (team.rank == 0) batch.costs[c] = cost;
}

// Delta of rows [begin, end) into the batch's first accumulator: done(l, inputs, their Delta(l)) is called
// when it has that of some of this member's inputs, unless Ctrl-C came before.  Rank 0 is told the cost.
template <class T, class Done>
double batch_pass(const Net<T>& net, const Batch<T>& batch, const Rows<T>& data, std::int64_t begin,
                  std::int64_t end, const Dropout& dropout, Team& team, Done done) {
    if (batch.shared()) {
        chunk_pass(net, batch, 0, batch.slabs[0], data, begin, end, dropout, team, team, true, done);
        return team.rank == 0 ? batch.costs[0] : 0;
    }
    const std::int64_t chunks = batch.cuts.chunks(end - begin);
    for (std::int64_t c; (c = team.take()) < chunks && !team.stopped();) {
        Team alone{0, 1, team.shared};
        const std::int64_t from = begin + c * batch.cuts.chunk;
        chunk_pass(net, batch, c, batch.slabs[team.rank], data, from, smaller(from + batch.cuts.chunk, end), dropout, alone, team, false, done);
    }
    team.wait();
    if (team.stopped()) return 0;
    const Accumulator<T>& sum = batch.chunks[0];
    for (int l = 1; l < net.L; ++l) {
        const Layer<T>& layer = net(l);
        const Share mine = inputs_of(layer, team);
        const auto add_to = [](T* s, const T* d, std::int64_t n) {
            for (std::int64_t k = 0; k < n; ++k) s[k] += d[k];
        };
        if (mine.from == 0 && mine.to > 0)
            for (std::int64_t c = 1; c < chunks; ++c) add_to(sum.Delta_b[l - 1], batch.chunks[c].Delta_b[l - 1], layer.next);
        for (Share i = mine; i.from < mine.to; i.from = i.to) {
            i.to = smaller(i.from + strip<T>, mine.to);
            const OfInputs<T> total = sum.of(net, l, i.from, team.rank);
            for (std::int64_t c = 1; c < chunks; ++c) {
                const OfInputs<T> more = batch.chunks[c].of(net, l, i.from, team.rank);
                add_to(total.W, more.W, (i.to - i.from) * layer.ld_Delta);
                for (std::int64_t j = 0; j < layer.next - layer.upright; ++j)
                    add_to(total.turned + j * layer.ld_turned, more.turned + j * layer.ld_turned, i.to - i.from);
            }
            done(l, i, total);
        }
    }
    double cost = 0;
    for (std::int64_t c = 0; c < chunks; ++c) cost += batch.costs[c];
    return cost;
}

template <class T>
double total_weight(const Rows<T>& data) {
    if (!data.weights) return static_cast<double>(data.m);
    double weight = 0;
    for (std::int64_t t = 0; t < data.m; ++t) weight += static_cast<double>(data.weights[t]);
    return weight;
}

template <class T>
Sums accumulate(const Shape& shape, const T* theta, const Rows<T>& data, T* Delta, Call call, bool* ok) {
    const bool direct = !data.order && in_place<T>(shape, data.m), zeros = many_zeros(shape, data, data.m);
    Net<T> net{};
    Pieces counted{nullptr};
    lay_out(net, shape, data.m, direct, zeros, 1, counted);
    Scratch net_memory(counted.used);
    Pieces pieces{static_cast<char*>(net_memory.data)};
    lay_out(net, shape, data.m, direct, zeros, 1, pieces);
    Batch<T> batch{cuts_of<T>(shape, data.m, direct), data.m, nullptr, nullptr, nullptr};
    const auto lay_out_all = [&](Pieces& p) {
        lay_out_weights(net, theta, true, p);
        lay_out_batch(net, batch, call.threads, direct, p);
    };
    Pieces needed{nullptr};
    lay_out_all(needed);
    Scratch memory(needed.used);
    Pieces whole{static_cast<char*>(memory.data)};
    lay_out_all(whole);

    Sums sums{0, total_weight(data)};
    *ok = with_team<T>(call, [&](Team& team) {
        pack_share(net, theta, team);
        team.wait();
        const double cost = batch_pass(net, batch, data, 0, data.m, Dropout{nullptr, 0, 0}, team, [&](int l, Share i, OfInputs<T> Delta_W) {
            collect(net, l, batch.chunks[0], i, Delta_W, Delta);
        });
        if (team.rank == 0) sums.cost = cost;
    });
    return sums;
}

// ---- prediction and cost -----------------------------------------------------------------------------

template <class T>
bool all_finite(const T* x, std::int64_t n) {
    vec<T> zero{};
    std::int64_t i = 0;
    for (; i + lanes<T> <= n; i += lanes<T>) zero += load(x + i) * T(0);  // NaN, if one is not finite
    T rest = sum<T>(zero);
    for (; i < n; ++i) rest += x[i] * T(0);
    return rest == 0;
}

// h in place of z(L), of one row: (K,), filled up to whole vectors.
template <class T>
void output_row(Output output, T* z, std::int64_t K) {
    const std::int64_t n = padded<T>(K);
    switch (output) {
        case Output::sigmoid: return activate_all<T, Activation::sigmoid>(z, n);
        case Output::identity: return;
        case Output::exp:
            for (std::int64_t k = 0; k < n; k += lanes<T>) store(z + k, exp<T>(load(z + k)));
            return;
        case Output::softmax:
            for (std::int64_t k = K; k < n; ++k) z[k] = T(-__builtin_inf());
            vec<T> top = load(z), total{};
            for (std::int64_t k = lanes<T>; k < n; k += lanes<T>) top = load(z + k) > top ? load(z + k) : top;
            const T most = largest<T>(top);
            for (std::int64_t k = 0; k < n; k += lanes<T>) {
                store(z + k, exp<T>(load(z + k) - most));
                total += load(z + k);
            }
            const T whole = T(1) / sum<T>(total);
            for (std::int64_t k = 0; k < n; k += lanes<T>) store(z + k, load(z + k) * whole);
    }
}

constexpr std::int64_t block_rows = 96;  // that one thread predicts at a time
constexpr std::int64_t few = 4;  // rows up to which W is used as it lies in theta

// h for a few rows, one after the other.  Returns whether every z is finite: where X or theta is not,
// some z is not (infinity times 0 is NaN), though h may be.
template <class T>
bool forward_few(const Shape& shape, const T* theta, const T* X, std::int64_t m, T* h) {
    std::int64_t widest = 0;
    for (int l = 1; l <= shape.L; ++l) widest = larger(widest, padded<T>(shape.s[l - 1]));
    const Scratch memory(static_cast<std::size_t>(2 * widest) * sizeof(T));
    const std::int64_t K = shape.s[shape.L - 1];
    bool finite = true;
    for (std::int64_t t = 0; t < m; ++t) {
        T* z = static_cast<T*>(memory.data);
        T* free = z + widest;
        const T* a = X + t * shape.s[0];
        const T* block = theta;
        for (int l = 1; l < shape.L; ++l) {
            const std::int64_t s = shape.s[l - 1], next = shape.s[l];
            row_product(s, next, a, block, block + next, z);
            finite = all_finite(z, next) && finite;
            if (l + 1 < shape.L) activate_all(shape.g[l - 1], z, padded<T>(next));
            block += (s + 1) * next;
            a = z;
            T* const other = free;
            free = z;
            z = other;
        }
        output_row(shape.output, free, K);
        for (std::int64_t k = 0; k < K; ++k) h[t * K + k] = free[k];
    }
    return finite;
}

// The hypothesis, and with `learn` the cost, of all rows, a block of them after the other:
// done(team, slab, begin, n) when a member has those of rows begin, ..., begin + n - 1.
template <class T, class Done>
bool forward_blocks(const Shape& shape, const T* theta, const Rows<T>& data, bool learn, Call call, Done done) {
    const bool direct = in_place<T>(shape, 0), zeros = many_zeros(shape, data, 0);
    const std::int64_t s = shape.s[0], rows = smaller(data.m, block_rows), blocks = (data.m + rows - 1) / rows;
    call.threads = static_cast<int>(smaller<std::int64_t>(call.threads, blocks));
    Net<T> net{};
    Pieces counted{nullptr};
    lay_out(net, shape, 0, direct, zeros, 1, counted);
    Scratch net_memory(counted.used);
    Pieces pieces{static_cast<char*>(net_memory.data)};
    lay_out(net, shape, 0, direct, zeros, 1, pieces);
    Slab<T>* slabs = nullptr;
    const auto lay_out_all = [&](Pieces& p) {
        lay_out_weights(net, theta, false, p);
        slabs = p.take<Slab<T>>(call.threads);
        for (int i = 0; i < call.threads; ++i) {
            Slab<T> none{};
            lay_out_slab(net, rows, 1, direct, learn, p.base ? slabs[i] : none, p);
        }
    };
    Pieces needed{nullptr};
    lay_out_all(needed);
    Scratch memory(needed.used);
    Pieces whole{static_cast<char*>(memory.data)};
    lay_out_all(whole);
    return with_team<T>(call, [&](Team& team) {
        pack_share(net, theta, team);
        team.wait();
        Slab<T>& slab = slabs[team.rank];
        for (std::int64_t block; (block = team.take()) < blocks && !team.stopped();) {
            const std::int64_t begin = block * rows, n = smaller(rows, data.m - begin);
            if (direct) slab.a[0] = const_cast<T*>(data.X) + begin * s;
            gather_inputs(net, slab, data, begin, 0, n, 0);
            gather_outputs(net, slab, data, begin, 0, n);
            forward_rows(net, slab, 0, Dropout{nullptr, 0, 0}, data, begin, 0, n);
            output_rows(net, slab, 0, 0, n, data.weights != nullptr, learn);
            done(team, slab, begin, n);
            team.poll();
        }
    });
}

template <class T>
bool forward(const Shape& shape, const T* theta, const T* X, std::int64_t m, T* h, Call call, bool* ok) {
    const std::int64_t s = shape.s[0], K = shape.s[shape.L - 1];
    if (m <= few) {
        call.threads = 1;
        bool finite = false;
        *ok = with_team<T>(call, [&](Team&) { finite = forward_few(shape, theta, X, m, h); });
        return finite;
    }
    const Scratch memory(static_cast<std::size_t>(call.threads) * sizeof(bool));
    bool* const infinite = static_cast<bool*>(memory.data);  // found by each thread
    for (int i = 0; i < call.threads; ++i) infinite[i] = false;
    infinite[0] = !all_finite(theta, size_of<T>(shape));
    *ok = forward_blocks<T>(shape, theta, Rows<T>{m, X, nullptr, nullptr, nullptr}, false, call,
                            [&](Team& team, const Slab<T>& slab, std::int64_t begin, std::int64_t n) {
        copy(slab.z, n * K, h + begin * K);
        if (!all_finite(X + begin * s, n * s)) infinite[team.rank] = true;
    });
    for (int i = 0; i < call.threads; ++i)
        if (infinite[i]) return false;
    return true;
}

template <class T>
Sums cost(const Shape& shape, const T* theta, const Rows<T>& data, Call call, bool* ok) {
    const std::int64_t blocks = (data.m + block_rows - 1) / block_rows;
    const Scratch memory(static_cast<std::size_t>(blocks) * sizeof(double));
    double* const costs = static_cast<double*>(memory.data);
    *ok = forward_blocks<T>(shape, theta, data, true, call, [&](Team&, const Slab<T>& slab, std::int64_t begin, std::int64_t n) {
        costs[begin / block_rows] = sum_of(slab.cost, n * shape.s[shape.L - 1]);
    });
    Sums sums{0, total_weight(data)};
    for (std::int64_t block = 0; block < blocks; ++block) sums.cost += costs[block];
    return sums;
}

// ---- an epoch of minibatches ------------------------------------------------------------------

// What moves a run of theta: D = scale Delta + penalty W, then the rule.
template <class T>
struct Move {
    Rule rule;
    T scale, penalty, shrink;
    T learning_rate, momentum, beta1, beta2, epsilon;
};

template <class T>
inline T square_root(T x) {
    if constexpr (sizeof(T) == 4) return __builtin_sqrtf(x);
    else return __builtin_sqrt(x);
}

template <class T>
void update(const Move<T>& move, std::int64_t n, const T* __restrict Delta, T* __restrict theta,
            T* __restrict first, T* __restrict second) {
    const T scale = move.scale, penalty = move.penalty, shrink = move.shrink;
    const T alpha = move.learning_rate, momentum = move.momentum, epsilon = move.epsilon;
    const T beta1 = move.beta1, beta2 = move.beta2, rest1 = 1 - beta1, rest2 = 1 - beta2;
    switch (move.rule) {
        case Rule::sgd:
            for (std::int64_t i = 0; i < n; ++i) {
                const T D = scale * Delta[i] + penalty * theta[i];
                first[i] = momentum * first[i] - alpha * D;
                theta[i] = shrink * theta[i] + first[i];
            }
            return;
        case Rule::nesterov:
            for (std::int64_t i = 0; i < n; ++i) {
                const T D = scale * Delta[i] + penalty * theta[i];
                first[i] = momentum * first[i] - alpha * D;
                theta[i] = shrink * theta[i] + (momentum * first[i] - alpha * D);
            }
            return;
        case Rule::adam:
            for (std::int64_t i = 0; i < n; ++i) {
                const T D = scale * Delta[i] + penalty * theta[i];
                first[i] = beta1 * first[i] + rest1 * D;
                second[i] = beta2 * second[i] + rest2 * D * D;
                theta[i] = shrink * theta[i] - alpha * first[i] / (square_root(second[i]) + epsilon);
            }
            return;
    }
}

// A unit's weights in, the bias left out, get a norm of at most c: columns [from, to) of W.
template <class T>
void limit_norms(const Layer<T>& layer, T* theta, double c, std::int64_t from, std::int64_t to) {
    T* W = theta + layer.start + layer.next;
    for (std::int64_t j = from; j < to; ++j) {
        double squares = 0;
        for (std::int64_t i = 0; i < layer.s; ++i) squares += static_cast<double>(W[i * layer.next + j]) * static_cast<double>(W[i * layer.next + j]);
        const double norm = __builtin_sqrt(squares);
        if (norm <= c) continue;
        const T scale = static_cast<T>(c / norm);
        for (std::int64_t i = 0; i < layer.s; ++i) W[i * layer.next + j] *= scale;
    }
}

// Into how many blocks the inputs are cut for the parts of z(2), by the shapes alone: into several where W is
// larger than the parts, and worth the adding.
inline std::int64_t blocks_of(const Shape& shape, std::int64_t rows) {
    return shape.L > 2 && shape.s[0] >= 256 && shape.s[0] > rows ? 2 : 1;
}

template <class T>
Sums epoch(const Shape& shape, const Rows<T>& data, Training<T>& training, Call call, bool* ok) {
    T* const theta = training.theta;
    const std::int64_t rows = smaller(training.batch, data.m);
    const bool zeros = many_zeros(shape, data, rows);
    Batch<T> batch{cuts_of<T>(shape, rows, false), rows, nullptr, nullptr, nullptr};
    const std::int64_t blocks = batch.shared() ? blocks_of(shape, rows) : 1;
    Net<T> net{};
    Pieces counted{nullptr};
    lay_out(net, shape, rows, false, zeros, blocks, counted);
    Scratch net_memory(counted.used);
    Pieces pieces{static_cast<char*>(net_memory.data)};
    lay_out(net, shape, rows, false, zeros, blocks, pieces);
    std::int64_t most_outputs = 0;
    for (int l = 1; l < net.L; ++l) most_outputs = larger(most_outputs, net(l).next);
    const std::int64_t of_gradient = strip<T> * most_outputs + apart<T>;
    T* gradients = nullptr;  // of a strip, one for each thread
    const auto lay_out_all = [&](Pieces& p) {
        lay_out_weights(net, theta, true, p);
        lay_out_batch(net, batch, call.threads, false, p);
        gradients = p.take<T>(call.threads * of_gradient);
    };
    Pieces needed{nullptr};
    lay_out_all(needed);
    Scratch memory(needed.used);
    Pieces whole{static_cast<char*>(memory.data)};
    lay_out_all(whole);

    Sums sums{0, 0};
    const Dropout dropout{training.dropout, training.seed, training.number};
    *ok = with_team<T>(call, [&](Team& team) {
        std::int64_t t = training.t;
        double beta1_t = __builtin_pow(training.beta1, static_cast<double>(t)), beta2_t = __builtin_pow(training.beta2, static_cast<double>(t));
        pack_share(net, theta, team);
        team.wait();
        for (std::int64_t begin = 0; begin < data.m && !team.stopped(); begin += rows) {
            const std::int64_t end = smaller(begin + rows, data.m);
            ++t;
            beta1_t *= training.beta1, beta2_t *= training.beta2;
            double w = static_cast<double>(end - begin);
            if (data.weights) {
                w = 0;
                for (std::int64_t r = begin; r < end; ++r) w += static_cast<double>(data.weights[data.order ? data.order[r] : r]);
            }
            if (w == 0) continue;  // nothing to learn from
            double alpha = training.learning_rate;
            if (training.rule == Rule::adam) alpha *= __builtin_sqrt(1 - beta2_t) / (1 - beta1_t);
            const Move<T> of_biases{training.rule, static_cast<T>(1 / w), 0, 1, static_cast<T>(alpha), static_cast<T>(training.momentum),
                                    static_cast<T>(training.beta1), static_cast<T>(training.beta2), static_cast<T>(training.epsilon)};
            const double cost = batch_pass(net, batch, data, begin, end, dropout, team, [&](int l, Share i, OfInputs<T> Delta) {
                const Layer<T>& layer = net(l);
                const auto run = [&](const Move<T>& move, const T* Delta, std::int64_t from, std::int64_t n) {
                    from += layer.start;
                    T* second = training.second ? training.second + from : nullptr;
                    update(move, n, Delta, theta + from, training.first + from, second);
                };
                if (i.from == 0) run(of_biases, batch.chunks[0].Delta_b[l - 1], 0, layer.next);
                Move<T> of_weights = of_biases;
                const double penalty = training.penalty[l - 1];
                of_weights.penalty = static_cast<T>(training.penalty_by_batch ? penalty / w : penalty);
                of_weights.shrink = static_cast<T>(1 - training.learning_rate * training.decay);
                const T* gradient = Delta.W;
                if (layer.ld_Delta != layer.next) {
                    T* const collected = gradients + team.rank * of_gradient;
                    collect(layer, Delta, i, collected);
                    gradient = collected;
                }
                run(of_weights, gradient, (1 + i.from) * layer.next, (i.to - i.from) * layer.next);
                if (!(training.max_norm > 0)) pack(layer, theta, i);
            });
            if (team.rank == 0) {
                sums.cost += cost;
                sums.weight += w;
            }
            if (training.max_norm > 0) {
                team.wait();
                for (int l = 1; l < net.L; ++l)
                    limit_norms(net(l), theta, training.max_norm, cut(net(l).next, 1, team.rank, team.size), cut(net(l).next, 1, team.rank + 1, team.size));
                team.wait();
                pack_share(net, theta, team);
            }
            team.wait();
        }
        if (team.rank == 0) training.t = t;
    });
    return sums;
}
