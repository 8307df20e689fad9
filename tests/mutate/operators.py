# SPDX-License-Identifier: MIT
"""operators.py - which small faults a source file can have.

Each is a replacement of one stretch of text. What they are:

    relations      a < b: a <= b, a >= b, and so on; == and != for each other
    logic          && and ||: for each other; each operand left out, or negated
    conditions     of if: negated, always, never; of while and for: never; of ?: negated
    arithmetic     + and -, * and /, % to /, << and >>; & and |, ^ to |; ~ and unary - left out
    masks          a & MASK: a;  a | FLAG: a;  x |= FLAG: x = FLAG, and so for the others
    constants      one more, one less; true and false; WEIR_ERR_X to its neighbour; a string's last byte
    statements     left out: expressions, break and continue, case labels, else branches, return of nothing;
                   what is returned: 0, and 1 where that differs
    vectors        _mm_or and _mm_and, min and max, and the like for each other
"""
import re
from collections import namedtuple

import csource

# function is None outside of functions; before and after are the lines that it touches, blanks made one.
Mutant = namedtuple("Mutant", "file function line start end text before after")

RELATIONS = {"<": ("<=", ">="), "<=": ("<", ">"), ">": (">=", "<="), ">=": (">", "<"), "==": ("!=",), "!=": ("==",)}
SWAPS = {"+": "-", "-": "+", "*": "/", "/": "*", "%": "/", "<<": ">>", ">>": "<<", "&": "|", "|": "&", "^": "|",
         "++": "--", "--": "++", "&&": "||", "||": "&&"}
ASSIGNMENTS = {"+=": ("-=", "="), "-=": ("+=", "="), "|=": ("&=", "="), "&=": ("|=", "="), "^=": ("|=", "="),
               "<<=": (">>=", "="), ">>=": ("<<=", "="), "*=": ("/=", "="), "/=": ("*=", "="), "%=": ("/=", "=")}
NAMES = [(re.compile(r"(_mm\d*)_%s_" % one), r"\1_%s_" % two) for one, two in (
    ("or", "and"), ("and", "or"), ("xor", "or"), ("andnot", "and"), ("min", "max"), ("max", "min"),
    ("cmpeq", "cmpgt"), ("cmpgt", "cmpeq"), ("add", "sub"), ("adds", "subs"), ("sub", "add"), ("subs", "adds"))]
# What ends an operand, looking at tokens outside of its brackets.
LOOSE = {"?", ":", ",", ";", "=", "return", "||"} | set(ASSIGNMENTS)
COUNTS = re.compile(r"(?:bool|int|unsigned|size_t|u?int\d+_t|char|uLong)$")


