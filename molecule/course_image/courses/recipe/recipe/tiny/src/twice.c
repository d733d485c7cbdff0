#include <Rinternals.h>

SEXP twice(SEXP x) { return ScalarReal(2 * asReal(x)); }
