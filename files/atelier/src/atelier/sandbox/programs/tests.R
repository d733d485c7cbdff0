# Runs a teacher's R tests, in a sandbox where the learner's code has never been. Arguments: the job,
# and the file with wire.R. Lines for the relay go to the standard output.
local({
  given <- commandArgs(trailingOnly = TRUE)
  job <- jsonlite::fromJSON(given[1], simplifyVector = FALSE)
  sys.source(given[2], envir = environment())
  input <- file("stdin", "rb")
  open(input)
  options(device = function(...) grDevices::pdf(NULL), warn = 1)
  line_out <- function(text) {
    if (sink.number()) sink()
    cat(text, "\n", sep = "")
    flush(stdout())
    sink(nullfile())
  }
  wire$receive <- function() readLines(input, n = 1L, warn = FALSE)
  wire$send <- function(text) {
    line_out(paste0("ask ", text))
  }
  wire$serve <- function(message) {
    switch(message$do, call = wire$call_lent(message), wire$crossing("not possible from here"))
  }
  space <- new.env(parent = globalenv())
  # In R an empty condition holds: an answer of length 0 would pass.
  space$stopifnot <- function(...) {
    conditions <- list(...)
    texts <- vapply(as.list(substitute(list(...)))[-1L], function(one) paste(deparse(one), collapse = " "), "")
    for (i in seq_along(conditions)) {
      one <- conditions[[i]]
      if (!(is.logical(one) && length(one) && !anyNA(one) && all(one))) {
        named <- names(conditions)[i]
        text <- if (length(named) && !is.na(named) && nzchar(named)) named else paste(texts[i], "is not TRUE")
        stop(structure(class = c("AssertionError", "error", "condition"), list(message = text, call = NULL)))
      }
    }
    invisible(NULL)
  }

  # What a test does first with each of its names: TRUE, it stores it.
  first_events <- function(code) {
    found <- list()
    event <- function(name, stored) if (is.null(found[[name]])) found[[name]] <<- stored
    walk <- function(one) {
      if (is.call(one) && as.character(one[[1]])[1] %in% c("<-", "=", "<<-") && length(one) == 3L) {
        for (name in all.names(one[[3]])) event(name, FALSE)
        target <- one[[2]]
        if (is.name(target) || is.character(target)) event(as.character(target), TRUE)
        else for (name in all.names(target)) event(name, FALSE)
      } else for (name in all.names(one)) event(name, FALSE)
    }
    for (one in as.list(code)) walk(one)
    found
  }
  codes <- lapply(job$tests, function(test) tryCatch(parse(text = test$code, keep.source = TRUE), error = identity))
  events <- lapply(codes, function(code) if (is.expression(code)) first_events(code) else list())
  own <- lapply(events, function(one) names(Filter(isTRUE, one)))
  undefined <- character()
  crossed <- list()

  fetch <- function(number) {
    others <- unlist(own[-number])
    for (name in setdiff(names(events[[number]]), c(own[[number]], others, ls(space, all.names = TRUE)))) {
      # The base package's own constants stay what they are: pi, T, letters.
      asked_for <- name %in% unlist(job$names)
      if (!asked_for && exists(name, envir = baseenv(), inherits = FALSE) &&
          !is.function(get(name, envir = baseenv()))) next
      tryCatch({
        value <- wire$ask("get", name = name)
        # A function of R's own stays what it is; a variable of that name is handed over.
        if (asked_for || !(is.function(value) && exists(name, envir = globalenv(), mode = "function"))) {
          assign(name, value, envir = space)
        }
      },
      UndefinedError = function(e) undefined <<- c(undefined, name),
      CrossingError = function(e) crossed[[name]] <<- conditionMessage(e))
    }
  }
  score <- function(value) {
    if (is.logical(value) && length(value) == 1L) return(if (isTRUE(as.vector(value))) 1 else 0)
    if (is.numeric(value) && length(value) == 1L && is.null(attributes(value))) {
      if (is.na(value)) return(0)
      if (value >= 0 && value <= 1) return(as.numeric(value))
    }
    1
  }
  problem <- function(e) {
    text <- conditionMessage(e)
    missing <- regmatches(text, regexec("object '([^']+)'|could not find function \"([^\"]+)\"", text))[[1]]
    name <- if (length(missing)) paste0(missing[2], missing[3]) else ""
    if (inherits(e, "AssertionError")) "assertion"
    else if (inherits(e, "CrossingError") || !is.null(crossed[[name]])) "crossing"
    else if (name %in% undefined) "undefined"
    else if (inherits(e, c("CallTimeoutError", "GoneError")) || grepl("reached (CPU|elapsed) time limit", text)) "timeout"
    else if (inherits(e, "expectation_failure")) "assertion"
    else "error"
  }

  wire$receive() # the learner's file has run
  for (number in seq_along(codes)) {
    outcome <- tryCatch({
      code <- codes[[number]]
      if (!is.expression(code)) stop(code)
      setTimeLimit(cpu = job$seconds, elapsed = 4 * job$seconds)
      fetch(number)
      set.seed(0)
      value <- NULL
      for (one in code) value <- eval(one, space)
      setTimeLimit()
      reached <- score(value)
      list(score = reached, problem = if (reached > 0) "" else "assertion", detail = "")
    },
    error = function(e) {
      setTimeLimit()
      list(score = 0, problem = problem(e), detail = substr(paste0("Error: ", conditionMessage(e)), 1, 1000))
    })
    outcome$name <- job$tests[[number]]$name
    line_out(paste0("outcome ", wire$text_of(outcome)))
  }
  quit("no", runLast = FALSE)
})
