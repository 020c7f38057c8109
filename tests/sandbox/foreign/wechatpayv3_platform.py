"""A small platform, made of the crypto of `wechatpayv3` only: it verifies requests and signs responses with it.

The argument is the folder of the tests' keys. It prints its base URL, and ends with its standard input.
"""

import base64
import json
import os
import re
import secrets
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from wechatpayv3.utils import (
    load_certificate,
    load_private_key,
    load_public_key,
    rsa_decrypt,
    rsa_encrypt,
    rsa_sign,
    rsa_verify,
    sha256,
)

KEYS = Path(sys.argv[1])
MCHID = "1900000109"
APIV3_KEY = b"0123456789abcdef0123456789abcdef"
PUBLIC_KEY_ID = "PUB_KEY_ID_0119000001092026112200000000000001"

merchant = load_certificate((KEYS / "merchant_cert.pem").read_text())
certificate_pem = (KEYS / "platform_cert.pem").read_text()
certificate = load_certificate(certificate_pem)
private_key = load_private_key((KEYS / "platform_key.pem").read_text())
serials = {PUBLIC_KEY_ID, "%X" % certificate.serial_number}
assert load_public_key((KEYS / "platform_pub.pem").read_text()).public_numbers() == certificate.public_key().public_numbers()

orders = {}
nonces = set()


class Refused(Exception):
    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code = status, code


def seal(text, associated_data):
    nonce = secrets.token_hex(6)
    sealed = AESGCM(APIV3_KEY).encrypt(nonce.encode(), text.encode(), associated_data.encode())
    return {
        "algorithm": "AEAD_AES_256_GCM",
        "nonce": nonce,
        "associated_data": associated_data,
        "ciphertext": base64.b64encode(sealed).decode(),
    }


def signature_headers(body, serial, lie=None):
    """The platform's headers over this body. A lie makes one of them wrong."""
    timestamp = str(int(time.time()) - (301 if lie == "timestamp" else 0))
    nonce = secrets.token_hex(16)
    signature = rsa_sign(private_key, f"{timestamp}\n{nonce}\n{body}\n")
    if lie == "signature":
        signature = rsa_sign(private_key, f"{timestamp}\n{nonce}\n{body}")
    return {
        "Wechatpay-Timestamp": timestamp,
        "Wechatpay-Nonce": nonce[::-1] if lie == "nonce" else nonce,
        "Wechatpay-Signature": signature,
        "Wechatpay-Serial": "7" * 40 if lie == "serial" else serial,
        "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
        "Request-ID": secrets.token_hex(20).upper(),
    }


