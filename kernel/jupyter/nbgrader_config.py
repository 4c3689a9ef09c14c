# Settings of nbgrader for Rust: copy this file into the folder of your course, or its lines into the
# nbgrader_config.py that is there. FRONT-ENDS.md shows how the marks look in a cell.
c = get_config()  # noqa: F821 (nbgrader defines it)

# nbgrader knows what to put in place of a solution for Python and five other languages; a notebook in
# any other one ends with a KeyError. The delimiters are words within a line, so `// BEGIN SOLUTION` works.
c.ClearSolutions.code_stub = {
    "rust": '// YOUR CODE HERE\ntodo!("your code")',
    "python": "# YOUR CODE HERE\nraise NotImplementedError()",
}

# The first cell of a notebook waits for the kernel: on a busy machine, more than nbgrader's 30 seconds.
c.Execute.timeout = 120
