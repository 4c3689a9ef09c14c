"""The messages of the protocol, version 5.4, as JSON schemas.

Written from https://jupyter-client.readthedocs.io/en/stable/messaging.html; fields that the
specification does not name are allowed, as it asks for.
"""

TEXT = {"type": "string"}
COUNT = {"type": "integer", "minimum": 0}
FLAG = {"type": "boolean"}
DICT = {"type": "object"}
TRACE = {"type": "array", "items": TEXT}
# A MIME type to its content, which is any JSON.
BUNDLE = {"type": "object", "propertyNames": {"pattern": "^[a-z]+/[a-zA-Z0-9.+_-]+$"}}
PORT = {"type": "integer", "minimum": 1, "maximum": 65535}


def record(required, **optional):
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **optional},
    }


ERROR_FIELDS = {"ename": TEXT, "evalue": TEXT, "traceback": TRACE}
FAILED = record({"status": {"const": "error"}, **ERROR_FIELDS})


def reply(required, **optional):
    """A reply: what was asked for, or an error in its place."""
    ok = record({"status": {"const": "ok"}, **required}, **optional)
    return {"oneOf": [ok, FAILED]}


SHOWN = {"data": BUNDLE, "metadata": DICT}
EXPRESSION = {"oneOf": [record({"status": {"const": "ok"}, **SHOWN}), FAILED]}
PAGE = record(
    {
        "source": {"const": "page"},
        "data": {**BUNDLE, "required": ["text/plain"]},
        "start": COUNT,
    }
)
ENTRY_INPUT = {"type": "string"}
ENTRY_BOTH = {
    "type": "array",
    "prefixItems": [TEXT, {"type": ["string", "null"]}],
    "minItems": 2,
    "maxItems": 2,
}
ENTRY = {
    "type": "array",
    "prefixItems": [COUNT, COUNT, {"oneOf": [ENTRY_INPUT, ENTRY_BOTH]}],
    "minItems": 3,
    "maxItems": 3,
}

CONTENT = {
    # Replies.
    "kernel_info_reply": reply(
        {
            "protocol_version": {"const": "5.4"},
            "implementation": TEXT,
            "implementation_version": {"type": "string", "pattern": r"^\d+\.\d+\.\d+"},
            "language_info": record(
                {
                    "name": {"const": "rust"},
                    "version": {"type": "string", "pattern": r"^\d+\.\d+\.\d+"},
                    "mimetype": TEXT,
                    "file_extension": {"const": ".rs"},
                },
                pygments_lexer=TEXT,
                codemirror_mode={"type": ["string", "object"]},
                nbconvert_exporter=TEXT,
            ),
            "banner": TEXT,
        },
        debugger=FLAG,
        help_links={"type": "array", "items": record({"text": TEXT, "url": TEXT})},
        supported_features={"type": "array", "items": TEXT},
    ),
    "connect_reply": reply(
        {
            name: PORT
            for name in ("shell_port", "iopub_port", "stdin_port", "control_port", "hb_port")
        }
    ),
    "execute_reply": {
        "oneOf": [
            record(
                {
                    "status": {"const": "ok"},
                    "execution_count": COUNT,
                    "payload": {"type": "array", "items": PAGE},
                    "user_expressions": {"type": "object", "additionalProperties": EXPRESSION},
                }
            ),
            record({"status": {"const": "error"}, "execution_count": COUNT, **ERROR_FIELDS}),
            record({"status": {"const": "aborted"}}),
        ]
    },
    "inspect_reply": reply({"found": FLAG, **SHOWN}),
    "complete_reply": reply(
        {
            "matches": {"type": "array", "items": TEXT},
            "cursor_start": COUNT,
            "cursor_end": COUNT,
            "metadata": DICT,
        }
    ),
    "history_reply": reply({"history": {"type": "array", "items": ENTRY}}),
    "is_complete_reply": {
        "oneOf": [
            record({"status": {"const": "incomplete"}, "indent": TEXT}),
            record({"status": {"enum": ["complete", "invalid", "unknown"]}}),
            FAILED,
        ]
    },
    "comm_info_reply": reply(
        {"comms": {"type": "object", "additionalProperties": record({"target_name": TEXT})}}
    ),
    "shutdown_reply": reply({"restart": FLAG}),
    "interrupt_reply": reply({}),
    # The content is the debug adapter protocol's.
    "debug_reply": record({"type": {"const": "response"}, "success": FLAG, "request_seq": COUNT}),
    # Published.
    "stream": record({"name": {"enum": ["stdout", "stderr"]}, "text": TEXT}),
    "display_data": record(SHOWN, transient=record({}, display_id=TEXT)),
    "update_display_data": record({**SHOWN, "transient": record({"display_id": TEXT})}),
    "execute_input": record({"code": TEXT, "execution_count": COUNT}),
    "execute_result": record({**SHOWN, "execution_count": COUNT}, transient=DICT),
    "error": record(ERROR_FIELDS),
    "status": record({"execution_state": {"enum": ["busy", "idle", "starting"]}}),
    "clear_output": record({"wait": FLAG}),
    "iopub_welcome": record({"subscription": TEXT}),
    # Custom messages.
    "comm_open": record({"comm_id": TEXT, "target_name": TEXT, "data": DICT}, target_module=TEXT),
    "comm_msg": record({"comm_id": TEXT, "data": DICT}),
    "comm_close": record({"comm_id": TEXT, "data": DICT}),
    # Asked on stdin.
    "input_request": record({"prompt": TEXT, "password": FLAG}),
}

# A moment in time with its zone, as ISO 8601 writes it.
DATE = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:?\d{2})$"
HEADER = record(
    {
        "msg_id": {"type": "string", "minLength": 8},
        "session": {"type": "string", "minLength": 8},
        "username": TEXT,
        "date": {"type": "string", "pattern": DATE},
        "msg_type": TEXT,
        "version": {"const": "5.4"},
    }
)
