// `wechatpay-axios-plugin` against the sandbox, unchanged but for the base URL. The SDK verifies each response.
// The argument is the mode: `public-key`, `certificate`, or `migration` from certificates to the public key.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import axios from 'axios';
import plugin from 'wechatpay-axios-plugin';
import { env, order, pay, pem, platformKeys, receiver, run } from './shop.mjs';

const { Wechatpay, Rsa, Aes: { AesGcm }, Formatter, Multipart } = plugin;
const mode = process.argv[2];
const [base, mchid] = [env('BASE_URL'), env('MCHID')];
const certs = platformKeys(mode);
const privateKey = Rsa.from(env('PRIVATE_KEY'), Rsa.KEY_TYPE_PRIVATE);
const config = { mchid, serial: env('SERIAL'), privateKey, baseURL: base };
const wxpay = new Wechatpay({ ...config, certs: { ...certs } });

/** The platform's error, as axios has it. */
async function refused(promise, status, code) {
  const error = await promise.then(() => assert.fail(`expected ${status} ${code}`), (e) => e);
  assert.equal(error.response?.status, status, error.message);
  assert.equal(error.response.data.code, code, JSON.stringify(error.response.data));
  return error.response.data;
}

/** Verifies and decrypts a notification with the SDK's own functions. */
async function open(headers, body) {
  const header = (name) => headers[`wechatpay-${name}`];
  const message = Formatter.response(header('timestamp'), header('nonce'), body);
  const key = Rsa.from(certs[header('serial')], Rsa.KEY_TYPE_PUBLIC);
  assert.ok(Rsa.verify(message, header('signature'), key), 'the notification does not verify');
  assert.ok(!Rsa.verify(`${message} `, header('signature'), key), 'a check that cannot fail');
  const { event_type, resource: { ciphertext, nonce, associated_data: aad } } = JSON.parse(body);
  return { event_type, resource: JSON.parse(AesGcm.decrypt(ciphertext, env('APIV3_KEY'), nonce, aad)) };
}

async function orders(notifications) {
  const no = `NA${process.hrtime.bigint()}`;
  const { native, outTradeNo, id } = wxpay.v3.pay.transactions;
  const made = await native.post(order(no, notifications.url));
  assert.match(made.data.code_url, /^weixin:\/\//);
  const query = () => outTradeNo['{out_trade_no}'].get({ params: { mchid }, out_trade_no: no });
  assert.equal((await query()).data.trade_state, 'NOTPAY');

  await pay(no);
  const paid = await notifications.next('TRANSACTION.SUCCESS');
  assert.deepEqual([paid.out_trade_no, paid.amount.total], [no, 100]);
  const { data } = await query();
  assert.deepEqual([data.trade_state, data.transaction_id], ['SUCCESS', paid.transaction_id]);
  const byId = await id['{transaction_id}'].get({ params: { mchid }, transaction_id: data.transaction_id });
  assert.equal(byId.data.out_trade_no, no);

  const refund = { transaction_id: data.transaction_id, out_refund_no: `R${no}`, notify_url: notifications.url,
    amount: { refund: 40, total: 100, currency: 'CNY' } };
  const { refunds } = wxpay.v3.refund.domestic;
  assert.equal((await refunds.post(refund)).data.amount.refund, 40);
  assert.equal((await notifications.next('REFUND.SUCCESS')).out_refund_no, `R${no}`);
  const state = await refunds['{out_refund_no}'].get({ out_refund_no: `R${no}` });
  assert.equal(state.data.status, 'SUCCESS');
  assert.equal((await query()).data.trade_state, 'REFUND');
  const more = { ...refund, out_refund_no: `S${no}`, amount: { refund: 61, total: 100, currency: 'CNY' } };
  await refused(refunds.post(more), 403, 'NOT_ENOUGH');

  const close = (which) => outTradeNo['{out_trade_no}'].close.post({ mchid }, { out_trade_no: which });
  await refused(close(no), 400, 'ORDERPAID');
  const unpaid = `${no}U`;
  await native.post(order(unpaid, notifications.url));
  assert.equal((await close(unpaid)).status, 204);
  const closed = await outTradeNo['{out_trade_no}'].get({ params: { mchid }, out_trade_no: unpaid });
  assert.equal(closed.data.trade_state, 'CLOSED');
  const free = native.post({ ...order(`${no}W`, notifications.url), amount: { total: 0 } });
  assert.match(JSON.stringify(await refused(free, 400, 'PARAM_ERROR')), /amount/);
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

/** A client that knows other keys verifies nothing; with certificates, the list holds the one that signs. */
async function certificates() {
  const listed = wxpay.v3.certificates.get();
  if (mode === 'public-key') {
    await refused(listed, 404, 'RESOURCE_NOT_EXISTS');
  } else {
    const [{ serial_no: serial, encrypt_certificate: one }] = (await listed).data.data;
    const text = AesGcm.decrypt(one.ciphertext, env('APIV3_KEY'), one.nonce, one.associated_data);
    assert.deepEqual([serial, text], [env('PLATFORM_SERIAL'), pem('PLATFORM_CERTIFICATE')]);
  }
  const swapped = Object.fromEntries(Object.keys(certs).map((serial) => [serial, crypto.createPublicKey(pem('PRIVATE_KEY'))]));
  const other = new Wechatpay({ ...config, certs: swapped });
  const error = await other.v3.security.echo.post({ echo_message: 'a' }).then(() => assert.fail('accepted'), (e) => e);
  assert.equal(error.code, 'EV3_RES_HEADER_SIGNATURE_DIGEST', error.message);
}

/** Encrypted by the SDK for each key of the mode; the response has the name encrypted for the merchant. */
async function sensitiveFields() {
  const { receivers } = wxpay.v3.profitsharing;
  const receiverOf = { appid: 'wxd678efh567hg6787', type: 'MERCHANT_ID', relation_type: 'STORE' };
  for (const [index, [serial, key]] of Object.entries(certs).entries()) {
    const name = `腾讯大厦分店 ${index}`;
    const encrypted = Rsa.encrypt(name, Rsa.from(key, Rsa.KEY_TYPE_PUBLIC));
    const body = { ...receiverOf, account: `190000020${index}`, name: encrypted };
    const { data } = await receivers.add.post(body, { headers: { 'Wechatpay-Serial': serial } });
    assert.notEqual(data.name, name);
    assert.equal(Rsa.decrypt(data.name, privateKey), name);
    // Without the header, the platform cannot know the key.
    await refused(receivers.add.post(body), 400, 'PARAM_ERROR');
  }
  await refused(receivers.add.post({ ...receiverOf, account: '1900000299', name: '张三' }), 400, 'PARAM_ERROR');
}

/** Signed by the SDK, then changed: each must be refused, and the same unchanged accepted. */
async function tampering() {
  const target = '/v3/security/echo';
  const other = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const attempt = (change = {}) => {
    const nonce = Formatter.nonce();
    const timestamp = change.stamp ?? Formatter.timestamp();
    const body = JSON.stringify({ echo_message: 'hello' });
    const signature = Rsa.sign(Formatter.request('POST', target, timestamp, nonce, body), change.key ?? privateKey);
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

run(async () => {
  const notifications = await receiver(open);
  await orders(notifications);
  await upload();
  await certificates();
  await sensitiveFields();
  await tampering();
  notifications.close();
});
