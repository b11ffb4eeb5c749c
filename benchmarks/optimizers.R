# R's nnet on a problem of optimizers.py: Rscript optimizers.R FOLDER LAM UNITS
#
# nnet has logistic hidden units and a penalty for every weight.  tanh(z) = 2 s(2 z) - 1 turns a tanh
# network into one of them, and a decay for each weight, 0 for a bias, makes its E = 2 m J.
# What it takes, optimizers.c notes.

library(nnet)
given <- commandArgs(trailingOnly = TRUE)
lam <- as.numeric(given[2]); units <- as.integer(given[3])
table <- function(name) as.matrix(read.csv(file.path(given[1], name), header = FALSE))
X <- table("X.csv"); Y <- table("Y.csv"); starts <- table("starts.csv")
s <- ncol(X)
# A start has, unit after unit, the bias and the weights into it
bias <- c(rep(c(TRUE, rep(FALSE, s)), units), TRUE, rep(FALSE, units))
hidden <- seq_len(units * (s + 1))

for (i in seq_len(ncol(starts))) {
  w <- starts[, i]
  w[hidden] <- 2 * w[hidden]
  out <- w[-hidden]
  w[-hidden] <- c(out[1] - sum(out[-1]), 2 * out[-1])
  nnet(X, Y, size = units, Wts = w, linout = TRUE, decay = ifelse(bias, 0, lam / 4), maxit = 1e9,
       abstol = 0, reltol = 1e-12, MaxNWts = length(w), trace = FALSE)
}
