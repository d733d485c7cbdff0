# Runs a learner's R code, then answers for what it has computed. Arguments: the cells, where to tell
# of an error, the two pipes, and the file with wire.R.
local({
  given <- commandArgs(trailingOnly = TRUE)
  cells <- jsonlite::fromJSON(given[1], simplifyVector = FALSE)
  sys.source(given[5], envir = environment())
  pipes <- given[3:4]
  told <- given[2]
  options(device = function(...) grDevices::pdf(NULL), warn = 1, browser = NULL, menu.graphics = FALSE)
  set.seed(0)
  if (nzchar(cells$folder)) setwd(cells$folder)

  tell <- function(report) {
    writeLines(as.character(jsonlite::toJSON(report, auto_unbox = TRUE)), paste0(told, ".new"))
    file.rename(paste0(told, ".new"), told)
  }
  failed <- NULL
  for (at in seq_along(cells$cells)) {
    source <- cells$cells[[at]][[1]]
    place <- cells$cells[[at]][[2]]
    first <- if (cells$notebook) 1L else place
    line <- first
    failed <- tryCatch({
      lines <- strsplit(source, "\n", fixed = TRUE)[[1]]
      parsed <- parse(text = lines, keep.source = TRUE)
      for (i in seq_along(parsed)) {
        line <- first - 1L + attr(parsed, "srcref")[[i]][1]
        shown <- withVisible(eval(parsed[[i]], globalenv()))
        if (shown$visible) {
          if (isS4(shown$value)) methods::show(shown$value) else print(shown$value)
        }
      }
      NULL
    },
    error = function(e) {
      if (inherits(e, "simpleError") && grepl("^<text>:[0-9]+:", conditionMessage(e))) {
        line <<- first - 1L + as.integer(sub("^<text>:([0-9]+):.*", "\\1", strsplit(conditionMessage(e), "\n")[[1]][1]))
      }
      list(kind = "", message = substr(conditionMessage(e), 1, 2000), at = at - 1L,
           line = if (cells$notebook) place else line)
    })
    if (!is.null(failed)) break
  }
  flush(stdout())
  if (!is.null(failed)) {
    tell(failed)
    quit("no", runLast = FALSE)
  }
  tell(structure(list(), names = character()))

  plain <- function(x, depth = 0L) {
    if (depth > 60L) stop("too deep")
    if (is.null(x)) return(NULL)
    if (is.factor(x) || inherits(x, c("Date", "POSIXt"))) x <- as.character(x)
    if (is.data.frame(x)) {
      return(list(columns = lapply(as.list(x), function(one) as.list(plain(one, depth + 1L)))))
    }
    if (is.matrix(x)) {
      return(lapply(seq_len(nrow(x)), function(i) as.list(plain(as.vector(x[i, ]), depth + 1L))))
    }
    if (is.list(x)) return(lapply(as.list(x), plain, depth = depth + 1L))
    if (!is.atomic(x) || is.complex(x)) stop("no plain value")
    named <- names(x)
    x <- as.vector(x)
    found <- lapply(x, function(one) {
      if (is.na(one)) NULL else if (is.numeric(one) && is.infinite(one)) paste0(if (one < 0) "-", "Infinity") else one
    })
    if (!is.null(named)) return(structure(found, names = named))
    if (length(found) == 1L) found[[1]] else found
  }
  variable <- function(name) {
    if (!exists(name, envir = globalenv(), inherits = FALSE)) {
      stop(wire$condition("UndefinedError", name))
    }
    get(name, envir = globalenv(), inherits = FALSE)
  }
  found <- function(name) {
    tryCatch({
      value <- plain(variable(name))
      if (is.null(value)) list(present = TRUE, value = NA) else list(present = TRUE, value = value)
    },
    UndefinedError = function(e) list(present = FALSE, problem = "undefined"),
    error = function(e) list(present = TRUE, problem = "crossing"))
  }
  wire$serve <- function(message) {
    switch(message$do, get = variable(message$name), call = wire$call_lent(message),
           wire$crossing("not possible from here"))
  }
  out <- fifo(pipes[2], "wb", blocking = TRUE)
  input <- fifo(pipes[1], "rb", blocking = TRUE)
  wire$receive <- function() readLines(input, n = 1L, warn = FALSE)
  wire$send <- function(text) {
    writeLines(text, out, useBytes = TRUE)
    flush(out)
  }
  wire$send("ready")
  repeat {
    tryCatch({
      line <- wire$receive()
      if (!length(line)) quit("no", runLast = FALSE)
      message <- jsonlite::fromJSON(line, simplifyVector = FALSE)
      if (!is.null(message$plain)) {
        wire$send(as.character(jsonlite::toJSON(found(message$plain), auto_unbox = TRUE, null = "null",
                                                na = "null", digits = NA)))
      } else {
        wire$send(wire$text_of(wire$answer(message)))
      }
    }, interrupt = function(e) NULL)
  }
})
