# SPDX-License-Identifier: MIT
"""csource.py - reads C as weir writes it: tokens, function definitions and the statements in them.

No compiler: macros are not expanded and types are not known. It leans on two habits that `make lint` holds:
functions begin at the margin, and clang-format puts blanks on both sides of an operator with two operands.
"""
import re
from collections import namedtuple

# kind: id, num, char, str, op; pre is a whole preprocessor line. [start, end) are positions in the text.
Token = namedtuple("Token", "kind text start end")
# prefix is what stands before the name: specifiers and the return type.
Function = namedtuple("Function", "name prefix params start body end first last")
# kind: expression, declaration, condition, break, return, else, case, step. Positions are token indices.
Part = namedtuple("Part", "kind first last head")

TOKEN = re.compile(r"""
    (?P<blank>[ \t\r\n]+|/\*.*?\*/|//[^\n]*)
  | (?P<pre>^[ \t]*\#(?:[^\\\n]|\\.)*)
  | (?P<id>[A-Za-z_]\w*)
  | (?P<num>\.?[0-9](?:[eEpP][+-]|[\w.])*)
  | (?P<char>'(?:[^'\\\n]|\\.)+')
  | (?P<str>"(?:[^"\\\n]|\\.)*")
  | (?P<op><<=|>>=|\.\.\.|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|[][(){};,.?:~!<>=+*/%&|^-])
""", re.X | re.S | re.M)

TYPES = {"const", "static", "unsigned", "signed", "bool", "int", "char", "short", "long", "void", "struct", "enum",
         "union", "size_t", "ptrdiff_t", "extern", "typedef", "volatile", "float", "double"}
TYPE = re.compile(r"u?int(?:8|16|32|64|ptr|max)_t|__m\d+i$")
OPENING, CLOSING = "([{", ")]}"


def tokens_of(text):
    """The tokens of a file, comments and blanks left out."""
    found, at = [], 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise ValueError("no token of C at %r" % text[at:at + 20])
        at = match.end()
        if match.lastgroup != "blank":
            found.append(Token(match.lastgroup, match.group(), match.start(), at))
    return found


def closing_of(tokens, at):
    """The index of the bracket that closes the one at `at`."""
    depth = 0
    while True:
        if tokens[at].kind == "op":
            if tokens[at].text in OPENING:
                depth += 1
            elif tokens[at].text in CLOSING:
                depth -= 1
                if depth == 0:
                    return at
        at += 1


def param_names(tokens):
    """Names of the parameters between a definition's parentheses, or None if they cannot be told."""
    names, depth, last, at = [], 0, None, -1
    if [t.text for t in tokens] in (["void"], []):
        return names
    tokens = tokens + [Token("op", ",", 0, 0)]
    while at + 1 < len(tokens):
        at += 1
        token = tokens[at]
        if token.text in OPENING:
            if token.text == "(" and depth == 0:
                if tokens[at + 1].text != "*" or tokens[at + 2].kind != "id" or tokens[at + 4].text != "(":
                    return None
                last = tokens[at + 2].text  # a function: type (*name)(parameters)
                at = closing_of(tokens, at + 4)
                continue
            depth += 1
        elif token.text in CLOSING:
            depth -= 1
        elif token.text == "," and depth == 0:
            names.append(last)
        elif token.kind == "id" and depth == 0:
            last = token.text
    return names


def functions_of(text, tokens):
    """All function definitions. first and last are token indices of the body's braces."""
    found, at, begin = [], 0, 0
    while at < len(tokens):
        token = tokens[at]
        if token.kind == "pre" or token.text == ";":
            begin = at + 1
        elif token.text == "(" and at > begin and tokens[at - 1].kind == "id":
            close = closing_of(tokens, at)
            if close + 1 < len(tokens) and tokens[close + 1].text == "{" and at - 1 > begin:
                end = closing_of(tokens, close + 1)
                start = tokens[begin].start
                found.append(Function(tokens[at - 1].text, text[start:tokens[at - 1].start],
                                      param_names(tokens[at + 1:close]), start, tokens[close + 1].start,
                                      tokens[end].end, close + 1, end))
                close, begin = end, end + 1
            at = close
        elif token.text in "[{" and token.kind == "op":
            at = closing_of(tokens, at)
            if token.text == "{" and tokens[min(at + 1, len(tokens) - 1)].text not in (";", ","):
                begin = at + 1
        at += 1
    return found


