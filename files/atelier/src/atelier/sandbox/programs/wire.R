# How values and calls cross between the learner's R and the tests' R: one JSON message a line. Values
# are built anew from vectors, lists and a few attributes; of classes only those in CLASSES come along,
# so that no method of the sender's decides a comparison. Functions stay where they are.
wire <- new.env(parent = baseenv())
local({
  CLASSES <- c("factor", "ordered", "data.frame", "tbl_df", "tbl", "Date", "POSIXct", "POSIXt",
               "difftime", "table", "matrix", "array")
  ATTRIBUTES <- c("names", "dim", "dimnames", "levels", "class", "row.names", "tzone", "units", "tsp")
  MOST <- 300000L
  LONGEST <- 6 * 2^20
  lent <- list()
  asked <- 0
  nodes <- 0L

  crossing <- function(text) {
    stop(structure(class = c("CrossingError", "error", "condition"),
                   list(message = text, call = NULL)))
  }
  condition <- function(kind, text) {
    structure(class = c(kind, "error", "condition"), list(message = text, call = NULL))
  }

  pack_attributes <- function(x, depth) {
    kept <- attributes(x)[intersect(names(attributes(x)), ATTRIBUTES)]
    if (is.data.frame(x)) kept$row.names <- attr(x, "row.names")
    if (!is.null(kept$class)) {
      kept$class <- intersect(kept$class, CLASSES)
      if (!length(kept$class)) kept$class <- NULL
    }
    lapply(kept, pack, depth = depth + 1L)
  }

  pack <- function(x, depth = 0L) {
    nodes <<- nodes + 1L
    if (depth > 60L || nodes > MOST) crossing("the value is too large or too deep")
    if (is.null(x)) return(list(t = "null"))
    if (is.function(x)) {
      id <- attr(x, "atelier_id")
      if (!is.null(id)) return(list(t = "yours", id = id))
      lent[[length(lent) + 1L]] <<- x
      return(list(t = "function", id = length(lent)))
    }
    type <- typeof(x)
    if (isS4(x) || !type %in% c("logical", "integer", "double", "complex", "character", "list")) {
      return(list(t = "none", v = paste("no plain value:", type)))
    }
    attributes_of_x <- pack_attributes(x, depth)
    x <- unclass(x)
    if (type == "list") {
      packed <- list(t = "list", of = unname(lapply(x, pack, depth = depth + 1L)))
    } else {
      nodes <<- nodes + length(x)
      if (nodes > MOST) crossing("the value is too large")
      values <- as.vector(x)
      if (type == "double") values <- sprintf("%a", values)
      if (type == "complex") values <- c(sprintf("%a", Re(values)), sprintf("%a", Im(values)))
      if (type == "character") values <- ifelse(is.na(values), NA, enc2utf8(values))
      packed <- list(t = type, v = I(as.character(values)))
    }
    if (length(attributes_of_x)) packed$a <- attributes_of_x
    packed
  }

  texts <- function(v) {
    vapply(v, function(one) if (is.null(one)) NA_character_ else as.character(one), "",
           USE.NAMES = FALSE)
  }

  unpack <- function(data, depth = 0L) {
    if (depth > 120L || !is.list(data) || !is.character(data$t)) crossing("not a valid value")
    value <- switch(
      data$t,
      null = return(NULL),
      none = return(structure(list(), class = "atelier_none", why = as.character(data$v))),
      yours = return(lent[[data$id]]),
      "function" = return(remote(as.integer(data$id))),
      logical = as.logical(texts(data$v)),
      integer = as.integer(texts(data$v)),
      double = as.numeric(texts(data$v)),
      character = texts(data$v),
      complex = {
        parts <- as.numeric(texts(data$v))
        half <- length(parts) %/% 2L
        complex(real = utils::head(parts, half), imaginary = utils::tail(parts, half))
      },
      list = lapply(data$of, unpack, depth = depth + 1L),
      crossing("not a valid value")
    )
    for (name in intersect(names(data$a), ATTRIBUTES)) {
      one <- unpack(data$a[[name]], depth + 1L)
      if (name == "class") one <- intersect(one, CLASSES)
      if (length(one)) attr(value, name) <- one
    }
    value
  }

  remote <- function(id) {
    force(id)
    f <- function(...) ask("call", id = id, args = lapply(list(...), pack))
    attr(f, "atelier_id") <- id
    f
  }

  text_of <- function(message) {
    as.character(jsonlite::toJSON(message, auto_unbox = TRUE, null = "null", na = "null"))
  }
  parsed <- function(line) {
    if (!length(line)) stop(condition("GoneError", "the answer's process has ended"))
    tryCatch(jsonlite::fromJSON(line, simplifyVector = FALSE),
             error = function(e) stop(condition("GoneError", "the answer sent something else")))
  }

  ask <- function(what, ...) {
    asked <<- asked + 1
    number <- asked
    nodes <<- 0L
    send(text_of(list(do = what, n = number, ...)))
    repeat {
      reply <- parsed(receive())
      if (!is.null(reply$do)) {
        send(text_of(answer(reply)))
      } else if (is.null(reply$n) || identical(as.numeric(reply$n), number)) {
        return(result(reply))
      }
    }
  }

  result <- function(reply) {
    if (!is.null(reply$value)) return(unpack(reply$value))
    if (!is.null(reply$error)) {
      stop(condition("simpleError", substr(paste(unlist(reply$error), collapse = ""), 1, 500)))
    }
    for (kind in c("UndefinedError", "CrossingError", "CallTimeoutError")) {
      if (!is.null(reply[[kind]])) {
        stop(condition(kind, substr(paste(unlist(reply[[kind]]), collapse = ""), 1, 500)))
      }
    }
    stop(condition("GoneError", "the answer's process has ended"))
  }

  answer <- function(message) {
    nodes <<- 0L
    reply <- tryCatch({
      value <- serve(message)
      packed <- pack(value)
      if (identical(packed$t, "none")) crossing(packed$v)
      reply <- list(value = packed)
      if (nchar(text_of(reply), "bytes") > LONGEST) crossing("the value is too large")
      reply
    },
    CrossingError = function(e) list(CrossingError = conditionMessage(e)),
    UndefinedError = function(e) list(UndefinedError = conditionMessage(e)),
    CallTimeoutError = function(e) list(CallTimeoutError = conditionMessage(e)),
    GoneError = function(e) list(GoneError = conditionMessage(e)),
    interrupt = function(e) list(CallTimeoutError = "the call took too long"),
    error = function(e) list(error = substr(conditionMessage(e), 1, 1000)))
    reply$n <- message$n
    reply
  }

  call_lent <- function(message) {
    id <- as.integer(message$id)
    if (id < 1L || id > length(lent)) crossing("no such object")
    do.call(lent[[id]], lapply(message$args, unpack), quote = TRUE)
  }

  send <- receive <- serve <- NULL
}, envir = wire)
