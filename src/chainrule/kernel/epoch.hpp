// An epoch of minibatches in one call: gather, Delta, step; theta is packed again as it moves.
#pragma once
#include "batch.hpp"
#include "memory.hpp"

namespace chainrule {
namespace {

// What moves a run of theta: D = scale Delta + penalty W, then the rule.
template <class T>
struct Move {
    Rule rule;
    T scale, penalty, shrink;
    T learning_rate, momentum, beta1, beta2, epsilon;
};

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
                theta[i] =
                    shrink * theta[i] - alpha * first[i] / (square_root(second[i]) + epsilon);
            }
            return;
    }
}

// The weights that lead into each unit j, without the bias, get a norm of at most c.
template <class T>
void limit_norms(const Layer<T>& layer, T* theta, double c, Share units) {
    T* W = theta + layer.start + layer.next;
    for (std::int64_t j = units.from; j < units.to; ++j) {
        double squares = 0;
        for (std::int64_t i = 0; i < layer.s; ++i)
            squares += static_cast<double>(W[i * layer.next + j]) *
                       static_cast<double>(W[i * layer.next + j]);
        const double norm = __builtin_sqrt(squares);
        if (norm <= c) continue;
        const T scale = static_cast<T>(c / norm);
        for (std::int64_t i = 0; i < layer.s; ++i) W[i * layer.next + j] *= scale;
    }
}

// The sum of the weights of some rows of the order of visit.
template <class T>
double weight_of(const Rows<T>& data, Share rows) {
    if (!data.weights) return static_cast<double>(rows.size());
    double w = 0;
    for (std::int64_t r = rows.from; r < rows.to; ++r)
        w += static_cast<double>(data.weights[data.order ? data.order[r] : r]);
    return w;
}

// Adam's powers of beta after t steps.  They are multiplied up from step `since` on, so that their
// bits do not depend on where a call begins.
struct Steps {
    std::int64_t t;
    double beta1, beta2, beta1_t, beta2_t;

    Steps(std::int64_t since, std::int64_t steps, double beta1, double beta2)
        : t(since),
          beta1(beta1),
          beta2(beta2),
          beta1_t(__builtin_pow(beta1, static_cast<double>(since))),
          beta2_t(__builtin_pow(beta2, static_cast<double>(since))) {
        while (t < steps) count();
    }
    void count() { ++t, beta1_t *= beta1, beta2_t *= beta2; }
};

// The rule's numbers for the biases, which have no penalty, in a batch of weight w.
template <class T>
Move<T> move_of_biases(const Training<T>& training, const Steps& steps, double w) {
    double alpha = training.learning_rate;
    if (training.rule == Rule::adam)
        alpha *= __builtin_sqrt(1 - steps.beta2_t) / (1 - steps.beta1_t);
    return {training.rule,
            static_cast<T>(1 / w),
            0,
            1,
            static_cast<T>(alpha),
            static_cast<T>(training.momentum),
            static_cast<T>(training.beta1),
            static_cast<T>(training.beta2),
            static_cast<T>(training.epsilon)};
}

// The same for Theta(l)'s weights.
template <class T>
Move<T> move_of_weights(const Training<T>& training, Move<T> move, double w, int l) {
    const double penalty = training.penalty[l - 1];
    move.penalty = static_cast<T>(training.penalty_by_batch ? penalty / w : penalty);
    move.shrink = static_cast<T>(1 - training.learning_rate * training.decay);
    return move;
}

template <class T>
Sums epoch(const Shape& shape, const Rows<T>& data, Training<T>& training, Call call, bool* ok) {
    T* const theta = training.theta;
    const std::int64_t rows = smaller(training.batch, data.m);
    Batch<T> batch{cuts_of<T>(shape, rows, false), rows};
    const Plan plan{.rows = rows,
                    .zeros = many_zeros(shape, data, rows),
                    .blocks = batch.shared() ? blocks_of(shape, rows) : 1};
    Net<T> net{};
    const Arena layers([&](Pieces& p) { lay_out(net, shape, plan, p); });
    std::int64_t most_outputs = 0;
    for (int l = 1; l < net.L; ++l) most_outputs = larger(most_outputs, net(l).next);
    const std::int64_t of_gradient = strip<T> * most_outputs + apart<T>;
    T* gradients = nullptr;  // of a strip, one for each thread
    const Arena memory([&](Pieces& p) {
        lay_out_weights(net, theta, Aim::learn, p);
        lay_out_batch(net, batch, call.threads, plan.direct, p);
        gradients = p.take<T>(call.threads * of_gradient);
    });
    const auto run = [&](const Move<T>& move, const T* Delta, std::int64_t from, std::int64_t n) {
        T* second = training.second ? training.second + from : nullptr;
        update(move, n, Delta, theta + from, training.first + from, second);
    };

    Sums sums{0, 0};
    const Dropout dropout{training.dropout, training.seed, training.number};
    *ok = with_team(call, [&](Team& team) {
        Steps steps{training.since, training.t, training.beta1, training.beta2};
        pack_share(net, theta, team);
        team.wait();
        for (std::int64_t begin = 0; begin < data.m && !team.stopped(); begin += rows) {
            const Share of_batch{begin, smaller(begin + rows, data.m)};
            steps.count();
            const double w = weight_of(data, of_batch);
            if (w == 0) continue;  // nothing to learn from
            const Move<T> of_biases = move_of_biases(training, steps, w);
            const double cost = batch_pass(
                net, batch, data, of_batch, dropout, team, [&](int l, Share i, OfInputs<T> Delta) {
                    const Layer<T>& layer = net(l);
                    if (i.from == 0)
                        run(of_biases, batch.chunks[0].Delta_b[l - 1], layer.start, layer.next);
                    const T* gradient = Delta.W;
                    if (layer.ld_Delta != layer.next) {
                        T* const collected = gradients + team.rank * of_gradient;
                        collect(layer, Delta, i, collected);
                        gradient = collected;
                    }
                    run(move_of_weights(training, of_biases, w, l), gradient,
                        layer.start + (1 + i.from) * layer.next, i.size() * layer.next);
                    if (!(training.max_norm > 0)) pack(layer, theta, i);
                    return true;  // half a step would be no theta
                });
            if (team.rank == 0) {
                sums.cost += cost;
                sums.weight += w;
            }
            if (training.max_norm > 0) {
                team.wait();
                for (int l = 1; l < net.L; ++l)
                    limit_norms(net(l), theta, training.max_norm,
                                part(net(l).next, 1, team.rank, team.size));
                team.wait();
                pack_share(net, theta, team);
            }
            team.wait();
        }
        if (team.rank == 0) training.t = steps.t;
    });
    return sums;
}

}  // namespace
}  // namespace chainrule
