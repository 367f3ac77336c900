"""As much of Docker's engine as `docker run` talks to: it keeps the body of the request that makes the container."""

import http.server
import json
import socketserver
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in (
            ("Api-Version", "1.45"),
            ("OSType", "linux"),
            ("Content-Length", str(len(body))),
            *headers,
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_HEAD(self):
        self.answer(200)

    def do_GET(self):
        self.answer(200, b"OK" if self.path.endswith("_ping") else b"{}")

    def do_POST(self):
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "/containers/create" in self.path:
            self.server.body = text.decode()
            self.answer(201, json.dumps({"Id": "0" * 64, "Warnings": []}).encode())
        elif "/wait" in self.path:
            self.answer(200, b'{"StatusCode":0}', [("Content-Type", "application/json")])
        elif "/attach" in self.path:
            self.send_response(101)
            for name, value in (("Connection", "Upgrade"), ("Upgrade", "tcp")):
                self.send_header(name, value)
            self.end_headers()
            self.close_connection = True
        else:
            self.answer(204)

    def address_string(self):
        return "docker"

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    body = None

    def handle_error(self, *_):
        """docker does not wait for the last answers."""


class Engine:
    def __init__(self, path):
        # A socket's name has at most 107 bytes.
        self.path = path
        path.unlink(missing_ok=True)
        self.server = Server(str(path), Handler)
        self.address = f"unix://{path}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.path.unlink(missing_ok=True)

    @property
    def body(self):
        return self.server.body
