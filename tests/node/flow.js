// The Node SDK against the sandbox, unchanged but for the base URL. Run by tests/sandbox_node.rs, which acts as the
// payer: a line {"pay": "<out_trade_no>"} on stdout is what it waits for. Every response is verified by the SDK itself.
'use strict';

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const http = require('node:http');
const axios = require('axios');
const { Wechatpay, Rsa, Aes: { AesGcm }, Formatter, Multipart } = require('wechatpay-axios-plugin');

const env = (name) => process.env[`WECHATPAY_${name}`];
const base = env('BASE_URL');
const mchid = env('MCHID');
const certs = {
  [env('PLATFORM_SERIAL')]: env('PLATFORM_CERTIFICATE'),
  [env('PUBLIC_KEY_ID')]: env('PUBLIC_KEY'),
};
const config = { mchid, serial: env('SERIAL'), privateKey: env('PRIVATE_KEY'), certs, baseURL: base };
const wxpay = new Wechatpay({ ...config, certs: { ...certs } });

const order = (no, notifyUrl) => ({
  appid: 'wxd678efh567hg6787', mchid, description: '茶', out_trade_no: no, notify_url: notifyUrl,
  amount: { total: 100, currency: 'CNY' },
});

/** The platform's error, as axios has it. */
async function refused(promise, status, code) {
  const error = await promise.then(() => assert.fail(`expected ${status} ${code}`), (e) => e);
  assert.equal(error.response?.status, status, error.message);
  assert.equal(error.response.data.code, code, JSON.stringify(error.response.data));
  return error.response.data;
}

/** A receiver of notifications, with the SDK's own functions: verified, then decrypted. */
function receiver() {
  const arrived = [];
  let wake = () => {};
  const server = http.createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const header = (name) => request.headers[`wechatpay-${name}`];
      const message = Formatter.response(header('timestamp'), header('nonce'), body);
      const key = Rsa.from(certs[header('serial')], Rsa.KEY_TYPE_PUBLIC);
      assert.ok(Rsa.verify(message, header('signature'), key), 'the notification does not verify');
      assert.ok(!Rsa.verify(`${message} `, header('signature'), key), 'a check that cannot fail');
      const { id, event_type: event, resource } = JSON.parse(body);
      const { ciphertext, nonce, associated_data: aad } = resource;
      arrived.push({ id, event, resource: JSON.parse(AesGcm.decrypt(ciphertext, env('APIV3_KEY'), nonce, aad)) });
      response.writeHead(204).end();
      wake();
    });
  });
  const next = async (event) => {
    for (;;) {
      const at = arrived.findIndex((one) => one.event === event);
      if (at >= 0) return arrived.splice(at, 1)[0];
      await new Promise((resolve) => { wake = resolve; });
    }
  };
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      resolve({ url: `http://127.0.0.1:${server.address().port}/notify`, next, close: () => server.close() });
    });
  });
}

