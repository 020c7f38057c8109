// `wechatpay-node-v3` against the sandbox. The SDK knows one address only, and verifies no response by itself: both
// belong in the HTTP service that it lets its user give. Here that verifies each response with the SDK's `verifySign`.
// The argument is the mode: `public-key` or `certificate`.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import WxPay from 'wechatpay-node-v3';
import { APPID, env, order, pay, pem, platformKeys, receiver, run } from './shop.mjs';

const mode = process.argv[2];
const platform = 'https://api.mch.weixin.qq.com';
const wxpay = new WxPay({
  appid: APPID,
  mchid: env('MCHID'),
  serial_no: env('SERIAL'),
  publicKey: Buffer.from('only used for a serial that is not given'),
  privateKey: Buffer.from(pem('PRIVATE_KEY')),
  key: env('APIV3_KEY'),
});

const signed = (headers, body) => ({
  timestamp: headers.get('wechatpay-timestamp'),
  nonce: headers.get('wechatpay-nonce'),
  serial: headers.get('wechatpay-serial'),
  signature: headers.get('wechatpay-signature'),
  body,
});

async function verified(response, trusted) {
  const text = await response.text();
  if (!trusted) {
    assert.ok(await wxpay.verifySign(signed(response.headers, text)), `not verified: ${response.url}`);
    assert.ok(!await wxpay.verifySign(signed(response.headers, `${text} `)), 'a check that cannot fail');
  }
  return { status: response.status, data: text === '' ? {} : JSON.parse(text) };
}

wxpay.createHttp({
  send(method, url, headers, body) {
    const target = url.replace(platform, '').replace(/^\//, '');
    // The certificates are trusted because they decrypt under the APIv3 key.
    const trusted = target === 'v3/certificates' && method === 'GET';
    return fetch(env('BASE_URL') + target, { method, headers, body }).then((response) => verified(response, trusted));
  },
  get(url, headers) {
    return this.send('GET', url, headers);
  },
  post(url, params, headers) {
    if (!params.pic_buffer) return this.send('POST', url, headers, JSON.stringify(params));
    // An upload: the SDK signs `fileinfo` and leaves the parts to the service, with this boundary.
    const part = (head, content) => ['--boundary\r\nContent-Disposition: form-data; ', head, '\r\n\r\n', content, '\r\n'];
    const parts = [
      ...part('name="meta"\r\nContent-Type: application/json', JSON.stringify(params.fileinfo)),
      ...part(`name="file"; filename="${params.fileinfo.filename}"\r\nContent-Type: image/jpeg`, params.pic_buffer),
      '--boundary--\r\n',
    ];
    return this.send('POST', url, headers, Buffer.concat(parts.map((piece) => Buffer.from(piece))));
  },
});

async function open(headers, body) {
  const sent = signed(new Headers(headers), body);
  assert.ok(await wxpay.verifySign(sent), 'the notification does not verify');
  assert.ok(!await wxpay.verifySign({ ...sent, body: `${body} ` }), 'a check that cannot fail');
  const { event_type, resource: { ciphertext, nonce, associated_data: aad } } = JSON.parse(body);
  return { event_type, resource: wxpay.decipher_gcm(ciphertext, aad, nonce) };
}

const ok = async (promise, status = 200) => {
  const response = await promise;
  assert.equal(response.status, status, JSON.stringify(response.data));
  return response.data;
};
const refused = async (promise, status, code) => assert.equal((await ok(promise, status)).code, code);

async function orders(notifications) {
  const no = `NV${process.hrtime.bigint()}`;
  assert.match((await ok(wxpay.transactions_native(order(no, notifications.url)))).code_url, /^weixin:\/\//);
  const query = () => ok(wxpay.query({ out_trade_no: no }));
  assert.equal((await query()).trade_state, 'NOTPAY');

  await pay(no);
  const paid = await notifications.next('TRANSACTION.SUCCESS');
  assert.deepEqual([paid.out_trade_no, paid.amount.total], [no, 100]);
  assert.equal((await query()).trade_state, 'SUCCESS');
  assert.equal((await ok(wxpay.query({ transaction_id: paid.transaction_id }))).out_trade_no, no);

  const refund = { out_trade_no: no, out_refund_no: `R${no}`, notify_url: notifications.url,
    amount: { refund: 40, total: 100, currency: 'CNY' } };
  assert.equal((await ok(wxpay.refunds(refund))).amount.refund, 40);
  assert.equal((await notifications.next('REFUND.SUCCESS')).out_refund_no, `R${no}`);
  assert.equal((await ok(wxpay.find_refunds(`R${no}`))).status, 'SUCCESS');
  const more = { ...refund, out_refund_no: `S${no}`, amount: { refund: 61, total: 100, currency: 'CNY' } };
  await refused(wxpay.refunds(more), 403, 'NOT_ENOUGH');

  await refused(wxpay.close(no), 400, 'ORDERPAID');
  await ok(wxpay.transactions_native(order(`${no}U`, notifications.url)));
  await ok(wxpay.close(`${no}U`), 204);
  assert.equal((await ok(wxpay.query({ out_trade_no: `${no}U` }))).trade_state, 'CLOSED');
}

async function upload() {
  const file = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff]), crypto.randomBytes(4096)]); // begins as a JPEG
  assert.ok((await ok(wxpay.upload_images(file, 'a.jpg'))).media_id);
}

async function sensitiveFields() {
  const [[serial, key]] = Object.entries(WxPay.certificates);
  const name = '腾讯大厦分店';
  const body = { type: 'MERCHANT_ID', account: '1900000300', relation_type: 'STORE', name: wxpay.publicEncrypt(name, key) };
  const added = await ok(wxpay.profitsharing_receivers_add({ ...body, wx_serial_no: serial }));
  assert.notEqual(added.name, name);
  assert.equal(wxpay.privateDecrypt(added.name), name);
  // Without a serial, this SDK sends the merchant's own.
  await refused(wxpay.profitsharing_receivers_add(body), 400, 'PARAM_ERROR');
}

run(async () => {
  if (mode === 'public-key') {
    WxPay.certificates = platformKeys(mode);
    await assert.rejects(wxpay.get_certificates(env('APIV3_KEY')));
  } else {
    await wxpay.fetchCertificates(env('APIV3_KEY'));
    assert.deepEqual(Object.keys(WxPay.certificates), [env('PLATFORM_SERIAL')]);
    assert.equal((await wxpay.get_certificates(env('APIV3_KEY'))).length, 1);
  }
  const notifications = await receiver(open);
  await orders(notifications);
  await upload();
  await sensitiveFields();
  notifications.close();
});
