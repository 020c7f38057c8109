"""`wechatpayv3` opens notifications: lines of JSON on stdin, each with `headers` and `body`; the resources go to stdout."""

import json
import sys

from shop import APPID, env, pem
from wechatpayv3 import WeChatPay, WeChatPayType

wxpay = WeChatPay(
    wechatpay_type=WeChatPayType.NATIVE,
    mchid=env("MCHID"),
    private_key=pem("PRIVATE_KEY"),
    cert_serial_no=env("SERIAL"),
    appid=APPID,
    apiv3_key=env("APIV3_KEY"),
    public_key=pem("PUBLIC_KEY"),
    public_key_id=env("PUBLIC_KEY_ID"),
)

for line in sys.stdin:
    message = json.loads(line)
    opened = wxpay.callback(message["headers"], message["body"])
    assert not wxpay.callback(message["headers"], message["body"] + " ")
    print(json.dumps(opened and opened["resource"]))
print("done")
