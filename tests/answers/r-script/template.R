# Une moyenne mobile / A moving average. Rscript smooth.R
series <- c(5, 7, 6, 10, 9, 11, 8)

moving <- function(x, width) {
  NULL
}
