"""The OpenAPI document, to look up what an answer should be."""

import json
import re

import jsonschema_rs
from openapi_spec_validator import OpenAPIV31SpecValidator

METHODS = ("get", "post", "put", "patch", "delete")


class Operation:
    def __init__(self, document, method, path, value, common):
        self.document, self.method, self.path, self.value = document, method.upper(), path, value
        self.parameters = [document.follow(each)
                           for each in [*common, *value.get("parameters", [])]]
        self.statuses = {int(status) for status in value["responses"] if status.isdigit()}

    @property
    def name(self):
        return f"{self.method} {self.path}"

    @property
    def body(self):
        """The schema of its JSON body; an empty one when it takes none."""
        content = self.value.get("requestBody", {}).get("content", {})
        return self.document.follow(content.get("application/json", {}).get("schema", {}))

    def has_parameter(self, where, name):
        return any(each["in"] == where and each["name"] == name for each in self.parameters)

    def fault(self, status, headers, value):
        """What is wrong with an answer; `None` when nothing is."""
        response = self.value["responses"].get(str(status))
        if response is None:
            return f"{status} is not in the document"
        response = self.document.follow(response)
        for name, header in response.get("headers", {}).items():
            header = self.document.follow(header)
            if header.get("required") and name not in headers:
                return f"there is no header {name}"
        kind = headers.get("content-type", "").split(";")[0]
        content = response.get("content")
        if content is None:
            return None
        if kind not in content:
            return f"{kind} is not in the document"
        return self.document.mismatch(content[kind]["schema"], value)


class Document:
    def __init__(self, value):
        self.value = value
        self.operations = [
            Operation(self, method, path, item[method], item.get("parameters", []))
            for path, item in value["paths"].items() for method in METHODS if method in item]

    @property
    def optional(self):
        """The members that are required of no object."""
        schemas = self.value["components"]["schemas"].values()
        required = {name for each in schemas for name in each.get("required", [])}
        return {name for each in schemas for name in each.get("properties", {})} - required

    def faults(self):
        """What is no OpenAPI 3.1, and answers that stand for any status: those say nothing."""
        return [error.message for error in OpenAPIV31SpecValidator(self.value).iter_errors()] + [
            f"{each.name} has '{status}'" for each in self.operations
            for status in each.value["responses"] if not status.isdigit()]

    def configured(self, services, receivers):
        """A copy in which bodies ask what the configuration allows, which no schema can say.

        That is which names there are, that `pipeline` is not for every service, and that a first wait is no
        longer than the longest one.
        """
        copy = Document(json.loads(json.dumps(self.value)))
        for operation in copy.operations:
            properties = operation.body.get("properties", {})
            if "service" in properties:
                properties["service"] = {"enum": services}
            if "notify" in properties:
                properties["notify"]["items"] = {"enum": receivers}
            if "pipeline" in properties:
                operation.body["allOf"] = [{
                    "if": {"required": ["pipeline"]},
                    "then": {"properties": {"service": {"enum": ["krixik"]}}}}]
            if "poll" in properties:
                waits = properties["poll"]["properties"]
                waits["initial"] = {"enum": ["50ms", "0.1s", "300ms"]}
                waits["max"] = {"enum": ["500ms", "1m30s", "36500d"]}
        return copy.value

    def follow(self, value):
        while "$ref" in value:
            place = self.value
            for part in value["$ref"].split("/")[1:]:
                place = place[part]
            value = place
        return value

    def mismatch(self, schema, value):
        whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", "allOf": [schema],
                 "components": self.value["components"]}
        validator = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
        return next((error.message for error in validator.iter_errors(value)), None)

    def operation(self, name):
        return next(each for each in self.operations if each.name == name)

    def find(self, method, path):
        """The operation that a request is for; a path without parameters goes before one with."""
        found = [each for each in self.operations if each.method == method and re.fullmatch(
            re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(each.path)), path)]
        return min(found, key=lambda each: each.path.count("{"), default=None)
