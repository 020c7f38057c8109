// The parts of a shop that are the same for each script: the exported variables, a payer, a receiver of notifications.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import http from 'node:http';

export const APPID = 'wxd678efh567hg6787';

export const env = (name) => process.env[`WECHATPAY_${name}`];
export const pem = (name) => readFileSync(env(name).replace('file://', ''), 'utf8');

export const order = (no, notifyUrl) => ({
  appid: APPID, mchid: env('MCHID'), description: '茶叶 250g', out_trade_no: no, notify_url: notifyUrl,
  amount: { total: 100, currency: 'CNY' },
});

/** The platform's keys of a mode: `{serial: PEM}`. */
export function platformKeys(mode) {
  const publicKey = mode === 'certificate' ? {} : { [env('PUBLIC_KEY_ID')]: pem('PUBLIC_KEY') };
  const certificate = mode === 'public-key' ? {} : { [env('PLATFORM_SERIAL')]: pem('PLATFORM_CERTIFICATE') };
  return { ...certificate, ...publicKey };
}

/** Simulates the payer, by the control endpoint. */
export async function pay(no) {
  const body = JSON.stringify({ do: 'pay', number: no });
  const response = await fetch(`${env('BASE_URL')}_sandbox/payer`, { method: 'POST', body });
  assert.equal(response.status, 200, await response.text());
}

/** Puts each notification through `open(headers, body)`: `next()` returns what that returns, or throws what it throws. */
export function receiver(open) {
  const arrived = [];
  let wake = () => {};
  const server = http.createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', async () => {
      const one = await open(request.headers, Buffer.concat(chunks).toString()).then(
        (opened) => ({ opened }),
        (error) => ({ error }),
      );
      response.writeHead(one.error ? 500 : 204).end();
      arrived.push(one);
      wake();
    });
  });
  const next = async (event) => {
    while (arrived.length === 0) await new Promise((resolve) => { wake = resolve; });
    const { opened, error } = arrived.shift();
    if (error) throw error;
    assert.equal(opened.event_type, event);
    return opened.resource;
  };
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const close = () => { server.close(); server.closeAllConnections(); };
      resolve({ url: `http://127.0.0.1:${server.address().port}/notify`, next, close });
    });
  });
}

/** Runs a script: it prints `done`, or the error. What never comes is an error after two minutes. */
export function run(main) {
  setTimeout(() => { console.error('something never came'); process.exit(1); }, 120_000).unref();
  main().then(() => console.log('done'), (error) => {
    console.error(error.response?.data ?? error);
    process.exit(1);
  });
}
