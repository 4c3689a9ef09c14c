"""Parameters for papermill: writes them as `let` lines of Rust, and reads the defaults of a cell.

papermill loads the engines of installed packages when it starts, and has no such door for
translators; so this module registers its translator while papermill loads the engine below.
"""

import math
import re

from papermill.engines import NBClientEngine
from papermill.exceptions import PapermillException
from papermill.models import Parameter
from papermill.translators import Translator, papermill_translators

# What an integer without a suffix is in Rust.
SMALLEST, LARGEST = -(2**31), 2**31 - 1

KEYWORDS = frozenset(
    "as async await break const continue dyn else enum extern false fn for gen if impl in let loop match mod"
    " move mut pub ref return static struct trait true type unsafe use where while abstract become box do"
    " final macro override priv try typeof unsized virtual yield".split()
)
# Names that Rust allows for nothing, not even behind `r#`.
RESERVED = frozenset(("self", "Self", "super", "crate", "_"))

LET = re.compile(
    r"^\s*let\s+(?:mut\s+)?(?:r#)?(?P<name>\w+)\s*(?::\s*(?P<type>[^=]+?)\s*)?=\s*(?P<value>.*?)\s*;"
    r"\s*(?://\s*(?P<help>.*))?$"
)


class Engine(NBClientEngine):
    """papermill's own engine under our name, so that `--engine headwater` works as well."""


class RustTranslator(Translator):
    """Writes parameters as Rust.

    An integer is an `i32` as long as it fits, then an `i64`; a number with a point is an `f64`; a
    text is a `&str`; a list is a `Vec`; a mapping is a `BTreeMap`.
    """

    @classmethod
    def translate_int(cls, val):
        if SMALLEST <= val <= LARGEST:
            return str(val)
        return f"{val}_i64" if -(2**63) <= val < 2**63 else f"{val}_i128"

    @classmethod
    def translate_float(cls, val):
        if math.isnan(val):
            return "f64::NAN"
        if math.isinf(val):
            return "f64::INFINITY" if val > 0 else "f64::NEG_INFINITY"
        return repr(val)

    @classmethod
    def translate_escaped_str(cls, str_val):
        return '"' + "".join(map(_escaped, str(str_val))) + '"'

    @classmethod
    def translate_none(cls, val):
        raise _error(
            "a parameter without a value has no type in Rust",
            "null",
            "leave it out, and the cell's own default stays",
        )

    @classmethod
    def translate_list(cls, val):
        if not val:
            raise _error("an empty list has no type in Rust", "[]", "leave it out, and write the default in the cell")
        return f"vec![{', '.join(map(cls.translate, _alike(val)))}]"

    @classmethod
    def translate_dict(cls, val):
        if not val:
            raise _error("an empty mapping has no type in Rust", "{}", "leave it out, and write the default in the cell")
        values = map(cls.translate, _alike(list(val.values())))
        pairs = ", ".join(f"({cls.translate_str(key)}, {value})" for key, value in zip(val, values))
        return f"std::collections::BTreeMap::from([{pairs}])"

    @classmethod
    def comment(cls, cmt_str):
        return f"// {cmt_str}".strip()

    @classmethod
    def assign(cls, name, str_val):
        if not re.fullmatch(r"[^\W\d]\w*", name) or name in RESERVED:
            raise _error("a parameter's name is no name in Rust", name, "letters, digits and _, a letter first")
        return f"let {'r#' if name in KEYWORDS else ''}{name} = {str_val};"

    @classmethod
    def codify(cls, parameters, comment="Parameters"):
        lines = [cls.comment(comment)]
        for name, value in parameters.items():
            try:
                lines.append(cls.assign(name, cls.translate(value)))
            except PapermillException as error:
                raise PapermillException(f"parameter `{name}`: {error}") from None
        return "\n".join(lines) + "\n"

    @classmethod
    def inspect(cls, parameters_cell):
        """Returns the parameters of a cell with one `let name = default; // help` a line."""
        found = filter(None, map(LET.match, parameters_cell["source"].splitlines()))
        return [
            Parameter(
                name=it["name"],
                inferred_type_name=it["type"] or "None",
                default=it["value"],
                help=it["help"] or "",
            )
            for it in found
        ]


def _alike(values):
    """A `Vec` holds one type: integers beside numbers with a point become such numbers too."""
    numbers = all(isinstance(it, (int, float)) and not isinstance(it, bool) for it in values)
    if numbers and any(isinstance(it, float) for it in values):
        return [float(it) for it in values]
    kinds = {type(it) for it in values}
    if len(kinds) > 1:
        have = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise _error("a list or mapping in Rust holds values of one type", have, "a parameter for each of them")
    return values


def _escaped(char):
    if char in '"\\':
        return "\\" + char
    if char in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[char]
    return char if char.isprintable() else f"\\u{{{ord(char):x}}}"


def _error(what, have, attempt):
    return PapermillException(f"{what}\n  have: {have}\n  try:  {attempt}")


papermill_translators.register("rust", RustTranslator)