async function orders(notifications) {
  const no = `N${Date.now()}`;
  const { native, outTradeNo, id } = wxpay.v3.pay.transactions;
  const made = await native.post(order(no, notifications.url));
  assert.match(made.data.code_url, /^weixin:\/\//);
  const query = () => outTradeNo['{out_trade_no}'].get({ params: { mchid }, out_trade_no: no });
  assert.equal((await query()).data.trade_state, 'NOTPAY');

  console.log(JSON.stringify({ pay: no }));
  const paid = await notifications.next('TRANSACTION.SUCCESS');
  assert.equal(paid.resource.out_trade_no, no);
  assert.equal(paid.resource.amount.total, 100);
  const { data } = await query();
  assert.equal(data.trade_state, 'SUCCESS');
  assert.equal(data.transaction_id, paid.resource.transaction_id);
  const byId = await id['{transaction_id}'].get({ params: { mchid }, transaction_id: data.transaction_id });
  assert.equal(byId.data.out_trade_no, no);

  const refund = { transaction_id: data.transaction_id, out_refund_no: `R${no}`, notify_url: notifications.url,
    amount: { refund: 40, total: 100, currency: 'CNY' } };
  const { refunds } = wxpay.v3.refund.domestic;
  assert.equal((await refunds.post(refund)).data.amount.refund, 40);
  const back = await notifications.next('REFUND.SUCCESS');
  assert.equal(back.resource.out_refund_no, `R${no}`);
  const state = await refunds['{out_refund_no}'].get({ out_refund_no: `R${no}` });
  assert.equal(state.data.status, 'SUCCESS');
  assert.equal((await query()).data.trade_state, 'REFUND');
  await refused(refunds.post({ ...refund, out_refund_no: `S${no}`, amount: { refund: 61, total: 100, currency: 'CNY' } }), 403, 'NOT_ENOUGH');

  const close = (which) => outTradeNo['{out_trade_no}'].close.post({ mchid }, { out_trade_no: which });
  await refused(close(no), 400, 'ORDERPAID');
  const unpaid = `${no}U`;
  await native.post(order(unpaid, notifications.url));
  assert.equal((await close(unpaid)).status, 204);
  const closed = await outTradeNo['{out_trade_no}'].get({ params: { mchid }, out_trade_no: unpaid });
  assert.equal(closed.data.trade_state, 'CLOSED');
  const wrong = await refused(native.post({ ...order(`${no}W`, notifications.url), amount: { total: 0 } }), 400, 'PARAM_ERROR');
  assert.match(JSON.stringify(wrong), /amount/);
}

async function upload() {
  const file = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff]), crypto.randomBytes(4096)]); // begins as a JPEG
  const send = (sha256) => {
    const form = new Multipart();
    form.append('meta', JSON.stringify({ filename: '图 1.jpg', sha256 }), 'meta.json')
      .append('file', file, '图 1.jpg');
    return wxpay.v3.merchant.media.upload.post(form.getBuffer(), { meta: form.toJSON(), headers: form.getHeaders() });
  };
  const sha256 = crypto.createHash('sha256').update(file).digest('hex');
  assert.ok((await send(sha256)).data.media_id);
  await refused(send(sha256.replace(/./, (c) => (c === '0' ? '1' : '0'))), 400, 'PARAM_ERROR');
}

/** Signed by the SDK, then changed: each must be refused, and the same unchanged accepted. */
async function tampering() {
  const target = '/v3/security/echo';
  const other = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const attempt = (change = {}) => {
    const nonce = Formatter.nonce();
    const timestamp = change.stamp ?? Formatter.timestamp();
    const body = JSON.stringify({ echo_message: 'hello' });
    const key = change.key ?? Rsa.from(env('PRIVATE_KEY'), Rsa.KEY_TYPE_PRIVATE);
    const signature = Rsa.sign(Formatter.request('POST', target, timestamp, nonce, body), key);
    const sent = { body, nonce, timestamp, target, ...change.sent };
    const authorization = Formatter.authorization(mchid, sent.nonce, signature, sent.timestamp, env('SERIAL'));
    const headers = { 'Content-Type': 'application/json', Accept: 'application/json', Authorization: authorization };
    return axios.post(new URL(sent.target, base).href, sent.body, { headers, transformRequest: [(data) => data] });
  };
  assert.equal((await attempt()).status, 200);
  const now = Formatter.timestamp();
  for (const change of [
    { sent: { body: '{"echo_message":"hellO"}' } },
    { sent: { target: `${target}?a=1` } },
    { sent: { nonce: Formatter.nonce() } },
    { sent: { timestamp: Number(now) - 100 } }, // not the second in which the next request is signed
    { stamp: Number(now) - 301 },
    { key: other },
  ]) {
    await refused(attempt(change), 401, 'SIGN_ERROR');
  }
}

(async () => {
  const notifications = await receiver();
  await orders(notifications);
  await upload();
  await tampering();
  notifications.close();
  console.log(JSON.stringify({ done: true }));
})().catch((error) => {
  console.error(error.response?.data ?? error);
  process.exit(1);
});