def parts(body):
    """The parts of an upload, by name."""
    boundary, _, _ = body.partition(b"\r\n")
    found = {}
    for part in body.split(boundary)[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        found[re.search(rb'name="([^"]*)"', head)[1].decode()] = content.removesuffix(b"\r\n")
    return found


def check(method, target, headers, body):
    """Verifies a request, as the platform does. Returns the text that was signed as its body."""
    for name in ("Accept", "User-Agent"):
        if not headers[name]:
            raise Refused(400, "PARAM_ERROR", f"no {name}")
    scheme, _, fields = (headers["Authorization"] or "").partition(" ")
    found = dict(re.findall(r'(\w+)="([^"]*)"', fields))
    if scheme != "WECHATPAY2-SHA256-RSA2048" or len(found) != 5:
        raise Refused(401, "SIGN_ERROR", "Authorization")
    if found["mchid"] != MCHID or int(found["serial_no"], 16) != merchant.serial_number:
        raise Refused(401, "SIGN_ERROR", "another merchant")
    if abs(time.time() - int(found["timestamp"])) > 300 or found["nonce_str"] in nonces:
        raise Refused(401, "SIGN_ERROR", "a timestamp or nonce that does not serve")
    nonces.add(found["nonce_str"])
    multipart = headers.get("Content-Type", "").startswith("multipart/form-data")
    signed = (parts(body)["meta"] if multipart else body).decode()
    # `rsa_verify` joins three lines: with these in the first one, they are the five of a request.
    first = f"{method}\n{target}\n{found['timestamp']}"
    if not rsa_verify(first, found["nonce_str"], signed, found["signature"], merchant.public_key()):
        raise Refused(401, "SIGN_ERROR", "the signature does not match")
    return signed


def respond(method, target, headers, body):
    signed = check(method, target, headers, body)
    path = urllib.parse.unquote(urllib.parse.urlsplit(target).path)
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(target).query))
    if (method, path) == ("POST", "/v3/pay/transactions/native"):
        order = json.loads(signed)
        orders[order["out_trade_no"]] = order
        return 200, {"code_url": "weixin://wxpay/bizpayurl?pr=" + order["out_trade_no"]}
    if method == "GET" and path.startswith("/v3/pay/transactions/out-trade-no/"):
        order = orders.get(path.rpartition("/")[2])
        if order is None or query.get("mchid") != MCHID:
            raise Refused(404, "ORDER_NOT_EXIST", "订单不存在")
        return 200, {**order, "trade_state": "NOTPAY", "query": query}
    if method == "POST" and path.endswith("/close"):
        del orders[path.split("/")[-2]]
        return 204, None
    if (method, path) == ("POST", "/v3/profitsharing/receivers/add"):
        if headers["Wechatpay-Serial"] not in serials:
            raise Refused(400, "PARAM_ERROR", "Wechatpay-Serial")
        name = rsa_decrypt(json.loads(signed)["name"], private_key)
        return 200, {"name": rsa_encrypt(name, merchant.public_key()), "read": name}
    if (method, path) == ("POST", "/v3/merchant/media/upload"):
        file, meta = parts(body)["file"], json.loads(signed)
        if meta["sha256"] != sha256(file):
            raise Refused(400, "PARAM_ERROR", "sha256")
        return 200, {"media_id": sha256(file), "filename": meta["filename"]}
    if (method, path) == ("GET", "/v3/certificates"):
        one = {
            "serial_no": "%X" % certificate.serial_number,
            "effective_time": certificate.not_valid_before_utc.isoformat(),
            "expire_time": certificate.not_valid_after_utc.isoformat(),
            "encrypt_certificate": seal(certificate_pem, "certificate"),
        }
        return 200, {"data": [one]}
    if (method, path) == ("POST", "/v3/pay-sign"):
        p = json.loads(signed)
        first = f"{p['appId']}\n{p['timeStamp']}"
        return 200, {"matches": rsa_verify(first, p["nonceStr"], p["package"], p["paySign"], merchant.public_key())}
    if (method, path) == ("POST", "/v3/notification"):
        asked = json.loads(signed)
        envelope = {
            "id": secrets.token_hex(16),
            "create_time": "2026-11-28T10:00:00+08:00",
            "event_type": "TRANSACTION.SUCCESS",
            "resource_type": "encrypt-resource",
            "summary": "支付成功",
            "resource": {"original_type": "transaction", **seal(json.dumps(asked["resource"]), "transaction")},
        }
        text = json.dumps(envelope, ensure_ascii=False)
        return 200, {"headers": signature_headers(text, asked["serial"], asked.get("lie")), "body": text}
    if path == "/v3/echo":
        return 200, {"body": signed, "query": query, "method": method}
    raise Refused(404, "RESOURCE_NOT_EXISTS", path)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_any(self):
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        try:
            status, answer = respond(self.command, self.path, self.headers, body)
        except Refused as refused:
            status, answer = refused.status, {"code": refused.code, "message": str(refused)}
        text = "" if answer is None else json.dumps(answer, ensure_ascii=False)
        asked = self.headers["Wechatpay-Serial"]
        serial = asked if asked in serials else "%X" % certificate.serial_number
        lie = self.headers["X-Lie"]
        self.send_response(status)
        for name, value in signature_headers(text, serial, lie).items():
            if name != lie:
                self.send_header(name, value)
        data = (text + (" " if lie == "body" else "")).encode()
        if status != 204:
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
print(f"http://127.0.0.1:{server.server_port}/", flush=True)
sys.stdin.read()
os._exit(0)
