"""The texts of the demo corpus: documentation topics that ship with CPython.

Lists the topics of `pydoc_data.topics` whose text is the same in CPython 3.11, 3.12 and 3.13, with
the SHA-256 of each text. A topic that differs in the running interpreter is left out and reported.
The texts themselves are not stored here.
"""

from hashlib import sha256
from typing import NamedTuple

TOPICS: dict[str, str] = {
    "assert": "4476cccb1bc548664352d50e043c9c6434cf63f54d3e1085b2b37df9d9ee5cae",
    "attribute-references": "9e89aaa93c80a99a01fb5a2453fb8975dfa93bcd4a3cdee1a5b3670374de6973",
    "bitwise": "4fff63c322b5584d865c57d9086402c521822a8fa9941299635d22c1e9ca47f5",
    "bltin-code-objects": "234cbe65ba63fed653a7b2b23bba09b1ed0cd5dacf3cb5c04a7a994b43c3030e",
    "bltin-ellipsis-object": "9090dd2beee379a61050fb0b59053a4abe60536b88eec5bb00644958e28abcc2",
    "bltin-null-object": "675d8cefe8f2086d0cb1ed82115125c8320330c1b0cd83d13ed4933274dc6815",
    "bltin-type-objects": "44447b914007a5bf801b0b9697d6714127abce7901aa4f8562418f2689653f11",
    "booleans": "69b8d8bae8f06bc5cff0ce85bb87eb6fc435e4d4eede2b0787cca2b3c5f84b1d",
    "break": "cf92590613942bbffe49454313d4007b9cd4ae29be6e55d9159423787cdc244a",
    "callable-types": "1c143e62e7e55f760438d1fe4ecd7b07c90bb71fcecd351c0fc2f5c011cbcaf9",
    "calls": "40343c78c4b8acf19d17f8556355ab53845240c09d4c6b26c9c1c374dfa64c0e",
    "comparisons": "28c5bc9ce8aa19eb91be0ecaef7d5b5382446f1b6c98343ea4186f96e910e7be",
    "context-managers": "ed3abea7533be1cc10442f34054a5f4f9f7cccc0e49b0fe5eddc452829fb05b5",
    "continue": "31d755647e3c0c9fa363de2148f56830b4778f8c50890a2a5dff99e860dc2038",
    "del": "ca26bf2b41bcf10a81ae4fbcdfc3ac48bb745230ef0207eb325fe8d45e5007be",
    "dynamic-features": "a156e3203f63569c4e1f7f5630c3bd085df1104056c3338cb04d98e98b4b2aef",
    "else": "3cb082f01cdfbb3820f53b718eaf77770a0cd13eb500b68bfebc09c42e7b6af1",
    "exceptions": "ecfdab12fa1978b6322c47d6668462ee34da4886a477bac79a7b7c7825c56881",
    "for": "2d32f0cfa6bea58430df1f85222315f253571ef005776116b82aeacd999b0c20",
    "global": "d80bc76594e3cb168de02e466fa2ae57fbf93dff2642645c9815cf630380256b",
    "id-classes": "c8882873395fee6c1e0164ca3f801660fb84111035129c27e17d2cf800a6326d",
    "if": "3cb082f01cdfbb3820f53b718eaf77770a0cd13eb500b68bfebc09c42e7b6af1",
    "import": "ffd70a8ac26855a97420496649978f613e4cb4c5cbc920d5c37218d20e1c7f60",
    "in": "4dbaa98f94ab25745357d60b08449a02c1c69242c6ae193295c7f5c8b328df97",
    "integers": "f9e6fefba047d22fed85c5b8f93ef45e89c52bbb4032951b64a5215e4b4a3fe2",
    "lambda": "f1f3837765defd351e7ce6016b3c928ffa47b30c30983576a22bd65b6ea6c1fe",
    "operator-summary": "e9268fad7f1a84e191202f1534dd6708e3ac7ef5f63fced346a30cbdaaf4c0cf",
    "pass": "1105577efcadb7355d728693ff8b0ff2c8937adb1f720fa56f016f33c4b01c06",
    "return": "f5a688f24c751ed427199dc3f2b41b3b24f92c3da3fd33fe206312103b85569c",
    "slicings": "736af8d1f64cc6e3f24f69814fe0b9a2f585c0afa94c0863ad3a7d7b06d7e98d",
    "truth": "5acbbb9ec3fef7cf7dba4190bc66226c47bb28e5bc92a7a647c6c4e065604930",
    "typesfunctions": "0c7fc640402a35466dd41225b0d9050bde80e4644c106682e0d2c4229f9a3cfe",
    "typesmodules": "dc8c884a62add2991148476fedbdae699bff30ec623e3238e6c41af0ebf15e0c",
    "unary": "3f87e80e477c52af2af4cdec5265a9c52ad773c6e73021820a8e1c0096e5d913",
    "while": "37e7e9033171e9b8287382a594207def237e6e1a7b0c3d7be1997f54cdeef3f0",
    "with": "c6873f63d4fa5a051af056c3387a860eb05356e492ef49a1f6ed9c67508f30b2",
    "yield": "2d4a036abccd87a288735d4384ddd087b1f5f4887b88cc387464db0c05bf045b",
}
"""Topic name to the SHA-256 of its UTF-8 text."""


class HeldOutTopics(NamedTuple):
    """The topics of this interpreter, and the names of those that differ."""

    texts: dict[str, str]
    """Topic name to text, in the order of `TOPICS`."""
    left_out: tuple[str, ...]
    """The names of topics that are absent or have another hash."""


def held_out_topics() -> HeldOutTopics:
    """Return the demo corpus's texts, checked against their hashes."""
    from pydoc_data.topics import topics

    texts: dict[str, str] = {}
    left_out: list[str] = []
    for name, digest in TOPICS.items():
        text = topics.get(name)
        if text is not None and sha256(text.encode()).hexdigest() == digest:
            texts[name] = text
        else:
            left_out.append(name)
    return HeldOutTopics(texts, tuple(left_out))
