"""`wechatpayv3` against the sandbox, unchanged but for the address. The SDK verifies each response, and each notification.

The argument is the mode: `public-key` or `certificate`.
"""

import copy
import hashlib
import json
import os
import sys
import tempfile
import time

from shop import APPID, Receiver, env, pay, pem
from wechatpayv3 import WeChatPay, WeChatPayType
from wechatpayv3.core import Core
from wechatpayv3.type import RequestType

MODE = sys.argv[1]

Core._gate_way = property(lambda self: env("BASE_URL").rstrip("/"), lambda self, _: None)


def client(notify_url=None):
    key = {}  # the constructor downloads certificates then
    if MODE == "public-key":
        key = {"public_key": pem("PUBLIC_KEY"), "public_key_id": env("PUBLIC_KEY_ID")}
    return WeChatPay(
        wechatpay_type=WeChatPayType.NATIVE,
        mchid=env("MCHID"),
        private_key=pem("PRIVATE_KEY"),
        cert_serial_no=env("SERIAL"),
        appid=APPID,
        apiv3_key=env("APIV3_KEY"),
        notify_url=notify_url,
        **key,
    )


def ok(response, status=200):
    code, text = response
    assert code == status, (code, text)
    return json.loads(text) if text else None


def refused(response, status, error):
    code, text = response
    assert (code, json.loads(text)["code"]) == (status, error), (code, text)


def open_notification(headers, body):
    # The SDK's own check must be able to fail: another body, another nonce, another signature.
    assert not wxpay.callback(headers, body + b" ")
    for name in ("Wechatpay-Nonce", "Wechatpay-Signature"):
        changed = copy.copy(headers)
        value = changed[name]
        del changed[name]
        changed[name] = value[::-1]
        try:
            assert not wxpay.callback(changed, body), name
        except ValueError:
            pass  # a signature that is not Base64
    opened = wxpay.callback(headers, body)
    assert opened, "the notification does not verify"
    return opened


wxpay = client()
receiver = Receiver(open_notification)
wxpay = client(receiver.url)

# Order, query, pay, notification.
number = f"PY{time.time_ns()}"
amount = {"total": 100, "currency": "CNY"}
made = ok(wxpay.pay(description="茶叶 250g", out_trade_no=number, amount=amount))
assert made["code_url"].startswith("weixin://"), made
assert ok(wxpay.query(out_trade_no=number))["trade_state"] == "NOTPAY"
pay(number)
paid = receiver.next()
assert paid["event_type"] == "TRANSACTION.SUCCESS", paid
assert (paid["resource"]["out_trade_no"], paid["resource"]["amount"]["total"]) == (number, 100), paid
order = ok(wxpay.query(out_trade_no=number))
assert order["trade_state"] == "SUCCESS", order
assert ok(wxpay.query(transaction_id=order["transaction_id"]))["out_trade_no"] == number

# Refund.
part = {"refund": 40, "total": 100, "currency": "CNY"}
refund = {"transaction_id": order["transaction_id"], "reason": "坏了"}
assert ok(wxpay.refund(out_refund_no=f"R{number}", amount=part, **refund))["amount"]["refund"] == 40
back = receiver.next()
assert (back["event_type"], back["resource"]["out_refund_no"]) == ("REFUND.SUCCESS", f"R{number}"), back
assert ok(wxpay.query_refund(f"R{number}"))["status"] == "SUCCESS"
assert ok(wxpay.query(out_trade_no=number))["trade_state"] == "REFUND"
refused(wxpay.refund(out_refund_no=f"S{number}", amount={**part, "refund": 61}, **refund), 403, "NOT_ENOUGH")

# Close: an unpaid order only.
refused(wxpay.close(number), 400, "ORDERPAID")
ok(wxpay.pay(description="茶", out_trade_no=f"{number}U", amount=amount))
assert ok(wxpay.close(f"{number}U"), 204) is None
assert ok(wxpay.query(out_trade_no=f"{number}U"))["trade_state"] == "CLOSED"

# Upload: the Content-Type has no boundary.
with tempfile.TemporaryDirectory() as folder:
    picture = os.path.join(folder, "a.jpg")
    with open(picture, "wb") as file:
        file.write(b"\xff\xd8\xff" + os.urandom(4096))
    assert ok(wxpay.image_upload(picture))["media_id"]
    # The digest of another file.
    meta = json.dumps({"filename": "a.jpg", "sha256": hashlib.sha256(b"").hexdigest()})
    with open(picture, "rb") as file:
        files = [("file", ("a.jpg", file.read(), "image/jpeg"))]
    upload = {"data": {"meta": meta}, "sign_data": meta, "files": files}
    refused(wxpay._core.request("/v3/merchant/media/upload", RequestType.POST, **upload), 400, "PARAM_ERROR")

# Sensitive fields: the name is encrypted by the SDK, and comes back encrypted for the merchant.
receiver_of_shares = {"account_type": "MERCHANT_ID", "account": "1900000100", "relation_type": "STORE"}
added = ok(wxpay.profitsharing_add_receiver(name="腾讯大厦分店", **receiver_of_shares))
assert added["name"] != "腾讯大厦分店" and wxpay.decrypt(added["name"]) == "腾讯大厦分店", added
transfer = {
    "out_bill_no": f"T{number}",
    "transfer_scene_id": "1000",
    "openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o",
    "transfer_amount": 200000,
    "transfer_remark": "报销",
    "transfer_scene_report_infos": [
        {"info_type": "活动名称", "info_content": "新会员有礼"},
        {"info_type": "奖励说明", "info_content": "注册会员抽奖一等奖"},
    ],
}
assert ok(wxpay.mch_transfer_bills(user_name="张三", **transfer))["state"] == "WAIT_USER_CONFIRM"
again = ok(wxpay.mch_transfer_bills(user_name="张三", **transfer))  # encrypted anew
assert again["out_bill_no"] == f"T{number}", again

# Certificates.
if MODE == "certificate":
    downloaded = [certificate.serial_number for certificate in wxpay._core._certificates]
    assert downloaded == [int(env("PLATFORM_SERIAL"), 16)], downloaded
else:
    refused(wxpay._core.request("/v3/certificates"), 404, "RESOURCE_NOT_EXISTS")

print("done")