class Source:
    """A file, its functions and its mutants."""

    def __init__(self, path, text):
        self.path, self.text = path, text
        self.tokens = csource.tokens_of(text)
        self.functions = csource.functions_of(text, self.tokens)
        self.lines = [0]
        for match in re.finditer("\n", text):
            self.lines.append(match.end())
        self.found = {}
        self.function = None
        for function in self.functions:
            self.function = function
            self.inside(function)
        self.function = None
        self.outside()

    def mutants(self):
        return sorted(self.found.values(), key=lambda m: (m.start, m.end, m.text))

    def line_of(self, at):
        low, high = 0, len(self.lines)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.lines[middle] <= at else (low, middle)
        return low + 1

    def add(self, start, end, text):
        """Notes the fault that has `text` instead of [start, end)."""
        if self.text[start:end] == text:
            return
        first = self.lines[self.line_of(start) - 1]
        last = self.lines[self.line_of(end - 1)] if self.line_of(end - 1) < len(self.lines) else len(self.text)
        whole = self.text[:start] + text + self.text[end:]
        before = " ".join(self.text[first:last].split())
        after = " ".join(whole[first:last + len(text) - (end - start)].split())
        name = self.function.name if self.function else None
        self.found.setdefault((first, last, after), Mutant(self.path, name, self.line_of(start), start, end, text,
                                                            before, after))

    def swap(self, index, text):
        self.add(self.tokens[index].start, self.tokens[index].end, text)

    def span(self, first, last):
        """Positions of the tokens first to last."""
        return self.tokens[first].start, self.tokens[last].end

    def is_op(self, index, *texts):
        return self.tokens[index].kind == "op" and self.tokens[index].text in texts

    def has_two(self, index):
        """Has this operator two operands? clang-format sets blanks around it then."""
        token = self.tokens[index]
        return self.text[token.start - 1] in " \n" and self.text[token.end] in " \n"

    # ---- Inside of functions

    def inside(self, function):
        parts = csource.Statements(self.text, self.tokens, function.first, function.last).parts
        for part in parts:
            getattr(self, "of_" + part.kind)(part)
            if part.kind in ("condition", "expression", "declaration", "step", "return"):
                self.expression(part.first, part.last + 1, part.kind == "declaration")

    def of_declaration(self, part):
        pass

    def of_step(self, part):
        pass

    def of_goto(self, part):
        pass

    def of_expression(self, part):
        start, end = self.span(part.first, part.last)
        self.add(start, end, ";")

    def of_break(self, part):
        self.of_expression(part)

    def of_case(self, part):
        self.add(*self.span(part.first, part.last), ";")

    def of_else(self, part):
        self.add(*self.span(part.first, part.last), "")

    def of_condition(self, part):
        if part.head == "switch":
            return
        start, end = self.span(part.first, part.last)
        self.negate(part.first, part.last + 1)
        self.add(start, end, "0")
        if part.head == "if":
            self.add(start, end, "1")

    def of_return(self, part):
        if part.last == part.first + 1:
            self.of_expression(part)
            return
        kind = [t for t in self.function.prefix.split() if t not in ("static", "inline", "WEIRI_APART", "const")]
        simple = bool(kind) and COUNTS.match(kind[-1])
        only = part.last == part.first + 2
        start, end = self.span(part.first + 1, part.last - 1)
        text = self.text[start:end]
        if not simple or (only and (text in ("true", "false") or self.tokens[part.first + 1].kind == "num")):
            return
        self.add(start, end, "0")
        if kind[-1] == "bool":
            self.add(start, end, "1")

    def relation_alone(self, first, last):
        """Is this one relation, so that its operator's own mutants negate it?"""
        depth, relations = 0, 0
        for index in range(first, last):
            token = self.tokens[index]
            if token.kind == "op":
                depth += (token.text in csource.OPENING) - (token.text in csource.CLOSING)
                if depth == 0 and token.text in RELATIONS:
                    relations += 1
                if depth == 0 and token.text in ("&&", "||", "?", "="):
                    return False
        return relations == 1

    def negate(self, first, last):
        """Tokens [first, last) are a condition or an operand."""
        start, end = self.span(first, last - 1)
        if self.relation_alone(first, last):
            return
        if self.is_op(first, "!") and all(self.tokens[i].text not in ("&&", "||", "?", "=")
                                          for i in range(first, last)):
            self.add(start, start + 1, "")
            return
        self.add(start, end, "!(%s)" % self.text[start:end])

    def operand(self, index, step, stops):
        """The last token of an operand, going from `index` by `step`."""
        depth, at = 0, index + step
        opening, closing = (csource.OPENING, csource.CLOSING) if step > 0 else (csource.CLOSING, csource.OPENING)
        while True:
            token = self.tokens[at]
            if token.kind == "op" and token.text in opening:
                depth += 1
            elif token.kind == "op" and token.text in closing:
                if depth == 0:
                    return at - step
                depth -= 1
            elif depth == 0 and (token.text in stops or token.kind == "pre"):
                return at - step
            at += step

    def logic(self, index):
        """&& or ||: its operands left out, and negated."""
        token = self.tokens[index]
        stops = LOOSE | {"&&"} if token.text == "&&" else LOOSE
        nothing = "1" if token.text == "&&" else "0"
        for step in (-1, 1):
            other = self.operand(index, step, stops)
            first, last = (other, index - 1) if step < 0 else (index + 1, other)
            self.add(*self.span(first, last), nothing)
            self.negate(first, last + 1)

    def expression(self, first, last, declares):
        for index in range(first, last):
            token = self.tokens[index]
            if token.kind == "op":
                self.operator(index, declares)
            elif token.kind in ("num", "char"):
                if not (declares and self.is_op(index - 1, "[") and self.is_op(index + 1, "]")):
                    self.number(index)
            elif token.kind == "str":
                self.string(index)
            elif token.kind == "id":
                self.name(index)

    def operator(self, index, declares):
        token = self.tokens[index]
        if token.text in ("&&", "||"):
            self.logic(index)
            self.swap(index, SWAPS[token.text])
        elif token.text in RELATIONS:
            for other in RELATIONS[token.text]:
                self.swap(index, other)
        elif token.text in ASSIGNMENTS:
            for other in ASSIGNMENTS[token.text]:
                self.swap(index, other)
        elif token.text == "?":
            first = self.operand(index, -1, {"?", ":", ",", ";", "=", "return"} | set(ASSIGNMENTS))
            self.negate(first, index)
        elif token.text in ("++", "--"):
            self.swap(index, SWAPS[token.text])
        elif token.text in SWAPS and self.has_two(index):
            self.swap(index, SWAPS[token.text])
            if token.text in ("&", "|"):
                self.unmask(index)
        elif token.text == "~" or (token.text == "-" and not self.has_two(index)):
            self.add(token.start, token.end, "")
        elif token.text == "!":
            self.add(token.start, token.end, "")

    def unmask(self, index):
        """a & MASK becomes a, if the mask is one name or number."""
        behind = index + 1 + self.is_op(index + 1, "~")
        if self.tokens[behind].kind in ("id", "num") and not self.is_op(behind + 1, "(", "[", ".", "->", "*", "<<",
                                                                        "+", "-", ">>"):
            self.add(self.tokens[index - 1].end, self.tokens[behind].end, "")

    def number(self, index):
        token = self.tokens[index]
        if token.kind == "char":
            self.swap(index, "(%s + 1)" % token.text)
            return
        match = re.match(r"(0[xX][0-9a-fA-F]+|[0-9]+)([uUlL]*)$", token.text)
        if not match:
            return
        hexadecimal = match.group(1)[:2] in ("0x", "0X")
        value = int(match.group(1), 0) if hexadecimal else int(match.group(1))
        for other in (value + 1, value - 1):
            if other >= 0:
                self.swap(index, ("0x%X" if hexadecimal else "%d") % other + match.group(2))

    def string(self, index):
        body = self.tokens[index].text[1:-1]
        if not body:
            return
        if len(body) >= 2 and body[-2] == "\\":
            self.swap(index, '"%s"' % (body[:-2] + "?"))
        elif not re.search(r"\\x[0-9a-fA-F]*$", body):
            self.swap(index, '"%s"' % (body[:-1] + ("?" if body[-1] != "?" else "!")))

    def name(self, index):
        text = self.tokens[index].text
        if text in ("true", "false"):
            self.swap(index, "false" if text == "true" else "true")
        elif text.startswith("WEIR_ERR_"):
            self.swap(index, "(%s - 1)" % text)
        elif text.startswith("_mm"):
            for pattern, other in NAMES:
                if pattern.match(text):
                    self.swap(index, pattern.sub(other, text))

    # ---- Outside of functions: constants of macros and tables

    def outside(self):
        inside = [(f.first, f.last) for f in self.functions]
        for index, token in enumerate(self.tokens):
            if any(first <= index <= last for first, last in inside):
                continue
            if token.kind == "pre":
                self.macro(token)
            elif token.kind == "num" and self.in_table(index):
                self.number(index)

    def in_table(self, index):
        """Is this a value in the braces of a table, not of an enum or a struct?"""
        depth, at = 0, index
        while at > 0:
            token = self.tokens[at]
            if token.kind == "op" and token.text == "}":
                depth += 1
            elif token.kind == "op" and token.text == "{":
                depth -= 1
                if depth < 0 and self.is_op(at - 1, "="):
                    return True
            elif depth >= 0 and token.text == ";":
                return False
            at -= 1
        return False

    def macro(self, token):
        match = re.match(r"\s*#\s*define\s+(\w+)(\([^)]*\))?\s+", token.text)
        if not match or match.group(1).startswith("WEIR_SIMD"):
            return
        body = token.text[match.end():].replace("\\\n", " \n")
        keep, start = (self.tokens, self.text), token.start + match.end()
        try:
            inner = csource.tokens_of(body)
        except ValueError:
            return
        # The body's tokens stand at their places in the file, and are looked at as an expression.
        self.tokens = [csource.Token("op", ";", start, start)]
        self.tokens += [csource.Token(t.kind, t.text, t.start + start, t.end + start) for t in inner]
        self.tokens += [csource.Token("op", ";", token.end, token.end)] * 2
        self.expression(1, len(self.tokens) - 2, False)
        self.tokens, self.text = keep
