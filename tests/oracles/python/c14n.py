"""Canonicalises with libxml2 in this process, one request per line.

Request:  mode comments prefixes expression document
          mode: 0 (1.0), 1 (exclusive), 2 (1.1); comments: 0 or 1;
          prefixes: separated by commas, or -; expression: an XPath expression
          in base64 whose node-set is canonicalised, or -; document: in base64
Answer:   ok and the canonical form in base64, or no
Request:  time mode file
Answer:   milliseconds for parsing and for canonicalising"""
import base64
import ctypes
import ctypes.util
import sys
import time

NOENT, DTDATTR, NOERROR, NOWARNING, NONET, HUGE = 2, 8, 32, 64, 2048, 524288
OPTIONS = NOENT | DTDATTR | NOERROR | NOWARNING | NONET | HUGE

xml = ctypes.CDLL(ctypes.util.find_library("xml2"))
free = ctypes.CDLL(None).free
free.argtypes = [ctypes.c_void_p]
pointer = ctypes.c_void_p
for name, result, arguments in (
    ("xmlNewParserCtxt", pointer, []),
    ("xmlFreeParserCtxt", None, [pointer]),
    ("xmlCtxtReadMemory", pointer,
     [pointer, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int]),
    ("xmlGetLastError", pointer, []),
    ("xmlResetLastError", None, []),
    ("xmlFreeDoc", None, [pointer]),
    ("xmlXPathNewContext", pointer, [pointer]),
    ("xmlXPathFreeContext", None, [pointer]),
    ("xmlXPathEvalExpression", pointer, [ctypes.c_char_p, pointer]),
    ("xmlXPathFreeObject", None, [pointer]),
    ("xmlC14NDocDumpMemory", ctypes.c_int,
     [pointer, pointer, ctypes.c_int, pointer, ctypes.c_int, ctypes.POINTER(pointer)]),
):
    function = getattr(xml, name)
    function.restype, function.argtypes = result, arguments


@ctypes.CFUNCTYPE(None, pointer, ctypes.c_char_p)
def silent(_context, _message):
    """Drops libxml2's messages: the answer has the outcome."""


xml.xmlSetGenericErrorFunc.argtypes = [pointer, pointer]
xml.xmlSetGenericErrorFunc(None, ctypes.cast(silent, pointer))


class NodeSetObject(ctypes.Structure):
    """The first members of xmlXPathObject."""

    _fields_ = [("type", ctypes.c_int), ("nodes", pointer)]


def parse(octets):
    """The document, or None if it is not well-formed. Namespace errors count:
    libxml2 reports them and goes on."""
    context = xml.xmlNewParserCtxt()
    xml.xmlResetLastError()
    document = xml.xmlCtxtReadMemory(context, octets, len(octets), None, None, OPTIONS)
    xml.xmlFreeParserCtxt(context)
    if document and last_error() in NAMESPACE_ERRORS:
        xml.xmlFreeDoc(document)
        return None
    return document


# XML_NS_ERR_XML_NAMESPACE to XML_NS_ERR_COLON.
NAMESPACE_ERRORS = range(200, 206)


class Error(ctypes.Structure):
    """The first members of xmlError."""

    _fields_ = [("domain", ctypes.c_int), ("code", ctypes.c_int)]


def last_error():
    error = xml.xmlGetLastError()
    return ctypes.cast(error, ctypes.POINTER(Error)).contents.code if error else 0


def dump(document, nodes, mode, comments, prefixes):
    names = (ctypes.c_char_p * (len(prefixes) + 1))(*prefixes, None)
    out = pointer()
    length = xml.xmlC14NDocDumpMemory(
        document, nodes, mode, names if prefixes else None, comments, ctypes.byref(out))
    if length < 0:
        return None
    form = ctypes.string_at(out, length)
    free(out)
    return form


def canonicalise(mode, comments, prefixes, expression, octets):
    document = parse(octets)
    if not document:
        return None
    try:
        if expression is None:
            return dump(document, None, mode, comments, prefixes)
        context = xml.xmlXPathNewContext(document)
        found = xml.xmlXPathEvalExpression(expression, context)
        nodes = ctypes.cast(found, ctypes.POINTER(NodeSetObject)).contents.nodes
        # To libxml2, an empty node-set means all nodes.
        empty = not nodes or not ctypes.cast(nodes, ctypes.POINTER(ctypes.c_int))[0]
        form = b"" if empty else dump(document, nodes, mode, comments, prefixes)
        xml.xmlXPathFreeObject(found)
        xml.xmlXPathFreeContext(context)
        return form
    finally:
        xml.xmlFreeDoc(document)


def measure(mode, path):
    with open(path, "rb") as file:
        octets = file.read()
    start = time.perf_counter()
    document = parse(octets)
    parsed = time.perf_counter()
    dump(document, None, mode, 0, [])
    done = time.perf_counter()
    xml.xmlFreeDoc(document)
    return f"{(parsed - start) * 1000:.2f} {(done - parsed) * 1000:.2f}"


for line in sys.stdin:
    words = line.split()
    if words[0] == "time":
        print(measure(int(words[1]), words[2]), flush=True)
        continue
    mode, comments, prefixes, expression, document = words
    form = canonicalise(
        int(mode),
        int(comments),
        [] if prefixes == "-" else [prefix.encode() for prefix in prefixes.split(",")],
        None if expression == "-" else base64.b64decode(expression),
        base64.b64decode(document),
    )
    print("no" if form is None else "ok " + base64.b64encode(form).decode(), flush=True)
