"""The parts of a shop that are the same for each script: the exported variables, a payer, a receiver of notifications."""

import faulthandler
import json
import os
import queue
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

# What never comes is an error after two minutes.
faulthandler.dump_traceback_later(120, exit=True)

APPID = "wxd678efh567hg6787"


def env(name):
    return os.environ["WECHATPAY_" + name]


def pem(name):
    return Path(env(name).removeprefix("file://")).read_text()


def pay(number):
    """Simulates the payer, by the control endpoint."""
    body = json.dumps({"do": "pay", "number": number}).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(env("BASE_URL") + "_sandbox/payer", body, headers)
    assert urllib.request.urlopen(request, timeout=20).status == 200


class Receiver:
    """Puts each notification that arrives through `open_notification(headers, body)`: what it returns is kept."""

    def __init__(self, open_notification):
        self.arrived = arrived = queue.Queue()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                try:
                    arrived.put(open_notification(self.headers, body))
                    self.send_response(204)
                except Exception as error:  # the script shall fail with it, not this thread
                    arrived.put(error)
                    self.send_response(500)
                self.end_headers()

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_port}/notify"

    def next(self):
        one = self.arrived.get(timeout=30)
        if isinstance(one, Exception):
            raise one
        return one
