// Everything about a network's layers that does not depend on the rows: sizes, and the packed
// weights.
#pragma once
#include "memory.hpp"
#include "plan.hpp"
#include "product.hpp"

namespace chainrule {
namespace {

template <class T>
struct Layer {
    std::int64_t s;      // s_l
    std::int64_t ld;     // from a row of a(l) and delta(l), or of a block of a(1), to the next row
    std::int64_t next;   // s_{l+1}
    std::int64_t start;  // of Theta(l) in theta: b first, then W (s_l, s_{l+1})
    Activation g;        // of a hidden layer
    bool zeros;          // zeros of a(l) are passed over
    std::int64_t tiled;  // the first `tiled` units' z(l+1) are computed in tiles, see tiled_units
    std::int64_t
        upright;  // the first `upright` units' Delta(l) lies as W does, the others' is transposed
    std::int64_t ld_Delta, ld_turned;
    std::int64_t turned_from;  // the first unit that W_T has
    std::int64_t blocks;       // of inputs: z(l+1) is summed over one after the other
    T *b, *W, *W_T;            // packed; of W only the tiled units
};

template <class T>
Share block_of(const Layer<T>& layer, std::int64_t block) {
    return part(layer.s, lanes<T>, block, layer.blocks);
}

template <class T>
struct Net {
    int L;
    Output output;
    std::int64_t size;
    Layer<T>* layers;  // l = 1..L at l - 1

    Layer<T>& operator()(int l) const { return layers[l - 1]; }
};

template <class T>
void lay_out(Net<T>& net, const Shape& shape, const Plan& plan, Pieces& pieces) {
    net.L = shape.L;
    net.output = shape.output;
    net.layers = pieces.take<Layer<T>>(shape.L);
    if (!pieces.base) return;
    net.size = 0;
    for (int l = 1; l <= shape.L; ++l) {
        Layer<T>& layer = net(l);
        const bool direct = l == 1 && plan.direct;
        layer.s = shape.s[l - 1];
        layer.blocks = l == 1 ? plan.blocks : 1;
        layer.ld = padded<T>(block_of(layer, layer.blocks - 1).size());  // the last is the largest
        // Rows a multiple of 512 bytes apart would share few of the sets of a cache
        if (layer.ld * sizeof(T) % 512 == 0) layer.ld += lanes<T>;
        if (direct || (l == shape.L && layer.s < lanes<T>)) layer.ld = layer.s;
        if (l > 1 && l < shape.L) layer.g = shape.g[l - 2];
        if (l == shape.L) break;
        layer.next = shape.s[l];
        layer.start = net.size;
        net.size += (layer.s + 1) * layer.next;
        layer.zeros = l == 1 && plan.zeros;
        const bool unpadded = direct && layer.s % lanes<T> != 0;  // no whole vectors of inputs
        layer.tiled = unpadded ? layer.next : tiled_units<T>(layer.s, layer.next);
        layer.upright = unpadded      ? layer.next
                        : layer.zeros ? layer.tiled
                                      : upright_units<T>(layer.s, layer.next, plan.rows);
        layer.ld_Delta = padded<T>(layer.upright);
        layer.ld_turned = padded<T>(layer.s);
    }
}

// Whether W lies in theta as it would be packed: in one panel of whole vectors.
template <class T>
bool lies_packed(const Layer<T>& layer) {
    return layer.next % lanes<T> == 0 && layer.next <= 3 * lanes<T>;
}

// What a call wants of the rows: h; or the cost and delta(L), and Delta.
enum class Aim { predict, learn };

// To learn, W^T is needed whole, but for layer 1's.
template <class T>
void lay_out_weights(const Net<T>& net, const T* theta, Aim aim, Pieces& pieces) {
    for (int l = 1; l < net.L; ++l) {
        Layer<T>& layer = net(l);
        if (lies_packed(layer)) {
            layer.b = const_cast<T*>(theta) + layer.start;
            layer.W = layer.b + layer.next;
        } else {
            layer.b = pieces.take<T>(padded<T>(layer.next));
            layer.W = pieces.take<T>(layer.s * padded<T>(layer.tiled));
        }
        layer.turned_from = aim == Aim::learn && l > 1 ? 0 : layer.tiled;
        const std::int64_t turned = (layer.next - layer.turned_from) * padded<T>(layer.s);
        layer.W_T = pieces.take<T>(turned);
        // narrow_product counts on zeros behind each row; packing does not write there
        if (pieces.base && layer.tiled < layer.next) clear(turned, layer.W_T);
    }
}

// Where the weights that lead out of a block of inputs are packed.
template <class T>
T* packed_W(const Layer<T>& layer, Share block) {
    return layer.W + block.from * padded<T>(layer.tiled);
}

template <class T>
T* packed_W_T(const Layer<T>& layer, Share block) {
    return layer.W_T + block.from * (layer.next - layer.turned_from);
}

// Pack columns k, ..., k + n - 1 of W^T, which lie at p.
template <class T>
void pack_turned(const Layer<T>& layer, const T* W, std::int64_t k, std::int64_t n, T* p,
                 std::int64_t stride) {
    const std::int64_t square = lanes<T>, below = n / square * square;
    const std::int64_t turned = layer.next - layer.turned_from;
    std::int64_t j = 0;
    for (; j + square <= turned; j += square) {
        for (std::int64_t v = 0; v < below; v += square)
            transpose(W + (k + v) * layer.next + j, layer.next, p + j * stride + v, stride);
        for (std::int64_t u = j; u < j + square; ++u)
            for (std::int64_t v = below; v < n; ++v)
                p[u * stride + v] = W[(k + v) * layer.next + u];
    }
    for (; j < turned; ++j)
        for (std::int64_t v = 0; v < n; ++v) p[j * stride + v] = W[(k + v) * layer.next + j];
}

// Pack the weights that lead out of inputs i of a block.
template <class T>
void pack_block(const Layer<T>& layer, const T* W, Share block, Share i) {
    const std::int64_t from = i.from - block.from, to = i.to - block.from, s = block.size();
    W += block.from * layer.next;
    if (!lies_packed(layer) && layer.tiled > 0) {
        packed_columns(s, layer.tiled, 0, layer.tiled, packed_W(layer, block),
                       [&](T* p, std::int64_t stride, std::int64_t j, std::int64_t n) {
                           for (std::int64_t k = from; k < to; ++k)
                               copy(W + k * layer.next + j, n, p + k * stride);
                       });
    }
    const std::int64_t turned = layer.next - layer.turned_from;
    if (turned == 0) return;
    W += layer.turned_from;
    packed_columns(turned, s, from, to, packed_W_T(layer, block),
                   [&](T* p, std::int64_t stride, std::int64_t k, std::int64_t n) {
                       pack_turned(layer, W, k, n, p, stride);
                   });
}

// Pack the weights that lead out of inputs i, and with input 0's the biases.
template <class T>
void pack(const Layer<T>& layer, const T* theta, Share i) {
    const T* b = theta + layer.start;
    if (i.from == 0 && !lies_packed(layer)) copy(b, layer.next, layer.b);
    for (std::int64_t k = 0; k < layer.blocks; ++k) {
        const Share block = block_of(layer, k),
                    some{larger(i.from, block.from), smaller(i.to, block.to)};
        if (some.from < some.to) pack_block(layer, b + layer.next, block, some);
    }
}

// The inputs of layer l that belong to a member of the team: the same in every phase.
template <class T>
Share inputs_of(const Layer<T>& layer, const Team& team, int member) {
    return part(layer.s, lanes<T>, member, team.size);
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

}  // namespace
}  // namespace chainrule
