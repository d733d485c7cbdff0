# Une moyenne mobile / A moving average. Rscript smooth.R
series <- c(5, 7, 6, 10, 9, 11, 8)

moving <- function(x, width) {
  starts <- seq_len(max(length(x) - width + 1, 0))
  vapply(starts, function(i) mean(x[i:(i + width - 1)]), numeric(1))
}

smooth <- moving(series, 3)
cat("largest =", max(smooth), "\n")
write.csv(data.frame(position = seq_along(smooth), mean = smooth), "smooth.csv", row.names = FALSE)
