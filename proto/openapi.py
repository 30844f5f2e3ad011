#!/usr/bin/python3
"""Writes docs/openapi.yaml: openapi_base.yaml and, from the proto, all of /api/v1.

  openapi.py            writes the file
  openapi.py --check    status 1 if it is not what it would be

Names of paths follow agent/api/call_routes.h; a unit test compares them with what is served.
Needs protoc, python3-protobuf and python3-yaml.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

import yaml
from google.protobuf import descriptor_pb2

HERE = pathlib.Path(__file__).resolve().parent
TARGET = HERE.parent / "docs" / "openapi.yaml"
HEAD = "# Made by proto/openapi.py from proto/openapi_base.yaml and proto/pgvalet/v1; do not edit.\n"

Field = descriptor_pb2.FieldDescriptorProto
# Protobuf's JSON mapping: 64-bit numbers are strings.
SCALARS = {
    Field.TYPE_DOUBLE: {"type": "number"},
    Field.TYPE_FLOAT: {"type": "number"},
    Field.TYPE_INT32: {"type": "integer"},
    Field.TYPE_UINT32: {"type": "integer"},
    Field.TYPE_INT64: {"type": "string", "pattern": "^-?[0-9]+$"},
    Field.TYPE_UINT64: {"type": "string", "pattern": "^[0-9]+$"},
    Field.TYPE_BOOL: {"type": "boolean"},
    Field.TYPE_STRING: {"type": "string"},
    Field.TYPE_BYTES: {"type": "string", "contentEncoding": "base64"},
}
WELL_KNOWN = {
    ".google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    ".google.protobuf.FieldMask": {"type": "string", "description": "Names, with commas between them."},
    ".google.protobuf.Duration": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?s$"},
}
MESSAGE, ENUM, SERVICE = 4, 5, 6  # numbers of the fields of FileDescriptorProto: parts of a path
MEMBER = 2  # of fields in DescriptorProto and of methods in ServiceDescriptorProto


def read_proto():
    """The files of the contract, with their comments."""
    files = sorted(str(path.relative_to(HERE)) for path in HERE.glob("pgvalet/v1/*.proto"))
    with tempfile.NamedTemporaryFile() as out:
        command = ["protoc", f"-I{HERE}", "--include_source_info", f"--descriptor_set_out={out.name}"]
        subprocess.run(command + files, check=True, cwd=HERE)
        return descriptor_pb2.FileDescriptorSet.FromString(pathlib.Path(out.name).read_bytes()).file


def comments_of(file):
    return {tuple(at.path): " ".join(at.leading_comments.split()) for at in file.source_code_info.location}


def reference(type_name):
    return {"$ref": "#/components/schemas/v1." + type_name.rsplit(".", 1)[-1]}


def schema_of_field(field, comment):
    if field.type_name in WELL_KNOWN:
        schema = dict(WELL_KNOWN[field.type_name])
    elif field.type in (Field.TYPE_MESSAGE, Field.TYPE_ENUM):
        schema = reference(field.type_name)
    else:
        schema = dict(SCALARS[field.type])
    if field.label == Field.LABEL_REPEATED:
        schema = {"type": "array", "items": schema}
    return schema | ({"description": comment} if comment else {})


def schemas_of(file, comments):
    for index, message in enumerate(file.message_type):
        properties = {
            field.name: schema_of_field(field, comments.get((MESSAGE, index, MEMBER, number), ""))
            for number, field in enumerate(message.field)
        }
        schema = {"type": "object", "additionalProperties": False, "properties": properties}
        yield message.name, with_comment(schema, comments.get((MESSAGE, index), ""))
    for index, enum in enumerate(file.enum_type):
        schema = {"type": "string", "enum": [value.name for value in enum.value]}
        yield enum.name, with_comment(schema, comments.get((ENUM, index), ""))


def with_comment(schema, comment):
    return schema | ({"description": comment} if comment else {})


def snake_case(name):
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


def request_of(method, messages):
    """Parameters of a GET, or the body of a POST; ?timeout= for both."""
    timeout = {"name": "timeout", "in": "query", "schema": {"type": "number", "exclusiveMinimum": 0}}
    timeout["description"] = "Seconds after which the call is called off."
    if not method.name.startswith(("Get", "List")):
        body = {"application/json": {"schema": reference(method.input_type)}}
        return {"parameters": [timeout], "requestBody": {"content": body}}
    request = messages[method.input_type.rsplit(".", 1)[-1]]
    fields = [
        {"name": name, "in": "query", "schema": schema}
        for name, schema in parameters_of(request, messages, "")
    ]
    return {"parameters": fields + [timeout]}


def parameters_of(message, messages, prefix):
    """Fields of parts are parameters with a dot: filter.database."""
    for name, schema in message["properties"].items():
        part = messages.get(schema.get("$ref", "").rsplit("/v1.", 1)[-1], {})
        if "properties" in part:
            yield from parameters_of(part, messages, f"{prefix}{name}.")
        else:
            yield prefix + name, schema


def paths_of(file, comments, messages):
    for index, service in enumerate(file.service):
        for number, method in enumerate(service.method):
            if method.server_streaming or method.client_streaming:
                continue
            noun = re.sub("^(Get|List)", "", method.name)
            path = f"/api/v1/{snake_case(service.name)}"
            if noun != service.name:  # Events.ListEvents
                path += f"/{snake_case(noun)}"
            answer = {"application/json": {"schema": reference(method.output_type)}}
            operation = {
                "tags": ["v1"],
                "summary": f"{service.name}.{method.name}",
                "description": comments.get((SERVICE, index, MEMBER, number), ""),
                "operationId": service.name + method.name,
            }
            operation |= request_of(method, messages)
            operation["responses"] = {
                "200": {"description": "What the call answers.", "content": answer},
                "default": {"$ref": "#/components/responses/Error"},
            }
            yield path, {"get" if noun != method.name else "post": operation}


def used_by(node, messages, found=None):
    """Names of the messages that a part of the document leads to; streams have others."""
    found = set() if found is None else found
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else []
    for child in children:
        if isinstance(child, str) and child.startswith("#/components/schemas/v1."):
            name = child.rsplit("/v1.", 1)[-1]
            if name not in found:
                found.add(name)
                used_by(messages[name], messages, found)
        used_by(child, messages, found)
    return found


def document():
    whole = yaml.safe_load((HERE / "openapi_base.yaml").read_text())
    files = [(file, comments_of(file)) for file in read_proto()]
    messages = {}
    for file, comments in files:
        messages |= dict(schemas_of(file, comments))
    for file, comments in files:
        whole["paths"] |= dict(paths_of(file, comments, messages))
    used = used_by(whole["paths"], messages)
    whole["components"]["schemas"] |= {f"v1.{name}": messages[name] for name in sorted(used)}
    return HEAD + yaml.safe_dump(whole, sort_keys=False, width=110, allow_unicode=True)


def main():
    text = document()
    if "--check" in sys.argv[1:]:
        if TARGET.read_text() != text:
            print("docs/openapi.yaml is not what proto/openapi.py makes: run it", file=sys.stderr)
            return 1
        return 0
    TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
