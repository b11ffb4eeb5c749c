# R's nnet on a problem of optimizers.py: Rscript optimizers.R FOLDER SECONDS LAM UNITS
#
# nnet has logistic hidden units and a penalty for every weight.  tanh(z) = 2 s(2 z) - 1 turns a tanh
# network into one of them, and a decay for each weight, 0 for a bias, makes its E = 2 m J.
# It tells E at every tenth iteration and takes no limit of time: it is run again with more
# iterations until the seconds are used up, and the last run's time is spread evenly over them.  R's
# clock ticks in milliseconds: a short run is repeated.

library(nnet)
given <- commandArgs(trailingOnly = TRUE)
file <- function(name) file.path(given[1], name)
seconds <- as.numeric(given[2]); lam <- as.numeric(given[3]); units <- as.integer(given[4])
table <- function(name) as.matrix(read.csv(file(name), header = FALSE))
X <- table("X.csv"); Y <- table("Y.csv"); starts <- table("starts.csv")
s <- ncol(X)
# A start has, unit after unit, the bias and the weights into it
bias <- c(rep(c(TRUE, rep(FALSE, s)), units), TRUE, rep(FALSE, units))
hidden <- seq_len(units * (s + 1))
cost <- function(E) E / (2 * nrow(X))

once <- function(w, most) {
  begun <- proc.time(); taken <- 0; runs <- 0
  while (taken < 0.1) {
    said <- capture.output(fit <- nnet(X, Y, size = units, Wts = w, linout = TRUE,
                                       decay = ifelse(bias, 0, lam / 4), maxit = most, abstol = 0,
                                       reltol = 1e-12, MaxNWts = length(w)))
    taken <- sum((proc.time() - begun)[c("user.self", "sys.self")]); runs <- runs + 1
  }
  taken <- taken / runs
  found <- regmatches(said, regexec("^(iter|initial) +([0-9]*) *value +([-0-9.e+]+)", said))
  found <- Filter(length, found)
  at <- sapply(found, function(x) if (x[2] == "initial") 0 else as.integer(x[3]))
  J <- cost(as.numeric(sapply(found, function(x) x[4])))
  if (fit$convergence == 0 || max(at) < most) {  # it ended between two tenths
    at <- c(at, max(at) + 1); J <- c(J, cost(fit$value))
  }
  list(at = at, J = J, taken = taken, ended = fit$convergence == 0)
}

rows <- NULL
for (i in seq_len(ncol(starts))) {
  w <- starts[, i]
  w[hidden] <- 2 * w[hidden]
  out <- w[-hidden]
  w[-hidden] <- c(out[1] - sum(out[-1]), 2 * out[-1])
  most <- 100
  repeat {
    run <- once(w, most)
    if (run$ended || run$taken > seconds || most >= 1e6) break
    most <- ceiling(most * min(10, 1.2 * seconds / max(run$taken, 0.001)))
  }
  rows <- rbind(rows, cbind(i, run$at, run$J, run$taken * run$at / max(run$at, 1)))
}
write.table(rows, file("traces.csv"), sep = ",", row.names = FALSE, col.names = FALSE)
