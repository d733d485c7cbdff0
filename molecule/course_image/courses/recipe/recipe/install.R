install.packages("tiny", repos = NULL, type = "source")
