/* Tells what evaluations R's nnet takes, which it does not say itself.

   nnet minimises by R's C function vmmin, which is handed J and its gradient.  Loaded before R's
   library (LD_PRELOAD), this vmmin takes the place of that one and hands it a J that notes each call
   in the file TRACE: the start, counted from 1, J as nnet scales it, and seconds of the processor.
   After SECONDS the gradient is told to be 0, which ends vmmin.  */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef double cost(int n, double *theta, void *more);
typedef void gradient(int n, double *theta, double *D, void *more);
typedef void minimiser(int n, double *theta, double *J, cost *, gradient *, int maxit, int trace,
                       int *mask, double abstol, double reltol, int report, void *more,
                       int *costs, int *gradients, int *fail);

static cost *nnet_cost;
static gradient *nnet_gradient;
static FILE *trace_file;
static double begun, most, start;

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
  return at.tv_sec + 1e-9 * at.tv_nsec;
}

static double noted_cost(int n, double *theta, void *more) {
  double J = nnet_cost(n, theta, more);
  double row[] = {start, J, now() - begun};
  fwrite(row, sizeof row, 1, trace_file);
  return J;
}

static void timed_gradient(int n, double *theta, double *D, void *more) {
  if (now() - begun < most)
    nnet_gradient(n, theta, D, more);
  else
    memset(D, 0, n * sizeof *D);
}

void vmmin(int n, double *theta, double *J, cost *f, gradient *g, int maxit, int trace, int *mask,
           double abstol, double reltol, int report, void *more, int *costs, int *gradients,
           int *fail) {
  minimiser *original = (minimiser *)dlsym(RTLD_NEXT, "vmmin");
  nnet_cost = f;
  nnet_gradient = g;
  most = atof(getenv("SECONDS"));
  trace_file = fopen(getenv("TRACE"), "ab");
  if (!original || !trace_file) {
    fprintf(stderr, "%s\n", original ? "the TRACE file cannot be written" : "R's library has no vmmin");
    exit(1);
  }
  start++;
  begun = now();
  original(n, theta, J, noted_cost, timed_gradient, maxit, trace, mask, abstol, reltol, report,
           more, costs, gradients, fail);
  fclose(trace_file);
}
