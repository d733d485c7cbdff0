twice <- function(x) .Call("twice", as.numeric(x), PACKAGE = "tiny")
