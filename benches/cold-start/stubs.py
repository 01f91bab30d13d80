"""Stand-ins on 127.0.0.1: Lambda's Runtime API, and AWS as far as the start-up of a function asks it."""

import base64
import gzip
import json
import socket
import threading
import time

NAME = "teamswork"
SETTINGS = {
    "base_url": "https://desk.example.com",
    "service_user_id": "00000000-0000-0000-0000-000000000001",
    "service_user_name": "Gateway",
    "service_user_email": "gateway@example.com",
}
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: "


class Server:
    """Answers HTTP/1.1 requests, each connection in a thread of its own. Plain sockets: little time is spent here."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            connection, _ = self.listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        received = b""
        with connection:
            while True:
                while (end := received.find(b"\r\n\r\n")) < 0:
                    received += (part := _read(connection))
                    if not part:
                        return
                at = time.perf_counter_ns()
                first, *fields = received[:end].decode("latin-1").split("\r\n")
                headers = {key.lower(): value.strip() for key, _, value in (field.partition(":") for field in fields)}
                body, received = received[end + 4 :], b""
                length = int(headers.get("content-length", 0))
                while len(body) < length:
                    body += _read(connection)
                answer = self.answer(at, first, headers, body)
                if answer is not None:
                    connection.sendall(HEAD + str(len(answer)).encode() + b"\r\n\r\n" + answer)

    def answer(self, at, first, headers, body):
        raise NotImplementedError


def _read(connection):
    try:
        return connection.recv(65536)
    except ConnectionError:
        return b""


class RuntimeApi(Server):
    """Notes when the function is ready, and never sends it an event."""

    def __init__(self):
        super().__init__()
        self.forget()

    def forget(self):
        self.ready = threading.Event()
        self.ready_at = None
        self.failure = None

    def answer(self, at, first, headers, body):
        if first.startswith("GET /2018-06-01/runtime/invocation/next "):
            self.ready_at = at
        else:
            self.failure = f"{first}: {body.decode()}"
        self.ready.set()


class Aws(Server):
    """One DynamoDB table and one secret, in the layout of `storage::aws`. Notes when it is first asked, and what."""

    def __init__(self, integration_yaml):
        super().__init__()
        content = {
            "files": {"integration.yaml": integration_yaml},
            "settings": SETTINGS,
            "note": "",
            "created_at": "2026-01-05T10:30:45Z",
            "created_by": "benches/cold-start",
        }
        data = base64.b64encode(gzip.compress(json.dumps(content).encode())).decode()
        self.items = {
            "ACTIVE": [{"pk": {"S": "ACTIVE"}, "sk": {"S": NAME}, "version": {"N": "1"}}],
            f"INTEGRATION#{NAME}#{1:012}": [
                {
                    "pk": {"S": f"INTEGRATION#{NAME}#{1:012}"},
                    "sk": {"S": "CHUNK#000"},
                    "data": {"B": data},
                    "chunks": {"N": "1"},
                }
            ],
        }
        self.secret = json.dumps({"api_key": "a", "api_key_secondary": "b"})
        self.forget()

    def forget(self):
        self.first_at = None
        self.asked = []

    def answer(self, at, first, headers, body):
        if self.first_at is None:
            self.first_at = at
        operation = headers["x-amz-target"].rpartition(".")[2]
        request = json.loads(body)
        if operation == "Query":
            key = request["ExpressionAttributeValues"][":pk"]["S"]
            items = self.items[key]
            answer = {"Items": items, "Count": len(items), "ScannedCount": len(items)}
        elif operation == "GetItem":
            # A key that is in no table: the authorizer opens its connection with it.
            key, answer = request["Key"]["pk"]["S"], {}
        elif operation == "GetSecretValue":
            key = request["SecretId"]
            answer = {
                "ARN": "arn:aws:secretsmanager:us-east-1:000000000000:secret:x",
                "Name": key,
                "VersionId": "00000000-0000-0000-0000-000000000001",
                "SecretString": self.secret,
                "VersionStages": ["AWSCURRENT"],
                "CreatedDate": 1767609045.0,
            }
        else:
            raise NotImplementedError(operation)
        self.asked.append(f"{operation} {key}")
        return json.dumps(answer).encode()
