"""Values, texts and bytes that programs stumble over."""

import copy
import json
import math
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

# As they are written in an override or in YAML.
WORDS = (
    *("", "null", "true", "false", "yes", "0", "-1", "-3", "1", "2", "7", "0.5", "1.5", "-0.0"),
    *(
        "1e3",
        "1e5",
        "1e400",
        "1e-400",
        "nan",
        "inf",
        "-inf",
        ".inf",
        ".nan",
        "999999999",
        "+1",
        "5.",
    ),
    *("9" * 30, "9" * 5000, "0x10", "1_000", "0b1", "0.1.2", "1:30", "2020-01-01", "2**31"),
    *("abc", "''", "'a b'", '"x"', "a b", "é", "☃☃☃", "x" * 3000, "\x00", "\udc80", "\n", "\t"),
    *("[]", "[1]", "[null]", "[nan]", "[true]", "[[1]]", "[-1,2]", "[0.5,a]", "[1,,2]", "[1", "}"),
    *("[1,2,3,4,5,6,7,8,9,10,11,12]", "{}", "{a:1}", "{a:{b:c}}", "{1:2}", "{null:1}", "[" * 300),
    *(
        "???",
        "${seed}",
        "${nope}",
        "${model}",
        "${oc.env:HOME}",
        "${oc.env:NOPE}",
        "${",
        "$",
        "${}",
    ),
    *("\\", "~", "@", "!", "#", "&a", "*a", "%", "`", "|", ">", "- 1", "a: b", "a=b", "1,2", "a,b"),
    *("range(3)", "choice(1,2)", "interval(0,1)", "tag(log,interval(1,2))", "glob(*)", "int(3.5)"),
    *("float(x)", "bool(3)", "json_str('{}')", "/etc/passwd", "../..", "/dev/null", "."),
    *("{_target_:os.getcwd}", "{_target_:torch.nn.Identity}", "{_target_:x}", "{_partial_:true}"),
    *("{_target_:colorizer.models.CNN,width:3}", "[{_target_:os.getcwd}]", "{_args_:[1]}"),
)

# As JSON and Python have them.
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 3, 10**7, 2**63, -(10**30), 0.5, -2.5, 1e308),
    *(math.inf, math.nan, "", "a", "x" * 2000, "| a | **b** |\n<script>", "\x1b[31m", "\ud800"),
    *(
        "NaN",
        "1",
        "/etc/passwd",
        [],
        [1],
        [None],
        ["a", 1],
        [[]],
        {},
        {"a": 1},
        {"_target_": "os.getcwd"},
    ),
)

TOKENS = (
    *(
        b"\x00",
        b"\xff",
        b"\xfe\xff",
        b"\t",
        b"\n",
        b":",
        b"- ",
        b"? ",
        b"&a ",
        b"*a ",
        b"!!python/x ",
    ),
    *(
        b"{",
        b"}",
        b"[",
        b"]",
        b'"',
        b"'",
        b"#",
        b"|",
        b">",
        b"%",
        b"@",
        b"---\n",
        b"<<: ",
        b"~",
        b"${",
    ),
    *(
        b"[" * 400,
        b"{a: " * 200,
        b"a: &a [x]\nb: [*a, *a]\n",
        b"null",
        b"1e999",
        b"NaN",
        b"-1",
        b"true",
    ),
)


def word(random: Random) -> str:
    """A word, or two of them together."""
    first = random.choice(WORDS)
    return first + random.choice(WORDS) if random.random() < 0.05 else first


def value(random: Random) -> Any:
    """A value, not shared with other inputs."""
    return copy.deepcopy(random.choice(VALUES))


def misspelt(random: Random, text: str) -> str:
    """A text with one of its characters changed, dropped or doubled."""
    if not text:
        return "x"
    place = random.randrange(len(text))
    with_it = random.choice(("", text[place] * 2, "x", ".", "..", "=", "@", "/", " ", "é", "["))
    return text[:place] + with_it + text[place + 1 :]


def damaged(random: Random, content: bytes) -> bytes:
    """Bytes with some of them flipped, cut off, repeated or replaced."""
    for _ in range(random.choice((1, 1, 1, 2, 5, 30))):
        place = random.randrange(len(content) + 1)
        end = min(len(content), place + random.choice((1, 1, 2, 8, 64, 4096)))
        change = random.randrange(7)
        if change == 0:
            content = content[:place]
        elif change == 1:
            content = content[:place] + content[end:]
        elif change == 2:
            content = content[:place] + content[place:end] * 2 + content[end:]
        elif change == 3:
            content = content[:place] + random.choice(TOKENS) + content[end:]
        elif change == 4:
            content = content[:place] + random.choice(TOKENS) + content[place:]
        elif place < len(content):
            flipped = content[place] ^ (1 << random.randrange(8))
            content = content[:place] + bytes([flipped]) + content[place + 1 :]
    return content


def wrong_json(random: Random, content: Any) -> Any:
    """JSON values with one of them replaced, dropped, added or wrapped."""
    path = list(_path(random, content))
    if not path:
        return nested(random) if random.random() < 0.2 else value(random)
    node = content
    for key in path[:-1]:
        node = node[key]
    key, change = path[-1], random.random()
    if change < 0.15:
        del node[key]
    elif change < 0.25 and isinstance(node, dict):
        node[random.choice(("new", "", "a/b", "_target_", key + "x"))] = value(random)
    elif change < 0.35:
        node[key] = [node[key]] if random.random() < 0.5 else {"a": node[key]}
    elif change < 0.4:
        node[key] = nested(random)
    else:
        node[key] = value(random)
    return content


def nested(random: Random) -> Any:
    """Lists or dicts in each other, many of them."""
    made: Any = 1
    wrap: Sequence[Callable[[Any], Any]] = (lambda x: [x], lambda x: {"a": x})
    for _ in range(random.choice((20, 40, 400))):
        made = random.choice(wrap)(made)
    return made


def _path(random: Random, content: Any) -> Any:
    """The keys to some value in JSON values."""
    while isinstance(content, dict | list) and content:
        key = (
            random.choice(list(content))
            if isinstance(content, dict)
            else random.randrange(len(content))
        )
        yield key
        content = content[key]
        if random.random() < 0.25:
            return


def as_bytes(content: Any) -> bytes:
    """JSON, with what Python alone writes, such as NaN."""
    return json.dumps(content).encode("utf-8", "surrogatepass")