class Statements:
    """Splits a function's body into its parts."""

    def __init__(self, text, tokens, first, last):
        self.text, self.tokens, self.parts = text, tokens, []
        at = first + 1
        while self.skip_pre(at) < last:
            at = self.statement(at)

    def add(self, kind, first, last, head=None):
        self.parts.append(Part(kind, first, last, head))

    def skip_pre(self, at):
        while self.tokens[at].kind == "pre":
            at += 1
        return at

    def until(self, at, mark):
        """The index of `mark` outside of brackets."""
        while self.tokens[at].text != mark or self.tokens[at].kind != "op":
            if self.tokens[at].kind == "op" and self.tokens[at].text in OPENING:
                at = closing_of(self.tokens, at)
            at += 1
        return at

    def blank_behind(self, at):
        return self.text[self.tokens[at].end] in " \n"

    def declares(self, at):
        """Does a declaration begin here?"""
        one, two = self.tokens[at], self.tokens[at + 1]
        if one.kind != "id":
            return False
        if one.text in TYPES or TYPE.match(one.text) or two.kind == "id":
            return True
        return two.text == "*" and not self.blank_behind(at + 1)

    def controlled(self, at):
        """`(condition) statement`; returns what is behind them."""
        close = closing_of(self.tokens, at)
        return close, self.statement(close + 1)

    def statement(self, at):
        """Notes the parts of the statement at `at`; returns the index behind it."""
        at = self.skip_pre(at)
        token = self.tokens[at]
        if token.text == "{":
            close = closing_of(self.tokens, at)
            at += 1
            while self.skip_pre(at) < close:
                at = self.statement(at)
            return close + 1
        if token.text in ("if", "while", "switch"):
            close, end = self.controlled(at + 1)
            self.add("condition", at + 2, close - 1, token.text)
            follow = self.skip_pre(end)
            if token.text == "if" and self.tokens[follow].text == "else":
                end = self.statement(follow + 1)
                if self.tokens[follow + 1].text == "{":
                    self.add("else", follow, end - 1)
            return end
        if token.text == "for":
            return self.loop(at)
        if token.text == "do":
            end = self.statement(at + 1)
            close = closing_of(self.tokens, end + 1)
            self.add("condition", end + 2, close - 1, "do")
            return close + 2
        if token.text in ("case", "default"):
            colon = self.until(at, ":")
            if token.text == "case":
                self.add("case", at, colon)
            return colon + 1
        if token.kind == "id" and self.tokens[at + 1].text == "(":
            close = closing_of(self.tokens, at + 1)
            if self.tokens[close + 1].kind != "op" or self.tokens[close + 1].text == "}":
                self.add("expression", at, close)  # a macro that needs no semicolon
                return close + 1
        end = self.until(at, ";")
        if token.text in ("return", "break", "continue", "goto"):
            self.add("break" if token.text == "continue" else token.text, at, end)
        elif end > at:
            self.add("declaration" if self.declares(at) else "expression", at, end)
        return end + 1

    def loop(self, at):
        close = closing_of(self.tokens, at + 1)
        one = self.until(at + 2, ";")
        two = self.until(one + 1, ";")
        if two > one + 1:
            self.add("condition", one + 1, two - 1, "for")
        if one > at + 2 and not self.declares(at + 2):
            self.add("step", at + 2, one - 1)
        if close > two + 1:
            self.add("step", two + 1, close - 1)
        return self.statement(close + 1)
